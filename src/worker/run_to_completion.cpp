#include "run_to_completion.h"

#include <array>

#include "shrike/worker/profile.h"

namespace shrike::worker {

OfflineRun::RunToCompletion::RunToCompletion(const OfflineOptions& options,
                                             capture::PacketSource& source, const RuleSet& rules,
                                             output::Collector& collector)
    : Strategy(source, collector),
      rules_(rules),
      ring_(record_ring_bytes),
      costs_(costs_for(options.engines, rules)),
      worker_(options.engines, source, ring_, [this] { collect(); }) {
  const std::array<RecordRing*, 1> rings{&ring_};
  collector_.attach(rings);
  worker_.use_costs(costs_.get());
}

bool OfflineRun::RunToCompletion::step() {
  const bool has_packets = worker_.run_once(rules_) != 0;
  collect();
  return has_packets;
}

void OfflineRun::RunToCompletion::finish() {
  worker_.finish(rules_);
  collect();
  collector_.finish();
}

std::vector<ThreadCounters> OfflineRun::RunToCompletion::counters() const {
  return {{"W#01", worker_.counters()}};
}

std::vector<const RuleCosts*> OfflineRun::RunToCompletion::rule_costs() const {
  std::vector<const RuleCosts*> all;
  if (costs_ != nullptr) {
    all.push_back(costs_.get());
  }
  return all;
}

}  // namespace shrike::worker
