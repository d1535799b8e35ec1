#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tick_clock.h"

namespace shrike::capture {

/// What counts the ticks that the sensor's own clock is made of.
enum class TickSource : uint8_t {
  tsc,           ///< the processor's time stamp counter, where the kernel itself goes by it
  steady_clock,  ///< the kernel's, in ns: where the counter cannot be relied on
};
[[nodiscard]] uint64_t read_ticks(TickSource source) noexcept;

/// The clocks that packets get their times from: the machine's own, and those of ports that stamp
/// what they receive. Cold, one thread; workers read the lines.
class PortClocks {
 public:
  PortClocks();

  /// Whether a port's clock can be read at all.
  static bool is_readable(uint16_t port) noexcept;
  /// Follows a started port's clock. @return its line, valid as long as this; null where it stands
  ///         still or cannot be read.
  const SharedLine* follow(uint16_t port, const std::string& name);

  /// Reads all clocks, four times a second at most. Lines for the operator where one was set.
  std::vector<std::string> keep();

  [[nodiscard]] TickSource system_ticks() const noexcept { return system_ticks_; }
  [[nodiscard]] const SharedLine& system() const noexcept { return clocks_.front()->shared; }
  /// Of a clock that is followed; 0 where it is none.
  [[nodiscard]] double ns_a_tick(const SharedLine* line) const noexcept;

 private:
  struct Clock {
    Clock(std::string its_name, int its_port, const ClockDiscipline& start)
        : name(std::move(its_name)), port(its_port), discipline(start) {}

    std::string name;
    int port;  ///< below 0: the machine's own
    ClockDiscipline discipline;
    SharedLine shared;
  };

  bool read(int port, ClockReading& reading) const noexcept;

  const TickSource system_ticks_;
  std::vector<std::unique_ptr<Clock>> clocks_;  ///< the machine's own first
  uint64_t kept_ms_ = 0;
};

}  // namespace shrike::capture
