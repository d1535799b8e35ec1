#include "cost_reports.h"

#include <set>
#include <unordered_map>
#include <utility>

#include "shrike/base/load_sums.h"

namespace shrike::control {

namespace {

using Json = nlohmann::json;
using worker::CostSummary;
using worker::SignatureCost;

uint64_t key_of(const auto& signature) noexcept {
  return worker::signature_key(signature.gid, signature.sid);
}

void add_cost(Json& object, const RuleCost& cost, const CostSummary& costs) {
  object["checks"] = cost.checks;
  object["matches"] = cost.matches;
  object["cycles"] = cost.cycles;
  object["cycles_max"] = cost.cycles_max;
  object["cycles_per_check"] = cost.checks == 0 ? 0 : cost.cycles / cost.checks;
  object["share"] = costs.share_of(cost.cycles);
}

Json signature_json(const SignatureCost& signature, const CostSummary& costs) {
  Json object{{"gid", signature.gid},
              {"sid", signature.sid},
              {"rev", signature.rev},
              {"signature", signature.message}};
  add_cost(object, signature.cost, costs);
  return object;
}

void add_view(const CounterView& view, Latencies& sums) {
  for (size_t i = 0; i < view.size(); ++i) {
    if (const LatencyPlace place = latency_place(view.rows[i].name); place.exists) {
      sums[place.stage][place.bucket] += view.value(i);
    }
  }
}

Json ring_json(const worker::RingUse& ring) {
  return {{"bytes", ring.bytes}, {"waiting_bytes_max", ring.waiting_bytes_max}};
}

}  // namespace

Latencies latencies_of(const std::vector<worker::ThreadCounters>& threads) {
  Latencies sums{};
  for (const worker::ThreadCounters& thread : threads) {
    for (const CounterView& view : thread.views) {
      add_view(view, sums);
    }
  }
  return sums;
}

Json latency_json(const Latencies& latencies) {
  Json object = Json::object();
  for (size_t i = 0; i < latencies.size(); ++i) {
    const LatencyBuckets& buckets = latencies[i];
    Json& stage = object[std::string(latency_stages[i])];
    stage = {{"count", count_of(buckets)}, {"buckets", buckets}};
    for (const Percentile& each : percentiles) {
      stage[std::string(each.name)] = percentile_us(buckets, each.share);
    }
  }
  return object;
}

Json workers_json(const std::vector<WorkerLoad>& workers) {
  Json all = Json::array();
  for (const WorkerLoad& worker : workers) {
    all.push_back({{"name", worker.name},
                   {"load_permille", worker.load_permille},
                   {"packets", worker.packets},
                   {"record_ring", ring_json(worker.record_ring)},
                   {"hand_over_ring", ring_json(worker.hand_over_ring)},
                   {"pool",
                    {{"buffers", worker.pool.buffers},
                     {"in_use", worker.pool.in_use},
                     {"in_use_max", worker.buffers_in_use_max}}}});
  }
  return all;
}

double imbalance_of(const std::vector<WorkerLoad>& workers) noexcept {
  LoadSums loads;
  for (const WorkerLoad& worker : workers) {
    loads.add(worker.load_permille);
  }
  return loads.imbalance();
}

Json costs_json(const CostSummary& costs) {
  Json signatures = Json::array();
  for (const SignatureCost& each : costs.signatures) {
    signatures.push_back(signature_json(each, costs));
  }
  Json rules{{"checked", costs.rules_checked}};
  add_cost(rules, costs.rules, costs);
  Json gone = Json::object();
  add_cost(gone, costs.gone, costs);
  const InspectionCost& inspection = costs.inspection;
  return {{"batches", inspection.batches},
          {"batches_sampled", inspection.batches_sampled},
          {"datagrams_sampled", inspection.datagrams},
          {"cycles", inspection.cycles},
          {"scanning",
           {{"cycles", inspection.scan_cycles}, {"share", costs.share_of(inspection.scan_cycles)}}},
          {"rules", rules},
          {"rules_gone", gone},
          {"other",
           {{"cycles", costs.other_cycles()}, {"share", costs.share_of(costs.other_cycles())}}},
          {"signatures", signatures}};
}

Json top_rules_json(const std::vector<output::SignatureTotals>& fired, const CostSummary& costs,
                    size_t shown_max) {
  std::unordered_map<uint64_t, const SignatureCost*> by_key;
  for (const SignatureCost& each : costs.signatures) {
    by_key.emplace(key_of(each), &each);
  }
  std::set<uint64_t> shown;
  Json rules = Json::array();
  for (const output::SignatureTotals& each : fired) {
    if (rules.size() == shown_max) {
      break;
    }
    const auto found = by_key.find(key_of(each));
    Json row{{"gid", each.gid},           {"sid", each.sid},       {"rev", each.rev},
             {"signature", each.message}, {"logged", each.logged}, {"suppressed", each.suppressed}};
    add_cost(row, found == by_key.end() ? RuleCost{} : found->second->cost, costs);
    rules.push_back(std::move(row));
    shown.insert(key_of(each));
  }
  size_t added = 0;
  for (const SignatureCost& each : costs.signatures) {
    if (added == shown_max) {
      break;
    }
    if (!shown.contains(key_of(each))) {
      Json row = signature_json(each, costs);
      row["logged"] = row["suppressed"] = 0;
      rules.push_back(std::move(row));
      ++added;
    }
  }
  return rules;
}

}  // namespace shrike::control
