#pragma once
#include <memory>
#include <span>
#include <vector>

#include "shrike/base/counters.h"
#include "shrike/model/alert.h"
#include "shrike/model/rule_costs.h"
#include "shrike/model/ruleset.h"
#include "shrike/model/stream.h"
#include "shrike/model/transaction.h"

/// Rules against datagrams and streams.
namespace shrike::detect {

struct DetectorOptions {
  uint32_t flow_slots = 0;              ///< FlowTracker::slots()
  uint32_t alerts_per_packet_max = 15;  ///< packet-alert-max
  uint32_t recursion_limit = 3000;      ///< detect.inspection-recursion-limit
  uint32_t pcre_match_limit = 3500;
  uint32_t pcre_recursion_limit = 1500;
  bool simulate_ips = false;  ///< drop rules take effect on what is inspected
  /// One batch in so many, on average, is measured rule by rule (use_costs); 0: none. What is
  /// measured takes about an eighth longer (walk_bench), so that one in 64 costs a quarter percent.
  uint32_t sample_batches = 64;
};

/// What a rule decided about a whole flow (pass, drop, bypass): flow may stop following it.
struct FlowDecision {
  FlowId flow;
  FlowVerdict verdict = FlowVerdict::inspect;
};

/// One core's detector: scratch, per-flow bits, candidates. Not thread-safe.
class Detector {
 public:
  explicit Detector(const DetectorOptions& options);
  ~Detector();
  Detector(Detector&&) noexcept;

  /// Inspects one datagram with what flow and the application layer say about it, and appends the
  /// matches to `alerts` in the order in which Suricata logs them. `rules` may change between calls
  /// (a reload). No allocation after warm-up.
  /// @param chunks  TrackedBatch::chunks_of(tracked)
  /// @param app     of its flow, or null. Writes only the notes in its transactions and bodies.
  void inspect(const RuleSet& rules, const Tracked& tracked, std::span<const Chunk> chunks,
               const AppView* app, AlertBatch& alerts) noexcept;

  /// Takes up another rule set at once, so that nothing of the last one is used any more: between
  /// calls of inspect, which else does it by itself. Flows keep their bits, by name; rules that
  /// were half matched begin anew. May allocate.
  void use_rules(const RuleSet& rules) noexcept;

  /// Where the costs of these rules are added up from now on; null: nowhere. Borrowed until the
  /// next call, or until rules of another generation are taken up.
  void use_costs(RuleCosts* costs) noexcept;
  /// The next batch of datagrams begins: whether it is sampled is decided here.
  void begin_batch() noexcept;

  /// Decisions of the last inspect; later datagrams of those flows are not inspected
  /// whether flow is told or not. Valid until the next inspect.
  [[nodiscard]] std::span<const FlowDecision> decisions() const noexcept;

  /// Forgets all flow state (a new capture begins).
  void reset() noexcept;

  [[nodiscard]] std::vector<CounterView> counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Whether the public suffix list is there, which the transforms `domain` and `tld` need; without
/// it rule::Options are to say so.
[[nodiscard]] bool knows_public_suffixes() noexcept;

}  // namespace shrike::detect
