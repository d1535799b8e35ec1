#pragma once
#include <array>
#include <string>

#include "overload.h"
#include "shrike/output.h"

namespace shrike::worker {

/// Tells in EVE what one worker gave up: the period, and what was not inspected in it. Made from
/// the worker's counters by the collector's thread, so that nothing is lost where the worker's
/// ring is full, and so that the records' sums are the counters.
class OverloadReporter {
 public:
  /// @param worker    as statistics name it
  /// @param overload  of the worker; borrowed
  /// @param shed      FlowTracker::shed_counters of the worker
  OverloadReporter(std::string worker, const Overload& overload, CounterView shed,
                   uint32_t report_ms);

  /// Writes a record where one is due: what went on for `report_ms`, or ended a second ago.
  /// @param now_ns   on the wall clock
  /// @param is_last  whatever is not told yet is due
  void look(uint64_t now_ns, bool is_last, output::Collector& collector);

 private:
  using Amounts = std::array<uint64_t, static_cast<size_t>(flow::ShedCause::count_) *
                                           static_cast<size_t>(flow::ShedCount::count_)>;

  [[nodiscard]] Amounts read() const noexcept;
  void write(uint64_t end_ns, bool is_overloaded, const Amounts& now, output::Collector& collector);

  const std::string worker_;
  const Overload& overload_;
  const CounterView shed_;
  const uint64_t report_ns_;
  Amounts told_{};
  bool has_something_ = false;  ///< to tell, since start_ns_
  uint64_t start_ns_ = 0;
  uint64_t busy_ns_ = 0;  ///< when it was overloaded last
};

}  // namespace shrike::worker
