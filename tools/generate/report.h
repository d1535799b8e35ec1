#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shrike::generate {

/// What became of a queue's frames.
struct QueueTotals {
  uint64_t frames = 0;  ///< that the port took
  uint64_t bytes = 0;
  uint64_t refused = 0;  ///< that it did not
};

/// Over all queues.
[[nodiscard]] QueueTotals sum_of(const std::vector<QueueTotals>& queues);

/// What the driver itself counted.
struct DriverTotals {
  uint64_t frames = 0;
  uint64_t bytes = 0;
  uint64_t errors = 0;
};

/// The account of a run.
struct Summary {
  std::string_view ending;  ///< "done", "duration", "stopped" or "stalled"
  double seconds = 0;
  uint64_t rounds = 0;
  uint64_t too_long = 0;
  uint64_t unsendable = 0;
  std::vector<QueueTotals> queues;
  DriverTotals driver;
};

/// One line of JSON, without a line end. README.md names its members.
[[nodiscard]] std::string to_json(const Summary& summary);
/// The same for a person.
[[nodiscard]] std::string to_text(const Summary& summary);

}  // namespace shrike::generate
