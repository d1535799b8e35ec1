// The client's side of HTTP/1.
#include <algorithm>
#include <tuple>

#include "http.h"
#include "http_text.h"
#include "http_uri.h"
#include "http_values.h"

namespace shrike::protocol {

using namespace http;

namespace {

/// Blanks behind a request without version that still leave it HTTP/0.9.
constexpr size_t http09_junk_bytes_max = 16;

/// Cuts at the last (or only) byte that `is_end` knows; both parts trimmed, the second one empty
/// where there is no such byte.
template <typename IsEnd>
std::pair<Bytes, Bytes> cut_at_last(Bytes text, IsEnd is_end) noexcept {
  for (size_t at = text.size(); at-- > 0;) {
    if (is_end(text[at])) {
      return {trimmed(text.first(at)), trimmed(text.subspan(at + 1))};
    }
  }
  return {trimmed(text), {}};
}

Bytes take_while_space(Bytes& text, bool is_wanted) noexcept {
  size_t bytes = 0;
  while (bytes < text.size() && is_space(text[bytes]) == is_wanted) {
    ++bytes;
  }
  const Bytes taken = text.first(bytes);
  text = text.subspan(bytes);
  return taken;
}

}  // namespace

HttpParser::Step HttpParser::request_idle(Cursor& cursor) {
  if (cursor.is_empty()) {
    return Step::wait;
  }
  request_ = open();
  if (request_ == nullptr) {
    return Step::fail;
  }
  request_id_ = request_->id;
  waiting_.push_back(request_id_);
  is_request_trailer_ = false;
  is_multipart_ = has_request_files_ = false;
  client_.body_left = 0;
  client_.raw_headers.clear();
  request_state_ = RequestState::line;
  return Step::on;
}

HttpParser::Step HttpParser::request_line(Cursor& cursor) {
  const Bytes rest = cursor.rest();
  const size_t bytes = line_bytes(rest);
  if (bytes == 0 && !cursor.is_closed) {
    return is_too_long(rest, Direction::to_server) ? Step::fail : Step::wait;
  }
  const Bytes line = bytes == 0 ? rest : rest.first(bytes);
  cursor.at += line.size();
  if (is_too_long(line, Direction::to_server)) {
    return Step::fail;
  }
  if (line.empty()) {
    return Step::wait;
  }
  if (is_ignorable(line)) {
    return Step::on;
  }
  read_request_line(without_line_end(line));
  request_state_ = RequestState::protocol;
  return Step::on;
}

/// Method, target, version. Spaces in the target belong to it, as long as a version follows.
void HttpParser::read_request_line(Bytes line) {
  HttpTransaction& transaction = *request_;
  transaction.has_request_line = true;
  Bytes rest = line;
  if (!take_while_space(rest, true).empty()) {
    raise(transaction, AppEvent::http_request_line_leading_whitespace);
  }
  transaction.method_text = transaction.keep(take_while_space(rest, false));
  transaction.method = read_method(transaction.method_text);
  const Bytes delimiter = take_while_space(rest, true);
  if (std::any_of(delimiter.begin(), delimiter.end(), [](uint8_t each) { return each != ' '; })) {
    raise(transaction, AppEvent::http_method_delim_non_compliant);
  }
  rest = trimmed(rest);
  transaction.is_0_9 = true;
  transaction.version = HttpVersion::v0_9;
  if (!rest.empty()) {
    auto [uri, version] = cut_at_last(rest, [](uint8_t byte) { return byte == ' '; });
    const bool has_other_space = std::any_of(
        uri.begin(), uri.end(), [](uint8_t byte) { return is_space(byte) && byte != ' '; });
    if (has_other_space) {
      raise(transaction, AppEvent::http_uri_delim_non_compliant);
      if (uri.size() == rest.size()) {
        std::tie(uri, version) = cut_at_last(rest, is_space);
      }
    }
    transaction.uri = transaction.keep(uri);
    if (!version.empty()) {
      transaction.is_0_9 = false;
      transaction.version_text = transaction.keep(version);
      transaction.version = read_version(version);
    }
  }
  read_target(transaction);
  add_request_line_fields(transaction, line);
  transaction.reach(Direction::to_server, Progress::line);
}

/// Takes the target apart, and adds its normal form.
void HttpParser::read_target(HttpTransaction& transaction) {
  if (transaction.uri.data() == nullptr) {
    return;
  }
  bool is_host_valid = true;
  bool has_host = false;
  if (transaction.method == HttpMethod::connect) {
    const Authority authority = split_authority(transaction.uri);
    has_host = authority.exists;
    is_host_valid = !has_host || authority.is_valid;
    normalize_host(authority.host, text_);
    transaction.port = authority.port;
  } else {
    const UriParts parts = split_uri(transaction.uri);
    has_host = parts.host.exists;
    if (normalize_uri(parts, session_.options().http, session_.pool(), path_, text_)) {
      raise(transaction, AppEvent::http_double_encoded_uri);
    }
    if (parts.path.exists) {
      transaction.uri_path = transaction.keep(path_);
    }
    if (!text_.empty()) {
      transaction.add(Direction::to_server, Field::http_uri, Bytes{text_});
    }
    normalize_host(parts.host.text, text_);
    if (parts.port.exists) {
      transaction.port = port_number(parts.port.text);
      is_host_valid = transaction.port != 0;
    }
    is_host_valid = is_host_valid && (!has_host || is_valid_host(text_));
  }
  if (has_host) {
    transaction.uri_host = transaction.keep(text_);
    transaction.host = transaction.uri_host;
    transaction.has_host = true;
  }
  if (!is_host_valid) {
    raise(transaction, AppEvent::http_request_uri_host_invalid);
  }
}

void HttpParser::add_request_line_fields(HttpTransaction& transaction, Bytes line) {
  constexpr Direction side = Direction::to_server;
  transaction.add(side, Field::http_request_line, line);
  transaction.add_kept(side, Field::http_method, transaction.method_text);
  if (transaction.uri.data() != nullptr) {
    transaction.add_kept(side, Field::http_uri_raw, transaction.uri);
  }
  if (!transaction.version_text.empty()) {
    transaction.add_kept(side, Field::http_protocol, transaction.version_text);
  }
}

HttpParser::Step HttpParser::request_protocol(Cursor& cursor) {
  if (!request_->is_0_9) {
    request_state_ = RequestState::headers;
    return Step::on;
  }
  const Bytes rest = cursor.rest();
  const bool has_more = !is_chunk_padding(rest);
  if (has_more || rest.size() > http09_junk_bytes_max) {
    request_->is_0_9 = false;
    raise(*request_, AppEvent::http_request_line_missing_protocol);
    request_state_ = RequestState::headers;
    return Step::on;
  }
  request_state_ = RequestState::finalize;
  return Step::on;
}

HttpParser::Step HttpParser::request_headers(Cursor& cursor) {
  bool is_end = false;
  const size_t from = cursor.at;
  const Step step = take_headers(cursor, Direction::to_server, is_end);
  const Bytes raw = cursor.bytes.subspan(from, cursor.at - from);
  client_.raw_headers.insert(client_.raw_headers.end(), raw.begin(), raw.end());
  if (step == Step::fail || (!is_end && !cursor.is_closed)) {
    return step;
  }
  if (cursor.is_closed && !is_request_trailer_) {
    add_single_headers(*request_, Direction::to_server);  // of those that came, rules may ask
    is_request_trailer_ = true;
  }
  return end_request_headers(client_.raw_headers);
}

/// All fields of the headers, or of the trailer, are there.
HttpParser::Step HttpParser::end_request_headers(Bytes raw) {
  HttpTransaction& transaction = *request_;
  if (is_request_trailer_) {
    add_header_texts(transaction, Direction::to_server, raw);
    request_state_ = RequestState::finalize;
    return Step::on;
  }
  add_single_headers(transaction, Direction::to_server);
  read_request_headers(transaction);
  set_decoder(transaction, Direction::to_server);
  if (transaction.method == HttpMethod::connect) {
    request_state_ = RequestState::connect_wait;
    return Step::suspend;
  }
  add_header_texts(transaction, Direction::to_server, raw);
  transaction.reach(Direction::to_server, Progress::headers);
  return begin_request_body();
}

HttpParser::Step HttpParser::begin_request_body() {
  HttpTransaction& transaction = *request_;
  switch (transaction.request_body_kind) {
    case HttpBodyKind::chunked:
      transaction.reach(Direction::to_server, Progress::body);
      request_state_ = RequestState::chunk_length;
      return Step::on;
    case HttpBodyKind::identity:
      client_.body_left = transaction.request_length.value_or(0);
      if (client_.body_left > 0) {
        transaction.reach(Direction::to_server, Progress::body);
        request_state_ = RequestState::identity;
      } else {
        request_state_ = RequestState::finalize;
      }
      return Step::on;
    case HttpBodyKind::none:
      request_state_ = RequestState::finalize;
      return Step::on;
    case HttpBodyKind::until_close:
    case HttpBodyKind::invalid:
      return Step::fail;
  }
  return Step::fail;
}

void HttpParser::read_request_headers(HttpTransaction& transaction) {
  read_request_body_kind(transaction);
  read_host(transaction);
  check_authorization(transaction);
  if (transaction.is_0_9 && transaction.method == HttpMethod::unknown) {
    raise(transaction, AppEvent::http_request_line_invalid);
  }
}

void HttpParser::read_request_body_kind(HttpTransaction& transaction) {
  const HeaderField* const coding =
      transaction.request_headers.find_without_nul("transfer-encoding");
  if (coding != nullptr) {
    const bool is_chunked = contains_without_nul(coding->value, "chunked");
    transaction.request_body_kind = is_chunked ? HttpBodyKind::chunked : HttpBodyKind::invalid;
    if (!is_chunked || transaction.version < HttpVersion::v1_1) {
      raise(transaction, AppEvent::http_invalid_transfer_encoding_value_in_request);
    }
    return;
  }
  const HeaderField* const length = transaction.request_headers.find_without_nul("content-length");
  if (length == nullptr) {
    transaction.request_body_kind = HttpBodyKind::none;
    return;
  }
  transaction.request_length = content_length(length->value);
  transaction.request_body_kind =
      transaction.request_length ? HttpBodyKind::identity : HttpBodyKind::invalid;
  if (!transaction.request_length) {
    raise(transaction, AppEvent::http_invalid_content_length_field_in_request);
  }
}

/// The host of the target counts before that of the Host field (RFC 9112, section 3.2.2).
void HttpParser::read_host(HttpTransaction& transaction) {
  const HeaderField* const field = transaction.request_headers.find_without_nul("host");
  if (field == nullptr) {
    if (transaction.version == HttpVersion::v1_1) {
      raise(transaction, AppEvent::http_missing_host_header);
    }
  } else {
    const Authority authority = split_authority(field->value);
    if (!authority.exists) {
      if (transaction.has_host) {
        raise(transaction, AppEvent::http_host_header_ambiguous);
      }
    } else {
      if (!authority.is_valid) {
        raise(transaction, AppEvent::http_request_header_host_invalid);
      }
      text_.assign(authority.host.begin(), authority.host.end());
      std::transform(text_.begin(), text_.end(), text_.begin(), to_lower);
      if (!transaction.has_host) {
        transaction.host = transaction.keep(text_);
        transaction.has_host = true;
        transaction.port = authority.port;
      } else if (as_text(transaction.host) != as_text(text_) ||
                 (authority.has_port && transaction.port != 0 &&
                  transaction.port != authority.port)) {
        raise(transaction, AppEvent::http_host_header_ambiguous);
      }
    }
  }
  constexpr Direction side = Direction::to_server;
  if (transaction.has_host) {
    transaction.add_kept(side, Field::http_host, transaction.host);
  }
  if (transaction.uri_host.data() != nullptr) {
    transaction.add_kept(side, Field::http_host_raw, transaction.uri_host);
  } else if (const HeaderField* const raw = transaction.request_headers.find("host")) {
    transaction.add_kept(side, Field::http_host_raw, raw->value);
  }
}

void HttpParser::check_authorization(HttpTransaction& transaction) {
  const HeaderField* const field = transaction.request_headers.find_without_nul("authorization");
  if (field != nullptr && !starts_any_case(field->value, "basic") &&
      !starts_any_case(field->value, "digest") && !starts_any_case(field->value, "bearer")) {
    raise(transaction, AppEvent::http_request_auth_unrecognized);
  }
}

HttpParser::Step HttpParser::request_chunk_length(Cursor& cursor) {
  const Bytes rest = cursor.rest();
  const size_t bytes = line_bytes(rest);
  if (bytes == 0) {
    if (!may_be_chunk_length(rest)) {
      raise(*request_, AppEvent::http_invalid_request_chunk_len);
      return Step::fail;
    }
    return is_too_long(rest, Direction::to_server) ? Step::fail : Step::wait;
  }
  const Bytes line = rest.first(bytes);
  cursor.at += bytes;
  request_->request_bytes += bytes;
  if (is_too_long(line, Direction::to_server)) {
    return Step::fail;
  }
  if (is_chunk_padding(line)) {
    return Step::on;
  }
  const ChunkLength length = chunk_length(line);
  if (length.kind != ChunkLength::Kind::number) {
    raise(*request_, AppEvent::http_invalid_request_chunk_len);
    return Step::fail;
  }
  if (length.has_extension) {
    raise(*request_, AppEvent::http_request_chunk_extension);
  }
  client_.body_left = length.bytes;
  request_state_ = length.bytes == 0 ? RequestState::headers : RequestState::chunk_data;
  if (length.bytes == 0) {
    is_request_trailer_ = true;
  }
  return Step::on;
}

HttpParser::Step HttpParser::request_chunk_data(Cursor& cursor) {
  if (!take_body_bytes(cursor, Direction::to_server)) {
    return Step::wait;
  }
  request_state_ = RequestState::chunk_end;
  return Step::on;
}

HttpParser::Step HttpParser::request_chunk_end(Cursor& cursor) {
  const Bytes rest = cursor.rest();
  const size_t bytes = line_bytes(rest);
  if (bytes == 0) {
    return is_too_long(rest, Direction::to_server) ? Step::fail : Step::wait;
  }
  request_->request_bytes += bytes;
  cursor.at += bytes;
  request_state_ = RequestState::chunk_length;
  return Step::on;
}

HttpParser::Step HttpParser::request_identity(Cursor& cursor) {
  if (!take_body_part(cursor, Direction::to_server)) {
    return Step::wait;
  }
  request_state_ = RequestState::finalize;
  return Step::on;
}

/// A CONNECT was asked for: what comes from here on depends on the answer. Until it is there the
/// request stays at its headers, and rules do not see them as one text (as in Suricata).
HttpParser::Step HttpParser::request_connect_wait() {
  HttpTransaction& transaction = *request_;
  if (!transaction.is_response_begun) {
    return Step::suspend;
  }
  add_header_texts(transaction, Direction::to_server, client_.raw_headers);
  request_state_ = transaction.status >= 200 && transaction.status <= 299
                       ? RequestState::connect_probe
                       : RequestState::finalize;
  return Step::on;
}

HttpParser::Step HttpParser::request_connect_probe(Cursor& cursor) {
  const Bytes rest = cursor.rest();
  const size_t bytes = as_text(rest).find_first_of(std::string_view("\n\0", 2));
  if (bytes == std::string_view::npos) {
    return is_too_long(rest, Direction::to_server) ? Step::fail : Step::wait;
  }
  Bytes line = rest.first(bytes);
  take_while_space(line, true);
  if (read_method(take_while_space(line, false)) == HttpMethod::unknown) {
    client_.is_tunnel = server_.is_tunnel = true;
    cursor.at = cursor.bytes.size();
    return Step::wait;
  }
  return complete_request();
}

/// What stands behind a request and begins with no method belongs to its body.
HttpParser::Step HttpParser::request_finalize(Cursor& cursor) {
  if (cursor.gap_bytes != 0 || cursor.rest().empty()) {
    return complete_request();
  }
  const Bytes rest = cursor.rest();
  const size_t bytes = line_bytes(rest);
  if (bytes == 0 && !cursor.is_closed) {
    return is_too_long(rest, Direction::to_server) ? Step::fail : Step::wait;
  }
  const Bytes line = bytes == 0 ? rest : rest.first(bytes);
  Bytes words = bytes == 0 ? line : line.first(bytes - 1);
  take_while_space(words, true);
  const Bytes method = take_while_space(words, false);
  if (line.size() == 1 && bytes == 1) {
    return complete_request();  // a lone LF: it is the next request's to pass over
  }
  if (!method.empty() && read_method(method) != HttpMethod::unknown) {
    return complete_request();
  }
  if (!method.empty()) {
    raise(*request_, AppEvent::http_request_body_unexpected);
  }
  take_request_body(*request_, line);
  cursor.at += line.size();
  return Step::on;
}

HttpParser::Step HttpParser::complete_request() {
  HttpTransaction& transaction = *request_;
  end_request_body(transaction);
  transaction.is_request_complete = true;
  transaction.reach(Direction::to_server, Progress::complete);
  session_.inspect_raw_now(Direction::to_server);
  request_state_ = transaction.is_0_9 ? RequestState::ignore : RequestState::idle;
  request_ = nullptr;
  request_id_ = none_id;
  return Step::on;
}

}  // namespace shrike::protocol
