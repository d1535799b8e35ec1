#include "card_bypass.h"

#include <algorithm>

namespace shrike::worker {

namespace {

constexpr uint64_t second_ns = 1'000'000'000;

constexpr CounterRow rows[] = {
    {"flow_bypassed.pkts", "packets", "Of bypassed flows, dropped by network cards."},
    {"flow_bypassed.bytes", "bytes", "Their bytes."},
    {"flow_bypassed.closed", "flows", "Flows that cards dropped and that ended."},
    {"nic_bypass.flows", "flows", "Flows that cards drop now."},
    {"nic_bypass.installed", "flows", "Flows that cards took."},
    {"nic_bypass.refused", "flows", "Flows that every card refused."},
    {"nic_bypass.full", "flows", "Flows for which the table had no room."},
    {"nic_bypass.throttled", "flows", "Flows that were too many for one second."},
    {"nic_bypass.evicted", "flows", "Silent flows that made room for others."},
};

capture::CardTuple reversed(capture::CardTuple tuple) noexcept {
  std::swap(tuple.source, tuple.target);
  std::swap(tuple.source_port, tuple.target_port);
  return tuple;
}

}  // namespace

CardBypass::CardBypass(std::vector<capture::CardRules*> cards, std::vector<BypassDesk*> desks,
                       const CardBypassOptions& options)
    : cards_(std::move(cards)), desks_(std::move(desks)), options_(options) {}

CardBypass::~CardBypass() {
  while (!flows_.empty()) {
    take_out(flows_.begin());
  }
}

void CardBypass::keep(uint64_t now_ns) noexcept {
  for (size_t desk = 0; desk < desks_.size(); ++desk) {
    // An end costs a call of the driver at most; so many that others wait are told one turn later.
    BypassWish wish;
    for (unsigned i = 0; i < options_.counts_a_turn && desks_[desk]->next_wish(wish); ++i) {
      if (wish.kind == BypassWish::Kind::end) {
        end(desk, wish);
      } else {
        install(desk, wish, now_ns);
      }
    }
  }
  for (unsigned i = 0; i < options_.counts_a_turn && !flows_.empty(); ++i) {
    if (now_ns < flows_.front().counted_ns + options_.count_interval_ns) {
      break;
    }
    count(flows_.front(), now_ns);
    flows_.splice(flows_.end(), flows_, flows_.begin());
  }
}

void CardBypass::tell_all(uint64_t now_ns) noexcept {
  for (Flow& flow : flows_) {
    count(flow, now_ns);
  }
}

bool CardBypass::has_budget(uint64_t now_ns) noexcept {
  if (now_ns >= budget_from_ns_ + second_ns) {
    budget_from_ns_ = now_ns;
    installs_ = 0;
  }
  return ++installs_ <= options_.installs_a_second;
}

/// The flow that has been silent longest, where that is long enough.
bool CardBypass::make_room(uint64_t now_ns) {
  if (flows_.size() < options_.flows_max) {
    return true;
  }
  const auto oldest = std::min_element(
      flows_.begin(), flows_.end(),
      [](const Flow& first, const Flow& second) { return first.active_ns < second.active_ns; });
  if (oldest == flows_.end() || now_ns < oldest->active_ns + options_.evicted_idle_ns) {
    return false;
  }
  count(*oldest, now_ns);
  desks_[oldest->desk]->report(
      {.kind = BypassReport::Kind::removed, .slot = oldest->slot, .eve_id = oldest->eve_id});
  take_out(oldest);
  counters_.add(Counter::evicted);
  return true;
}

void CardBypass::refuse(size_t desk, const BypassWish& wish, Counter why) noexcept {
  counters_.add(why);
  desks_[desk]->report(
      {.kind = BypassReport::Kind::removed, .slot = wish.slot, .eve_id = wish.eve_id});
}

void CardBypass::install(size_t desk, const BypassWish& wish, uint64_t now_ns) {
  if (!has_budget(now_ns)) {
    refuse(desk, wish, Counter::throttled);
    return;
  }
  if (by_key_.contains({desk, wish.eve_id}) || !make_room(now_ns)) {
    refuse(desk, wish, Counter::full);
    return;
  }
  Flow flow{.desk = desk,
            .slot = wish.slot,
            .eve_id = wish.eve_id,
            .counted_ns = now_ns,
            .active_ns = now_ns,
            .sides = {}};
  const std::array<capture::CardTuple, 2> ways{wish.tuple, reversed(wish.tuple)};
  for (capture::CardRules* const card : cards_) {
    for (size_t direction = 0; direction < ways.size(); ++direction) {
      if (const auto rule = card->install(ways[direction]); rule != nullptr) {
        flow.sides.push_back({.card = card, .rule = rule, .direction = direction});
      }
    }
  }
  if (flow.sides.empty()) {
    refuse(desk, wish, Counter::refused);
    return;
  }
  flows_.push_back(std::move(flow));
  by_key_[{desk, wish.eve_id}] = std::prev(flows_.end());
  counters_.add(Counter::installed);
  counters_.add(Counter::flows);
  desks_[desk]->report(
      {.kind = BypassReport::Kind::installed, .slot = wish.slot, .eve_id = wish.eve_id});
}

void CardBypass::end(size_t desk, const BypassWish& wish) {
  const auto found = by_key_.find({desk, wish.eve_id});
  if (found == by_key_.end()) {
    return;  // refused, or given up
  }
  count(*found->second, found->second->counted_ns);
  take_out(found->second);
  counters_.add(Counter::closed);
}

/// What was dropped since the last look goes to the worker and into the sums; where the worker has
/// not read for long, with the next look.
void CardBypass::count(Flow& flow, uint64_t now_ns) noexcept {
  BypassReport report{
      .kind = BypassReport::Kind::traffic, .slot = flow.slot, .eve_id = flow.eve_id};
  const std::vector<Side> before = flow.sides;
  for (Side& side : flow.sides) {
    uint64_t packets_now = side.packets;
    uint64_t bytes_now = side.bytes;
    if (side.card->count(side.rule, packets_now, bytes_now)) {
      report.packets[side.direction] += packets_now - side.packets;
      report.bytes[side.direction] += bytes_now - side.bytes;
      side.packets = packets_now;
      side.bytes = bytes_now;
    }
  }
  flow.counted_ns = now_ns;
  if (report.packets[0] + report.packets[1] == 0) {
    return;
  }
  if (!desks_[flow.desk]->report(report)) {
    flow.sides = before;
    return;
  }
  flow.active_ns = now_ns;
  counters_.add(Counter::packets, report.packets[0] + report.packets[1]);
  counters_.add(Counter::bytes, report.bytes[0] + report.bytes[1]);
}

void CardBypass::take_out(Flows::iterator flow) {
  for (const Side& side : flow->sides) {
    side.card->remove(side.rule);
  }
  by_key_.erase({flow->desk, flow->eve_id});
  flows_.erase(flow);
  counters_.add(Counter::flows, ~uint64_t{0});
}

CounterView CardBypass::counters() const noexcept {
  return counters_.view(rows);
}

}  // namespace shrike::worker
