#pragma once
#include "parser.h"

/// WebSocket (RFC 6455) with compressed messages (RFC 7692), behind an upgrade of HTTP/1.
namespace shrike::protocol {

/// One frame; the last one of a fragmented message holds the whole message.
class WebSocketTransaction : public AppTransaction {
 public:
  using AppTransaction::AppTransaction;
  uint8_t flags = 0;  ///< FIN and the reserved bits, where they stand in the first byte
  uint8_t opcode = 0;
  bool is_masked = false;
  uint32_t mask = 0;
};

class WebSocketParser {
 public:
  explicit WebSocketParser(Session& session) noexcept
      : session_(session), lanes_{Lane(session.pool()), Lane(session.pool())} {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  struct Lane {
    explicit Lane(Pool& pool) : message(pool) {}
    PoolBytes message;  ///< of the frames so far
    bool is_compressed = false;
    uint64_t skip_bytes = 0;  ///< rest of a frame that is too long to keep
  };
  struct Frame {
    uint8_t first = 0;
    bool is_masked = false;
    uint32_t mask = 0;
    uint64_t skip_bytes = 0;
    Bytes payload;
  };
  /// @return bytes of the frame that stands in front, 0: `needed` of them are not there yet.
  static size_t read_frame(Bytes bytes, Frame& frame, size_t& needed);
  void take_frame(Direction direction, const Frame& frame);
  void add_payload(WebSocketTransaction& transaction, Direction direction, PoolBytes& payload,
                   bool is_compressed);

  Session& session_;
  std::array<Lane, 2> lanes_;
};

extern const ParserRow websocket_row;

}  // namespace shrike::protocol
