#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "shrike/base/diagnostics.h"
#include "shrike/worker.h"

/// All that Shrike says to a person goes through here.
namespace shrike::app {

/// "1,234,567"
[[nodiscard]] std::string with_commas(uint64_t number);
/// "999 B", "1.5 kB", "2.3 GB": thousands, as network people count.
[[nodiscard]] std::string with_unit(uint64_t bytes);
/// "0:07", "12:34", "1:02:03"
[[nodiscard]] std::string as_clock(double seconds);
/// Rate on the wire: "1.08 Gbit/s"; "-" where no time has passed.
[[nodiscard]] std::string as_rate(uint64_t bytes, double seconds);

/// What is told of the diagnostics: only errors; errors, and how many warnings there are; errors
/// and warnings; notes too.
enum class Tell : uint8_t { errors, errors_and_count, problems, all };

/// Prints diagnostics on stderr, one a line.
void tell(const Diagnostics& diagnostics, Tell what);

/// One line on stderr that changes while captures are read; silent where it is no terminal.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const worker::Progress& progress, uint64_t wire_bytes);
  void say(std::string_view text);
  void clear();

 private:
  bool is_shown_;
  bool is_dirty_ = false;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// "45 %  1,234 packets  1.08 Gbit/s  12 alerts  0:12 left": what ProgressLine shows.
[[nodiscard]] std::string progress_text(const worker::Progress& progress, uint64_t wire_bytes,
                                        double seconds);

}  // namespace shrike::app
