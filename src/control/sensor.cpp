#include <fmt/format.h>
#include <malloc.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include "load_watch.h"
#include "shrike/base/clock.h"
#include "shrike/control.h"

namespace shrike::control {

namespace {

using Clock = std::chrono::steady_clock;

/// How long the house-keeping thread sleeps where the workers wrote nothing: an alert is on its way
/// to disk within that.
constexpr std::chrono::milliseconds collect_interval{1};
/// Between two looks at links, idle time and reloads.
constexpr std::chrono::milliseconds look_interval{100};

/// Turns of the collector after which nothing is left of what rings held at their beginning: a turn
/// takes more than a tenth of the most that fits in one.
constexpr unsigned polls_that_drain = 16;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// What the ports say, summed up, for statistics: under our names, and under those that dashboards
/// made for Suricata know.
class PortSums {
 public:
  void set(const std::vector<capture::PortTotals>& ports) noexcept {
    capture::PortTotals sum;
    for (const capture::PortTotals& port : ports) {
      sum.received += port.received;
      sum.bytes += port.bytes;
      sum.missed += port.missed;
      sum.no_buffer += port.no_buffer;
      sum.errors += port.errors;
    }
    const uint64_t lost = sum.missed + sum.no_buffer;
    const std::array<uint64_t, count> now{
        sum.received + lost, lost, sum.received, sum.bytes, sum.missed, sum.no_buffer, sum.errors};
    for (size_t i = 0; i < count; ++i) {
      relaxed::store(values_[i], now[i]);
    }
  }
  [[nodiscard]] CounterView view() const noexcept { return {rows, values_}; }

 private:
  static constexpr size_t count = 7;
  static constexpr CounterRow rows[count] = {
      {"capture.kernel_packets", "packets", "Packets that the ports saw."},
      {"capture.kernel_drops", "packets",
       "Packets that the ports lost: missed or without a buffer."},
      {"port.received", "packets", "Packets that the ports handed to their queues."},
      {"port.bytes", "bytes", "Their bytes."},
      {"port.missed", "packets", "Packets lost because a queue was full."},
      {"port.no_buffer", "packets", "Packets lost because no buffer was free."},
      {"port.errors", "packets", "Packets that the ports refused."},
  };
  std::array<uint64_t, count> values_{};
};

std::vector<std::string> names_of(const std::vector<worker::ThreadCounters>& threads) {
  std::vector<std::string> names;
  names.reserve(threads.size());
  for (const worker::ThreadCounters& thread : threads) {
    names.push_back(thread.thread);
  }
  return names;
}

output::RuleCatalog catalog_of(const RuleSet& rules) {
  return {rules.infos(), rules.bit_names(), rules.integer_names()};
}

}  // namespace

struct Sensor::State {
  State(const SensorOptions& sensor_options, capture::Ports& sensor_ports,
        output::Collector& sensor_collector, LoadedRules first, Program around)
      : options(sensor_options),
        ports(sensor_ports),
        collector(sensor_collector),
        load_rules(std::move(around.load_rules)),
        tell(std::move(around.tell)),
        rules(std::make_unique<LoadedRules>(std::move(first))),
        run(options.live, ports, rules->rules, collector),
        load(names_of(run.counters())) {}

  /// Changes what others see.
  template <typename Change>
  void publish(Change change) {
    const std::lock_guard lock(mutex);
    change(status);
  }
  void look(Requests& requests);
  void look_at_ports();
  void look_at_load();
  void show_rules(Status& now) const;
  void begin_reload();
  void end_reload();
  void advance_reload();
  void switch_rules(std::optional<LoadedRules> loaded);
  void retire_old_rules();
  void write_statistics();
  [[nodiscard]] bool is_idle_for_good() const {
    return options.stop_when_idle_ms != 0 && run.idle_ms() >= options.stop_when_idle_ms;
  }

  const SensorOptions options;
  capture::Ports& ports;
  output::Collector& collector;
  const LoadRules load_rules;
  const Tell tell;
  std::unique_ptr<LoadedRules> rules;      ///< that workers have, or are about to take up
  std::unique_ptr<LoadedRules> old_rules;  ///< until no worker and no record needs them
  worker::LiveRun run;
  const Clock::time_point started = Clock::now();
  Clock::time_point next_look = started;
  Clock::time_point next_statistics = started;
  std::future<std::optional<LoadedRules>> reload;
  Clock::time_point reload_started;
  Clock::time_point switched;
  unsigned polls_since_switch = 0;
  worker::RuleProfile profile;  ///< of the rules before
  LoadWatch load;
  std::vector<worker::ThreadCounters> counters;
  PortSums port_sums;
  mutable std::mutex mutex;  ///< of `status` alone
  Status status;             ///< as others see it
};

Sensor::Sensor(const SensorOptions& options, capture::Ports& ports, output::Collector& collector,
               LoadedRules first_rules, Program program)
    : state_(std::make_unique<State>(options, ports, collector, std::move(first_rules),
                                     std::move(program))) {
  const RuleSet& rules = state_->rules->rules;
  collector.use_rules(rules.generation(), catalog_of(rules));
  state_->counters = state_->run.counters();
  for (size_t i = 0; i < state_->counters.size(); ++i) {
    state_->counters[i].views.push_back(state_->load.view_of(i));
  }
  std::vector<CounterView> own = collector.counters();
  own.push_back(state_->port_sums.view());
  own.push_back(state_->load.sums());
  own.push_back(state_->run.own_counters());
  state_->counters.push_back({"Global", std::move(own)});
  state_->status.ports = ports.facts();
  state_->status.cores = options.cores;
  state_->status.last_reload_ns = wall_clock_ns();
  state_->show_rules(state_->status);
  state_->next_statistics += std::chrono::milliseconds(options.statistics_interval_ms);
}

Sensor::~Sensor() = default;

void Sensor::run(Requests& requests, const std::function<void()>& turn) {
  State& state = *state_;
  state.run.start();
  while (!requests.stop.load(std::memory_order_relaxed) && !state.is_idle_for_good()) {
    const size_t taken = state.collector.poll();
    state.advance_reload();
    state.run.keep_house();
    if (const auto now = Clock::now(); now >= state.next_look) {
      state.next_look = now + look_interval;
      state.look(requests);
    }
    turn();
    if (taken == 0) {
      std::this_thread::sleep_for(collect_interval);
    }
  }
  state.run.stop();
  state.look_at_ports();
  state.look_at_load();
  state.write_statistics();
}

void Sensor::State::look(Requests& requests) {
  if (requests.reopen_files.exchange(false)) {
    collector.reopen();
    tell("log files are opened anew");
  }
  // One at a time: who asks while rules are being reloaded has the next one.
  if (!reload.valid() && old_rules == nullptr && requests.reload_rules.exchange(false)) {
    begin_reload();
  }
  for (const std::vector<std::string>& notices : {ports.take_notices(), collector.take_notices()}) {
    for (const std::string& notice : notices) {
      tell(notice);
    }
  }
  look_at_ports();
  run.report_overload();
  look_at_load();
  if (const auto now = Clock::now();
      options.statistics_interval_ms != 0 && now >= next_statistics) {
    next_statistics = now + std::chrono::milliseconds(options.statistics_interval_ms);
    write_statistics();
  }
}

void Sensor::State::look_at_ports() {
  std::vector<capture::PortTotals> totals = ports.totals();
  port_sums.set(totals);
  publish([&](Status& now) {
    now.ports = ports.facts();
    now.port_totals = std::move(totals);
  });
}

void Sensor::State::look_at_load() {
  LoadWatch::Seen seen{.now_ns = steady_clock_ns(),
                       .record_rings = run.record_rings(),
                       .hand_over_rings = run.hand_over_rings(),
                       .pools = ports.pools()};
  for (const worker::ThreadCounters& thread : run.counters()) {
    seen.busy_ns.push_back(thread.value("worker.busy_ns"));
    seen.packets.push_back(thread.value("worker.frames_decoded"));
  }
  load.look(seen);
  publish([&](Status& now) { now.workers = load.workers(); });
}

void Sensor::State::show_rules(Status& now) const {
  now.generation = rules->rules.generation();
  now.rules = rules->report;
  now.failed_rules = rules->faults;
}

void Sensor::State::begin_reload() {
  publish([](Status& now) { now.last_reload = {.state = ReloadOutcome::State::running}; });
  reload_started = Clock::now();
  reload = std::async(std::launch::async, load_rules);
}

void Sensor::State::advance_reload() {
  if (reload.valid() && reload.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
    switch_rules(reload.get());
  }
  if (old_rules != nullptr) {
    retire_old_rules();
  }
}

void Sensor::State::switch_rules(std::optional<LoadedRules> loaded) {
  const double seconds = seconds_since(reload_started);
  publish([&](Status& now) {
    now.last_reload.compile_seconds = seconds;
    if (!loaded) {
      now.last_reload.state = ReloadOutcome::State::failed;
      ++now.reloads_over;
    }
  });
  if (!loaded) {
    tell("the rules were not reloaded: those that are in use stay");
    return;
  }
  old_rules = std::exchange(rules, std::make_unique<LoadedRules>(std::move(*loaded)));
  collector.use_rules(rules->rules.generation(), catalog_of(rules->rules));
  run.use_rules(rules->rules);
  switched = Clock::now();
  polls_since_switch = 0;
}

/// Once every worker has the new rules and every record of the old ones is out.
void Sensor::State::retire_old_rules() {
  const uint64_t generation = rules->rules.generation();
  if (run.generation() != generation) {
    return;
  }
  if (status.last_reload.state == ReloadOutcome::State::running) {
    const uint64_t old = old_rules->rules.generation();
    profile.keep(old_rules->rules, run.rule_costs(old), rules->rules);
    run.forget_costs(old);
    end_reload();
  }
  if (++polls_since_switch >= polls_that_drain &&
      collector.retire_rules(old_rules->rules.generation())) {
    old_rules.reset();
    malloc_trim(0);  // compiling leaves holes all over the heap: back to the system with them
  }
}

void Sensor::State::end_reload() {
  publish([&](Status& now) {
    show_rules(now);
    now.last_reload.state = ReloadOutcome::State::done;
    now.last_reload.generation = now.generation;
    now.last_reload.switch_seconds = seconds_since(switched);
    now.last_reload_ns = wall_clock_ns();
    ++now.reloads_over;
  });
  tell(
      fmt::format("rules reloaded: generation {}, {} rules, {} failed; compiled in {:.2f} s, taken "
                  "up by all workers in {:.1f} ms",
                  status.generation, status.rules.rules_loaded, status.rules.rules_failed,
                  status.last_reload.compile_seconds, status.last_reload.switch_seconds * 1000));
}

void Sensor::State::write_statistics() {
  worker::write_statistics(counters, static_cast<uint64_t>(seconds_since(started)),
                           {status.last_reload_ns, rules->report.rules_loaded,
                            rules->report.rules_failed, rules->report.rules_skipped},
                           collector);
}

Status Sensor::status() const {
  const auto up =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - state_->started);
  const std::lock_guard lock(state_->mutex);
  Status now = state_->status;
  now.uptime_ms = static_cast<uint64_t>(up.count());
  return now;
}

const std::vector<worker::ThreadCounters>& Sensor::counters() const noexcept {
  return state_->counters;
}

worker::CostSummary Sensor::rule_costs(size_t shown_max) const {
  const RuleSet& rules = state_->rules->rules;
  return state_->profile.summary(rules, state_->run.rule_costs(rules.generation()), shown_max);
}

std::vector<output::SignatureTotals> Sensor::signatures() const {
  return state_->collector.summary().signatures;
}

}  // namespace shrike::control
