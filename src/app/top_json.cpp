#include <fmt/format.h>

#include <cmath>

#include "shrike/base/json_writer.h"
#include "top_change.h"
#include "top_view.h"

namespace shrike::app {

namespace {

constexpr unsigned share_decimals = 4;

uint64_t per_second(uint64_t count, const TopChange& change) {
  const double seconds = change.seconds();
  return seconds <= 0 ? 0
                      : static_cast<uint64_t>(std::llround(static_cast<double>(count) / seconds));
}

void write_counted(JsonWriter& json, std::string_view key, uint64_t total, uint64_t lately,
                   const TopChange& change) {
  json.begin_object(key);
  json.number("total", total);
  json.number("lately", lately);
  json.number("per_second", per_second(lately, change));
  json.end_object();
}

void write_rates(JsonWriter& json, const top::Sample& now, const TopChange& change) {
  const top::Sample& was = change.before();
  write_counted(json, "packets", now.packets, growth(was.packets, now.packets), change);
  write_counted(json, "bits", 8 * now.wire_bytes, 8 * growth(was.wire_bytes, now.wire_bytes),
                change);
  write_counted(json, "inspected", now.inspected, growth(was.inspected, now.inspected), change);
  write_counted(json, "alerts", now.alerts, growth(was.alerts, now.alerts), change);
  write_counted(json, "flows", now.flows, growth(was.flows, now.flows), change);
  json.number("flows_active", now.flows_active);
}

void write_ports(JsonWriter& json, const top::Sample& now, const TopChange& change) {
  json.begin_array("ports");
  for (const top::Port& port : now.ports) {
    const top::Port was = change.port_before(port.name);
    json.begin_element_object();
    json.text("name", port.name);
    json.text("driver", port.driver);
    json.boolean("link_up", port.link_is_up);
    write_counted(json, "packets", port.received, growth(was.received, port.received), change);
    write_counted(json, "bits", 8 * port.bytes, 8 * growth(was.bytes, port.bytes), change);
    write_counted(json, "lost", port.lost, growth(was.lost, port.lost), change);
    json.end_object();
  }
  json.end_array();
}

void write_losses(JsonWriter& json, const top::Sample& now, const TopChange& change) {
  json.begin_array("lost");
  for (const top::Loss& loss : now.losses) {
    json.begin_element_object();
    json.text("cause", loss.cause);
    json.text("unit", loss.unit);
    json.number("total", loss.count);
    json.number("lately", change.lost_lately(loss));
    json.end_object();
  }
  json.end_array();
}

void write_mark(JsonWriter& json, std::string_view key, const top::Mark& mark) {
  json.begin_object(key);
  json.number("most", mark.most);
  json.number("room", mark.room);
  json.end_object();
}

void write_workers(JsonWriter& json, const top::Sample& now, const TopChange& change) {
  json.begin_array("workers");
  for (const top::Worker& worker : now.workers) {
    json.begin_element_object();
    json.text("name", worker.name);
    json.number("load_permille", worker.load_permille);
    write_counted(json, "packets", worker.packets,
                  growth(change.worker_before(worker.name).packets, worker.packets), change);
    write_mark(json, "record_ring_bytes", worker.record_ring);
    write_mark(json, "hand_over_ring_bytes", worker.hand_over_ring);
    write_mark(json, "buffers", worker.pool);
    json.end_object();
  }
  json.end_array();
  json.decimal("imbalance", change.imbalance(), share_decimals);
}

void write_latencies(JsonWriter& json, const TopChange& change) {
  json.begin_object("latency");
  for (size_t stage = 0; stage < latency_stages.size(); ++stage) {
    const LatencyBuckets lately = change.latency(stage);
    json.begin_object(latency_stages[stage]);
    json.number("count", count_of(lately));
    for (const Percentile& each : percentiles) {
      json.number(each.name, percentile_us(lately, each.share));
    }
    json.end_object();
  }
  json.end_object();
}

void write_signatures(JsonWriter& json, const TopChange& change) {
  json.begin_array("signatures");
  for (const TopChange::Fired& each : change.fired()) {
    json.begin_element_object();
    json.number("gid", each.signature->gid);
    json.number("sid", each.signature->sid);
    json.text("signature", each.signature->message);
    json.number("logged", each.signature->logged);
    json.number("suppressed", each.signature->suppressed);
    json.number("lately", each.lately);
    json.end_object();
  }
  json.end_array();
}

void write_costs(JsonWriter& json, const top::Costs& costs) {
  const auto share = [&](uint64_t cycles) {
    return costs.cycles == 0 ? 0 : static_cast<double>(cycles) / static_cast<double>(costs.cycles);
  };
  json.begin_object("rule_costs");
  json.number("batches", costs.batches);
  json.number("batches_sampled", costs.batches_sampled);
  json.number("cycles", costs.cycles);
  json.decimal("scanning_share", share(costs.scan_cycles), share_decimals);
  json.decimal("rules_share", share(costs.rule_cycles), share_decimals);
  json.begin_array("signatures");
  for (const top::SlowRule& rule : costs.rules) {
    json.begin_element_object();
    json.number("gid", rule.gid);
    json.number("sid", rule.sid);
    json.text("signature", rule.message);
    json.decimal("share", share(rule.cycles), share_decimals);
    json.number("checks", rule.checks);
    json.number("matches", rule.matches);
    json.number("cycles", rule.cycles);
    json.number("cycles_max", rule.cycles_max);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

}  // namespace

std::string top_json(const top::Sample& before, const top::Sample& now) {
  const TopChange change(before, now);
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.text("version", now.version);
  json.number("uptime_ms", now.uptime_ms);
  json.number("interval_ms", static_cast<uint64_t>(change.seconds() * 1000));
  json.begin_object("rules");
  json.number("generation", now.generation);
  json.number("loaded", now.rules_loaded);
  json.number("failed", now.rules_failed);
  json.end_object();
  write_rates(json, now, change);
  write_ports(json, now, change);
  write_losses(json, now, change);
  write_workers(json, now, change);
  write_latencies(json, change);
  write_signatures(json, change);
  write_costs(json, now.costs);
  json.end_object();
  return out;
}

}  // namespace shrike::app
