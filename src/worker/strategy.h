#pragma once
#include "shrike/worker.h"

namespace shrike::worker {

/// How the packets of an offline run get to the cores that inspect.
class OfflineRun::Strategy {
 public:
  Strategy(capture::PacketSource& source, output::Collector& collector)
      : source_(source), collector_(collector) {}
  virtual ~Strategy() = default;
  /// The next batch of packets; false where the source had none for now.
  virtual bool step() = 0;
  /// Inspects what is under way, ends all flows, waits for every worker.
  virtual void finish() = 0;
  [[nodiscard]] virtual std::vector<ThreadCounters> counters() const = 0;
  /// One for each worker; none where nothing is sampled.
  [[nodiscard]] virtual std::vector<const RuleCosts*> rule_costs() const = 0;

 protected:
  /// Lets the collector take what is there, with the names of the captures it came from.
  size_t collect() noexcept;

  capture::PacketSource& source_;
  output::Collector& collector_;

 private:
  size_t captures_named_ = 0;
};

/// Bytes of the ring between a worker and the collector: some ten thousand alerts.
inline constexpr size_t record_ring_bytes = 4u << 20;

}  // namespace shrike::worker
