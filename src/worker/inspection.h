#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "bypass_desk.h"
#include "overload.h"
#include "shrike/base/ring.h"
#include "shrike/worker.h"

namespace shrike::worker {

/// The inner half of the walk, for the datagrams that one worker owns: flow, detection, records.
/// One thread. Memory is taken by the constructor.
class Inspection {
 public:
  /// @param ring       where the records go; its consumer is the collector.
  /// @param when_full  called while the ring has no room for a record, until it has: an offline
  ///                   run waits for the collector, so that nothing is lost.
  Inspection(const EngineOptions& options, RecordRing& ring, std::function<void()> when_full);

  /// Inspects datagrams in order and writes what was found.
  void inspect(const RuleSet& rules, std::span<const Datagram> datagrams) noexcept;

  /// Ends flows whose time is up though no datagram came.
  void expire(const RuleSet& rules, uint64_t clock_ns) noexcept;

  /// Ends all flows and forgets everything: a capture ends.
  void finish(const RuleSet& rules) noexcept;

  /// Says that every record that packets up to `last` can give is written.
  void mark(const Packet& last) noexcept;
  /// The same of a live run, which has no captures: up to this clock, and of it this number.
  void mark(uint64_t clock_ns, uint64_t number) noexcept;

  /// Nothing of the rules of the last call is used any more. Between datagrams.
  void use_rules(const RuleSet& rules) noexcept;
  /// See Detector::use_costs.
  void use_costs(RuleCosts* costs) noexcept { detector_.use_costs(costs); }
  /// Where bypassed flows are spoken of with whoever can drop them earlier; null: nowhere.
  /// Borrowed.
  void use_bypass(BypassDesk* desk) noexcept { bypass_ = desk; }
  /// Between datagrams: what became of the flows that were spoken of.
  void take_bypass_reports(uint64_t clock_ns) noexcept {
    if (bypass_ != nullptr) {
      bypass_->take_reports(flows_, clock_ns);
    }
  }
  /// From now on no record drops: the ring's other side is waited for.
  void wait_for_room() noexcept { records_.set_drop_when_full(false); }

  /// Live: is shown what was inspected, and may give flows up. Borrowed; outlives this.
  void set_overload(Overload& overload) noexcept { overload_ = &overload; }
  [[nodiscard]] uint32_t flow_slots() const noexcept { return flows_.slots(); }
  /// FlowTracker::shed_counters.
  [[nodiscard]] CounterView shed_counters() const noexcept { return flows_.shed_counters(); }

  [[nodiscard]] std::vector<CounterView> counters() const;

 private:
  void inspect_tracked(const RuleSet& rules) noexcept;
  void inspect_one(const RuleSet& rules, Tracked& tracked) noexcept;
  void take_bypass(const Tracked& tracked) noexcept;
  void note_open_transactions(const Tracked& tracked, const AppView& app) noexcept;
  void inspect_what_is_left(const RuleSet& rules, const Tracked& tracked,
                            const AppView& app) noexcept;
  void inspect_pseudo(const RuleSet& rules, const Tracked& tracked, Direction direction,
                      const AppView& app) noexcept;
  void write_alerts(const RuleSet& rules, const AppView* app) noexcept;
  void write_anomalies(const Tracked& tracked, const AppView* app) noexcept;
  void write_anomaly(const output::Anomaly& anomaly, const Tracked& tracked) noexcept;
  void write_transactions(const Tracked& tracked, const AppView& app) noexcept;
  void write_events_of(const Transaction& transaction, const Tracked& tracked) noexcept;
  void write_files_of(const Transaction& transaction, const Tracked& tracked,
                      const AppView& app) noexcept;
  [[nodiscard]] output::AppContext context_of(const Alert& alert, const AppView* app) noexcept;
  void note_wishes_for_files(const Alert& alert, const RuleInfo& rule) noexcept;
  void store_files_of(const Transaction& transaction, const Tracked& tracked, const AppView& app,
                      bool is_over) noexcept;
  void store_file(const Transaction& transaction, size_t index, const Tracked& tracked,
                  const AppView& app, bool is_over) noexcept;
  void end_transactions(const FlowEnd& end) noexcept;
  void write_flow_end(const FlowEnd& end, const AppView* app) noexcept;
  void write_mark(const output::OrderKey& key) noexcept;

  flow::FlowTracker flows_;
  protocol::ProtocolParsers protocols_;
  detect::Detector detector_;
  TrackedBatch tracked_;
  AlertBatch alerts_;
  output::RecordWriter records_;
  Overload* overload_ = nullptr;  ///< offline: none, and nothing is ever given up
  std::function<void()> when_full_;
  BypassDesk* bypass_ = nullptr;
  std::string members_;  ///< of the transaction that an alert is about, as EVE shows them
  std::string file_members_;
  const bool shows_transactions_;
  const bool shows_anomalies_;
  const bool captures_are_apart_;
};

}  // namespace shrike::worker
