#pragma once
#include <functional>
#include <vector>

#include "inspection.h"

namespace shrike::worker {

/// One core that receives, decodes and inspects to completion.
class Worker {
 public:
  /// Everything is borrowed and outlives the worker.
  Worker(const EngineOptions& options, capture::PacketSource& source, RecordRing& ring,
         std::function<void()> when_full);

  /// One batch of packets, from the source to the record ring. @return packets received.
  size_t run_once(const RuleSet& rules) noexcept;

  /// Ends all flows and forgets everything: the captures end.
  void finish(const RuleSet& rules) noexcept;

  /// See Detector::use_costs.
  void use_costs(RuleCosts* costs) noexcept { inspection_.use_costs(costs); }

  [[nodiscard]] std::vector<CounterView> counters() const;

 private:
  /// Starts anew where a capture begins and captures are apart.
  void begin_capture(const RuleSet& rules, uint32_t capture_index) noexcept;

  capture::PacketSource& source_;
  decode::Decoder decoder_;
  Inspection inspection_;
  PacketBatch packets_;
  DatagramBatch datagrams_;
  const bool captures_are_apart_;
  uint32_t capture_index_ = 0;
};

}  // namespace shrike::worker
