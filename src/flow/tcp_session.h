#pragma once
#include <array>
#include <cstdint>

#include "shrike/flow.h"
#include "shrike/model/stream.h"

namespace shrike::flow {

/// What was seen of one side of a connection. Bits of TcpStream::flags.
namespace stream_flag {
inline constexpr uint16_t no_reassembly = 1 << 0;  ///< over: no bytes are kept any more
inline constexpr uint16_t depth_reached = 1 << 1;
inline constexpr uint16_t has_timestamps = 1 << 2;    ///< its SYN carried the option
inline constexpr uint16_t zero_timestamp = 1 << 3;    ///< with the value 0
inline constexpr uint16_t keep_alive = 1 << 4;        ///< a keep-alive waits for its answer
inline constexpr uint16_t reset_received = 1 << 5;    ///< its receiver was sent a RST
inline constexpr uint16_t trigger_raw = 1 << 6;       ///< app layer: inspect now what is there
inline constexpr uint16_t new_raw_disabled = 1 << 7;  ///< app layer: take no more raw bytes
inline constexpr uint16_t raw_disabled = 1 << 8;      ///< and now none is left to inspect
inline constexpr uint16_t has_gap = 1 << 9;
inline constexpr uint16_t end_told = 1 << 10;  ///< the application layer knows that it is over
}  // namespace stream_flag

/// Bits of TcpSession::flags.
namespace session_flag {
inline constexpr uint32_t midstream = 1 << 0;
inline constexpr uint32_t midstream_established = 1 << 1;
inline constexpr uint32_t midstream_synack = 1 << 2;
inline constexpr uint32_t timestamps = 1 << 3;            ///< both sides agreed on the option
inline constexpr uint32_t window_scale_offered = 1 << 4;  ///< by the SYN
inline constexpr uint32_t closed_by_reset = 1 << 5;
inline constexpr uint32_t evasion_attempt = 1 << 6;
inline constexpr uint32_t sack_permitted = 1 << 7;
inline constexpr uint32_t sack_offered = 1 << 8;          ///< by the SYN
inline constexpr uint32_t four_way = 1 << 9;              ///< SYN against SYN
inline constexpr uint32_t handshake_confirmed = 1 << 10;  ///< the server went on after it
inline constexpr uint32_t fast_open = 1 << 11;
inline constexpr uint32_t fast_open_data_ignored = 1 << 12;
inline constexpr uint32_t one_sided = 1 << 13;        ///< asynchronous: only one side is seen
inline constexpr uint32_t lossy = 1 << 14;            ///< we lost bytes ourselves: be liberal
inline constexpr uint32_t probe_to_server = 1 << 15;  ///< a zero window probe is under way
inline constexpr uint32_t probe_to_client = 1 << 16;
inline constexpr uint32_t app_disabled = 1 << 17;  ///< no parser wants this session's bytes
}  // namespace session_flag

/// One side's bytes and the receiver's answers to them, as RFC 9293 names them. Indices point
/// into the pools of StreamBuffers and SackRanges; 0 is none. Offsets count from the first byte
/// after the SYN and never wrap.
struct TcpStream {
  uint32_t initial_sequence = 0;
  uint32_t next_sequence = 0;  ///< right behind what the sender has sent
  uint32_t last_ack = 0;       ///< what the receiver has acknowledged
  uint32_t next_window = 0;    ///< right edge of what the receiver takes
  uint32_t window = 0;         ///< as advertised by the receiver, scaled
  uint32_t base_sequence = 0;  ///< sequence number at base_offset
  uint32_t right_edge = 0;     ///< highest right edge of any segment
  uint32_t last_timestamp = 0;
  uint32_t last_timestamp_seconds = 0;  ///< packet time of that timestamp
  uint16_t flags = 0;
  uint8_t window_scale = 0;
  TargetPolicy policy = TargetPolicy::none;  ///< of the receiver; none: not asked for yet
  uint64_t base_offset = 0;                  ///< nothing is kept before it
  uint64_t raw_progress = 0;                 ///< raw inspection goes on here
  uint64_t inspected_offset = 0;             ///< right edge of all that inspection was handed
  uint64_t app_progress = 0;                 ///< where a parser would go on
  uint32_t first_segment = 0;
  uint32_t last_segment = 0;
  uint32_t first_block = 0;
  uint32_t last_block = 0;
  uint32_t first_sack = 0;
  uint32_t sacked_bytes = 0;
  uint32_t late_bytes = 0;  ///< kept, but inspection had passed their place
  uint16_t blocks = 0;
  uint16_t sacks = 0;
  uint16_t urgent_bytes = 0;  ///< taken out of the sequence space so far (RFC 6093)
  uint8_t tcp_flags = 0;      ///< seen from the sender
  uint8_t unused = 0;

  /// Inspection will not come back to bytes before it.
  [[nodiscard]] uint64_t passed_offset() const noexcept {
    return raw_progress > inspected_offset ? raw_progress : inspected_offset;
  }
};

/// One connection. Zero bytes are a session that has not begun.
struct TcpSession {
  TcpState state = TcpState::none;
  TcpState previous_state = TcpState::none;
  uint8_t queued = 0;  ///< handshakes kept
  uint8_t unused = 0;
  uint32_t flags = 0;
  uint32_t first_queued = 0;
  uint32_t slot = 0;
  /// By direction of the bytes: [to_server] is what the client sends.
  std::array<TcpStream, 2> streams{};

  [[nodiscard]] TcpStream& client() noexcept { return streams[0]; }
  [[nodiscard]] TcpStream& server() noexcept { return streams[1]; }
  [[nodiscard]] const TcpStream& client() const noexcept { return streams[0]; }
  [[nodiscard]] const TcpStream& server() const noexcept { return streams[1]; }
  [[nodiscard]] bool has(uint32_t flag) const noexcept { return (flags & flag) != 0; }
};

/// Suricata compares states by rank; ours have the same order.
[[nodiscard]] constexpr bool is_at_least(TcpState state, TcpState least) noexcept {
  return static_cast<uint8_t>(state) >= static_cast<uint8_t>(least);
}

/// A handshake packet kept until it is known which of several was answered.
struct QueuedHandshake {
  uint32_t next = 0;
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint32_t timestamp = 0;
  uint32_t seconds = 0;
  uint16_t window = 0;
  uint8_t window_scale = 0;
  bool has_sack = false;
  bool has_window_scale = false;
  bool has_timestamp = false;

  /// Source: Suricata's TcpStateQueue, compared as a whole.
  friend bool operator==(const QueuedHandshake& first, const QueuedHandshake& second) noexcept {
    return first.is_same_answer(second) && first.seconds == second.seconds;
  }
  [[nodiscard]] bool is_same_answer(const QueuedHandshake& other) const noexcept {
    return sequence == other.sequence && acknowledgement == other.acknowledgement &&
           timestamp == other.timestamp && window == other.window &&
           window_scale == other.window_scale && has_sack == other.has_sack &&
           has_window_scale == other.has_window_scale && has_timestamp == other.has_timestamp;
  }
};

}  // namespace shrike::flow
