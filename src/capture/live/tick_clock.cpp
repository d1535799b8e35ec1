#include "tick_clock.h"

#include <algorithm>
#include <cmath>

namespace shrike::capture {

namespace {

/// How long a small difference takes to be made good, and how far the rate may bend for that.
constexpr double slew_ns = 1e9;
constexpr double slew_max = 0.005;
/// A rate is measured over this at least: a reading is some 100 ns uncertain.
constexpr uint64_t measured_ns_min = 10'000'000;

/// What two readings may be off the rate: more is a step of the system's clock.
constexpr double surprise_ns = 1e6;
constexpr unsigned surprises_max = 4;

int64_t difference(uint64_t first, uint64_t second) noexcept {
  return static_cast<int64_t>(first - second);
}

}  // namespace

ClockDiscipline::ClockDiscipline(const ClockReading& first, double ns_a_tick) noexcept
    : rate_(ns_a_tick) {
  restart(first);
}

void ClockDiscipline::restart(const ClockReading& reading) noexcept {
  count_ = 0;
  readings_[count_++] = last_ = reading;
  line_.ticks = reading.ticks;
  line_.ns = reading.wall_ns;
  line_.ns_a_tick = rate_;
  error_ns_ = 0;
}

/// Over all readings of the window, as long as they lie on one line. A small step of the system's
/// clock is none of the counter's rate; where every reading is off, the rate was wrong.
void ClockDiscipline::measure_rate(const ClockReading& reading) noexcept {
  const auto since = static_cast<double>(difference(reading.ticks, last_.ticks)) * rate_;
  const double surprise = static_cast<double>(difference(reading.wall_ns, last_.wall_ns)) - since;
  surprises_ = std::abs(surprise) > surprise_ns ? surprises_ + 1 : 0;
  if (surprises_ != 0) {
    readings_[0] = surprises_ < surprises_max ? reading : last_;
    count_ = 1;
  }
  const ClockReading& oldest = readings_[count_ < window ? 0 : count_ % window];
  const int64_t ticks = difference(reading.ticks, oldest.ticks);
  const int64_t ns = difference(reading.wall_ns, oldest.wall_ns);
  if (ticks > 0 && ns > static_cast<int64_t>(measured_ns_min)) {
    rate_ = static_cast<double>(ns) / static_cast<double>(ticks);
  }
  readings_[count_++ % window] = reading;
}

ClockDiscipline::Step ClockDiscipline::learn(const ClockReading& reading) noexcept {
  if (difference(reading.ticks, last_.ticks) <= 0) {
    const int64_t set_back = difference(line_.ns, reading.wall_ns);
    line_.behind_ns += set_back > 0 ? static_cast<uint64_t>(set_back) : 0;
    restart(reading);
    return Step::restart;
  }
  error_ns_ = difference(reading.wall_ns, line_.at(reading.ticks));
  if (error_ns_ >= static_cast<int64_t>(jump_ns)) {
    ++line_.times_set_forward;
    restart(reading);
    return Step::forward;
  }
  if (error_ns_ <= -static_cast<int64_t>(jump_ns)) {
    ++line_.times_set_back;
    line_.behind_ns += static_cast<uint64_t>(-error_ns_);
    restart(reading);
    return Step::back;
  }
  measure_rate(reading);
  last_ = reading;
  line_.ns = line_.at(reading.ticks);
  line_.ticks = reading.ticks;
  const double bend = std::clamp(static_cast<double>(error_ns_) / slew_ns, -slew_max, slew_max);
  line_.ns_a_tick = rate_ * (1 + bend);
  return Step::none;
}

void SharedLine::publish(const ClockLine& line) noexcept {
  // Each value is released behind the odd version: who sees one of them sees that it is in flux.
  const uint32_t version = version_.load(std::memory_order_relaxed);
  version_.store(version + 1, std::memory_order_relaxed);
  ticks_.store(line.ticks, std::memory_order_release);
  ns_.store(line.ns, std::memory_order_release);
  ns_a_tick_.store(line.ns_a_tick, std::memory_order_release);
  behind_ns_.store(line.behind_ns, std::memory_order_release);
  times_set_forward_.store(line.times_set_forward, std::memory_order_release);
  times_set_back_.store(line.times_set_back, std::memory_order_release);
  version_.store(version + 2, std::memory_order_release);
}

bool SharedLine::refresh(ClockLine& line, uint32_t& version) const noexcept {
  const uint32_t before = version_.load(std::memory_order_acquire);
  if (before == version || before % 2 != 0) {
    return false;
  }
  const ClockLine now{.ticks = ticks_.load(std::memory_order_acquire),
                      .ns = ns_.load(std::memory_order_acquire),
                      .ns_a_tick = ns_a_tick_.load(std::memory_order_acquire),
                      .behind_ns = behind_ns_.load(std::memory_order_acquire),
                      .times_set_forward = times_set_forward_.load(std::memory_order_acquire),
                      .times_set_back = times_set_back_.load(std::memory_order_acquire)};
  if (version_.load(std::memory_order_relaxed) != before) {
    return false;
  }
  line = now;
  version = before;
  return true;
}

}  // namespace shrike::capture
