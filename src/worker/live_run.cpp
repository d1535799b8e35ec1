#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <map>
#include <thread>

#include "card_bypass.h"
#include "live_worker.h"
#include "overload_report.h"
#include "shrike/base/clock.h"
#include "shrike/worker/core_plan.h"
#include "shrike/worker/profile.h"

namespace shrike::worker {

namespace {

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
  void make_costs(const RuleSet& rules);
  void open_desks();

  const LiveOptions options;
  capture::Ports& ports;
  output::Collector& collector;
  LiveShared shared;
  std::vector<std::unique_ptr<BypassDesk>> desks;  ///< one a worker; none where no card drops flows
  std::unique_ptr<CardBypass> card_bypass;
  std::vector<std::unique_ptr<LiveWorker>> workers;
  std::vector<std::thread> threads;
  std::atomic<uint32_t> running{0};
  std::vector<ThreadCounters> counters;
  std::vector<OverloadReporter> reporters;
  std::map<uint64_t, std::vector<std::unique_ptr<RuleCosts>>> costs;  ///< by generation, worker
};

/// Before the workers are told of the rules: they take both up.
void LiveRun::State::make_costs(const RuleSet& rules) {
  std::vector<std::unique_ptr<RuleCosts>>& tables = costs[rules.generation()];
  for (LiveShared::Lane& lane : shared.lanes) {
    tables.push_back(costs_for(options.engines, rules));
    lane.costs.store(tables.back().get(), std::memory_order_release);
  }
}

LiveRun::LiveRun(const LiveOptions& options, capture::Ports& ports, const RuleSet& rules,
                 output::Collector& collector)
    : state_(std::make_unique<State>(options, ports, rules, collector)) {
  state_->make_costs(rules);
  state_->open_desks();
  std::vector<RecordRing*> rings;
  for (uint32_t index = 0; index < options.workers; ++index) {
    state_->workers.push_back(std::make_unique<LiveWorker>(state_->options, index, state_->shared,
                                                           state_->ports.source(index)));
    rings.push_back(&state_->workers.back()->records());
    LiveWorker& worker = *state_->workers.back();
    std::vector<CounterView> views = worker.counters();
    if (!state_->desks.empty()) {
      worker.use_bypass(state_->desks[index].get());
      views.push_back(state_->desks[index]->counters());
    }
    state_->counters.push_back({fmt::format("W#{:02}", index + 1), std::move(views)});
    state_->reporters.emplace_back(state_->counters.back().thread, worker.overload(),
                                   worker.shed_counters(), options.overload.report_ms);
  }
  collector.attach(rings);
}

LiveRun::~LiveRun() {
  stop();
}

void LiveRun::State::open_desks() {
  const std::vector<capture::CardRules*> cards = ports.card_rules();
  const CardBypassOptions bypass;
  std::vector<BypassDesk*> open;
  for (uint32_t index = 0; !cards.empty() && index < options.workers; ++index) {
    desks.push_back(std::make_unique<BypassDesk>(bypass.flows_max));
    open.push_back(desks.back().get());
  }
  card_bypass = std::make_unique<CardBypass>(cards, open, bypass);
}

void LiveRun::State::run_thread(uint32_t index) {
  // By the thread itself: others would have to write to /proc, which a sandbox forbids.
  pthread_setname_np(pthread_self(), counters[index].thread.c_str());
  if (!options.cores.empty()) {
    pin_this_thread({options.cores[index % options.cores.size()]});
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
  state_->make_costs(rules);
  state_->shared.rules.store(&rules, std::memory_order_release);
}

std::vector<const RuleCosts*> LiveRun::rule_costs(uint64_t generation) const {
  std::vector<const RuleCosts*> tables;
  if (const auto found = state_->costs.find(generation); found != state_->costs.end()) {
    for (const std::unique_ptr<RuleCosts>& table : found->second) {
      if (table != nullptr) {
        tables.push_back(table.get());
      }
    }
  }
  return tables;
}

void LiveRun::forget_costs(uint64_t generation) {
  state_->costs.erase(generation);
}

std::vector<RingUse> LiveRun::record_rings() const {
  std::vector<RingUse> all;
  for (const std::unique_ptr<LiveWorker>& worker : state_->workers) {
    const RecordRing& ring = worker->records();
    all.push_back({ring.capacity_bytes(), ring.waiting_bytes_max()});
  }
  return all;
}

std::vector<RingUse> LiveRun::hand_over_rings() const {
  std::vector<RingUse> all(state_->workers.size());
  for (uint32_t to = 0; to < all.size(); ++to) {
    for (uint32_t from = 0; from < all.size(); ++from) {
      if (from != to) {
        const RecordRing& ring = state_->shared.ring(from, to);
        all[to].bytes = ring.capacity_bytes();
        all[to].waiting_bytes_max =
            std::max<uint64_t>(all[to].waiting_bytes_max, ring.waiting_bytes_max());
      }
    }
  }
  return all;
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
  state_->card_bypass->tell_all(steady_clock_ns());
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

void LiveRun::keep_house() noexcept {
  state_->card_bypass->keep(steady_clock_ns());
}

CounterView LiveRun::own_counters() const noexcept {
  return state_->card_bypass->counters();
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
