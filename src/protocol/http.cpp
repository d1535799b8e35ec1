// The two machines of an HTTP/1 connection: what comes is handed to the state at work until it
// waits. States and their order are libhtp's (rust/htp/src/request.rs, response.rs).
#include "http.h"

#include <algorithm>
#include <array>

namespace shrike::protocol {

namespace {

// clang-format off
/// Every method that Suricata knows an HTTP client by, followed by a space or a tab.
constexpr std::array<std::string_view, 56> method_texts{
    "GET ", "GET\t", "PUT ", "PUT\t", "POST ", "POST\t", "HEAD ", "HEAD\t", "TRACE ", "TRACE\t",
    "OPTIONS ", "OPTIONS\t", "CONNECT ", "CONNECT\t", "DELETE ", "DELETE\t", "PATCH ", "PATCH\t",
    "PROPFIND ", "PROPFIND\t", "PROPPATCH ", "PROPPATCH\t", "MKCOL ", "MKCOL\t", "COPY ", "COPY\t",
    "MOVE ", "MOVE\t", "LOCK ", "LOCK\t", "UNLOCK ", "UNLOCK\t", "CHECKOUT ", "CHECKOUT\t",
    "UNCHECKOUT ", "UNCHECKOUT\t", "CHECKIN ", "CHECKIN\t", "UPDATE ", "UPDATE\t", "LABEL ",
    "LABEL\t", "REPORT ", "REPORT\t", "MKWORKSPACE ", "MKWORKSPACE\t", "MKACTIVITY ",
    "MKACTIVITY\t", "MERGE ", "MERGE\t", "INVALID ", "INVALID\t", "VERSION-CONTROL ",
    "VERSION-CONTROL\t", "BASELINE-CONTROL ", "BASELINE-CONTROL\t"};
constexpr std::array<std::string_view, 3> version_texts{"HTTP/0.9", "HTTP/1.0", "HTTP/1.1"};
// clang-format on

constexpr auto patterns = [] {
  std::array<Pattern, method_texts.size() + version_texts.size()> all{};
  size_t count = 0;
  for (const std::string_view text : method_texts) {
    all[count++] = {.direction = Direction::to_server,
                    .text = text,
                    .depth = static_cast<uint16_t>(text.size()),
                    .is_nocase = true};
  }
  for (const std::string_view text : version_texts) {
    all[count++] = {.direction = Direction::to_client,
                    .text = text,
                    .depth = static_cast<uint16_t>(text.size()),
                    .is_nocase = true};
  }
  return all;
}();

}  // namespace

const ParserRow http_row = row_of_parser<HttpParser>(
    {.protocol = AppProtocol::http1, .patterns = patterns, .accepts_gaps = true});

HttpParser::HttpParser(Session& session) noexcept
    : session_(session),
      client_(session.pool()),
      server_(session.pool()),
      waiting_(session.pool()),
      multipart_(session.pool()),
      header_(session.pool()),
      text_(session.pool()),
      path_(session.pool()) {}

HttpTransaction* HttpParser::find(uint64_t id) const noexcept {
  if (id == none_id) {
    return nullptr;
  }
  for (AppTransaction* const each : session_.transactions()) {
    if (each->id == id) {
      return static_cast<HttpTransaction*>(each);
    }
  }
  return nullptr;
}

/// A new transaction, or null where the connection has too many that never ended.
HttpTransaction* HttpParser::open() {
  const ProtocolOptions& options = session_.options();
  const size_t transactions_max =
      std::min(options.http.transactions_max, options.transactions_per_flow_max);
  if (session_.transactions().size() >= transactions_max) {
    return nullptr;
  }
  return &session_.open<HttpTransaction>();
}

/// Finds the transactions at work again; those that went meanwhile are forgotten.
void HttpParser::drop_lost() {
  request_ = find(request_id_);
  response_ = find(response_id_);
  if (request_ == nullptr && request_id_ != none_id) {
    request_id_ = none_id;
    request_state_ = RequestState::idle;
    client_.decoder.clear();
  }
  if (response_ == nullptr && response_id_ != none_id) {
    response_id_ = none_id;
    response_state_ = ResponseState::idle;
    server_.decoder.clear();
  }
  std::erase_if(waiting_, [this](uint64_t id) { return find(id) == nullptr; });
}

/// An event of a transaction is seen by rules of either direction, as in Suricata.
void HttpParser::raise(HttpTransaction& transaction, AppEvent event) {
  transaction.raise(Direction::to_server, event);
  transaction.raise(Direction::to_client, event);
}

bool HttpParser::is_too_long(Bytes line, Direction direction) {
  if (line.size() <= session_.options().http.header_bytes_max) {
    return false;
  }
  const bool is_request = direction == Direction::to_server;
  HttpTransaction* const transaction = is_request ? request_ : response_;
  if (transaction != nullptr) {
    raise(*transaction, is_request ? AppEvent::http_request_field_too_long
                                   : AppEvent::http_response_field_too_long);
  }
  return true;
}

Consumed HttpParser::parse(const Input& input) {
  drop_lost();
  return input.direction == Direction::to_server ? parse_request(input) : parse_response(input);
}

Consumed HttpParser::parse_request(const Input& input) {
  if (client_.is_tunnel || client_.is_closed) {
    return Consumed::all(input);
  }
  Cursor cursor{.bytes = input.bytes, .gap_bytes = input.gap_bytes};
  if (!cursor.is_empty()) {
    const Step step = run_request(cursor);
    if (step == Step::fail) {
      return Consumed::broken();
    }
    if (step == Step::suspend) {
      cursor.at = cursor.bytes.size();
    }
  }
  if (input.is_end) {
    close_request(cursor.rest());
    return Consumed::all(input);
  }
  has_request_rest_ = cursor.at < cursor.bytes.size();
  return {cursor.at};
}

/// Nothing more comes from the client: states that wait for bytes end.
void HttpParser::close_request(Bytes rest) {
  if (client_.is_closed || client_.is_tunnel) {
    return;
  }
  client_.is_closed = true;
  Cursor cursor{.bytes = rest, .is_closed = true};
  run_request(cursor);
  if (request_ != nullptr && request_->request_body != nullptr) {
    request_->request_body->finish();
  }
}

Consumed HttpParser::parse_response(const Input& input) {
  if (server_.is_tunnel || server_.is_closed) {
    return Consumed::all(input);
  }
  Cursor cursor{.bytes = input.bytes, .gap_bytes = input.gap_bytes};
  if (!cursor.is_empty()) {
    const Step step = run_response(cursor);
    if (step == Step::fail) {
      return Consumed::broken();
    }
    if (step == Step::hand_over) {
      return {cursor.at};
    }
    if (step == Step::suspend) {
      cursor.at = cursor.bytes.size();
    }
  }
  if (!input.is_end) {
    return {cursor.at};
  }
  if (!has_request_rest_) {  // else the client's own end brings its last bytes
    close_request({});
  }
  if (!server_.is_tunnel) {
    server_.is_closed = true;
    Cursor closing{.bytes = cursor.rest(), .is_closed = true};
    run_response(closing);
    if (response_ != nullptr) {
      finish_response_bodies(*response_);
    }
  }
  return Consumed::all(input);
}

HttpParser::Step HttpParser::run_request(Cursor& cursor) {
  if (cursor.gap_bytes != 0) {
    const bool is_allowed = request_state_ == RequestState::identity ||
                            request_state_ == RequestState::ignore ||
                            request_state_ == RequestState::finalize;
    if (!is_allowed) {
      return Step::wait;
    }
  }
  Step step = Step::on;
  while (step == Step::on) {
    step = step_request(cursor);
  }
  return step;
}

HttpParser::Step HttpParser::run_response(Cursor& cursor) {
  if (cursor.gap_bytes != 0) {
    if (session_.opened() == 0) {
      return Step::fail;  // a leading gap: no request was ever seen
    }
    const bool is_allowed = response_state_ == ResponseState::length_known ||
                            response_state_ == ResponseState::until_close ||
                            response_state_ == ResponseState::finalize;
    if (!is_allowed) {
      return Step::wait;
    }
  }
  Step step = Step::on;
  while (step == Step::on) {
    step = step_response(cursor);
  }
  return step;
}

HttpParser::Step HttpParser::step_request(Cursor& cursor) {
  switch (request_state_) {
    case RequestState::idle:
      return request_idle(cursor);
    case RequestState::line:
      return request_line(cursor);
    case RequestState::protocol:
      return request_protocol(cursor);
    case RequestState::headers:
      return request_headers(cursor);
    case RequestState::connect_wait:
      return request_connect_wait();
    case RequestState::connect_probe:
      return request_connect_probe(cursor);
    case RequestState::chunk_length:
      return request_chunk_length(cursor);
    case RequestState::chunk_data:
      return request_chunk_data(cursor);
    case RequestState::chunk_end:
      return request_chunk_end(cursor);
    case RequestState::identity:
      return request_identity(cursor);
    case RequestState::finalize:
      return request_finalize(cursor);
    case RequestState::ignore:
      cursor.at = cursor.bytes.size();
      return Step::wait;
  }
  return Step::fail;
}

HttpParser::Step HttpParser::step_response(Cursor& cursor) {
  switch (response_state_) {
    case ResponseState::idle:
      return response_idle(cursor);
    case ResponseState::line:
      return response_line(cursor);
    case ResponseState::headers:
      return response_headers(cursor);
    case ResponseState::chunk_length:
      return response_chunk_length(cursor);
    case ResponseState::chunk_data:
      return response_chunk_data(cursor);
    case ResponseState::chunk_end:
      return response_chunk_end(cursor);
    case ResponseState::length_known:
      return response_length_known(cursor);
    case ResponseState::until_close:
      return response_until_close(cursor);
    case ResponseState::finalize:
      return response_finalize(cursor);
  }
  return Step::fail;
}

}  // namespace shrike::protocol
