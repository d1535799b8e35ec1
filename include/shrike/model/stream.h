#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "shrike/base/bytes.h"
#include "shrike/model/datagram.h"
#include "shrike/model/limits.h"
#include "shrike/model/stream_event.h"

namespace shrike {

enum class Direction : uint8_t { to_server = 0, to_client = 1 };
[[nodiscard]] constexpr Direction opposite(Direction direction) noexcept {
  return direction == Direction::to_server ? Direction::to_client : Direction::to_server;
}

/// A flow's place in the tables of its core: slot << 1 | direction. Engines keep arrays of their
/// own by slot. Source: VPP sfdp.rst. `none` where a datagram has no flow.
class FlowId {
 public:
  constexpr FlowId() noexcept = default;
  constexpr FlowId(uint32_t slot, Direction direction) noexcept
      : value_(slot << 1 | static_cast<uint32_t>(direction)) {}
  [[nodiscard]] constexpr bool exists() const noexcept { return value_ != 0xffffffff; }
  [[nodiscard]] constexpr uint32_t slot() const noexcept { return value_ >> 1; }
  [[nodiscard]] constexpr Direction direction() const noexcept {
    return static_cast<Direction>(value_ & 1);
  }
  friend bool operator==(FlowId, FlowId) = default;

 private:
  uint32_t value_ = 0xffffffff;
};

enum class FlowState : uint8_t { fresh, established, closed, bypassed };
enum class FlowEndReason : uint8_t { timeout, forced, shutdown, tcp_reuse };
enum class TcpState : uint8_t {
  none,
  listen,
  syn_sent,
  syn_received,
  established,
  fin_wait1,
  fin_wait2,
  time_wait,
  last_ack,
  close_wait,
  closing,
  closed,
};

/// What exception policies may decide for a flow (Suricata: exception-policy).
enum class FlowVerdict : uint8_t { inspect, bypass, pass, drop, reject };

/// What was true of a flow when one datagram of it passed. Arrays are by Direction.
struct FlowView {
  FlowId id;                     ///< with the datagram's direction
  uint8_t client_end = 0;        ///< which of the flow's two ends is the client
  bool opened = false;           ///< first datagram of this flow: engines reset their slot
  bool is_established = false;   ///< TCP handshake done; else traffic seen both ways
  bool stream_added = false;     ///< payload went into the stream (Suricata: PKT_STREAM_ADD)
  bool tcp_established = false;  ///< packet belongs to an established session (PKT_STREAM_EST)
  bool is_midstream = false;
  bool stream_end = false;  ///< last inspection of this direction (PKT_PSEUDO_STREAM_END)
  bool depth_reached = false;
  FlowState state = FlowState::fresh;
  TcpState tcp_state = TcpState::none;
  FlowVerdict verdict = FlowVerdict::inspect;
  std::array<uint32_t, 2> packets{};
  std::array<uint64_t, 2> bytes{};
  uint64_t start_ns = 0;  ///< time of the first datagram
  uint64_t last_ns = 0;   ///< time of the last datagram, this one included
  /// next_seq - isn of each side, for stream_size (0 where not TCP).
  std::array<uint32_t, 2> stream_bytes{};
  uint64_t eve_id = 0;         ///< EVE flow_id, 51 bits
  uint64_t parent_eve_id = 0;  ///< EVE parent_id, 0 where none
  /// Client's and server's side (client to server orientation), as first seen.
  IpAddress client;
  IpAddress server;
  uint16_t client_port = 0;
  uint16_t server_port = 0;

  /// Which of the flow's two ends sent the datagram: the same when its sides are swapped.
  [[nodiscard]] size_t sender() const noexcept {
    return client_end ^ static_cast<size_t>(id.direction());
  }
};

/// In-order bytes of one direction of a stream, made ready for inspection with one datagram of
/// the same direction. Raw chunks of a direction are consecutive: offset is where the last one
/// ended, or later behind a gap. Valid until the next FlowTracker::track.
struct Chunk {
  Bytes bytes;
  uint64_t offset = 0;  ///< of bytes[0] in the stream, 0 is the first byte after the SYN
  bool after_gap = false;
};

/// In-order bytes of one direction for the application layer; every byte comes once. TCP gives them
/// when they are acknowledged, with a datagram of the *other* direction as a rule (Suricata does
/// so, which decides the packet that an alert names). Valid until the next FlowTracker::track.
struct AppChunk {
  Direction direction = Direction::to_server;  ///< whose bytes
  bool is_end = false;     ///< the sender is done: nothing more comes; may come without bytes
  bool is_cut = false;     ///< the depth is reached: more may pass, and is not handed on; no bytes
  uint64_t offset = 0;     ///< of bytes[0], or of the gap, in the stream
  uint64_t gap_bytes = 0;  ///< not 0: so many bytes were lost here, and `bytes` is empty
  Bytes bytes;
};

/// What the application layer decided about a flow; arrays are by Direction. All of it is false
/// where nothing is to change.
struct AppWishes {
  std::array<bool, 2> inspect_raw_now{};  ///< a message is complete: do not wait for a full chunk
  std::array<bool, 2> no_more_raw{};      ///< encrypted from here on: nothing to inspect
  bool no_parser = false;                 ///< no parser takes this flow (any more)
  bool bypass = false;                    ///< nothing in this flow is worth another look
  bool swap_sides = false;                ///< who opened the flow is the server
  bool is_settled = false;                ///< UDP: the protocol is known, or never will be

  friend bool operator==(const AppWishes&, const AppWishes&) = default;
};

/// One datagram with what flow says about it, in inspection order. Pseudo datagrams (end of a
/// connection) come here too, with datagram->origin == stream_end.
struct Tracked {
  const Datagram* datagram = nullptr;
  FlowView flow;
  EventList<StreamEvent> events;
  uint16_t first_chunk = 0;  ///< its chunks: TrackedBatch::chunks() [first_chunk, +chunk_count)
  uint16_t chunk_count = 0;
  uint16_t first_app_chunk = 0;  ///< TrackedBatch::app_chunks() [first_app_chunk, +app_chunk_count)
  uint16_t app_chunk_count = 0;
};

/// What one FlowTracker::track call gives. Memory is taken once, by the constructor; spans and
/// pointers into it live until the next track. Only flow fills it.
class TrackedBatch {
 public:
  static constexpr size_t tracked_max = 1024;
  static constexpr size_t chunks_max = 8192;
  static constexpr size_t app_chunks_max = 4096;

  TrackedBatch()
      : tracked_(new Tracked[tracked_max]),
        chunks_(new Chunk[chunks_max]),
        app_chunks_(new AppChunk[app_chunks_max]) {}

  [[nodiscard]] std::span<const Tracked> all() const noexcept { return {tracked_.get(), count_}; }
  [[nodiscard]] Tracked& at(size_t index) noexcept { return tracked_[index]; }
  [[nodiscard]] size_t size() const noexcept { return count_; }
  [[nodiscard]] std::span<const Chunk> chunks_of(const Tracked& tracked) const noexcept {
    return {chunks_.get() + tracked.first_chunk, tracked.chunk_count};
  }
  [[nodiscard]] std::span<const AppChunk> app_chunks_of(const Tracked& tracked) const noexcept {
    return {app_chunks_.get() + tracked.first_app_chunk, tracked.app_chunk_count};
  }
  [[nodiscard]] size_t room() const noexcept { return tracked_max - count_; }
  [[nodiscard]] size_t chunk_room() const noexcept { return chunks_max - chunk_count_; }
  [[nodiscard]] size_t app_chunk_room() const noexcept { return app_chunks_max - app_chunk_count_; }
  void clear() noexcept { count_ = chunk_count_ = app_chunk_count_ = 0; }
  /// A fresh entry at the end. REQUIRES: room() > 0.
  Tracked& push(const Datagram& datagram) noexcept {
    Tracked& tracked = tracked_[count_++];
    tracked = Tracked{};
    tracked.datagram = &datagram;
    tracked.first_chunk = static_cast<uint16_t>(chunk_count_);
    tracked.first_app_chunk = static_cast<uint16_t>(app_chunk_count_);
    return tracked;
  }
  /// Adds a chunk to an entry: all chunks of one entry before those of another. REQUIRES:
  /// chunk_room() > 0.
  void push_chunk(Tracked& tracked, const Chunk& chunk) noexcept {
    if (tracked.chunk_count == 0) {
      tracked.first_chunk = static_cast<uint16_t>(chunk_count_);
    }
    chunks_[chunk_count_++] = chunk;
    ++tracked.chunk_count;
  }
  /// Adds bytes for the application layer to the entry pushed last. REQUIRES: app_chunk_room() > 0.
  void push_app_chunk(Tracked& tracked, const AppChunk& chunk) noexcept {
    app_chunks_[app_chunk_count_++] = chunk;
    ++tracked.app_chunk_count;
  }

 private:
  std::unique_ptr<Tracked[]> tracked_;
  std::unique_ptr<Chunk[]> chunks_;
  std::unique_ptr<AppChunk[]> app_chunks_;
  size_t count_ = 0;
  size_t chunk_count_ = 0;
  size_t app_chunk_count_ = 0;
};

/// A flow that ended, for EVE flow and netflow records.
struct FlowEnd {
  FlowView view;  ///< at the end; id is no longer valid as a slot afterwards
  FlowEndReason reason = FlowEndReason::timeout;
  uint8_t protocol = 0;
  uint8_t ip_version = 0;
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  uint8_t vlan_count = 0;
  std::array<uint16_t, limits::vlan_tags_max> vlan_ids{};
  std::array<uint8_t, 2> tcp_flags{};  ///< seen in each direction
  std::array<uint8_t, 2> ttl_min{};
  std::array<uint8_t, 2> ttl_max{};
  std::array<bool, 2> has_gap{};
  uint64_t clock_ns = 0;     ///< when it ended on the sensor's clock
  uint64_t last_number = 0;  ///< Packet::number of its last datagram
  uint32_t capture_index = 0;
  /// The network card was told to drop what came of it; how much that was, in `view` too.
  bool is_in_card = false;
  std::array<uint64_t, 2> card_packets{};
  std::array<uint64_t, 2> card_bytes{};
};

}  // namespace shrike
