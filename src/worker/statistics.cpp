#include "shrike/base/clock.h"
#include "shrike/worker.h"

namespace shrike::worker {

uint64_t ThreadCounters::value(std::string_view name) const noexcept {
  uint64_t sum = 0;
  for (const CounterView& view : views) {
    for (size_t i = 0; i < view.size(); ++i) {
      sum += view.rows[i].name == name ? view.value(i) : 0;
    }
  }
  return sum;
}

void write_statistics(const std::vector<ThreadCounters>& threads, uint64_t uptime_seconds,
                      const output::EngineStatistics& rules, output::Collector& collector) {
  std::vector<output::ThreadStatistics> borrowed;
  borrowed.reserve(threads.size());
  for (const ThreadCounters& thread : threads) {
    borrowed.push_back({thread.thread, thread.views});
  }
  output::Statistics statistics;
  statistics.time_ns = wall_clock_ns();
  statistics.uptime_seconds = uptime_seconds;
  statistics.threads = borrowed;
  statistics.engine = rules;
  collector.write_statistics(statistics);
  collector.flush();
}

}  // namespace shrike::worker
