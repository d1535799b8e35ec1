#include "judge.h"

#include <algorithm>

#include "shrike/base/check.h"

namespace shrike::output {

namespace {

constexpr CounterRow rows[] = {
    {"detect.alert", "alerts", "alerts that were logged"},
    {"detect.alerts_suppressed", "alerts", "matches that a threshold or suppression kept back"},
    {"detect.alert_queue_overflow", "alerts", "alerts beyond packet-alert-max of one packet"},
    {"output.host_bits_missing", "alerts", "matches whose conditions on host bits did not hold"},
    {"output.thresholds_evicted", "counters",
     "threshold counters given up because the table is full"},
    {"output.host_bits_evicted", "bits", "host bits given up because the table is full"},
};

Hosts hosts_of(const Record& record) {
  return {record.datagram.ip_version, record.datagram.source, record.datagram.target};
}

uint64_t time_us_of(const Record& record) {
  return record.datagram.time_ns / 1000;
}

/// The same for all alerts of one datagram.
OrderKey datagram_key(const OrderKey& key) {
  OrderKey datagram = key;
  datagram.sequence = 0;
  return datagram;
}

bool is_reject(Action action) {
  return action == Action::reject || action == Action::reject_source ||
         action == Action::reject_target || action == Action::reject_both;
}

}  // namespace

Judge::Judge(const CollectorOptions& options, bool remembers_flows)
    : options_(options),
      remembers_flows_(remembers_flows),
      host_bits_(options.host_bits_max),
      thresholds_(options.thresholds_max),
      flows_(options.flows_max, FlowHash{}) {}

void Judge::use_rules(uint64_t generation, const RuleCatalog& catalog) {
  Rules& rules = rules_[generation];
  rules = Rules{.catalog = catalog, .totals = {}, .host_bits = {}};
  for (uint32_t i = 0; i < catalog.infos.size(); ++i) {
    const RuleInfo& info = catalog.infos[i];
    SignatureTotals& totals = totals_[{info.gid, info.sid}];
    totals.gid = info.gid;
    totals.sid = info.sid;
    totals.rev = info.rev;
    totals.message = info.message;
    rules.totals.push_back(&totals);
    if (!info.host_bits.empty()) {
      rules.host_bits[i] = host_bits_.prepare(info.host_bits);
    }
  }
}

const RuleCatalog* Judge::catalog_of(uint64_t generation) const {
  const auto found = rules_.find(generation);
  return found == rules_.end() ? nullptr : &found->second.catalog;
}

bool Judge::host_bits_allow(const Rules& rules, const Record& record) {
  const auto found = rules.host_bits.find(record.alert.rule_index);
  if (found == rules.host_bits.end()) {
    return true;
  }
  const Hosts hosts = hosts_of(record);
  if (!host_bits_.conditions_hold(found->second, hosts, time_us_of(record))) {
    counters_.add(Counter::bits_missing);
    return false;
  }
  host_bits_.apply(found->second, hosts, time_us_of(record));
  return true;
}

/// Whether rate_filter passed this datagram already, or passed or dropped its flow earlier: then
/// it would not have been inspected at all.
bool Judge::is_passed_over(const Record& record) {
  if (packet_is_passed_) {
    return true;
  }
  if (!record.has_flow) {
    return false;
  }
  const FlowMemory* const flow = flows_.find(record.flow.eve_id);
  return flow != nullptr && flow->decided_at && *flow->decided_at != packet_key_;
}

Judge::Decision Judge::decide(const Record& record) {
  const auto found = rules_.find(record.head.generation);
  check(found != rules_.end(), "records name a known rule set");
  const Rules& rules = found->second;
  check(record.alert.rule_index < rules.catalog.infos.size(), "records name a known rule");
  const RuleInfo& rule = rules.catalog.infos[record.alert.rule_index];

  if (const OrderKey key = datagram_key(record.head.key); key != packet_key_) {
    packet_key_ = key;
    packet_alerts_ = 0;
    packet_is_passed_ = false;
  }
  if (is_passed_over(record) || !host_bits_allow(rules, record) || record.alert.is_silent) {
    return {};
  }
  ThresholdVerdict verdict;
  if (!rule.thresholds.empty() && record.datagram.ip_version != 0) {
    verdict = thresholds_.decide(rule, {.hosts = hosts_of(record),
                                        .flow_id = record.has_flow ? record.flow.eve_id : 0,
                                        .time_us = time_us_of(record)});
  }
  SignatureTotals& totals = *rules.totals[record.alert.rule_index];
  if (!verdict.logs) {
    counters_.add(Counter::suppressed);
    ++totals.suppressed;
    return {};
  }
  const Decision decision = log(record, rule, verdict.new_action);
  totals.logged += decision.is_logged ? 1 : 0;
  return decision;
}

/// What a changed action means for what follows: a pass ends the datagram, and where the match is
/// about the flow's data, a pass or a drop ends the flow.
void Judge::apply_rate_filter(const Record& record, Action new_action) {
  packet_is_passed_ = new_action == Action::pass;
  const bool is_about_flow =
      record.alert.from_stream || record.alert.has_tx || record.alert.is_about_flow;
  const bool stops_flow =
      new_action == Action::pass || (options_.simulate_ips && new_action != Action::alert);
  if (record.has_flow && is_about_flow && stops_flow) {
    flows_.find_or_add(record.flow.eve_id).first->decided_at = packet_key_;
  }
}

Judge::Decision Judge::log(const Record& record, const RuleInfo& rule,
                           std::optional<Action> new_action) {
  if (new_action) {
    apply_rate_filter(record, *new_action);
    if (*new_action == Action::pass) {
      return {};
    }
  }
  if (options_.alerts_per_packet_max != 0 && packet_alerts_ >= options_.alerts_per_packet_max) {
    counters_.add(Counter::over_limit);
    return {};
  }
  ++packet_alerts_;
  counters_.add(Counter::logged);
  if (record.has_flow && remembers_flows_) {
    flows_.find_or_add(record.flow.eve_id).first->has_alerts = true;
  }
  const Action action = new_action.value_or(rule.action);
  const bool drops = action == Action::drop || is_reject(action);
  // rate_filter's drop blocks in every mode, as in Suricata; a rule's own only where it can.
  const bool is_blocked =
      is_reject(action) || (action == Action::drop && (new_action || options_.simulate_ips));
  const bool packet_drops = new_action ? drops : drops || record.alert.drops;
  return {.is_logged = true,
          .action = action,
          .is_blocked = is_blocked,
          .is_dropped = options_.simulate_ips && packet_drops};
}

bool Judge::end_flow(uint64_t flow_id) {
  const FlowMemory* const flow = flows_.find(flow_id);
  const bool has_alerts = flow != nullptr && flow->has_alerts;
  flows_.erase(flow_id);
  return has_alerts;
}

void Judge::forget() {
  host_bits_.clear();
  thresholds_.clear();
  flows_.clear();
  packet_key_ = {};
  packet_alerts_ = 0;
  packet_is_passed_ = false;
}

CounterView Judge::counters() const {
  counters_.add(Counter::thresholds_evicted,
                thresholds_.evicted() - counters_.get(Counter::thresholds_evicted));
  counters_.add(Counter::bits_evicted, host_bits_.evicted() - counters_.get(Counter::bits_evicted));
  return counters_.view(rows);
}

std::vector<SignatureTotals> Judge::signatures() const {
  std::vector<SignatureTotals> all;
  for (const auto& [key, totals] : totals_) {
    if (totals.logged + totals.suppressed != 0) {
      all.push_back(totals);
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const SignatureTotals& a, const SignatureTotals& b) {
    return a.logged > b.logged;
  });
  return all;
}

}  // namespace shrike::output
