#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "host_bits.h"
#include "recent_table.h"
#include "record.h"
#include "thresholds.h"

namespace shrike::output {

/// Decides, alert by alert in order, what is logged and as what: conditions on host bits, changes
/// to host bits, thresholds, rate_filter's actions, and how many alerts a packet may have.
class Judge {
 public:
  /// @param remembers_flows  whether end_flow will be asked which flows had alerts.
  Judge(const CollectorOptions& options, bool remembers_flows);

  /// A rule set that records may name, until forget_rules.
  void use_rules(uint64_t generation, const RuleCatalog& catalog);
  /// No record names this rule set any more. Totals of its signatures stay.
  void forget_rules(uint64_t generation) { rules_.erase(generation); }
  /// Null where the record names rules that nobody announced.
  [[nodiscard]] const RuleCatalog* catalog_of(uint64_t generation) const;

  struct Decision {
    bool is_logged = false;
    Action action = Action::alert;
    bool is_blocked = false;
    bool is_dropped = false;
  };
  Decision decide(const Record& record);

  /// Whether an alert of this flow was logged; forgets the flow.
  bool end_flow(uint64_t flow_id);

  void forget();

  enum class Counter : uint8_t {
    logged,
    suppressed,
    over_limit,
    bits_missing,
    thresholds_evicted,
    bits_evicted,
    count_,
  };
  [[nodiscard]] CounterView counters() const;
  [[nodiscard]] uint64_t logged() const noexcept { return counters_.get(Counter::logged); }
  /// By signature, over all generations.
  [[nodiscard]] std::vector<SignatureTotals> signatures() const;

 private:
  struct Rules {
    RuleCatalog catalog;
    std::vector<SignatureTotals*> totals;                            // by rule index
    std::map<uint32_t, std::vector<HostBits::Operation>> host_bits;  // by rule index, where any
  };
  /// What is remembered of a flow while it lives.
  struct FlowMemory {
    bool has_alerts = false;
    /// rate_filter passed or dropped the flow with the datagram of this key.
    std::optional<OrderKey> decided_at;
  };
  struct FlowHash {
    size_t operator()(uint64_t flow_id) const noexcept { return mix64(flow_id); }
  };

  [[nodiscard]] bool host_bits_allow(const Rules& rules, const Record& record);
  [[nodiscard]] bool is_passed_over(const Record& record);
  void apply_rate_filter(const Record& record, Action new_action);
  Decision log(const Record& record, const RuleInfo& rule, std::optional<Action> new_action);

  CollectorOptions options_;
  bool remembers_flows_;
  std::map<uint64_t, Rules> rules_;                                  // by generation
  std::map<std::pair<uint32_t, uint32_t>, SignatureTotals> totals_;  // by gid and sid
  HostBits host_bits_;
  Thresholds thresholds_;
  RecentTable<uint64_t, FlowMemory, FlowHash> flows_;

  OrderKey packet_key_;  // of the datagram that the next two are about
  uint32_t packet_alerts_ = 0;
  bool packet_is_passed_ = false;
  mutable Counters<Counter> counters_;
};

}  // namespace shrike::output
