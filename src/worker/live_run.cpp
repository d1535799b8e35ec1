#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <thread>

#include "live_worker.h"
#include "overload_report.h"
#include "shrike/base/clock.h"

namespace shrike::worker {

namespace {

void pin_to(unsigned core) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

LiveOptions live(LiveOptions options) {
  options.engines.records.drop_when_full = true;
  options.engines.records.per_capture = false;
  options.engines.flow.can_shed = true;
  return options;
}

}  // namespace

struct LiveRun::State {
  State(const LiveOptions& run_options, capture::Ports& run_ports, const RuleSet& rules,
        output::Collector& run_collector)
      : options(live(run_options)),
        ports(run_ports),
        collector(run_collector),
        shared(options, rules, ports.are_steered()) {}

  void run_thread(uint32_t index);
  void report_overload(bool is_last);

  const LiveOptions options;
  capture::Ports& ports;
  output::Collector& collector;
  LiveShared shared;
  std::vector<std::unique_ptr<LiveWorker>> workers;
  std::vector<std::thread> threads;
  std::atomic<uint32_t> running{0};
  std::vector<ThreadCounters> counters;
  std::vector<OverloadReporter> reporters;
};

LiveRun::LiveRun(const LiveOptions& options, capture::Ports& ports, const RuleSet& rules,
                 output::Collector& collector)
    : state_(std::make_unique<State>(options, ports, rules, collector)) {
  std::vector<RecordRing*> rings;
  for (uint32_t index = 0; index < options.workers; ++index) {
    state_->workers.push_back(std::make_unique<LiveWorker>(state_->options, index, state_->shared,
                                                           state_->ports.source(index)));
    rings.push_back(&state_->workers.back()->records());
    state_->counters.push_back(
        {fmt::format("W#{:02}", index + 1), state_->workers.back()->counters()});
    const LiveWorker& worker = *state_->workers.back();
    state_->reporters.emplace_back(state_->counters.back().thread, worker.overload(),
                                   worker.shed_counters(), options.overload.report_ms);
  }
  collector.attach(rings);
}

LiveRun::~LiveRun() {
  stop();
}

void LiveRun::State::run_thread(uint32_t index) {
  // By the thread itself: others would have to write to /proc, which a sandbox forbids.
  pthread_setname_np(pthread_self(), counters[index].thread.c_str());
  if (!options.cores.empty()) {
    pin_to(options.cores[index % options.cores.size()]);
  }
  ports.enter_thread();
  workers[index]->run();
  ports.leave_thread();
  running.fetch_sub(1, std::memory_order_acq_rel);
}

void LiveRun::start() {
  state_->running.store(static_cast<uint32_t>(state_->workers.size()));
  for (uint32_t index = 0; index < state_->workers.size(); ++index) {
    state_->threads.emplace_back([state = state_.get(), index] { state->run_thread(index); });
  }
}

void LiveRun::use_rules(const RuleSet& rules) noexcept {
  state_->shared.rules.store(&rules, std::memory_order_release);
}

uint64_t LiveRun::generation() const noexcept {
  uint64_t oldest = UINT64_MAX;
  for (const LiveShared::Lane& lane : state_->shared.lanes) {
    oldest = std::min(oldest, lane.generation.load(std::memory_order_acquire));
  }
  return oldest;
}

void LiveRun::State::report_overload(bool is_last) {
  for (OverloadReporter& reporter : reporters) {
    reporter.look(wall_clock_ns(), is_last, collector);
  }
}

void LiveRun::report_overload() {
  state_->report_overload(false);
}

void LiveRun::stop() {
  if (state_->threads.empty()) {
    return;
  }
  state_->shared.is_stopping.store(true);
  while (state_->running.load(std::memory_order_acquire) != 0) {
    if (state_->collector.poll() == 0) {
      std::this_thread::yield();
    }
  }
  for (std::thread& thread : state_->threads) {
    thread.join();
  }
  state_->threads.clear();
  while (state_->collector.poll() != 0) {
  }
  state_->report_overload(true);
  state_->collector.finish();
}

uint64_t LiveRun::idle_ms() const noexcept {
  uint64_t last_ms = 0;
  for (const LiveShared::Lane& lane : state_->shared.lanes) {
    last_ms = std::max(last_ms, lane.last_packet_ms.load(std::memory_order_relaxed));
  }
  const uint64_t now_ms = steady_clock_ms();
  return last_ms == 0 || now_ms < last_ms ? 0 : now_ms - last_ms;
}

const std::vector<ThreadCounters>& LiveRun::counters() const noexcept {
  return state_->counters;
}

}  // namespace shrike::worker
