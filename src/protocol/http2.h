#pragma once
#include <optional>

#include "dns_message.h"
#include "hpack.h"
#include "http_decompress.h"
#include "parser.h"

/// HTTP/2 (RFC 9113), from its preface or from an upgrade of HTTP/1, and DNS over it (RFC 8484).
namespace shrike::protocol {

struct Http2FrameHeader {
  static constexpr size_t bytes = 9;
  uint32_t length = 0;
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t stream_id = 0;
};

namespace http2_frame {
inline constexpr uint8_t data = 0, headers = 1, priority = 2, reset_stream = 3, settings = 4,
                         push_promise = 5, ping = 6, go_away = 7, window_update = 8,
                         continuation = 9;
}
namespace http2_flag {
inline constexpr uint8_t end_stream = 0x1, end_headers = 0x4, padded = 0x8, has_priority = 0x20;
}

/// A header as it was sent, or an update of the table's size between headers.
struct Http2Header {
  Bytes name;
  Bytes value;
  uint64_t table_bytes = 0;
  enum class Kind : uint8_t { header, table_size, fault } kind = Kind::header;
};

struct Http2Setting {
  uint16_t id = 0;
  uint32_t value = 0;
};

/// A stream, or one frame of the connection (stream 0). Its state is one for both directions, as
/// Suricata has it: what rules see of a direction depends on it.
class Http2Transaction : public AppTransaction {
 public:
  enum class State : uint8_t {
    idle,
    open,
    reserved,
    data_client,
    half_closed_client,
    data_server,
    half_closed_server,
    closed,
    connection,
  };
  struct Side {
    explicit Side(Pool& pool) : headers(pool), settings(pool), decoder(pool), dns_bytes(pool) {}
    PoolVector<Http2Header> headers;
    size_t header_bytes = 0;
    PoolVector<Http2Setting> settings;
    std::optional<uint32_t> error_code;
    std::optional<uint8_t> priority;
    std::string_view has_multiple;  ///< what a second frame said anew: "error_code", "priority"
    bool fields_added = false;
    File* file = nullptr;
    Body* body = nullptr;
    ContentDecoder decoder;
    uint64_t body_bytes = 0;     ///< as sent
    uint64_t decoded_bytes = 0;  ///< … and unpacked
    bool is_dns = false;         ///< its body is a DNS message, kept in dns_bytes
    PoolBytes dns_bytes;
    DnsMessage* dns = nullptr;
  };

  Http2Transaction(Pool& pool, uint32_t stream)
      : AppTransaction(pool), stream_id(stream), sides{Side(pool), Side(pool)} {}
  ~Http2Transaction();
  Http2Transaction(const Http2Transaction&) = delete;
  Http2Transaction& operator=(const Http2Transaction&) = delete;

  [[nodiscard]] Side& side(Direction direction) noexcept {
    return sides[static_cast<size_t>(direction)];
  }
  [[nodiscard]] const Side& side(Direction direction) const noexcept {
    return sides[static_cast<size_t>(direction)];
  }
  void raise_both(AppEvent event) {
    raise(Direction::to_server, event);
    raise(Direction::to_client, event);
  }

  uint32_t stream_id;
  uint32_t child_stream_id = 0;  ///< pushed stream whose headers go on
  State state = State::open;
  std::array<Side, 2> sides;
};

/// The same text but for the case of ASCII letters.
[[nodiscard]] bool is_same_text(Bytes first, Bytes second) noexcept;
/// What base64 in either alphabet holds (RFC 4648, sections 4 and 5); nothing where it is none.
[[nodiscard]] PoolBytes read_base64(Pool& pool, std::string_view text);

/// Makes the http.* fields of one direction, once, from the headers that came.
void add_http2_fields(Http2Transaction& transaction, Direction direction);

class Http2Parser {
 public:
  explicit Http2Parser(Session& session);
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);
  /// For HTTP/1: writes down the request that asks for HTTP/2, for Session::handover.
  static void keep_upgrade(const AppTransaction& request, PoolBytes& handover);

 private:
  using State = Http2Transaction::State;
  /// One direction of the connection.
  struct Lane {
    explicit Lane(Pool& pool) : hpack(pool), block(pool) {}
    HpackDecoder hpack;
    size_t skip_bytes = 0;      ///< rest of a frame that is too long to keep
    PoolBytes block;            ///< headers that go on in the next frame
    uint32_t block_stream = 0;  ///< of this stream; 0: none
  };
  struct Frame {
    Http2FrameHeader header;
    Direction direction = Direction::to_server;
    Bytes bytes;
    bool is_whole = true;
  };
  /// What a frame's headers are for.
  struct HeaderBlock {
    Bytes bytes;
    uint32_t promised_stream = 0;
    std::optional<uint8_t> priority;
    bool is_readable = true;
    bool is_decoded = true;  ///< false: more of it comes in a CONTINUATION
    bool is_over_limit = false;
  };

  [[nodiscard]] Lane& lane(Direction direction) noexcept {
    return lanes_[static_cast<size_t>(direction)];
  }
  std::optional<size_t> skip_preface(Bytes bytes);
  Consumed parse_frames(Bytes bytes, size_t before, Direction direction);
  bool take_frame(const Frame& frame);
  HeaderBlock take_block(const Frame& frame);
  HeaderBlock gather(const Frame& frame, HeaderBlock block);
  void take_numbers(const Frame& frame, Http2Transaction& transaction);
  void take_settings(const Frame& frame, Http2Transaction& transaction);
  void decode_headers(Http2Transaction& transaction, Direction direction, Bytes block);
  void look_at_headers(Http2Transaction& transaction, Direction direction, size_t first);
  void take_data(const Frame& frame, Http2Transaction& transaction);
  void take_dns(Http2Transaction& transaction, Direction direction, Bytes bytes);
  void step(const Frame& frame, Http2Transaction& transaction);
  void show(Http2Transaction& transaction);
  Http2Transaction* transaction_for(const Frame& frame, uint32_t promised_stream);
  Http2Transaction* find(uint32_t stream_id);
  Http2Transaction& open(uint32_t stream_id);
  void raise_on_last(AppEvent event);
  void mimic_upgrade(Bytes request);

  Session& session_;
  std::array<Lane, 2> lanes_;
  AppProtocol protocol_ = AppProtocol::http2;
  bool is_preface_done_ = false;
};

extern const ParserRow http2_row;
extern const ParserRow doh2_row;

}  // namespace shrike::protocol
