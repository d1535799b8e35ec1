#pragma once
#include <array>
#include <cstdint>

#include "shrike/base/bytes.h"
#include "shrike/model/datagram.h"
#include "shrike/model/stream.h"

namespace shrike::flow {

namespace tcp_flag {
inline constexpr uint8_t fin = 1, syn = 2, rst = 4, psh = 8, ack = 16, urg = 32;
}

/// A TCP segment with its options, and what the session made of it.
struct TcpPacket {
  const Datagram* datagram = nullptr;
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint32_t length = 0;  ///< of the payload
  uint32_t seconds = 0;
  uint32_t timestamp = 0;
  uint32_t timestamp_echo = 0;
  uint16_t window = 0;  ///< as sent, not scaled
  uint16_t urgent_pointer = 0;
  uint8_t flags = 0;
  uint8_t window_scale = 0;
  bool has_timestamp = false;
  bool has_window_scale = false;
  bool sack_permitted = false;
  bool has_fast_open = false;
  bool has_signature = false;  ///< MD5 or AO: a RST cannot be judged (RFC 2385, RFC 5925)
  bool is_stream_end = false;  ///< made by flow at the end of a connection
  Direction direction = Direction::to_server;
  Bytes payload;
  Bytes sack_blocks;  ///< 8 bytes each

  // Outcome.
  EventList<StreamEvent>* events = nullptr;
  TrackedBatch* app_out = nullptr;  ///< where bytes for the application layer go; null: nowhere
  Tracked* tracked = nullptr;
  bool stream_added = false;
  bool tcp_established = false;
  bool counts_as_established = false;  ///< though the flow was not when it came
  bool was_reversed = false;           ///< client and server changed places
  bool state_changed = false;
  bool midstream_refused = false;  ///< midstream_policy applies
  Bytes instead;                   ///< inline: bytes to go on in place of the payload's first ones
  FlowState flow_state = FlowState::fresh;

  [[nodiscard]] bool has(uint8_t flag) const noexcept { return (flags & flag) != 0; }
  [[nodiscard]] bool is_synack() const noexcept {
    return (flags & (tcp_flag::syn | tcp_flag::ack)) == (tcp_flag::syn | tcp_flag::ack);
  }
  [[nodiscard]] bool is_to_server() const noexcept { return direction == Direction::to_server; }
  [[nodiscard]] uint32_t right_edge() const noexcept { return sequence + length; }
  void note(StreamEvent event) noexcept { events->add(event); }
};

/// Reads header and options of a datagram with a valid TCP header. Malformed options end the
/// reading; what came before them counts. Sources: RFC 9293 3.1, RFC 7323, RFC 2018, RFC 7413.
void read_tcp(const Datagram& datagram, TcpPacket& packet) noexcept;

}  // namespace shrike::flow
