#include "inspection.h"

#include <utility>

namespace shrike::worker {

namespace {

detect::DetectorOptions with_slots(detect::DetectorOptions options, uint32_t flow_slots) {
  options.flow_slots = flow_slots;
  return options;
}

}  // namespace

Inspection::Inspection(const EngineOptions& options, RecordRing& ring,
                       std::function<void()> when_full)
    : flows_(options.flow),
      detector_(with_slots(options.detect, flows_.slots())),
      records_(options.records, ring),
      when_full_(std::move(when_full)),
      captures_are_apart_(options.records.per_capture) {}

void Inspection::inspect(const RuleSet& rules, std::span<const Datagram> datagrams) noexcept {
  while (!datagrams.empty()) {
    datagrams = datagrams.subspan(flows_.track(datagrams, tracked_));
    detect(rules);
  }
}

void Inspection::expire(const RuleSet& rules, uint64_t clock_ns) noexcept {
  for (bool is_done = false; !is_done;) {
    is_done = flows_.expire(clock_ns, tracked_);
    detect(rules);
  }
}

void Inspection::finish(const RuleSet& rules) noexcept {
  for (bool is_more = true; is_more;) {
    is_more = flows_.finish(tracked_);
    detect(rules);
  }
  detector_.reset();
}

void Inspection::detect(const RuleSet& rules) noexcept {
  records_.set_generation(rules.generation());
  detector_.inspect(rules, tracked_, alerts_);
  write_alerts();
  write_flow_ends();
}

void Inspection::write_alerts() noexcept {
  const std::span<const Alert> alerts = alerts_.all();
  for (size_t i = 0; i < alerts.size(); ++i) {
    while (!records_.write_alert(alerts[i], alerts_.variables_of(i))) {
      when_full_();
    }
  }
  alerts_.clear();
}

void Inspection::write_flow_ends() noexcept {
  for (const FlowEnd& end : flows_.ends()) {
    while (!records_.write_flow_end(end)) {
      when_full_();
    }
  }
}

void Inspection::mark(const Packet& last) noexcept {
  const auto key = output::OrderKey::behind(captures_are_apart_ ? last.capture_index : 0,
                                            last.clock_ns, last.number);
  while (!records_.write_mark(key)) {
    when_full_();
  }
}

std::vector<CounterView> Inspection::counters() const {
  std::vector<CounterView> views = flows_.counters();
  for (const CounterView& view : detector_.counters()) {
    views.push_back(view);
  }
  views.push_back(records_.counters());
  return views;
}

}  // namespace shrike::worker
