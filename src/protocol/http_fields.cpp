// Header fields of HTTP/1 as values that rules look into.
#include <algorithm>
#include <array>

#include "http.h"
#include "http_text.h"
#include "http_values.h"

namespace shrike::protocol {

using namespace http;

namespace {

/// Repetitions of fields in a message that are joined; more of them are left out (libhtp).
constexpr unsigned repetitions_max = 64;

struct NamedField {
  std::string_view name;  ///< lower case
  Field field;
};
constexpr std::array<NamedField, 9> request_fields{{
    {"accept", Field::http_accept},
    {"accept-language", Field::http_accept_lang},
    {"accept-encoding", Field::http_accept_enc},
    {"connection", Field::http_connection},
    {"content-length", Field::http_content_len},
    {"content-type", Field::http_content_type},
    {"referer", Field::http_referer},
    {"cookie", Field::http_cookie},
    {"user-agent", Field::http_user_agent},
}};
constexpr std::array<NamedField, 6> response_fields{{
    {"connection", Field::http_connection},
    {"content-length", Field::http_content_len},
    {"content-type", Field::http_content_type},
    {"location", Field::http_location},
    {"server", Field::http_server},
    {"set-cookie", Field::http_cookie},
}};

std::span<const NamedField> named_fields(Direction direction) noexcept {
  if (direction == Direction::to_server) {
    return request_fields;
  }
  return response_fields;
}

void append(PoolBytes& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}
void append(PoolBytes& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

HeaderList& headers_of(HttpTransaction& transaction, Direction direction) noexcept {
  return direction == Direction::to_server ? transaction.request_headers
                                           : transaction.response_headers;
}

}  // namespace

HttpParser::Step HttpParser::take_headers(Cursor& cursor, Direction direction, bool& is_end) {
  HttpTransaction& transaction = direction == Direction::to_server ? *request_ : *response_;
  const HeaderSide header_side =
      direction == Direction::to_server ? HeaderSide::request : HeaderSide::response;
  is_end = false;
  bool is_first = true;
  while (!is_end && !cursor.rest().empty()) {
    const Bytes rest = cursor.rest();
    size_t consumed = 0;
    const HeaderScan scan =
        scan_header(rest, header_side, cursor.is_closed, is_first, header_, consumed);
    if (scan == HeaderScan::more) {
      const std::string_view text = as_text(rest);
      if (is_first && (text == "\n" || text == "\r\n")) {
        cursor.at = cursor.bytes.size();
        is_end = true;
        break;
      }
      return is_too_long(rest, direction) ? Step::fail : Step::wait;
    }
    cursor.at += consumed;
    is_first = false;
    is_end = scan != HeaderScan::field;
    if (scan != HeaderScan::end && !add_header(transaction, direction, header_)) {
      return Step::fail;
    }
  }
  return is_end ? Step::on : Step::wait;
}

void HttpParser::raise_header_events(HttpTransaction& transaction, Direction direction,
                                     const HeaderFlags& flags) {
  const bool is_request = direction == Direction::to_server;
  if (flags.name_leading_space) {
    raise(transaction, is_request ? AppEvent::http_invalid_request_field_folding
                                  : AppEvent::http_invalid_response_field_folding);
  }
  if (flags.name_not_token) {
    raise(transaction, is_request ? AppEvent::http_request_header_invalid
                                  : AppEvent::http_response_header_invalid);
  }
  if (flags.missing_colon) {
    raise(transaction, is_request ? AppEvent::http_request_field_missing_colon
                                  : AppEvent::http_response_field_missing_colon);
  }
}

/// @return whether it still fits.
bool HttpParser::add_header(HttpTransaction& transaction, Direction direction,
                            const ScannedHeader& header) {
  raise_header_events(transaction, direction, header.flags);
  HeaderList& headers = headers_of(transaction, direction);
  HeaderField* const same = headers.find_same(header.name);
  if (same != nullptr) {
    return join_header(transaction, direction, *same, header.value);
  }
  if (headers.fields().size() > session_.options().http.headers_max) {
    raise(transaction, direction == Direction::to_server
                           ? AppEvent::http_request_too_many_headers
                           : AppEvent::http_response_too_many_headers);
    return false;
  }
  headers.fields().push_back(
      {transaction.keep(header.name), transaction.keep(Bytes{header.value}), false});
  return true;
}

/// The same name again: its value joins the first one's.
bool HttpParser::join_header(HttpTransaction& transaction, Direction direction, HeaderField& field,
                             Bytes value) {
  const bool is_request = direction == Direction::to_server;
  unsigned& repetitions =
      is_request ? transaction.request_repetitions : transaction.response_repetitions;
  if (field.is_repeated) {
    if (repetitions >= repetitions_max) {
      return true;
    }
    ++repetitions;
  } else {
    raise(transaction, is_request ? AppEvent::http_request_header_repetition
                                  : AppEvent::http_response_header_repetition);
  }
  field.is_repeated = true;
  if (equals_any_case(field.name, "content-length")) {
    const auto before = content_length(field.value);
    if (!before || before != content_length(value)) {
      raise(transaction, is_request ? AppEvent::http_duplicate_content_length_field_in_request
                                    : AppEvent::http_duplicate_content_length_field_in_response);
    }
    return true;
  }
  text_.assign(field.value.begin(), field.value.end());
  append(text_, ", ");
  append(text_, value);
  field.value = transaction.keep(Bytes{text_});
  return true;
}

/// Adds the fields that rules see one by one.
void HttpParser::add_single_headers(HttpTransaction& transaction, Direction direction) {
  const HeaderList& headers = headers_of(transaction, direction);
  for (const NamedField& named : named_fields(direction)) {
    if (const HeaderField* const field = headers.find(named.name)) {
      transaction.add_kept(direction, named.field, field->value);
    }
  }
  const Field one_field =
      direction == Direction::to_server ? Field::http_request_header : Field::http_response_header;
  for (const HeaderField& field : headers.fields()) {
    text_.assign(field.name.begin(), field.name.end());
    append(text_, ": ");
    append(text_, field.value);
    transaction.add(direction, one_field, Bytes{text_});
  }
}

/// http.start: the line and the fields, in normal form.
Bytes HttpParser::build_start(HttpTransaction& transaction, Direction direction) {
  const PoolVector<HeaderField>& fields = headers_of(transaction, direction).fields();
  const Bytes line = direction == Direction::to_server
                         ? as_bytes(transaction.text(direction, Field::http_request_line))
                         : transaction.response_line;
  text_.assign(line.begin(), line.end());
  append(text_, "\r\n");
  for (const HeaderField& field : fields) {
    append(text_, field.name);
    append(text_, ": ");
    append(text_, field.value);
    append(text_, "\r\n");
  }
  if (!fields.empty()) {
    append(text_, "\r\n");
  }
  return transaction.keep(Bytes{text_});
}

void HttpParser::add_header_names(HttpTransaction& transaction, Direction direction) {
  const PoolVector<HeaderField>& fields = headers_of(transaction, direction).fields();
  if (fields.empty()) {
    return;
  }
  text_.clear();
  append(text_, "\r\n");
  for (const HeaderField& field : fields) {
    append(text_, field.name);
    append(text_, "\r\n");
  }
  append(text_, "\r\n");
  transaction.add(direction, Field::http_header_names, Bytes{text_});
}

/// Adds the texts that rules see of all fields together. With a trailer it is called again: they
/// have its fields too then.
void HttpParser::add_header_texts(HttpTransaction& transaction, Direction direction, Bytes raw) {
  const FieldValue* const before = transaction.find(direction, Field::http_header_raw);
  constexpr size_t empty_trailer_bytes = 2;
  if (before != nullptr && raw.size() <= before->bytes.size() + empty_trailer_bytes) {
    return;
  }
  if (!raw.empty()) {
    transaction.add(direction, Field::http_header_raw, raw);
  }
  const Bytes start = build_start(transaction, direction);
  transaction.add_kept(direction, Field::http_start, start);
  const std::string_view cookie = direction == Direction::to_server ? "cookie" : "set-cookie";
  const PoolVector<HeaderField>& fields = headers_of(transaction, direction).fields();
  size_t at = as_text(start).find("\r\n");
  at = fields.empty() ? start.size() : at + 2;
  text_.clear();
  for (const HeaderField& field : fields) {
    const size_t bytes = field.name.size() + 2 + field.value.size() + 2;
    if (!equals_any_case(field.name, cookie)) {
      append(text_, start.subspan(at, bytes));
    }
    at += bytes;
  }
  if (!text_.empty()) {
    transaction.add(direction, Field::http_header, Bytes{text_});
  }
  add_header_names(transaction, direction);
}

}  // namespace shrike::protocol
