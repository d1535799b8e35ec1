#include "sender.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

namespace shrike::generate {

Sender::Sender(Port& port, const FrameList& frames, const SendOptions& options,
               const std::atomic<bool>& stop)
    : port_(port),
      frames_(frames),
      options_(options),
      stop_(stop),
      copies_(options.copies),
      chooser_(options.spread, static_cast<uint32_t>(port.totals().size())),
      queues_(static_cast<uint32_t>(port.totals().size())),
      hz_(Port::ticks_per_second()),
      begin_(Port::now_ticks()),
      next_look_(begin_),
      last_progress_(begin_),
      pacer_(options.rate, hz_, begin_) {}

SendReport Sender::run() {
  while (options_.loops == 0 || report_.rounds < options_.loops) {
    if (!send_round()) {
      break;
    }
    ++report_.rounds;
    if (options_.changes_hosts) {
      copies_.begin_round(report_.rounds);
    }
  }
  flush_all();  // what a lossless end leaves was never sent, and is not refused either
  report_.seconds = static_cast<double>(Port::now_ticks() - begin_) / static_cast<double>(hz_);
  return report_;
}

/// @return false where sending is over.
bool Sender::send_round() {
  for (size_t index = 0; index < frames_.size(); ++index) {
    const Bytes frame = frames_.frame(index).bytes;
    for (uint32_t copy = 0; copy < copies_.count(); ++copy) {
      if (!send(copies_.copy(frame, copy))) {
        return false;
      }
    }
  }
  return true;
}

bool Sender::send(Bytes frame) {
  if (is_over() || !wait_until_due()) {
    return false;
  }
  const uint32_t queue = chooser_.queue_of(frame);
  for (;;) {
    switch (port_.put(queue, frame)) {
      case Port::Outcome::taken:
        pacer_.count(frame.size());
        return true;
      case Port::Outcome::too_long:
        ++report_.too_long;
        return true;
      case Port::Outcome::is_full:
        if (!make_room(queue)) {
          return false;
        }
        break;
      case Port::Outcome::no_buffer:
        // The port gives buffers back while it sends.
        if (!flush_all()) {
          return false;
        }
        sched_yield();
        break;
    }
  }
}

/// Flushes a burst; what the port does not take is waited for or refused.
bool Sender::make_room(uint32_t queue) {
  if (!options_.is_lossless) {
    port_.flush(queue);
    port_.refuse_rest(queue);
    return true;
  }
  const uint64_t stall_max = options_.stall_seconds_max * hz_;
  uint64_t last_taken = Port::now_ticks();
  while (port_.pending(queue) > 0) {
    if (port_.flush(queue) > 0) {
      last_taken = Port::now_ticks();
      continue;
    }
    if (Port::now_ticks() - last_taken > stall_max) {
      report_.ending = Ending::stalled;
      return false;
    }
    next_look_ = 0;
    if (is_over()) {
      return false;
    }
    sched_yield();
  }
  return true;
}

bool Sender::flush_all() {
  for (uint32_t queue = 0; queue < queues_; ++queue) {
    if (port_.pending(queue) > 0 && !make_room(queue)) {
      return false;
    }
  }
  return true;
}

bool Sender::wait_until_due() {
  uint64_t wait = pacer_.ticks_to_wait(Port::now_ticks());
  if (wait == 0) {
    return true;
  }
  if (!flush_all()) {
    return false;
  }
  const uint64_t worth_a_nap = hz_ / 5000;  // shorter ones come out too long
  const uint64_t nap_ticks_min = hz_ / 1'000'000 * options_.nap_us_min;
  const uint64_t nap_ticks_max = hz_ / 10;  // so that a stop is felt
  for (; wait > 0; wait = pacer_.ticks_to_wait(Port::now_ticks())) {
    wait = std::max(wait, nap_ticks_min);
    if (wait > worth_a_nap) {
      const uint64_t nap = std::min(wait - worth_a_nap / 2, nap_ticks_max);
      std::this_thread::sleep_for(std::chrono::nanoseconds(
          static_cast<uint64_t>(static_cast<double>(nap) / static_cast<double>(hz_) * 1e9)));
    }
    next_look_ = 0;
    if (is_over()) {
      return false;
    }
  }
  return true;
}

/// Whether a stop was asked for or the time is up. Looks at the clock a thousand times a second.
bool Sender::is_over() {
  if (report_.ending != Ending::done) {
    return true;
  }
  if (stop_.load(std::memory_order_relaxed)) {
    report_.ending = Ending::stopped;
    return true;
  }
  const uint64_t now = Port::now_ticks();
  if (now < next_look_) {
    return false;
  }
  next_look_ = now + hz_ / 1000;
  if (options_.duration_seconds != 0 && now - begin_ >= options_.duration_seconds * hz_) {
    report_.ending = Ending::duration;
    return true;
  }
  if (options_.shows_progress && now - last_progress_ >= hz_) {
    show_progress(now);
  }
  return false;
}

void Sender::show_progress(uint64_t now) {
  const QueueTotals sum = sum_of(port_.totals());
  const double seconds = static_cast<double>(now - last_progress_) / static_cast<double>(hz_);
  fmt::print(stderr, "{:.0f} s: {} packets, {:.0f}/s, {:.1f} Mbit/s, {} refused\n",
             static_cast<double>(now - begin_) / static_cast<double>(hz_), sum.frames,
             static_cast<double>(sum.frames - last_frames_) / seconds,
             static_cast<double>(sum.bytes - last_bytes_) * 8e-6 / seconds, sum.refused);
  last_progress_ = now;
  last_frames_ = sum.frames;
  last_bytes_ = sum.bytes;
}

}  // namespace shrike::generate
