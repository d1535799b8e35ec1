#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace shrike::capture {

/// What a counter of ticks and the system's clock said at one moment.
struct ClockReading {
  uint64_t ticks = 0;
  uint64_t wall_ns = 0;  ///< since the Unix epoch
};

/// Ticks to time: a straight line, good until the next reading.
struct ClockLine {
  uint64_t ticks = 0;
  uint64_t ns = 0;
  double ns_a_tick = 0;
  /// By how much the system's clock was set back in all: time plus this never runs backwards.
  uint64_t behind_ns = 0;
  uint32_t times_set_forward = 0;
  uint32_t times_set_back = 0;

  /// A moment that is centuries off gives some time that is far off as well.
  [[nodiscard]] uint64_t at(uint64_t moment) const noexcept {
    constexpr double far_ns = 9e18;  // what 64 bits hold
    const auto since = static_cast<double>(static_cast<int64_t>(moment - ticks));
    const double passed_ns = std::clamp(since * ns_a_tick, -far_ns, far_ns);
    return ns + static_cast<uint64_t>(static_cast<int64_t>(passed_ns));
  }
};

/// Keeps a line true to the system's clock. Small differences are made good by going a little
/// faster or slower, so time never stands still or runs back; from `jump_ns` on the system's clock
/// was set, and time follows at once. One thread.
class ClockDiscipline {
 public:
  enum class Step : uint8_t {
    none,
    forward,  ///< the system's clock was set forward, or the machine stood still
    back,     ///< it was set back
    restart,  ///< the counter began anew
  };
  /// A chrony or ntpd that is at work corrects less than this in small steps (ntpd: 128 ms).
  static constexpr uint64_t jump_ns = 100'000'000;

  /// @param ns_a_tick  as far as known; it is measured from then on.
  ClockDiscipline(const ClockReading& first, double ns_a_tick) noexcept;

  /// Another reading, a tenth of a second or more after the last one.
  Step learn(const ClockReading& reading) noexcept;

  [[nodiscard]] const ClockLine& line() const noexcept { return line_; }
  /// Of the last reading: what the system's clock was ahead of the line, in ns.
  [[nodiscard]] int64_t error_ns() const noexcept { return error_ns_; }

 private:
  static constexpr size_t window = 16;  ///< readings that the rate is measured over

  void restart(const ClockReading& reading) noexcept;
  void measure_rate(const ClockReading& reading) noexcept;

  std::array<ClockReading, window> readings_{};
  size_t count_ = 0;
  unsigned surprises_ = 0;  ///< readings in a row that were off the rate
  ClockReading last_;
  ClockLine line_;
  double rate_;  ///< ns a tick, without what makes differences good
  int64_t error_ns_ = 0;
};

/// A line that one thread writes and others read, without either waiting.
class SharedLine {
 public:
  void publish(const ClockLine& line) noexcept;
  /// Takes the newest line, where there is one that is newer than `version`'s.
  /// @return whether `line` changed.
  bool refresh(ClockLine& line, uint32_t& version) const noexcept;

 private:
  std::atomic<uint32_t> version_{0};  ///< odd while it is being written
  std::atomic<uint64_t> ticks_{0};
  std::atomic<uint64_t> ns_{0};
  std::atomic<double> ns_a_tick_{0};
  std::atomic<uint64_t> behind_ns_{0};
  std::atomic<uint32_t> times_set_forward_{0};
  std::atomic<uint32_t> times_set_back_{0};
};

}  // namespace shrike::capture
