#include <chrono>
#include <thread>

#include "run_to_completion.h"
#include "spread.h"

namespace shrike::worker {

namespace {

constexpr std::chrono::milliseconds report_interval{100};
/// Between two looks at the clock; a batch takes about 20 µs.
constexpr unsigned steps_per_clock_reading = 64;

}  // namespace

size_t OfflineRun::Strategy::collect() noexcept {
  const std::vector<capture::CaptureInfo>& captures = source_.captures();
  for (; captures_named_ < captures.size(); ++captures_named_) {
    collector_.name_capture(static_cast<uint32_t>(captures_named_), captures[captures_named_].path);
  }
  return collector_.poll();
}

OfflineRun::OfflineRun(const OfflineOptions& options, capture::PacketSource& source,
                       const RuleSet& rules, output::Collector& collector)
    : source_(source), collector_(collector) {
  if (options.workers == 1) {
    strategy_ = std::make_unique<RunToCompletion>(options, source, rules, collector);
  } else {
    strategy_ = std::make_unique<Spread>(options, source, rules, collector);
  }
}

OfflineRun::~OfflineRun() = default;

void OfflineRun::run(const std::atomic<bool>& stop,
                     const std::function<void(const Progress&)>& report) {
  auto next_report = std::chrono::steady_clock::now() + report_interval;
  unsigned steps = 0;
  while (!stop.load(std::memory_order_relaxed) && !source_.is_finished()) {
    const bool has_packets = strategy_->step();
    if (!has_packets || ++steps % steps_per_clock_reading == 0) {
      const auto now = std::chrono::steady_clock::now();
      if (now >= next_report) {
        report(progress());
        next_report = now + report_interval;
      }
    }
  }
  strategy_->finish();
  report(progress());
}

std::vector<ThreadCounters> OfflineRun::counters() const {
  return strategy_->counters();
}

std::vector<const RuleCosts*> OfflineRun::rule_costs() const {
  return strategy_->rule_costs();
}

Progress OfflineRun::progress() const {
  Progress progress;
  for (const capture::CaptureInfo& capture : source_.captures()) {
    progress.packets += capture.packets;
    progress.read_bytes += capture.bytes;
    progress.total_bytes += capture.file_bytes;
  }
  progress.alerts = collector_.alerts_logged();
  return progress;
}

}  // namespace shrike::worker
