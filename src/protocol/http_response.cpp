// The server's side of HTTP/1.
#include <algorithm>

#include "http.h"
#include "http2.h"
#include "http_text.h"
#include "http_values.h"

namespace shrike::protocol {

using namespace http;

namespace {

/// What stands for a request that was never seen; the text is libhtp's, and rules may know it.
constexpr std::string_view unseen_uri = "/libhtp::request_uri_not_seen";

/// Bytes of a status line with its end: LF, CR LF, or a CR that something else follows.
size_t status_line_bytes(Bytes bytes) noexcept {
  const size_t at = as_text(bytes).find_first_of("\r\n");
  if (at == std::string_view::npos) {
    return 0;
  }
  if (bytes[at] == '\n') {
    return at + 1;
  }
  if (at + 1 == bytes.size()) {
    return 0;
  }
  return at + (bytes[at + 1] == '\n' ? 2 : 1);
}

}  // namespace

HttpParser::Step HttpParser::response_idle(Cursor& cursor) {
  if (cursor.is_empty() || (cursor.is_closed && cursor.rest().empty())) {
    return Step::wait;
  }
  if (waiting_.empty()) {
    response_ = open();
    if (response_ == nullptr) {
      return Step::fail;
    }
    raise(*response_, AppEvent::http_unable_to_match_response_to_request);
    response_->uri = as_bytes(unseen_uri);
    response_->uri_path = response_->uri;
    response_->add_kept(Direction::to_server, Field::http_uri_raw, response_->uri);
    response_->is_request_complete = true;
    response_->reach(Direction::to_server, Progress::complete);
  } else {
    response_ = find(waiting_.front());
    waiting_.erase(waiting_.begin());
  }
  response_id_ = response_->id;
  is_response_trailer_ = false;
  server_.raw_headers.clear();
  if (response_->is_0_9) {
    response_->reach(Direction::to_client, Progress::body);
    response_->response_body_kind = HttpBodyKind::until_close;
    response_state_ = ResponseState::until_close;
    return Step::on;
  }
  response_state_ = ResponseState::line;
  if (!response_->has_request_line && response_ == request_ &&
      request_state_ == RequestState::line) {
    raise(*response_, AppEvent::http_request_line_incomplete);
  }
  return Step::on;
}

HttpParser::Step HttpParser::response_line(Cursor& cursor) {
  const Bytes rest = cursor.rest();
  const size_t bytes = status_line_bytes(rest);
  if (bytes == 0 && !cursor.is_closed) {
    return is_too_long(rest, Direction::to_client) ? Step::fail : Step::wait;
  }
  const Bytes line = bytes == 0 ? rest : rest.first(bytes);
  cursor.at += line.size();
  if (is_too_long(line, Direction::to_client)) {
    return Step::fail;
  }
  return line.empty() ? Step::wait : take_response_line(line, cursor);
}

HttpParser::Step HttpParser::take_response_line(Bytes line, const Cursor& cursor) {
  HttpTransaction& transaction = *response_;
  if (is_ignorable(line)) {
    response_state_ = cursor.is_closed ? ResponseState::finalize : response_state_;
    return Step::on;
  }
  if (is_body_for_sure(line)) {
    const Bytes rest = cursor.rest();
    if (rest.size() > 1 && (rest.front() == 'H' || without_line_end(line).size() <= 2)) {
      return Step::on;
    }
    server_.decoder.clear();
    take_response_body(transaction, line);
    if (rest.empty()) {
      transaction.reach(Direction::to_client, Progress::body);
      response_state_ = ResponseState::finalize;
    }
    return Step::on;
  }
  read_response_line(transaction, without_line_end(line));
  response_state_ = ResponseState::headers;
  return Step::on;
}

void HttpParser::read_response_line(HttpTransaction& transaction, Bytes line) {
  transaction.response_line = transaction.keep(line);
  transaction.has_status_line = transaction.is_response_begun = true;
  transaction.has_reason = false;
  transaction.status_text = transaction.response_version_text = transaction.reason = {};
  transaction.status = -1;
  transaction.response_version = HttpVersion::invalid;
  Bytes rest = transaction.response_line;
  const auto take_word = [&rest] {
    const auto end = std::find_if(rest.begin(), rest.end(), is_space);
    const Bytes word = rest.first(static_cast<size_t>(end - rest.begin()));
    rest = rest.subspan(word.size());
    return word;
  };
  const auto skip_spaces = [&rest] {
    const size_t before = rest.size();
    while (!rest.empty() && is_space(rest.front())) {
      rest = rest.subspan(1);
    }
    return rest.size() < before;
  };
  while (!rest.empty() && (is_space(rest.front()) || rest.front() == 0)) {
    rest = rest.subspan(1);
  }
  transaction.response_version_text = take_word();
  transaction.response_version = read_version(transaction.response_version_text);
  if (skip_spaces()) {
    transaction.status_text = take_word();
  }
  if (!transaction.status_text.empty()) {
    transaction.status = read_status(transaction.status_text);
    transaction.has_reason = skip_spaces();
    transaction.reason = rest;
  }
  if (transaction.response_version == HttpVersion::invalid) {
    raise(transaction, AppEvent::http_response_invalid_protocol);
  }
  if (transaction.status < 0) {
    raise(transaction, AppEvent::http_response_invalid_status);
  }
}

void HttpParser::add_response_line_fields(HttpTransaction& transaction) {
  constexpr Direction side = Direction::to_client;
  if (!transaction.has_status_line) {
    return;
  }
  transaction.add_kept(side, Field::http_response_line, transaction.response_line);
  if (!transaction.response_version_text.empty()) {
    transaction.add_kept(side, Field::http_protocol, transaction.response_version_text);
  }
  if (!transaction.status_text.empty()) {
    transaction.add_kept(side, Field::http_stat_code, transaction.status_text);
  }
  if (transaction.has_reason) {
    transaction.add_kept(side, Field::http_stat_msg, transaction.reason);
  }
  transaction.reach(side, Progress::line);
}

HttpParser::Step HttpParser::response_headers(Cursor& cursor) {
  bool is_end = false;
  const size_t from = cursor.at;
  const Step step = take_headers(cursor, Direction::to_client, is_end);
  const Bytes raw = cursor.bytes.subspan(from, cursor.at - from);
  server_.raw_headers.insert(server_.raw_headers.end(), raw.begin(), raw.end());
  if (step == Step::fail || (!is_end && !cursor.is_closed)) {
    return step;
  }
  if (cursor.is_closed && !is_response_trailer_) {
    add_response_line_fields(*response_);
    add_single_headers(*response_, Direction::to_client);
    add_header_texts(*response_, Direction::to_client, server_.raw_headers);
    response_->response_body_kind = HttpBodyKind::none;
    response_state_ = ResponseState::finalize;
    return Step::on;
  }
  return end_response_headers(server_.raw_headers);
}

HttpParser::Step HttpParser::end_response_headers(Bytes raw) {
  if (is_response_trailer_) {
    add_header_texts(*response_, Direction::to_client, raw);
    response_state_ = ResponseState::finalize;
    return Step::on;
  }
  return begin_response_body(raw);
}

/// After "100 Continue" another status line comes.
void HttpParser::forget_continue(HttpTransaction& transaction) {
  if (transaction.seen_continue) {
    raise(transaction, AppEvent::http_100_continue_already_seen);
  }
  transaction.seen_continue = true;
  transaction.has_status_line = transaction.is_response_begun = false;
  transaction.response_headers.fields().clear();
  server_.raw_headers.clear();
  response_state_ = ResponseState::line;
}

/// The headers are there: whether a body follows, and how it ends (RFC 9112, section 6.3).
HttpParser::Step HttpParser::begin_response_body(Bytes raw) {
  HttpTransaction& transaction = *response_;
  const HeaderField* const length = transaction.response_headers.find_without_nul("content-length");
  const HeaderField* const coding =
      transaction.response_headers.find_without_nul("transfer-encoding");
  const bool has_framing = length != nullptr || coding != nullptr;
  if (transaction.status == 100 && coding == nullptr &&
      (length == nullptr || content_length(length->value).value_or(0) == 0) &&
      transaction.method != HttpMethod::connect) {
    forget_continue(transaction);
    return Step::on;
  }
  add_response_line_fields(transaction);
  add_single_headers(transaction, Direction::to_client);
  if (transaction.status == 101 && !has_framing) {
    transaction.response_body_kind = HttpBodyKind::none;
    return change_protocol(transaction);
  }
  add_header_texts(transaction, Direction::to_client, raw);
  transaction.reach(Direction::to_client, Progress::headers);
  if (transaction.method == HttpMethod::connect && transaction.status >= 200 &&
      transaction.status <= 299) {
    transaction.response_body_kind = HttpBodyKind::none;
    response_state_ = ResponseState::finalize;
    return Step::on;
  }
  if (transaction.status >= 400 && transaction.status <= 499 && request_ == response_ &&
      request_state_ == RequestState::identity &&
      client_.body_left == transaction.request_length.value_or(0)) {
    const HeaderField* const expect = transaction.request_headers.find("expect");
    if (expect != nullptr && as_text(expect->value) == "100-continue") {
      request_state_ = RequestState::finalize;
    }
  }
  const bool is_bodiless = (transaction.status >= 100 && transaction.status <= 199) ||
                           transaction.status == 204 || transaction.status == 304;
  if (transaction.method == HttpMethod::head || (is_bodiless && !has_framing)) {
    transaction.response_body_kind = HttpBodyKind::none;
    response_state_ = ResponseState::finalize;
    return Step::on;
  }
  return begin_body_of_kind(transaction);
}

HttpParser::Step HttpParser::begin_body_of_kind(HttpTransaction& transaction) {
  const HeaderField* const length = transaction.response_headers.find_without_nul("content-length");
  const HeaderField* const coding =
      transaction.response_headers.find_without_nul("transfer-encoding");
  if (coding != nullptr && contains_without_nul(coding->value, "chunked")) {
    if (!equals_any_case(coding->value, "chunked")) {
      raise(transaction, AppEvent::http_response_abnormal_transfer_encoding);
    }
    if (transaction.response_version < HttpVersion::v1_1) {
      raise(transaction, AppEvent::http_response_chunked_old_proto);
    }
    transaction.response_body_kind = HttpBodyKind::chunked;
    transaction.reach(Direction::to_client, Progress::body);
    response_state_ = ResponseState::chunk_length;
  } else if (length != nullptr) {
    const std::optional<uint64_t> bytes = content_length(length->value);
    if (!bytes) {
      raise(transaction, AppEvent::http_invalid_content_length_field_in_response);
      return Step::fail;
    }
    transaction.response_body_kind = HttpBodyKind::identity;
    server_.body_left = *bytes;
    response_state_ = *bytes == 0 ? ResponseState::finalize : ResponseState::length_known;
    if (*bytes != 0) {
      transaction.reach(Direction::to_client, Progress::body);
    }
  } else {
    const HeaderField* const type = transaction.response_headers.find_without_nul("content-type");
    if (type != nullptr && starts_any_case(trimmed(type->value), "multipart/byteranges")) {
      raise(transaction, AppEvent::http_response_multipart_byteranges);
      return Step::fail;
    }
    transaction.response_body_kind = HttpBodyKind::until_close;
    transaction.reach(Direction::to_client, Progress::body);
    response_state_ = ResponseState::until_close;
  }
  set_decoder(transaction, Direction::to_client);
  return Step::on;
}

/// "101 Switching Protocols": HTTP ends here, and rules never see the response's headers as one
/// text (as in Suricata, where the response stays at its headers).
HttpParser::Step HttpParser::change_protocol(HttpTransaction& transaction) {
  const HeaderField* const upgrade = transaction.response_headers.find_without_nul("upgrade");
  const Bytes target = upgrade == nullptr ? Bytes{} : upgrade->value;
  const uint16_t port = transaction.port;
  session_.inspect_raw_now(Direction::to_client);
  client_.is_tunnel = server_.is_tunnel = true;
  response_id_ = request_id_ = none_id;
  response_ = request_ = nullptr;
  if (contains_without_nul(target, "h2c")) {
    Http2Parser::keep_upgrade(transaction, session_.handover());
    session_.change_protocol(AppProtocol::unknown, AppProtocol::http2, port);
  } else if (contains_without_nul(target, "websocket")) {
    session_.change_protocol(AppProtocol::unknown, AppProtocol::websocket, port);
  }
  return Step::hand_over;
}

HttpParser::Step HttpParser::response_length_known(Cursor& cursor) {
  if (cursor.is_closed) {
    response_state_ = ResponseState::finalize;
    return Step::on;
  }
  if (!take_body_part(cursor, Direction::to_client)) {
    return Step::wait;
  }
  response_state_ = ResponseState::finalize;
  return Step::on;
}

HttpParser::Step HttpParser::response_until_close(Cursor& cursor) {
  if (cursor.gap_bytes != 0) {
    skip_body(*response_, Direction::to_client, cursor.gap_bytes);
    cursor.gap_bytes = 0;
  } else if (!cursor.rest().empty()) {
    take_response_body(*response_, cursor.rest());
    cursor.at = cursor.bytes.size();
  }
  if (!cursor.is_closed) {
    return Step::wait;
  }
  response_state_ = ResponseState::finalize;
  return Step::on;
}

HttpParser::Step HttpParser::response_chunk_length(Cursor& cursor) {
  const Bytes rest = cursor.rest();
  const size_t bytes = line_bytes(rest);
  const auto read_to_the_end = [&] {
    raise(*response_, AppEvent::http_invalid_response_chunk_len);
    response_->response_body_kind = HttpBodyKind::until_close;
    response_state_ = ResponseState::until_close;
    return Step::on;
  };
  if (bytes == 0) {
    if (!may_be_chunk_length(rest)) {
      return read_to_the_end();
    }
    return is_too_long(rest, Direction::to_client) ? Step::fail : Step::wait;
  }
  const Bytes line = rest.first(bytes);
  if (is_too_long(line, Direction::to_client)) {
    return Step::fail;
  }
  if (is_chunk_padding(line)) {
    cursor.at += bytes;
    response_->response_bytes += bytes;
    return Step::on;
  }
  const ChunkLength length = chunk_length(line);
  if (length.kind == ChunkLength::Kind::wrong) {
    return read_to_the_end();
  }
  cursor.at += bytes;
  response_->response_bytes += bytes;
  if (length.kind == ChunkLength::Kind::none) {
    return Step::on;
  }
  server_.body_left = length.bytes;
  response_state_ = length.bytes == 0 ? ResponseState::headers : ResponseState::chunk_data;
  is_response_trailer_ = is_response_trailer_ || length.bytes == 0;
  return Step::on;
}

HttpParser::Step HttpParser::response_chunk_data(Cursor& cursor) {
  if (cursor.is_closed) {
    response_state_ = ResponseState::finalize;
    return Step::on;
  }
  if (!take_body_bytes(cursor, Direction::to_client)) {
    return Step::wait;
  }
  response_state_ = ResponseState::chunk_end;
  return Step::on;
}

HttpParser::Step HttpParser::response_chunk_end(Cursor& cursor) {
  const Bytes rest = cursor.rest();
  const size_t bytes = line_bytes(rest);
  const size_t taken = bytes == 0 ? rest.size() : bytes;
  response_->response_bytes += taken;
  cursor.at += taken;
  if (bytes == 0) {
    return Step::wait;
  }
  response_state_ = ResponseState::chunk_length;
  return Step::on;
}

/// What stands behind a response and is no status line belongs to its body.
HttpParser::Step HttpParser::response_finalize(Cursor& cursor) {
  const Bytes rest = cursor.rest();
  if (cursor.gap_bytes != 0 || rest.empty()) {
    return complete_response();
  }
  Bytes line = rest;
  if (!cursor.is_closed && rest.front() != '\n') {
    const size_t bytes = line_bytes(rest);
    if (bytes == 0) {
      return is_too_long(rest, Direction::to_client) ? Step::fail : Step::wait;
    }
    line = rest.first(bytes);
  }
  if (!is_body_for_sure(line)) {
    return complete_response();
  }
  take_response_body(*response_, line);
  cursor.at += line.size();
  return Step::on;
}

HttpParser::Step HttpParser::complete_response() {
  HttpTransaction& transaction = *response_;
  end_response_body(transaction);
  transaction.reach(Direction::to_client, Progress::complete);
  session_.inspect_raw_now(Direction::to_client);
  ++responses_completed_;
  const bool is_tunnel = transaction.method == HttpMethod::connect && transaction.status >= 200 &&
                         transaction.status <= 299 && responses_completed_ == 1;
  response_state_ = ResponseState::idle;
  response_ = nullptr;
  response_id_ = none_id;
  if (!is_tunnel) {
    return Step::on;
  }
  const uint16_t port = transaction.port;
  request_ = nullptr;
  request_id_ = none_id;
  request_state_ = RequestState::idle;
  session_.change_protocol(AppProtocol::unknown, AppProtocol::unknown, port);
  return Step::hand_over;
}

}  // namespace shrike::protocol
