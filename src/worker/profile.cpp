#include "shrike/worker/profile.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace shrike::worker {

namespace {

uint64_t key_of(const RuleInfo& info) noexcept {
  return signature_key(info.gid, info.sid);
}

RuleCost sum_of(RuleProfile::Tables tables, size_t rule) noexcept {
  RuleCost sum;
  for (const RuleCosts* const table : tables) {
    sum.add(table->rule(rule));
  }
  return sum;
}

InspectionCost sum_of(RuleProfile::Tables tables) noexcept {
  InspectionCost sum;
  for (const RuleCosts* const table : tables) {
    sum.add(table->inspection());
  }
  return sum;
}

/// A rule and what it cost.
struct Row {
  size_t rule = 0;
  RuleCost cost;
};

bool is_costlier(const Row& one, const Row& other) noexcept {
  return one.cost.cycles != other.cost.cycles ? one.cost.cycles > other.cost.cycles
                                              : one.rule < other.rule;
}

}  // namespace

std::unique_ptr<RuleCosts> costs_for(const EngineOptions& options, const RuleSet& rules) {
  return options.detect.sample_batches == 0
             ? nullptr
             : std::make_unique<RuleCosts>(rules.generation(), rules.infos().size());
}

void RuleProfile::keep(const RuleSet& rules, Tables tables, const RuleSet& next) {
  const std::span<const RuleInfo> infos = rules.infos();
  for (size_t i = 0; i < infos.size(); ++i) {
    if (const RuleCost cost = sum_of(tables, i); cost.checks != 0) {
      kept_[key_of(infos[i])].add(cost);
    }
  }
  inspection_.add(sum_of(tables));
  std::unordered_set<uint64_t> stays;
  for (const RuleInfo& info : next.infos()) {
    stays.insert(key_of(info));
  }
  std::erase_if(kept_, [&](const auto& row) {
    const bool is_gone = !stays.contains(row.first);
    gone_.add(is_gone ? row.second : RuleCost{});
    return is_gone;
  });
}

CostSummary RuleProfile::summary(const RuleSet& rules, Tables tables, size_t shown_max) const {
  CostSummary summary;
  summary.inspection = inspection_;
  summary.inspection.add(sum_of(tables));
  summary.rules = summary.gone = gone_;
  std::vector<Row> rows;
  const std::span<const RuleInfo> infos = rules.infos();
  for (size_t i = 0; i < infos.size(); ++i) {
    RuleCost cost = sum_of(tables, i);
    if (const auto found = kept_.find(key_of(infos[i])); found != kept_.end()) {
      cost.add(found->second);
    }
    if (cost.checks != 0) {
      summary.rules.add(cost);
      rows.push_back({i, cost});
    }
  }
  summary.rules_checked = rows.size();
  const size_t shown = std::min(rows.size(), shown_max);
  std::partial_sort(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(shown), rows.end(),
                    is_costlier);
  for (const Row& row : std::span(rows).first(shown)) {
    const RuleInfo& info = infos[row.rule];
    summary.signatures.push_back({info.gid, info.sid, info.rev, info.message, row.cost});
  }
  return summary;
}

}  // namespace shrike::worker
