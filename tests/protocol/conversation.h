#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "shrike/protocol.h"

namespace shrike::protocol::test {

/// One flow as `flow` would hand it over: bytes of a direction come with a datagram of the other
/// one, which acknowledges them (TCP), or are the datagram's own payload (UDP). Everything that
/// `parse` borrows lives until the next call.
class Conversation {
 public:
  struct Ends {
    uint8_t transport = ip_protocol::tcp;
    uint16_t server_port = 80;
    uint32_t slot = 0;
    uint16_t client_port = 40000;
    uint8_t client_number = 1;  ///< last byte of 10.0.0.x
    uint8_t server_number = 2;
  };

  Conversation(ProtocolParsers& parsers, const Ends& ends) : parsers_(parsers), ends_(ends) {
    tracked_.flow.opened = true;
    tracked_.flow.eve_id = 100 + ends.slot;
    tracked_.flow.client.bytes = {10, 0, 0, ends.client_number};
    tracked_.flow.server.bytes = {10, 0, 0, ends.server_number};
    tracked_.flow.client_port = ends.client_port;
    tracked_.flow.server_port = ends.server_port;
    tracked_.flow.is_established = true;
    tracked_.flow.tcp_established = ends.transport == ip_protocol::tcp;
    tracked_.flow.tcp_state =
        ends.transport == ip_protocol::tcp ? TcpState::established : TcpState::none;
  }

  FlowView& flow() noexcept { return tracked_.flow; }
  Tracked& tracked() noexcept { return tracked_; }
  uint64_t& time_ns() noexcept { return datagram_.time_ns; }

  /// Bytes of one direction, in one piece. UDP: one datagram.
  const AppView* say(Direction direction, std::string_view text, bool is_end = false) {
    text_ = text;
    if (ends_.transport == ip_protocol::udp) {
      return pass(direction, as_bytes(text_), {});
    }
    see_data(direction, as_bytes(text_));
    const AppChunk chunk{.direction = direction,
                         .is_end = is_end,
                         .offset = offsets_[static_cast<size_t>(direction)],
                         .bytes = as_bytes(text_)};
    offsets_[static_cast<size_t>(direction)] += text.size();
    return pass(opposite(direction), {}, {&chunk, 1});
  }
  const AppView* ask(std::string_view text) { return say(Direction::to_server, text); }
  const AppView* answer(std::string_view text) { return say(Direction::to_client, text); }

  /// Bytes of a direction that were sent but are not acknowledged yet.
  const AppView* see_data(Direction direction, Bytes payload) {
    tracked_.flow.stream_added = true;
    auto& bytes = tracked_.flow.stream_bytes[static_cast<size_t>(direction)];
    bytes = (bytes == 0 ? 1 : bytes) + static_cast<uint32_t>(payload.size());
    const AppView* const view = pass(direction, payload, {});
    tracked_.flow.stream_added = false;
    return view;
  }
  /// A datagram that brings nothing.
  const AppView* nudge(Direction direction) { return pass(direction, {}, {}); }
  const AppView* lose(Direction direction, uint64_t bytes) {
    const AppChunk chunk{.direction = direction,
                         .offset = offsets_[static_cast<size_t>(direction)],
                         .gap_bytes = bytes};
    offsets_[static_cast<size_t>(direction)] += bytes;
    return pass(opposite(direction), {}, {&chunk, 1});
  }
  const AppView* end(Direction direction) { return say(direction, {}, true); }

  /// What detect does with complete transactions, and then settle.
  void inspect(const AppView* view) {
    if (view != nullptr) {
      for (const Transaction* const each : view->transactions) {
        for (size_t side = 0; side < 2; ++side) {
          each->notes[side].is_done |= each->progress[side] == Progress::complete;
        }
      }
    }
    parsers_.settle(tracked_);
  }

 private:
  const AppView* pass(Direction direction, Bytes payload, std::span<const AppChunk> chunks) {
    datagram_.protocol = ends_.transport;
    datagram_.ip_version = 4;
    datagram_.has_transport = true;
    datagram_.payload = payload;
    tracked_.datagram = &datagram_;
    tracked_.flow.id = FlowId(ends_.slot, direction);
    const AppView* const view = parsers_.parse(tracked_, chunks);
    tracked_.flow.opened = false;
    return view;
  }

  ProtocolParsers& parsers_;
  Ends ends_;
  Datagram datagram_;
  Tracked tracked_;
  std::string text_;
  std::array<uint64_t, 2> offsets_{};
};

inline ProtocolOptions small_options() {
  ProtocolOptions options;
  options.flow_slots = 64;
  return options;
}

}  // namespace shrike::protocol::test
