#pragma once
#include "strategy.h"
#include "worker.h"

namespace shrike::worker {

/// One worker, on the calling thread, which also collects: no hand-over at all.
class OfflineRun::RunToCompletion final : public OfflineRun::Strategy {
 public:
  RunToCompletion(const OfflineOptions& options, capture::PacketSource& source,
                  const RuleSet& rules, output::Collector& collector);

  bool step() override;
  void finish() override;
  [[nodiscard]] std::vector<ThreadCounters> counters() const override;
  [[nodiscard]] std::vector<const RuleCosts*> rule_costs() const override;

 private:
  const RuleSet& rules_;
  RecordRing ring_;
  std::unique_ptr<RuleCosts> costs_;
  Worker worker_;
};

}  // namespace shrike::worker
