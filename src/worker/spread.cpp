#include "spread.h"

#include <fmt/format.h>

#include <string>

#include "shrike/worker/profile.h"

namespace shrike::worker {

OfflineRun::Spread::Core::Core(const EngineOptions& options, const RuleSet& rule_set)
    : rules(rule_set),
      ring(record_ring_bytes),
      costs(costs_for(options, rule_set)),
      inspection(options, ring, [] { std::this_thread::yield(); }) {
  inspection.use_costs(costs.get());
}

void OfflineRun::Spread::Core::run() noexcept {
  for (LoadKind kind = LoadKind::datagrams; kind != LoadKind::last;) {
    Load& load = *queue.take();
    kind = load.kind;
    if (kind != LoadKind::datagrams) {
      inspection.finish(rules);
    }
    const std::span<const Packet> packets = load.packets.all();
    inspection.inspect(rules, load.shares[index].all());
    if (!packets.empty() && !load.is_partial) {
      inspection.expire(rules, packets.back().clock_ns);
      inspection.mark(packets.back());
    }
    load.pending.fetch_sub(1, std::memory_order_acq_rel);
  }
}

OfflineRun::Spread::Spread(const OfflineOptions& options, capture::PacketSource& source,
                           const RuleSet& rules, output::Collector& collector)
    : Strategy(source, collector),
      decoder_(options.engines.decode),
      owners_(options.workers),
      captures_are_apart_(options.engines.records.per_capture) {
  std::vector<RecordRing*> rings;
  for (unsigned i = 0; i < options.workers; ++i) {
    cores_.push_back(std::make_unique<Core>(options.engines, rules));
    cores_.back()->index = i;
    rings.push_back(&cores_.back()->ring);
  }
  collector_.attach(rings);
  for (size_t i = 0; i < loads; ++i) {
    loads_.push_back(std::make_unique<Load>(options.workers));
  }
  for (const auto& core : cores_) {
    core->thread = std::thread([each = core.get()] { each->run(); });
  }
}

OfflineRun::Spread::~Spread() {
  if (!is_finished_) {
    finish();
  }
}

bool OfflineRun::Spread::step() {
  Load* load = &free_load();
  source_.receive(load->packets);
  std::span<const Packet> rest = load->packets.all();
  if (rest.empty()) {
    return false;
  }
  const bool begins = captures_are_apart_ && rest.front().capture_index != capture_index_;
  capture_index_ = rest.front().capture_index;
  if (begins) {
    drain();
    decoder_.reset();
  }
  LoadKind kind = begins ? LoadKind::begins_capture : LoadKind::datagrams;
  while (!rest.empty()) {
    take_decoder_back();
    rest = rest.subspan(decoder_.decode(rest, load->datagrams));
    load->is_partial = !rest.empty();
    share_out(*load);
    hand_over(*load, kind);
    kind = LoadKind::datagrams;
    if (load->is_partial) {  // rare: its packets stay where they are until all are inspected
      drain();
      load->datagrams.clear();
    }
  }
  return true;
}

void OfflineRun::Spread::take_decoder_back() {
  if (decoder_.has_lent()) {  // rebuilt datagrams live in the decoder
    drain();
  }
  decoder_.release();
}

void OfflineRun::Spread::finish() {
  is_finished_ = true;
  Load& load = free_load();
  hand_over(load, LoadKind::last);
  wait_for(load);
  for (const auto& core : cores_) {
    core->thread.join();
  }
  drain();
  for (const auto& each : loads_) {
    source_.release(each->packets);
  }
  collector_.finish();
}

OfflineRun::Spread::Load& OfflineRun::Spread::free_load() {
  Load& load = *loads_[next_load_++ % loads];
  wait_for(load);
  source_.release(load.packets);
  load.packets.clear();
  load.datagrams.clear();
  for (DatagramBatch& share : load.shares) {
    share.clear();
  }
  collect();
  return load;
}

void OfflineRun::Spread::wait_for(const Load& load) {
  while (load.pending.load(std::memory_order_acquire) != 0) {
    if (collect() == 0) {
      std::this_thread::yield();
    }
  }
}

void OfflineRun::Spread::drain() {
  for (const auto& load : loads_) {
    wait_for(*load);
  }
}

void OfflineRun::Spread::share_out(Load& load) {
  for (DatagramBatch& share : load.shares) {
    share.clear();
  }
  for (const Datagram& datagram : load.datagrams.all()) {
    load.shares[owners_.owner_of(datagram)].push() = datagram;
  }
}

void OfflineRun::Spread::hand_over(Load& load, LoadKind kind) {
  load.kind = kind;
  load.pending.store(static_cast<unsigned>(cores_.size()), std::memory_order_release);
  for (const auto& core : cores_) {
    core->queue.put(&load);
  }
}

std::vector<ThreadCounters> OfflineRun::Spread::counters() const {
  std::vector<ThreadCounters> all{{"R#01", {source_.counters()}}};
  for (const CounterView& view : decoder_.counters()) {
    all.front().views.push_back(view);
  }
  for (const auto& core : cores_) {
    all.push_back({fmt::format("W#{:02}", core->index + 1), core->inspection.counters()});
  }
  return all;
}

std::vector<const RuleCosts*> OfflineRun::Spread::rule_costs() const {
  std::vector<const RuleCosts*> all;
  for (const auto& core : cores_) {
    if (core->costs != nullptr) {
      all.push_back(core->costs.get());
    }
  }
  return all;
}

}  // namespace shrike::worker
