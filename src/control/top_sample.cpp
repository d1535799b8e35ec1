#include <nlohmann/json.hpp>

#include "shrike/base/clock.h"
#include "shrike/top.h"

namespace shrike::top {

namespace {

using Json = nlohmann::json;

/// What may be lost, and the counter that says how much. A counter that a sensor does not have is
/// not shown. What ports lose is in `port.*`, whatever the port.
constexpr struct {
  std::string_view cause;
  std::string_view unit;
  std::string_view counter;
} loss_rows[] = {
    {"missed: the port's queue was full", "packets", "port.missed"},
    {"no packet buffer was free", "packets", "port.no_buffer"},
    {"refused by the port", "packets", "port.errors"},
    {"in too many buffers", "packets", "capture.too_long"},
    {"malformed", "packets", "decoder.invalid"},
    {"ring to their worker was full", "datagrams", "worker.datagrams_lost"},
    {"shed, encrypted", "packets", "overload.encrypted.packets"},
    {"shed, large flows", "packets", "overload.large.packets"},
    {"shed, elephants", "packets", "overload.elephant.packets"},
    {"no memory for the flow", "packets", "flow.memcap"},
    {"no memory for the segment", "segments", "tcp.segment_memcap_drop"},
    {"too many alerts in a packet", "alerts", "detect.alert_queue_overflow"},
    {"ring to the collector was full", "records", "output.records_dropped"},
};

/// The member at a dotted path; null where there is none.
const Json* find(const Json& root, std::string_view path) {
  const Json* node = &root;
  while (node != nullptr && !path.empty()) {
    const size_t dot = std::min(path.find('.'), path.size());
    const auto member =
        node->is_object() ? node->find(std::string(path.substr(0, dot))) : node->end();
    node = node->is_object() && member != node->end() ? &*member : nullptr;
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return node;
}

uint64_t number(const Json& root, std::string_view path) {
  const Json* node = find(root, path);
  if (node != nullptr && node->is_object()) {  // "a" where "a.b" counts too
    node = find(*node, "total");
  }
  return node != nullptr && node->is_number_unsigned() ? node->get<uint64_t>() : 0;
}

std::string text(const Json& root, std::string_view path) {
  const Json* const node = find(root, path);
  return node != nullptr && node->is_string() ? node->get<std::string>() : std::string();
}

/// The elements of the list at a path; none where there is none.
const Json& list(const Json& root, std::string_view path) {
  static const Json none = Json::array();
  const Json* const node = find(root, path);
  return node != nullptr && node->is_array() ? *node : none;
}

void read_status(const Json& status, Sample& sample) {
  sample.uptime_ms = number(status, "uptime_ms");
  sample.generation = number(status, "generation");
  sample.rules_loaded = number(status, "rules.loaded");
  sample.rules_failed = number(status, "rules.failed");
  for (const Json& port : list(status, "ports")) {
    const Json* const link = find(port, "link_up");
    sample.ports.push_back(
        {.name = text(port, "name"),
         .driver = text(port, "driver"),
         .link_is_up = link != nullptr && link->is_boolean() && link->get<bool>(),
         .received = number(port, "received"),
         .bytes = number(port, "bytes"),
         .lost = number(port, "missed") + number(port, "no_buffer") + number(port, "errors")});
  }
  for (const Json& worker : list(status, "workers")) {
    const auto ring = [&](std::string_view name) {
      const Json* const node = find(worker, name);
      return node == nullptr ? Mark{}
                             : Mark{number(*node, "waiting_bytes_max"), number(*node, "bytes")};
    };
    sample.workers.push_back(
        {.name = text(worker, "name"),
         .load_permille = static_cast<uint32_t>(number(worker, "load_permille")),
         .packets = number(worker, "packets"),
         .record_ring = ring("record_ring"),
         .hand_over_ring = ring("hand_over_ring"),
         .pool = {number(worker, "pool.in_use_max"), number(worker, "pool.buffers")}});
  }
  for (size_t stage = 0; stage < latency_stages.size(); ++stage) {
    const std::string path = "latency." + std::string(latency_stages[stage]) + ".buckets";
    size_t bucket = 0;
    for (const Json& count : list(status, path)) {
      if (bucket < LatencyHistogram::buckets && count.is_number_unsigned()) {
        sample.latencies[stage][bucket++] = count.get<uint64_t>();
      }
    }
  }
}

void read_counters(const Json& counters, Sample& sample) {
  sample.packets = number(counters, "capture.packets");
  sample.wire_bytes = number(counters, "capture.wire_bytes");
  sample.inspected = number(counters, "detect.inspected");
  sample.alerts = number(counters, "detect.alert");
  sample.flows = number(counters, "flow.total");
  sample.flows_active = number(counters, "flow.active");
  for (const auto& row : loss_rows) {
    if (find(counters, row.counter) != nullptr) {
      sample.losses.push_back({row.cause, row.unit, number(counters, row.counter)});
    }
  }
}

void read_signatures(const Json& rules, Sample& sample) {
  for (const Json& rule : rules.is_array() ? rules : Json::array()) {
    Signature signature{.gid = static_cast<uint32_t>(number(rule, "gid")),
                        .sid = static_cast<uint32_t>(number(rule, "sid")),
                        .message = text(rule, "signature"),
                        .logged = number(rule, "logged"),
                        .suppressed = number(rule, "suppressed")};
    if (signature.logged + signature.suppressed != 0) {
      sample.signatures.push_back(std::move(signature));
    }
  }
}

void read_costs(const Json& costs, Costs& read) {
  read.batches = number(costs, "batches");
  read.batches_sampled = number(costs, "batches_sampled");
  read.cycles = number(costs, "cycles");
  read.scan_cycles = number(costs, "scanning.cycles");
  read.rule_cycles = number(costs, "rules.cycles");
  for (const Json& rule : list(costs, "signatures")) {
    read.rules.push_back({.gid = static_cast<uint32_t>(number(rule, "gid")),
                          .sid = static_cast<uint32_t>(number(rule, "sid")),
                          .message = text(rule, "signature"),
                          .checks = number(rule, "checks"),
                          .matches = number(rule, "matches"),
                          .cycles = number(rule, "cycles"),
                          .cycles_max = number(rule, "cycles_max")});
  }
}

}  // namespace

std::optional<Sample> read_sample(const Answers& answers) {
  const auto parse = [](const std::string& words) { return Json::parse(words, nullptr, false); };
  const Json version = parse(answers.version);
  const Json status = parse(answers.status);
  const Json counters = parse(answers.counters);
  const Json top_rules = parse(answers.top_rules);
  const Json costs = parse(answers.rule_costs);
  for (const Json* const each : {&version, &status, &counters, &top_rules, &costs}) {
    if (each->is_discarded()) {
      return std::nullopt;
    }
  }
  Sample sample;
  sample.time_ns = steady_clock_ns();
  sample.version = version.is_string() ? version.get<std::string>() : std::string();
  read_status(status, sample);
  read_counters(counters, sample);
  read_signatures(top_rules, sample);
  read_costs(costs, sample.costs);
  return sample;
}

}  // namespace shrike::top
