// The http.* fields that HTTP/2 fills as HTTP/1 does.
#include <algorithm>

#include "http2.h"

namespace shrike::protocol {

namespace {

using enum Direction;
using Side = Http2Transaction::Side;

const Http2Header* find(const Side& side, std::string_view name) noexcept {
  for (const Http2Header& header : side.headers) {
    if (header.kind == Http2Header::Kind::header && as_text(header.name) == name) {
      return &header;
    }
  }
  return nullptr;
}

Bytes first_value(const Side& side, std::string_view name) noexcept {
  const Http2Header* const header = find(side, name);
  return header == nullptr ? Bytes{} : header->value;
}

Bytes trim(Bytes value) noexcept {
  const auto is_blank = [](uint8_t byte) { return byte == ' ' || byte == '\t'; };
  while (!value.empty() && is_blank(value.front())) {
    value = value.subspan(1);
  }
  while (!value.empty() && is_blank(value.back())) {
    value = value.first(value.size() - 1);
  }
  return value;
}

/// Builds texts out of pieces.
class Text {
 public:
  explicit Text(Pool& pool) : bytes_(pool) {}
  Text& operator<<(Bytes piece) {
    bytes_.insert(bytes_.end(), piece.begin(), piece.end());
    return *this;
  }
  Text& operator<<(std::string_view piece) { return *this << as_bytes(piece); }
  [[nodiscard]] Bytes bytes() const noexcept { return bytes_; }
  [[nodiscard]] PoolBytes& edit() noexcept { return bytes_; }

 private:
  PoolBytes bytes_;
};

/// All values of a header joined by ", ". Adds nothing where there is none.
void add_joined(Http2Transaction& transaction, Direction direction, Field field,
                std::string_view name) {
  const Side& side = transaction.side(direction);
  const Http2Header* const first = find(side, name);
  if (first == nullptr) {
    return;
  }
  Text text(transaction.pool());
  text << first->value;
  for (const Http2Header& header : side.headers) {
    if (&header > first && header.kind == Http2Header::Kind::header &&
        as_text(header.name) == name) {
      text << ", " << header.value;
    }
  }
  transaction.add(direction, field, text.bytes());
}

/// http.header, http.header.raw and http.header_names.
void add_header_texts(Http2Transaction& transaction, Direction direction) {
  const Side& side = transaction.side(direction);
  const std::string_view cookie = direction == to_server ? "cookie" : "set-cookie";
  Text normal(transaction.pool()), raw(transaction.pool()), names(transaction.pool());
  names << "\r\n";
  for (const Http2Header& header : side.headers) {
    names << header.name << "\r\n";
    raw << header.name << ": " << header.value << "\r\n";
    std::string_view name = as_text(header.name);
    const bool is_cookie =
        name.size() == cookie.size() &&
        std::equal(name.begin(), name.end(), cookie.begin(), [](char seen, char wanted) {
          return (seen >= 'A' && seen <= 'Z' ? seen | 0x20 : seen) == wanted;
        });
    if (!is_cookie) {
      normal << header.name << ": " << trim(header.value) << "\r\n";
    }
  }
  if (!normal.bytes().empty()) {
    transaction.add(direction, Field::http_header, normal.bytes());
  }
  if (!side.headers.empty()) {
    transaction.add(direction, Field::http_header_raw, raw.bytes());
    names << "\r\n";
    transaction.add(direction, Field::http_header_names, names.bytes());
  }
}

/// The host without user, port and capitals.
void add_host(Http2Transaction& transaction) {
  add_joined(transaction, to_server, Field::http_host_raw, ":authority");
  const FieldValue* const raw = transaction.find(to_server, Field::http_host_raw);
  if (raw == nullptr) {
    return;
  }
  std::string_view host = as_text(raw->bytes);
  host.remove_prefix(host.find('@') + 1);
  host = host.substr(0, host.find(':'));
  Text text(transaction.pool());
  text << host;
  for (uint8_t& each : text.edit()) {
    each = each >= 'A' && each <= 'Z' ? static_cast<uint8_t>(each | 0x20) : each;
  }
  transaction.add(to_server, Field::http_host, text.bytes());
}

struct HeaderField {
  Field field;
  std::string_view name;
};
constexpr HeaderField request_fields[] = {
    {Field::http_accept, "accept"},
    {Field::http_accept_lang, "accept-language"},
    {Field::http_accept_enc, "accept-encoding"},
    {Field::http_connection, "connection"},
    {Field::http_content_len, "content-length"},
    {Field::http_content_type, "content-type"},
    {Field::http_referer, "referer"},
    {Field::http_cookie, "cookie"},
    {Field::http_user_agent, "user-agent"},
};
constexpr HeaderField response_fields[] = {
    {Field::http_connection, "connection"},
    {Field::http_content_len, "content-length"},
    {Field::http_content_type, "content-type"},
    {Field::http_location, "location"},
    {Field::http_server, "server"},
    {Field::http_cookie, "set-cookie"},
};

void add_request_line(Http2Transaction& transaction) {
  const Side& side = transaction.side(to_server);
  if (const Http2Header* const path = find(side, ":path")) {
    transaction.add_kept(to_server, Field::http_uri, path->value);
    transaction.add_kept(to_server, Field::http_uri_raw, path->value);
  }
  if (const Http2Header* const method = find(side, ":method")) {
    transaction.add_kept(to_server, Field::http_method, method->value);
  }
  Text line(transaction.pool());
  line << first_value(side, ":method") << " " << first_value(side, ":path") << " HTTP/2\r\n";
  transaction.add(to_server, Field::http_request_line, line.bytes());
}

void add_status_line(Http2Transaction& transaction) {
  const Side& side = transaction.side(to_client);
  if (const Http2Header* const status = find(side, ":status")) {
    transaction.add_kept(to_client, Field::http_stat_code, status->value);
  }
  transaction.add_kept(to_client, Field::http_stat_msg, as_bytes(""));
  Text line(transaction.pool());
  line << "HTTP/2 " << first_value(side, ":status") << "\r\n";
  transaction.add(to_client, Field::http_response_line, line.bytes());
}

}  // namespace

void add_http2_fields(Http2Transaction& transaction, Direction direction) {
  Side& side = transaction.side(direction);
  if (side.fields_added) {
    return;
  }
  side.fields_added = true;
  transaction.add_kept(direction, Field::http_protocol, as_bytes("HTTP/2"));
  if (direction == to_server) {
    add_request_line(transaction);
    add_host(transaction);
    for (const auto& [field, name] : request_fields) {
      add_joined(transaction, direction, field, name);
    }
  } else {
    add_status_line(transaction);
    for (const auto& [field, name] : response_fields) {
      add_joined(transaction, direction, field, name);
    }
  }
  add_header_texts(transaction, direction);
}

}  // namespace shrike::protocol
