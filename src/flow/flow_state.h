#pragma once
#include <array>
#include <memory>
#include <vector>

#include "flow_counters.h"
#include "flow_key.h"
#include "flow_table.h"
#include "shrike/flow.h"
#include "tcp_tracker.h"
#include "timer_wheel.h"

namespace shrike::flow {

/// Everything a FlowTracker hides. The files: flow_tracker.cpp takes datagrams, flow_ends.cpp
/// ends flows and makes their records.
struct FlowTracker::State {
  explicit State(const FlowOptions& options);

  // flow_tracker.cpp
  size_t track(std::span<const Datagram> datagrams, TrackedBatch& out) noexcept;
  void set_verdict(uint32_t slot, FlowVerdict verdict) noexcept;

  // flow_ends.cpp
  void begin_call(TrackedBatch& out) noexcept;
  /// Ends what is due at or before `clock_ns`; false where `out` became full.
  [[nodiscard]] bool end_due(uint64_t clock_ns, TrackedBatch& out) noexcept;
  bool finish(TrackedBatch& out) noexcept;

  static constexpr size_t prepared_max = 64;
  static constexpr size_t ends_max = 1024;
  static constexpr size_t pseudo_max = 256;
  static constexpr size_t rewritten_bytes_max = 4'194'304;
  /// What one rewritten datagram may need: its frame, and its payload beside it.
  static constexpr size_t rewritten_reserve = 2 * 65535 + 4096;
  /// Slots beyond flows_max: those of flows that ended in this call are not used again in it.
  static constexpr uint32_t slots_spare = ends_max;
  /// What one datagram may need: itself and the last looks at a flow that ends for it.
  static constexpr size_t tracked_reserve = 3;
  static constexpr size_t chunks_reserve = tracked_reserve * StreamBuffers::blocks_a_stream_max;
  /// Datagrams of a call whose raw bytes wait for the application layer's answer.
  static constexpr size_t fed_max = 24;
  static_assert(TrackedBatch::chunks_max >=
                chunks_reserve + fed_max * StreamBuffers::blocks_a_stream_max);

  /// A flow that was given to the application layer in this call.
  struct Fed {
    const Tracked* tracked = nullptr;
    uint32_t slot = 0;
    TcpPacket packet;
  };

  struct Prepared {
    FlowLookup lookup;
    Direction direction = Direction::to_server;
  };

  // flow_feeding.cpp
  void resume(const AppWishes& wishes, TrackedBatch& out, Tracked& tracked) noexcept;
  void note_open_transactions(uint32_t slot, std::array<bool, 2> open) noexcept;
  void turn_round(uint32_t slot, Tracked& tracked) noexcept;
  [[nodiscard]] bool is_fed(uint32_t slot) const noexcept {
    return (flows[slot].app & app_flag::fed) != 0;
  }
  [[nodiscard]] bool must_wait(const FlowLookup& lookup) const noexcept;
  void feed(uint32_t slot, const TcpPacket& packet, const Tracked& tracked) noexcept;

  // flow_shedding.cpp
  bool shed(uint32_t slot, ShedCause cause) noexcept;
  [[nodiscard]] bool is_shed(uint32_t slot) const noexcept {
    return flows[slot].app >> app_flag::shed_shift != 0;
  }
  [[nodiscard]] bool is_encrypted(uint32_t slot) const noexcept;
  void count_shed(const Flow& flow, const Datagram& datagram) noexcept;
  [[nodiscard]] bool opens_anew(uint32_t slot, const Datagram& datagram) const noexcept;

  // Taking datagrams.
  void prepare(std::span<const Datagram> datagrams) noexcept;
  void take(const Datagram& datagram, const FlowLookup& lookup, TrackedBatch& out) noexcept;
  [[nodiscard]] uint32_t find_flow(const Datagram& datagram, const FlowLookup& lookup,
                                   TrackedBatch& out) noexcept;
  [[nodiscard]] uint32_t open_flow(const Datagram& datagram, const FlowLookup& lookup,
                                   TrackedBatch& out) noexcept;
  void update_flow(Flow& flow, const Datagram& datagram, Direction direction) noexcept;
  void follow_tcp(uint32_t slot, const Datagram& datagram, TrackedBatch& out,
                  Tracked& tracked) noexcept;
  void apply_midstream_policy(Flow& flow, uint32_t slot, FlowView& view) noexcept;
  [[nodiscard]] const Datagram& with_bytes_instead(const Datagram& datagram,
                                                   Bytes instead) noexcept;
  void skip_stream(const Datagram& datagram, FlowCounter reason) noexcept;
  void swap_sides(Flow& flow) noexcept;
  [[nodiscard]] static Direction direction_of(const Flow& flow, const Datagram& datagram) noexcept;
  void fill_view(FlowView& view, uint32_t slot, Direction direction) const noexcept;
  [[nodiscard]] bool has_room(const TrackedBatch& out) const noexcept;

  // Time.
  [[nodiscard]] uint64_t timeout_ns(const Flow& flow) const noexcept;
  [[nodiscard]] uint32_t due_tick(const Flow& flow) const noexcept;
  void set_state(Flow& flow, uint32_t slot, FlowState state) noexcept;

  // Ending flows.
  void collect_due() noexcept;
  void sort_due() noexcept;
  void end_flow(uint32_t slot, FlowEndReason reason, uint64_t clock_ns, TrackedBatch& out) noexcept;
  void last_look(uint32_t slot, Direction direction, uint64_t clock_ns, TrackedBatch& out) noexcept;
  void record_end(uint32_t slot, FlowEndReason reason, uint64_t clock_ns) noexcept;
  [[nodiscard]] uint32_t take_slot() noexcept;
  [[nodiscard]] uint32_t oldest() noexcept;

  FlowOptions options;
  FlowCounters counters;
  ShedCounters shed_counters;
  FlowTable flows;
  LazyArray<TcpSession> sessions;
  TimerWheel wheel;
  TcpTracker tcp;
  std::array<Timeouts, 4> timeouts;

  uint32_t live = 0;
  uint32_t free_slot = 0;                       ///< first free slot plus one
  uint32_t fresh_slot = 0;                      ///< never used from here on
  std::array<uint32_t, slots_spare> resting{};  ///< slots that ended in this call
  size_t resting_count = 0;

  LazyArray<uint32_t> due;  ///< slots to end, in order
  size_t due_count = 0;
  size_t due_next = 0;
  bool is_finishing = false;

  std::array<Prepared, prepared_max> prepared;
  std::vector<FlowEnd> ends;  ///< capacity ends_max, never more
  std::unique_ptr<Datagram[]> pseudo;
  size_t pseudo_count = 0;
  LazyArray<uint8_t> rewritten{rewritten_bytes_max};  ///< bytes of rewritten datagrams
  size_t rewritten_count = 0;
  std::array<Fed, fed_max> fed;
  size_t fed_count = 0;
  const Datagram* prepared_at = nullptr;  ///< what the last call left: prepared already
  size_t prepared_first = 0;
  size_t prepared_count = 0;
};

}  // namespace shrike::flow
