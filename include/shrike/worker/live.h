#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "shrike/capture/ports.h"
#include "shrike/worker.h"

namespace shrike::worker {

/// What a worker does after looks into its queues that found nothing.
enum class IdlePolicy : uint8_t {
  spin,       ///< looks again at once: the shortest delay, a whole core
  pause,      ///< gives the core's other thread room for a moment
  sleep,      ///< pauses first, then sleeps `idle_sleep_us` between looks
  interrupt,  ///< pauses first, then sleeps until the port says that packets came
};

/// What a worker does that cannot keep up: it stops inspecting some flows, for good, so that the
/// rest is inspected whole, instead of losing packets of all. First those that are encrypted from
/// here on, then the largest, a size class (powers of two) at a time, until its queues empty again.
struct OverloadOptions {
  bool sheds = true;
  /// How long queues must have been full, on balance (four times as much time without a backlog
  /// outweighs it: the queue has one for 4/5 of the time), before anything is given up. Longer than
  /// the deepest queue takes to be worked off.
  uint32_t after_ms = 200;
  uint32_t step_ms = 100;            ///< between steps: what the last one brought must show first
  uint64_t depth_bytes = 256 << 10;  ///< of a flow that is inspected whatever its size
  uint32_t report_ms = 10'000;       ///< between EVE records of what was given up, while it goes on
  /// Elephants: flows beyond this rate are given up without any overload. 0: none is.
  uint32_t elephant_mbit = 0;
  uint32_t elephant_window_ms = 1000;       ///< over which the rate is measured
  uint64_t elephant_depth_bytes = 1 << 20;  ///< of a flow that is inspected whatever its rate
};

/// How full a ring ever was, or the fullest of several.
struct RingUse {
  uint64_t bytes = 0;  ///< that it holds
  uint64_t waiting_bytes_max = 0;
};

struct LiveOptions {
  EngineOptions engines;
  unsigned workers = 1;         ///< as many as PortsOptions::workers
  std::vector<unsigned> cores;  ///< that workers are pinned to, in turn; empty: not pinned
  bool pins_workers = true;     ///< empty `cores` are chosen (core_plan.h) before the start
  IdlePolicy idle = IdlePolicy::sleep;
  uint32_t idle_polls_max = 2000;  ///< empty looks before the first sleep
  uint32_t idle_sleep_us = 50;
  /// Bytes of each ring over which one worker hands packets to another, a power of two.
  uint32_t hand_over_bytes = 1u << 20;
  OverloadOptions overload;
};

/// Receives from ports through the whole walk, until stopped. One thread a worker. A packet whose
/// hosts another worker owns (model/owner.h) is handed over to it, before it is decoded where its
/// outer addresses say so, and as a datagram where it was inside a tunnel; where the ports do not
/// steer by themselves, every worker inspects in the order of time over its queues and what is
/// handed to it.
class LiveRun {
 public:
  /// Everything is borrowed and outlives the run. Records drop when a ring is full, counted.
  LiveRun(const LiveOptions& options, capture::Ports& ports, const RuleSet& rules,
          output::Collector& collector);
  ~LiveRun();

  void start();

  /// The rule set from each worker's next batch on, or its next empty look. The last one stays
  /// borrowed until `generation()` says that no worker uses it, and records that name it are out.
  void use_rules(const RuleSet& rules) noexcept;
  /// The oldest rule set that a worker still uses.
  [[nodiscard]] uint64_t generation() const noexcept;

  /// What the house-keeping thread does for the workers: flows that network cards drop. Often.
  void keep_house() noexcept;

  /// Stops receiving; what was received is inspected, all flows end, every record reaches the
  /// collector, which this calls meanwhile: the caller is the collector's thread.
  void stop();

  /// Writes EVE records of what workers gave up, where they are due. The collector's thread,
  /// several times a second; stop() writes the last.
  void report_overload();

  /// How long no worker has had a packet, in ms. 0 before the first packet.
  [[nodiscard]] uint64_t idle_ms() const noexcept;

  /// What the rules of this generation cost, one table for each worker, for RuleProfile; none where
  /// nothing is sampled. Borrowed until forget_costs. The thread that calls use_rules.
  [[nodiscard]] std::vector<const RuleCosts*> rule_costs(uint64_t generation) const;
  /// REQUIRES: no worker uses these rules any more, see generation().
  void forget_costs(uint64_t generation);

  /// The ring of each worker's records.
  [[nodiscard]] std::vector<RingUse> record_rings() const;
  /// … and of those that lead from other workers to it.
  [[nodiscard]] std::vector<RingUse> hand_over_rings() const;

  /// Of keep_house(). Valid as long as this object.
  [[nodiscard]] CounterView own_counters() const noexcept;
  /// One for each worker. Views stay valid as long as this object; read them with value().
  [[nodiscard]] const std::vector<ThreadCounters>& counters() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shrike::worker
