#include "port_clocks.h"

#include <fmt/format.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "shrike/base/clock.h"

namespace shrike::capture {

namespace {

constexpr uint64_t keep_interval_ms = 250;
/// A first guess at a port's rate; it is measured on.
constexpr std::chrono::milliseconds first_measure{20};
/// Of so many attempts the one counts that took least: others were interrupted.
constexpr unsigned attempts = 5;

TickSource choose_ticks() {
  std::ifstream file("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  std::string name;
  file >> name;
  return name == "tsc" && rte_get_tsc_hz() != 0 ? TickSource::tsc : TickSource::steady_clock;
}

std::string step_text(ClockDiscipline::Step step, const std::string& name, int64_t error_ns) {
  const double seconds = static_cast<double>(error_ns < 0 ? -error_ns : error_ns) / 1e9;
  switch (step) {
    case ClockDiscipline::Step::none:
      break;
    case ClockDiscipline::Step::forward:
      return fmt::format("{}: the system's clock went {:.3f} s forward, and packets' times with it",
                         name, seconds);
    case ClockDiscipline::Step::back:
      return fmt::format("{}: the system's clock was set back by {:.3f} s, and packets' times too",
                         name, seconds);
    case ClockDiscipline::Step::restart:
      return fmt::format("{}: its counter began anew; packets' times go on", name);
  }
  return {};
}

}  // namespace

uint64_t read_ticks(TickSource source) noexcept {
  if (source == TickSource::tsc) [[likely]] {
    return rte_rdtsc();
  }
  return steady_clock_ns();
}

PortClocks::PortClocks() : system_ticks_(choose_ticks()) {
  ClockReading first;
  read(-1, first);
  const double ns_a_tick =
      system_ticks_ == TickSource::tsc ? 1e9 / static_cast<double>(rte_get_tsc_hz()) : 1.0;
  clocks_.push_back(std::make_unique<Clock>("clock", -1, ClockDiscipline(first, ns_a_tick)));
  clocks_.back()->shared.publish(clocks_.back()->discipline.line());
}

bool PortClocks::is_readable(uint16_t port) noexcept {
  uint64_t ticks = 0;
  return rte_eth_read_clock(port, &ticks) == 0;
}

bool PortClocks::read(int port, ClockReading& reading) const noexcept {
  uint64_t best_ns = UINT64_MAX;
  for (unsigned attempt = 0; attempt < attempts; ++attempt) {
    uint64_t ticks = 0;
    const uint64_t before_ns = wall_clock_ns();
    if (port < 0) {
      ticks = read_ticks(system_ticks_);
    } else if (rte_eth_read_clock(static_cast<uint16_t>(port), &ticks) != 0) {
      return false;
    }
    const uint64_t spent_ns = wall_clock_ns() - before_ns;
    if (spent_ns < best_ns) {
      best_ns = spent_ns;
      reading = {.ticks = ticks, .wall_ns = before_ns + spent_ns / 2};
    }
  }
  return best_ns != UINT64_MAX;
}

const SharedLine* PortClocks::follow(uint16_t port, const std::string& name) {
  ClockReading first;
  ClockReading second;
  if (!read(port, first)) {
    return nullptr;
  }
  std::this_thread::sleep_for(first_measure);
  if (!read(port, second) || second.ticks <= first.ticks || second.wall_ns <= first.wall_ns) {
    return nullptr;
  }
  const double ns_a_tick = static_cast<double>(second.wall_ns - first.wall_ns) /
                           static_cast<double>(second.ticks - first.ticks);
  clocks_.push_back(
      std::make_unique<Clock>("port " + name, port, ClockDiscipline(second, ns_a_tick)));
  clocks_.back()->shared.publish(clocks_.back()->discipline.line());
  return &clocks_.back()->shared;
}

std::vector<std::string> PortClocks::keep() {
  std::vector<std::string> notices;
  const uint64_t now_ms = steady_clock_ms();
  if (now_ms < kept_ms_ + keep_interval_ms) {
    return notices;
  }
  kept_ms_ = now_ms;
  for (const std::unique_ptr<Clock>& clock : clocks_) {
    ClockReading reading;
    if (!read(clock->port, reading)) {
      continue;  // the last line goes on
    }
    const ClockLine before = clock->discipline.line();
    const ClockDiscipline::Step step = clock->discipline.learn(reading);
    clock->shared.publish(clock->discipline.line());
    if (step != ClockDiscipline::Step::none) {
      const auto error_ns = static_cast<int64_t>(reading.wall_ns - before.at(reading.ticks));
      notices.push_back(step_text(step, clock->name, error_ns));
    }
  }
  return notices;
}

double PortClocks::ns_a_tick(const SharedLine* line) const noexcept {
  for (const std::unique_ptr<Clock>& clock : clocks_) {
    if (&clock->shared == line) {
      return clock->discipline.line().ns_a_tick;
    }
  }
  return 0;
}

}  // namespace shrike::capture
