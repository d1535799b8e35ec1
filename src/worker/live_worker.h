#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "inspection.h"
#include "overload.h"
#include "parcel.h"
#include "shrike/base/latency.h"
#include "shrike/base/ring.h"
#include "shrike/model/owner.h"
#include "shrike/worker/live.h"

namespace shrike::worker {

/// What the workers of a live run share: rules, who owns what, the rings between them, and how far
/// each has come. Written by one thread each, read by all.
struct LiveShared {
  LiveShared(const LiveOptions& options, const RuleSet& first_rules, bool ports_are_steered);

  /// The ring over which worker `from` hands packets to worker `to`.
  [[nodiscard]] RecordRing& ring(uint32_t from, uint32_t to) noexcept {
    return *rings[from * workers + to];
  }

  /// Of one worker, each on its own cache line.
  struct alignas(64) Lane {
    /// Whatever this worker hands over from now on has a clock of at least this. UINT64_MAX: a
    /// later one than anything that was polled before one looked here.
    std::atomic<uint64_t> handed_up_to_ns{0};
    /// The first clock of the batch that it has at hand; UINT64_MAX: none. Datagrams that it finds
    /// in tunnels are handed over with clocks from here on.
    std::atomic<uint64_t> at_hand_ns{UINT64_MAX};
    /// The latest clock of a packet that it received.
    std::atomic<uint64_t> clock_ns{0};
    std::atomic<uint64_t> last_packet_ms{0};  ///< on the steady clock; 0: none yet
    std::atomic<uint64_t> generation{0};      ///< of the rules that it uses
    /// Times that others found the ring to this worker full.
    std::atomic<uint64_t> refused{0};
    std::atomic<RuleCosts*> costs{nullptr};  ///< for the rules that it is to use
  };

  const uint32_t workers;
  const OwnerTable owners;
  /// Packets of several queues are inspected in the order of their clocks.
  const bool orders_by_time;
  std::vector<Lane> lanes;
  std::vector<std::unique_ptr<RecordRing>> rings;  ///< null on the diagonal
  std::atomic<const RuleSet*> rules;
  std::atomic<bool> is_stopping{false};
  std::atomic<uint32_t> receiving;  ///< workers that may still hand frames over
  std::atomic<uint32_t> decoding;   ///< workers that may still hand datagrams over
};

/// One core of a live run: polls its queues, hands over what others own, takes what is handed to
/// it, inspects. One thread, from `run`.
class LiveWorker {
  using Clock = std::chrono::steady_clock;

 public:
  /// Everything is borrowed and outlives the worker.
  LiveWorker(const LiveOptions& options, uint32_t index, LiveShared& shared,
             capture::PacketSource& source);

  /// Until the run stops, and then until nothing is under way any more.
  void run() noexcept;

  /// Before `run`. Borrowed.
  void use_bypass(BypassDesk* desk) noexcept { inspection_.use_bypass(desk); }

  [[nodiscard]] RecordRing& records() noexcept { return records_; }
  [[nodiscard]] std::vector<CounterView> counters() const;
  /// Any thread, for began_ns and what was given up.
  [[nodiscard]] const Overload& overload() const noexcept { return overload_; }
  [[nodiscard]] CounterView shed_counters() const noexcept { return inspection_.shed_counters(); }

 private:
  enum class Counter : uint8_t {
    frames_handed_over,
    datagrams_handed_over,
    datagrams_lost,
    taken_over,
    frames_decoded,
    hand_over_waits,
    order_given_up,
    busy_ns,
    count_,
  };

  /// The next thing to inspect, by its clock.
  struct Next {
    uint64_t clock_ns = UINT64_MAX;
    uint32_t from = 0;  ///< the ring's worker; this worker's own index: its own packets
  };

  bool step() noexcept;
  void take_up_rules() noexcept;
  void receive() noexcept;
  void note_load(Clock::time_point now) noexcept;
  void hand_frames_over() noexcept;
  bool inspect_ready() noexcept;
  bool inspect_in_order() noexcept;
  [[nodiscard]] Next find_next(uint64_t& limit_ns) noexcept;
  [[nodiscard]] bool gave_up_waiting() noexcept;
  void inspect_own(uint64_t limit_ns) noexcept;
  bool take_over(uint32_t from) noexcept;
  void skip_foreign() noexcept;
  void end_batch() noexcept;
  void inspect_frames(std::span<const Packet> packets) noexcept;
  void inspect_datagrams(std::span<const Datagram> datagrams) noexcept;
  void hand_datagram_over(uint32_t owner, const Datagram& datagram) noexcept;
  [[nodiscard]] bool has_own() const noexcept { return inspected_ < packets_.size(); }
  void tell_progress() noexcept;
  void publish_progress() noexcept;
  void rest() noexcept;
  void keep_time() noexcept;
  void note_latency() noexcept;
  void note_busy() noexcept;
  void wind_down() noexcept;
  void drain() noexcept;

  const LiveOptions& options_;
  const uint32_t index_;
  LiveShared& shared_;
  capture::PacketSource& source_;
  const RuleSet* rules_;
  RecordRing records_;
  decode::Decoder decoder_;
  Inspection inspection_;

  Overload overload_;
  bool is_held_up_ = false;     ///< by a full ring, since the last note of the load
  uint64_t refused_noted_ = 0;  ///< Lane::refused at that note

  PacketBatch packets_;
  DatagramBatch datagrams_;
  std::array<uint8_t, limits::batch_packets_max> owners_{};  ///< of packets_
  size_t steered_ = 0;    ///< packets_ up to here: those of others are handed over
  size_t inspected_ = 0;  ///< packets_ up to here: nothing is left to do
  bool has_batch_ = false;
  uint64_t clock_ns_ = 0;  ///< of what was inspected last; never runs backwards
  uint64_t number_ = 0;    ///< of the last packet that was inspected
  uint32_t empty_polls_ = 0;
  uint64_t kept_ns_ = 0;
  uint64_t idle_clock_ns_ = 0;                        ///< the latest clock of any worker …
  std::chrono::steady_clock::time_point idle_since_;  ///< … and when it was first seen
  std::chrono::steady_clock::time_point received_at_;
  std::chrono::steady_clock::time_point waits_since_;
  std::chrono::steady_clock::time_point waited_until_;
  uint64_t waited_ns_ = 0;  ///< of the batch at hand, for other workers
  bool is_waiting_ = false;
  bool is_timed_ = false;  ///< received_at_ says when work without a batch began
  ParcelRoom room_;
  LatencyHistogram latency_;
  Counters<Counter> counters_;
};

}  // namespace shrike::worker
