#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/base/counters.h"
#include "shrike/capture/ports.h"
#include "shrike/output.h"
#include "shrike/rule.h"
#include "shrike/worker.h"

namespace shrike::app {

/// Counters of all threads added up, by name.
class CounterSums {
 public:
  void add(const CounterView& view);
  [[nodiscard]] uint64_t get(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, uint64_t, std::less<>>& all() const noexcept {
    return sums_;
  }

 private:
  std::map<std::string, uint64_t, std::less<>> sums_;
};

/// What a run came to.
struct RunFacts {
  size_t captures = 0;
  worker::Progress progress;
  double seconds = 0;        ///< from the first packet to the last line written
  double start_seconds = 0;  ///< before: rules and memory
  rule::Report rules;
  output::Summary output;
  CounterSums counters;
  bool was_stopped = false;  ///< by Ctrl-C or SIGTERM
  /// With -v: what the process took of the machine.
  struct Cost {
    double user_seconds = 0;
    double system_seconds = 0;
    uint64_t memory_bytes_max = 0;
  };
  std::optional<Cost> cost;
};

/// What a live run came to.
struct LiveFacts {
  double seconds = 0;
  rule::Report rules;
  output::Summary output;
  CounterSums counters;
  struct Port {
    std::string name;
    capture::PortTotals totals;
  };
  std::vector<Port> ports;
};

/// The closing summary, for a person: some lines, each ended.
[[nodiscard]] std::string summary_text(const RunFacts& facts);
[[nodiscard]] std::string summary_text(const LiveFacts& facts);

}  // namespace shrike::app
