#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "shrike/model/rule_costs.h"
#include "shrike/model/ruleset.h"
#include "shrike/worker.h"

/// What rules cost, over all workers and over reloads. Cold.
namespace shrike::worker {

/// A signature of any rule set.
[[nodiscard]] constexpr uint64_t signature_key(uint32_t gid, uint32_t sid) noexcept {
  return uint64_t{gid} << 32 | sid;
}

struct SignatureCost {
  uint32_t gid = 0;
  uint32_t sid = 0;
  uint32_t rev = 0;
  std::string message;
  RuleCost cost;
};

/// Costs of the batches that were sampled.
struct CostSummary {
  InspectionCost inspection;
  RuleCost rules;                         ///< all of them together
  RuleCost gone;                          ///< … of these those that a reload took away
  uint64_t rules_checked = 0;             ///< signatures with at least one check
  std::vector<SignatureCost> signatures;  ///< costliest first, as many as were asked for

  /// Share of the sampled time, 0 to 1.
  [[nodiscard]] double share_of(uint64_t cycles) const noexcept {
    return inspection.cycles == 0
               ? 0
               : static_cast<double>(cycles) / static_cast<double>(inspection.cycles);
  }
  /// Neither rules nor scanning: choosing groups, ordering candidates, alerts.
  [[nodiscard]] uint64_t other_cycles() const noexcept {
    const uint64_t named = inspection.scan_cycles + rules.cycles;
    return inspection.cycles > named ? inspection.cycles - named : 0;
  }
};

/// A worker's table for these rules; null where nothing is to be sampled.
[[nodiscard]] std::unique_ptr<RuleCosts> costs_for(const EngineOptions& options,
                                                   const RuleSet& rules);

/// Adds up tables of workers by signature, and keeps what was added when rules are renumbered. At
/// most one row a rule of the rule set in use.
class RuleProfile {
 public:
  using Tables = std::span<const RuleCosts* const>;

  /// The rules of these tables are being given up: what they cost stays, under gid and sid, where
  /// `next` has the signature too, and in one sum otherwise.
  void keep(const RuleSet& rules, Tables tables, const RuleSet& next);

  /// What was kept and what these tables hold. @param shown_max  signatures in the answer.
  [[nodiscard]] CostSummary summary(const RuleSet& rules, Tables tables, size_t shown_max) const;

 private:
  std::unordered_map<uint64_t, RuleCost> kept_;  ///< by gid and sid
  InspectionCost inspection_;
  RuleCost gone_;
};

}  // namespace shrike::worker
