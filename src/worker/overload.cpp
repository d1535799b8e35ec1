#include "overload.h"

#include <algorithm>
#include <bit>

#include "shrike/base/clock.h"

namespace shrike::worker {

namespace {

constexpr uint64_t millisecond_ns = 1'000'000;
/// Time without a backlog outweighs so much time with one.
constexpr uint64_t relief_factor = 4;
/// Notes that it takes at least: one gap, of a worker that lost its core, is no overload.
constexpr uint64_t notes_min = 4;
/// A backlog counts even where no time has passed since the last note.
constexpr uint64_t score_min_ns = 1;

constexpr CounterRow rows[] = {
    {"overload.periods", "periods", "Times that a worker could not keep up."},
    {"overload.steps", "steps", "Times that more flows had to be given up."},
    {"overload.backlog_ns", "ns", "Time in which full batches waited."},
};

uint64_t wire_bytes_in_window(const OverloadOptions& options) noexcept {
  return uint64_t{options.elephant_mbit} * 1'000'000 / 8 * options.elephant_window_ms / 1000;
}

bool is_given_up(const FlowView& flow) noexcept {
  return flow.verdict != FlowVerdict::inspect && flow.verdict != FlowVerdict::pass;
}

}  // namespace

Overload::Overload(const OverloadOptions& options, uint32_t flow_slots)
    : options_(options),
      has_elephants_(options.elephant_mbit != 0),
      window_bytes_max_(wire_bytes_in_window(options)),
      windows_(options.elephant_mbit != 0 ? flow_slots : 0) {}

/// An account of time: a backlog adds to it, and four times as fast its absence takes away.
void Overload::weigh(bool has_backlog, uint64_t now_ns) noexcept {
  if (!options_.sheds) {
    return;
  }
  const uint64_t full_ns = std::max(options_.after_ms * millisecond_ns, score_min_ns);
  const uint64_t gap_ns_max = std::max(full_ns / notes_min, score_min_ns);
  const uint64_t passed_ns = noted_ns_ == 0 ? 0 : std::min(now_ns - noted_ns_, gap_ns_max);
  if (has_backlog) {
    counters_.add(Counter::backlog_ns, passed_ns);
    score_ns_ = std::min(score_ns_ + std::max(passed_ns, score_min_ns), full_ns);
    if (score_ns_ == full_ns) {
      press(now_ns);
    }
    return;
  }
  is_shedding_ = false;
  score_ns_ -= std::min(score_ns_, passed_ns * relief_factor);
  if (score_ns_ == 0) {
    end();
  }
}

void Overload::press(uint64_t now_ns) noexcept {
  const bool is_new = began_ns_.load(std::memory_order_relaxed) == 0;
  if (is_new) {
    counters_.add(Counter::periods);
    began_ns_.store(wall_clock_ns(), std::memory_order_release);
  }
  if (is_new || !is_shedding_) {
    is_shedding_ = true;  // after a pause as far as it was before, and first look at what that does
    next_step_ns_ = now_ns + options_.step_ms * millisecond_ns;
  } else if (now_ns >= next_step_ns_) {
    step_down();
    next_step_ns_ = now_ns + options_.step_ms * millisecond_ns;
  }
}

/// The next largest flows of those that still bring anything.
void Overload::step_down() noexcept {
  const auto last = static_cast<size_t>(std::bit_width(size_min_bytes_)) - 1;
  const auto floor = static_cast<size_t>(std::bit_width(options_.depth_bytes));
  for (size_t size = last; size >= std::max<size_t>(floor, 1); --size) {
    if (sizes_[size] != 0) {
      size_min_bytes_ = std::max(options_.depth_bytes, uint64_t{1} << (size - 1));
      counters_.add(Counter::steps);
      break;
    }
  }
  sizes_.fill(0);
}

void Overload::end() noexcept {
  if (began_ns_.load(std::memory_order_relaxed) != 0) {
    began_ns_.store(0, std::memory_order_release);
    size_min_bytes_ = UINT64_MAX;
    sizes_.fill(0);
  }
}

void Overload::choose(std::span<const Tracked> tracked, flow::FlowTracker& flows) noexcept {
  for (const Tracked& each : tracked) {
    const FlowView& flow = each.flow;
    if (!flow.id.exists() || is_given_up(flow)) {
      continue;
    }
    const uint64_t bytes = flow.bytes[0] + flow.bytes[1];
    if (is_shedding_) {
      relieve(each, bytes, flows);
    }
    if (has_elephants_ && bytes > options_.elephant_depth_bytes) {
      watch(each, flows);
    }
  }
}

void Overload::relieve(const Tracked& tracked, uint64_t bytes, flow::FlowTracker& flows) noexcept {
  const FlowId flow = tracked.flow.id;
  if (flows.is_encrypted(flow)) {
    flows.shed(flow, flow::ShedCause::encrypted);
  } else if (bytes > size_min_bytes_) {
    flows.shed(flow, flow::ShedCause::large);
  } else {
    sizes_[static_cast<size_t>(std::bit_width(bytes))] += tracked.datagram->wire_bytes;
  }
}

void Overload::watch(const Tracked& tracked, flow::FlowTracker& flows) noexcept {
  Window& window = windows_[tracked.flow.id.slot()];
  const uint64_t number =
      tracked.datagram->clock_ns / (options_.elephant_window_ms * millisecond_ns);
  if (window.eve_id != tracked.flow.eve_id || window.number != number) {
    window = {.eve_id = tracked.flow.eve_id, .number = number};
  }
  window.bytes += tracked.datagram->wire_bytes;
  if (window.bytes > window_bytes_max_) {
    flows.shed(tracked.flow.id, flow::ShedCause::elephant);
  }
}

CounterView Overload::counters() const noexcept {
  return counters_.view(rows);
}

}  // namespace shrike::worker
