#pragma once
#include <optional>

#include "http_decompress.h"
#include "http_headers.h"
#include "http_multipart.h"
#include "parser.h"

/// HTTP/0.9, 1.0 and 1.1 (RFC 1945, 9110, 9112), as generous as libhtp in Suricata 8: its states,
/// its limits, its guesses. One request and one response are at work at a time; transactions whose
/// response is still to come wait in order.
namespace shrike::protocol {

enum class HttpMethod : uint8_t { unknown, other, head, get, put, post, connect };
enum class HttpVersion : uint8_t { unknown, invalid, v0_9, v1_0, v1_1 };
enum class HttpBodyKind : uint8_t { none, identity, chunked, until_close, invalid };

/// A request with its response.
class HttpTransaction : public AppTransaction {
 public:
  explicit HttpTransaction(Pool& pool) noexcept
      : AppTransaction(pool), request_headers(pool), response_headers(pool) {}

  // The request.
  HttpMethod method = HttpMethod::unknown;
  HttpVersion version = HttpVersion::unknown;
  bool has_request_line = false;  ///< a method or target was read
  bool is_0_9 = false;            ///< a request without version: no headers, no status line
  bool is_request_complete = false;
  Bytes method_text;
  Bytes uri;       ///< as it stands in the request
  Bytes uri_path;  ///< normalised
  Bytes version_text;
  Bytes uri_host;  ///< of an absolute target, normalised
  Bytes host;      ///< of the target, or else of the Host field; without port, lower case
  bool has_host = false;
  uint16_t port = 0;  ///< said with the host; 0: none
  http::HeaderList request_headers;
  HttpBodyKind request_body_kind = HttpBodyKind::none;
  std::optional<uint64_t> request_length;  ///< Content-Length
  uint64_t request_bytes = 0;              ///< of the body on the wire
  uint64_t request_decoded_bytes = 0;
  unsigned request_repetitions = 0;
  Body* request_body = nullptr;
  File* request_file = nullptr;

  // The response.
  Bytes response_line;
  Bytes response_version_text;
  Bytes status_text;
  Bytes reason;
  bool has_status_line = false;
  bool has_reason = false;
  HttpVersion response_version = HttpVersion::unknown;
  int status = 0;  ///< 100 to 999; 0: none yet; -1: not a number
  bool seen_continue = false;
  bool is_response_begun = false;  ///< its line was read
  http::HeaderList response_headers;
  HttpBodyKind response_body_kind = HttpBodyKind::identity;
  uint64_t response_bytes = 0;  ///< of the body on the wire, chunk lines included
  uint64_t response_decoded_bytes = 0;
  unsigned response_repetitions = 0;
  Body* response_body = nullptr;
  Body* unnamed_body = nullptr;  ///< what came before any status line, for file.data
  File* response_file = nullptr;
};

class HttpParser {
 public:
  explicit HttpParser(Session& session) noexcept;

  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  enum class RequestState : uint8_t {
    idle,
    line,
    protocol,
    headers,
    connect_wait,
    connect_probe,
    chunk_length,
    chunk_data,
    chunk_end,
    identity,
    finalize,
    ignore,
  };
  enum class ResponseState : uint8_t {
    idle,
    line,
    headers,
    chunk_length,
    chunk_data,
    chunk_end,
    length_known,
    until_close,
    finalize,
  };
  enum class Step : uint8_t {
    on,         ///< the next state can go on
    wait,       ///< for more bytes
    suspend,    ///< for the other side: what is there is left out (as Suricata does)
    hand_over,  ///< another protocol takes the rest
    fail,       ///< not HTTP any more: parsing of the flow ends
  };
  /// The bytes at hand and how far they are read.
  struct Cursor {
    Bytes bytes;
    size_t at = 0;
    uint64_t gap_bytes = 0;
    bool is_closed = false;
    [[nodiscard]] Bytes rest() const noexcept { return bytes.subspan(at); }
    [[nodiscard]] bool is_empty() const noexcept { return at == bytes.size() && gap_bytes == 0; }
  };

  // http.cpp
  Consumed parse_request(const Input& input);
  Consumed parse_response(const Input& input);
  Step run_request(Cursor& cursor);
  Step run_response(Cursor& cursor);
  Step step_request(Cursor& cursor);
  Step step_response(Cursor& cursor);
  void close_request(Bytes rest);
  [[nodiscard]] HttpTransaction* find(uint64_t id) const noexcept;
  [[nodiscard]] HttpTransaction* open();
  void drop_lost();
  void raise(HttpTransaction& transaction, AppEvent event);
  [[nodiscard]] bool is_too_long(Bytes line, Direction direction);

  // http_request.cpp
  Step request_idle(Cursor& cursor);
  Step request_line(Cursor& cursor);
  Step request_protocol(Cursor& cursor);
  Step request_headers(Cursor& cursor);
  Step request_chunk_length(Cursor& cursor);
  Step request_chunk_data(Cursor& cursor);
  Step request_chunk_end(Cursor& cursor);
  Step request_identity(Cursor& cursor);
  Step request_connect_wait();
  Step request_connect_probe(Cursor& cursor);
  Step request_finalize(Cursor& cursor);
  Step complete_request();
  void read_request_line(Bytes line);
  void read_target(HttpTransaction& transaction);
  void add_request_line_fields(HttpTransaction& transaction, Bytes line);
  Step end_request_headers(Bytes raw);
  Step begin_request_body();
  void read_request_headers(HttpTransaction& transaction);
  void read_request_body_kind(HttpTransaction& transaction);
  void read_host(HttpTransaction& transaction);
  void check_authorization(HttpTransaction& transaction);

  // http_response.cpp
  Step response_idle(Cursor& cursor);
  Step response_line(Cursor& cursor);
  Step take_response_line(Bytes line, const Cursor& cursor);
  void read_response_line(HttpTransaction& transaction, Bytes line);
  Step response_headers(Cursor& cursor);
  Step end_response_headers(Bytes raw);
  Step begin_response_body(Bytes raw);
  Step begin_body_of_kind(HttpTransaction& transaction);
  Step response_length_known(Cursor& cursor);
  Step response_until_close(Cursor& cursor);
  Step response_chunk_length(Cursor& cursor);
  Step response_chunk_data(Cursor& cursor);
  Step response_chunk_end(Cursor& cursor);
  Step response_finalize(Cursor& cursor);
  Step complete_response();
  Step change_protocol(HttpTransaction& transaction);
  void add_response_line_fields(HttpTransaction& transaction);
  void forget_continue(HttpTransaction& transaction);

  // http_fields.cpp
  /// Reads fields as far as they go. @return whether the end of the headers was there.
  Step take_headers(Cursor& cursor, Direction direction, bool& is_end);
  bool add_header(HttpTransaction& transaction, Direction direction,
                  const http::ScannedHeader& header);
  bool join_header(HttpTransaction& transaction, Direction direction, http::HeaderField& field,
                   Bytes value);
  void raise_header_events(HttpTransaction& transaction, Direction direction,
                           const http::HeaderFlags& flags);
  void add_single_headers(HttpTransaction& transaction, Direction direction);
  void add_header_texts(HttpTransaction& transaction, Direction direction, Bytes raw);
  [[nodiscard]] Bytes build_start(HttpTransaction& transaction, Direction direction);
  void add_header_names(HttpTransaction& transaction, Direction direction);

  // http_body.cpp
  void set_decoder(HttpTransaction& transaction, Direction direction);
  void add_codings(HttpTransaction& transaction, Direction direction, Bytes value);
  void take_request_body(HttpTransaction& transaction, Bytes bytes);
  void take_response_body(HttpTransaction& transaction, Bytes bytes);
  void skip_body(HttpTransaction& transaction, Direction direction, uint64_t gap_bytes);
  /// Takes what is there of the body_left bytes of a side; false where more of them must come.
  bool take_body_bytes(Cursor& cursor, Direction direction);
  bool take_body_part(Cursor& cursor, Direction direction);  ///< … or a gap in them
  void end_request_body(HttpTransaction& transaction);
  static void finish_response_bodies(HttpTransaction& transaction);
  void end_response_body(HttpTransaction& transaction);
  static bool sink_request(void* parser, Bytes bytes);
  static bool sink_response(void* parser, Bytes bytes);
  bool deliver_request(HttpTransaction& transaction, Bytes bytes);
  bool deliver_response(HttpTransaction& transaction, Bytes bytes);
  void begin_request_files(HttpTransaction& transaction);
  void append_unnamed(HttpTransaction& transaction, Bytes bytes);
  void open_response_file(HttpTransaction& transaction);
  [[nodiscard]] File& open_named(HttpTransaction& transaction, Direction direction, Bytes name);
  [[nodiscard]] http::MultipartSink multipart_sink();
  void look_at_raw(const Body& body, Direction direction);

  /// A side of the connection; what only one side has stands below.
  struct Side {
    bool is_tunnel = false;
    bool is_closed = false;
    uint64_t body_left = 0;  ///< of the body or chunk
    PoolBytes raw_headers;   ///< of headers that came in pieces
    ContentDecoder decoder;
    explicit Side(Pool& pool) : raw_headers(pool), decoder(pool) {}
  };
  [[nodiscard]] Side& side(Direction direction) noexcept {
    return direction == Direction::to_server ? client_ : server_;
  }

  Session& session_;
  RequestState request_state_ = RequestState::idle;
  ResponseState response_state_ = ResponseState::idle;
  Side client_;
  Side server_;
  static constexpr uint64_t none_id = ~uint64_t{0};
  uint64_t request_id_ = none_id;
  uint64_t response_id_ = none_id;
  HttpTransaction* request_ = nullptr;   ///< during a parse
  HttpTransaction* response_ = nullptr;  ///< during a parse
  PoolVector<uint64_t> waiting_;         ///< ids, oldest first, whose response has not begun
  bool has_request_rest_ = false;        ///< bytes of the client wait for more
  bool is_request_trailer_ = false;
  bool is_response_trailer_ = false;
  bool is_multipart_ = false;
  bool has_request_files_ = false;
  uint64_t responses_completed_ = 0;
  http::MultipartParser multipart_;
  http::ScannedHeader header_;
  PoolBytes text_;  ///< scratch
  PoolBytes path_;  ///< scratch
};

extern const ParserRow http_row;

}  // namespace shrike::protocol
