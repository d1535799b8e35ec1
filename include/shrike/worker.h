#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/base/counters.h"
#include "shrike/capture.h"
#include "shrike/decode.h"
#include "shrike/detect.h"
#include "shrike/flow.h"
#include "shrike/model/ruleset.h"
#include "shrike/output.h"
#include "shrike/protocol.h"

/// The walk: joins the engines, one core each. Nothing below knows anything of its neighbours.
namespace shrike::worker {

/// What the engines of every worker are built from.
struct EngineOptions {
  decode::DecoderOptions decode;
  flow::FlowOptions flow;
  protocol::ProtocolOptions protocols;  ///< flow_slots is filled in by the worker
  detect::DetectorOptions detect;       ///< flow_slots is filled in by the worker
  output::RecordOptions records;        ///< per_capture: every capture starts with empty state
};

struct OfflineOptions {
  EngineOptions engines;
  unsigned workers = 1;  ///< 1 to 128 cores that inspect; more than there are cores works too
};

/// How far a run is, for the operator.
struct Progress {
  uint64_t packets = 0;
  uint64_t alerts = 0;
  uint64_t read_bytes = 0;   ///< of the files, as stored
  uint64_t total_bytes = 0;  ///< of all files that are known so far; 0 where not known
};

/// The counters of one thread, named "W#01" or "R#00" as EVE stats do.
struct ThreadCounters {
  std::string thread;
  std::vector<CounterView> views;

  /// What the counters of that name say together; 0 where there is none.
  [[nodiscard]] uint64_t value(std::string_view name) const noexcept;
};

/// Writes the counters of a run as one event, for the sinks that take them, and flushes these.
/// @param threads  of the run, "Global" for the collector's own.
void write_statistics(const std::vector<ThreadCounters>& threads, uint64_t uptime_seconds,
                      const output::EngineStatistics& rules, output::Collector& collector);

/// Reads captures through the whole walk. The same captures give the same records in the same
/// order for any number of workers and any batch size. One worker runs to completion on the
/// calling thread; several get datagrams from it, by the owner table, and it collects.
class OfflineRun {
 public:
  /// Everything is borrowed and outlives the run. `rules` stays the same during a run.
  OfflineRun(const OfflineOptions& options, capture::PacketSource& source, const RuleSet& rules,
             output::Collector& collector);
  ~OfflineRun();

  /// Until the source is finished, or `stop` is set: then all that was read is still inspected and
  /// written. `report` is called about every tenth of a second, on the calling thread.
  void run(const std::atomic<bool>& stop, const std::function<void(const Progress&)>& report);

  /// Borrowed from the engines; valid as long as this object.
  [[nodiscard]] std::vector<ThreadCounters> counters() const;
  /// One for each worker, for RuleProfile; none where nothing is sampled. Borrowed like the rest.
  [[nodiscard]] std::vector<const RuleCosts*> rule_costs() const;
  [[nodiscard]] Progress progress() const;

 private:
  class Strategy;
  class RunToCompletion;
  class Spread;
  capture::PacketSource& source_;
  output::Collector& collector_;
  std::unique_ptr<Strategy> strategy_;
};

}  // namespace shrike::worker
