#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "file_store.h"
#include "judge.h"
#include "merger.h"
#include "shrike/base/check.h"
#include "shrike/base/clock.h"
#include "shrike/base/latency.h"
#include "sink.h"

namespace shrike::output {

namespace {

/// A packet that old was not received now: a device that plays a file has the file's times.
constexpr uint64_t recorded_ns = 3'600'000'000'000;

/// Paths of captures: the reader names them, the collector's thread asks.
class CaptureNames {
 public:
  void set(uint32_t index, std::string_view path) {
    const std::lock_guard lock(mutex_);
    if (paths_.size() <= index) {
      paths_.resize(index + 1);
    }
    paths_[index] = path;
  }
  /// Takes the lock only where the capture is another one than last time.
  std::string_view get(uint32_t index) {
    if (cached_index_ != index || cached_.empty()) {
      const std::lock_guard lock(mutex_);
      cached_ = index < paths_.size() ? paths_[index] : std::string{};
      cached_index_ = index;
    }
    return cached_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> paths_;
  uint32_t cached_index_ = UINT32_MAX;
  std::string cached_;
};

}  // namespace

struct Collector::State {
  State(const CollectorOptions& collector_options, const SinkOptions& sink_options,
        Diagnostics& diagnostics)
      : options(collector_options),
        judge(collector_options, records_for(sink_options).flow_ends),
        merger(collector_options.pending_bytes_max),
        sinks(open_sinks(sink_options, diagnostics)) {
    if (sink_options.file_store) {
      file_store.emplace(*sink_options.file_store, sink_options.directory, diagnostics);
    }
    if (options.measures_latency) {
      measure_latency();
    }
  }

  void measure_latency();
  void release();
  void note_alert(const Record& record);
  void handle(const Record& record);
  void handle_alert(const Record& record, const RuleCatalog& catalog);

  CollectorOptions options;
  Judge judge;
  Merger merger;
  Sinks sinks;
  std::optional<FileStore> file_store;
  CaptureNames captures;
  uint32_t capture_index = 0;  // of the keys, 0 where captures are one timeline
  uint64_t wall_ns = 0;        // where latency is measured: when the records at hand were taken
  uint64_t steady_ns = 0;
  LatencyHistogram alert_latency;
  LatencyHistogram written_latency;
  Record record;
};

void Collector::State::measure_latency() {
  for (const std::unique_ptr<Sink>& sink : sinks) {
    sink->file().measure(&written_latency);
  }
}

/// From the packet to here. What no packet brought has no such time: the end of a flow that timed
/// out is as old as its silence.
void Collector::State::note_alert(const Record& each) {
  const DatagramOrigin origin = each.datagram.origin;
  const uint64_t spent_ns = wall_ns - std::min(wall_ns, each.datagram.time_ns);
  if (origin != DatagramOrigin::stream_end && origin != DatagramOrigin::protocol_change &&
      spent_ns < recorded_ns) {
    alert_latency.add(spent_ns);
  }
}

/// One look at the clocks for all that a turn gives.
void Collector::State::release() {
  if (options.measures_latency) {
    wall_ns = wall_clock_ns();
    steady_ns = steady_clock_ns();
  }
  for (Bytes bytes = merger.next(); bytes.data() != nullptr; bytes = merger.next()) {
    check(read_record(bytes, record), "records are whole");
    if (file_store && record.head.kind != RecordKind::file_piece) {
      file_store->correct(record);  // of a piece it is known only once it is taken
    }
    handle(record);
  }
}

void Collector::State::handle(const Record& each) {
  if (each.head.key.capture_index != capture_index) {
    capture_index = each.head.key.capture_index;
    judge.forget();
  }
  const RuleCatalog* const catalog = judge.catalog_of(each.head.generation);
  check(catalog != nullptr, "records name a known rule set");
  switch (each.head.kind) {
    case RecordKind::mark:
      return;
    case RecordKind::alert:
      handle_alert(each, *catalog);
      return;
    case RecordKind::tagged_packet:
      for (const std::unique_ptr<Sink>& sink : sinks) {
        sink->write_packet({each, *catalog, captures.get(each.datagram.capture_index)});
      }
      return;
    case RecordKind::transaction:
      for (const std::unique_ptr<Sink>& sink : sinks) {
        sink->write_transaction({each, *catalog, captures.get(each.datagram.capture_index)});
      }
      return;
    case RecordKind::file:
      for (const std::unique_ptr<Sink>& sink : sinks) {
        sink->write_file({each, *catalog, captures.get(each.datagram.capture_index)});
      }
      return;
    case RecordKind::file_piece:
      if (file_store) {
        file_store->take({each, *catalog, captures.get(each.datagram.capture_index)});
      }
      return;
    case RecordKind::anomaly:
      for (const std::unique_ptr<Sink>& sink : sinks) {
        sink->write_anomaly({each, *catalog, captures.get(each.datagram.capture_index)});
      }
      return;
    case RecordKind::flow_end: {
      const bool has_alerts = judge.end_flow(each.flow.eve_id);
      for (const std::unique_ptr<Sink>& sink : sinks) {
        sink->write_flow_end(
            {each, *catalog, captures.get(each.flow_end.capture_index), has_alerts});
      }
      return;
    }
  }
}

void Collector::State::handle_alert(const Record& each, const RuleCatalog& catalog) {
  const Judge::Decision decision = judge.decide(each);
  if (!decision.is_logged) {
    return;
  }
  const AlertEvent event{.record = each,
                         .rule = catalog.infos[each.alert.rule_index],
                         .catalog = catalog,
                         .capture_path = captures.get(each.datagram.capture_index),
                         .action = decision.action,
                         .is_blocked = decision.is_blocked,
                         .is_dropped = decision.is_dropped,
                         .is_inline = options.simulate_ips};
  if (options.measures_latency) {
    note_alert(each);
  }
  for (const std::unique_ptr<Sink>& sink : sinks) {
    sink->file().stamp(steady_ns);
    sink->write_alert(event);
    sink->file().stamp(0);
  }
}

Collector::Collector(const CollectorOptions& options, const SinkOptions& sinks,
                     Diagnostics& diagnostics)
    : state_(std::make_unique<State>(options, sinks, diagnostics)) {}
Collector::~Collector() = default;
Collector::Collector(Collector&&) noexcept = default;

bool Collector::retire_rules(uint64_t generation) {
  if (state_->merger.holds(generation)) {
    return false;
  }
  state_->judge.forget_rules(generation);
  return true;
}

void Collector::use_rules(uint64_t generation, const RuleCatalog& catalog) {
  state_->judge.use_rules(generation, catalog);
}

void Collector::attach(std::span<RecordRing* const> rings) {
  while (state_->merger.take() != 0) {
  }
  state_->merger.release_all();
  state_->release();
  state_->merger.attach(rings);
}

void Collector::name_capture(uint32_t capture_index, std::string_view path) {
  state_->captures.set(capture_index, path);
}

size_t Collector::poll() noexcept {
  const size_t taken = state_->merger.take();
  if (taken != 0) {
    state_->release();
    if (state_->file_store) {
      state_->file_store->expire(state_->merger.marked_clock_ns());
    }
  }
  const uint64_t now_ms = steady_clock_ms();
  for (const std::unique_ptr<Sink>& sink : state_->sinks) {
    sink->file().poll(now_ms);
  }
  return taken;
}

void Collector::finish() noexcept {
  while (state_->merger.take() != 0) {
  }
  state_->merger.release_all();
  state_->release();
  for (const std::unique_ptr<Sink>& sink : state_->sinks) {
    sink->file().close();
  }
  if (state_->file_store) {
    state_->file_store->finish();
  }
}

void Collector::forget() noexcept {
  state_->judge.forget();
}

void Collector::write_statistics(const Statistics& statistics) {
  for (const std::unique_ptr<Sink>& sink : state_->sinks) {
    sink->write_statistics(statistics);
  }
}

void Collector::write_overload(const OverloadReport& report) {
  for (const std::unique_ptr<Sink>& sink : state_->sinks) {
    sink->write_overload(report);
  }
}

void Collector::flush() noexcept {
  for (const std::unique_ptr<Sink>& sink : state_->sinks) {
    sink->file().flush();
  }
}

void Collector::reopen() noexcept {
  for (const std::unique_ptr<Sink>& sink : state_->sinks) {
    sink->file().reopen();
  }
}

Summary Collector::summary() const {
  Summary summary;
  summary.signatures = state_->judge.signatures();
  for (const SignatureTotals& each : summary.signatures) {
    summary.alerts_logged += each.logged;
    summary.alerts_suppressed += each.suppressed;
  }
  for (const std::unique_ptr<Sink>& sink : state_->sinks) {
    const LogFile& file = sink->file();
    summary.sinks.push_back({.name = sink->name(),
                             .path = file.path(),
                             .queued = file.queued(),
                             .written = file.written(),
                             .lost = file.lost(),
                             .fault = file.fault()});
  }
  return summary;
}

uint64_t Collector::alerts_logged() const noexcept {
  return state_->judge.logged();
}

std::vector<std::string> Collector::take_notices() {
  std::vector<std::string> all;
  for (const std::unique_ptr<Sink>& sink : state_->sinks) {
    for (std::string& notice : sink->file().take_notices()) {
      all.push_back(std::move(notice));
    }
  }
  return all;
}

std::vector<CounterView> Collector::counters() const {
  std::vector<CounterView> views{state_->judge.counters(), state_->merger.counters()};
  if (state_->file_store) {
    views.push_back(state_->file_store->counters());
  }
  if (state_->options.measures_latency) {
    views.push_back(state_->alert_latency.view(latency_rows::alert()));
    views.push_back(state_->written_latency.view(latency_rows::written()));
  }
  return views;
}

}  // namespace shrike::output
