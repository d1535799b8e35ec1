#include "commands.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "cost_reports.h"

namespace shrike::control {

using Json = nlohmann::json;

/// One request that is being answered.
struct Commands::Call {
  const Sensor& sensor;
  Requests& requests;
  const std::string& version;
  const std::function<std::optional<std::string>(const std::string&)>& setting;
  std::optional<uint64_t>& reload_serial;
  bool is_again = false;
  Json arguments;

  /// A text argument; empty where it is not there.
  [[nodiscard]] std::string text(const char* name) const {
    const auto found = arguments.is_object() ? arguments.find(name) : arguments.end();
    return found != arguments.end() && found->is_string() ? found->get<std::string>()
                                                          : std::string();
  }
};

namespace {

using Call = Commands::Call;
using Answered = std::optional<Reply>;

Answered done(const Json& message) {
  return Reply{true, message.dump(-1, ' ', true, Json::error_handler_t::replace)};
}

Answered refused(const std::string& why) {
  return Reply{false, Json(why).dump(-1, ' ', true, Json::error_handler_t::replace)};
}

struct Command {
  std::string_view name;
  std::string_view meaning;
  Answered (*answer)(Call&);
};

std::span<const Command> commands();

constexpr size_t rules_shown_max = 50;

Answered list_commands(Call&) {
  Json names = Json::array();
  for (const Command& command : commands()) {
    names.push_back(command.name);
  }
  return done({{"count", names.size()}, {"commands", names}});
}

Answered shut_down(Call& call) {
  call.requests.stop.store(true);
  return done("Closing Shrike");
}

Answered tell_version(Call& call) {
  return done("Shrike " + call.version);
}

Answered tell_uptime(Call& call) {
  return done(call.sensor.status().uptime_ms / 1000);
}

Answered tell_running_mode(Call&) {
  return done("workers");
}

Answered tell_capture_mode(Call&) {
  return done("DPDK");
}

Answered get_setting(Call& call) {
  const std::string key = call.text("variable");
  if (key.empty()) {
    return refused("the argument `variable` names the setting: stream.reassembly.depth");
  }
  const std::optional<std::string> value = call.setting(key);
  return value ? done(*value) : refused(fmt::format("Unable to get value of {}", key));
}

/// "a.b": 1 becomes {"a": {"b": 1}}; where "a" counts too, it is "a": {"total": …}.
void add_counter(Json& tree, std::string_view name, uint64_t value) {
  Json* node = &tree;
  for (size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    Json& next = (*node)[std::string(name.substr(0, dot))];
    if (next.is_number()) {
      next = Json{{"total", next}};
    }
    node = &next;
    name.remove_prefix(dot + 1);
  }
  Json& leaf = (*node)[std::string(name)];
  Json& number = leaf.is_object() ? leaf["total"] : leaf;
  number = (number.is_number() ? number.get<uint64_t>() : 0) + value;
}

void add_counters(Json& tree, const worker::ThreadCounters& thread) {
  for (const CounterView& view : thread.views) {
    for (size_t i = 0; i < view.size(); ++i) {
      add_counter(tree, view.rows[i].name, view.value(i));
    }
  }
}

Answered dump_counters(Call& call) {
  Json totals = Json::object();
  Json threads = Json::object();
  for (const worker::ThreadCounters& thread : call.sensor.counters()) {
    add_counters(totals, thread);
    Json& own = threads[thread.thread] = Json::object();
    add_counters(own, thread);
  }
  totals["uptime"] = call.sensor.status().uptime_ms / 1000;
  totals["threads"] = std::move(threads);
  return done(totals);
}

Answered list_ports(Call& call) {
  Json names = Json::array();
  for (const capture::PortFacts& port : call.sensor.status().ports) {
    names.push_back(port.name);
  }
  return done({{"count", names.size()}, {"ifaces", names}});
}

Answered port_statistics(Call& call) {
  const Status status = call.sensor.status();
  const std::string name = call.text("iface");
  for (size_t i = 0; i < std::min(status.ports.size(), status.port_totals.size()); ++i) {
    const capture::PortTotals& totals = status.port_totals[i];
    if (status.ports[i].name == name) {
      return done({{"pkts", totals.received},
                   {"invalid-checksums", 0},
                   {"drop", totals.missed + totals.no_buffer},
                   {"bypassed", 0}});
    }
  }
  return refused(fmt::format("there is no port '{}'; iface-list names them", name));
}

Answered reload(Call& call) {
  const Status status = call.sensor.status();
  if (!call.is_again) {
    if (call.reload_serial || status.last_reload.state == ReloadOutcome::State::running) {
      return refused("Reload already in progress");
    }
    call.reload_serial = status.reloads_over;
    call.requests.reload_rules.store(true);
    return std::nullopt;
  }
  if (status.reloads_over == *call.reload_serial) {
    return std::nullopt;
  }
  call.reload_serial.reset();
  return status.last_reload.state == ReloadOutcome::State::done
             ? done("done")
             : refused("the rules cannot be used; the log says why, those in use stay");
}

Answered reload_aside(Call& call) {
  if (call.sensor.status().last_reload.state == ReloadOutcome::State::running) {
    return refused("Reload already in progress");
  }
  call.requests.reload_rules.store(true);
  return done("done");
}

std::string iso_time(uint64_t time_ns) {
  constexpr uint64_t second_ns = 1'000'000'000;
  return fmt::format("{:%FT%T}.{:06}+0000", fmt::gmtime(static_cast<time_t>(time_ns / second_ns)),
                     time_ns % second_ns / 1000);
}

Answered reload_time(Call& call) {
  return done(
      Json::array({{{"id", 0}, {"last_reload", iso_time(call.sensor.status().last_reload_ns)}}}));
}

Answered rule_statistics(Call& call) {
  const Status status = call.sensor.status();
  return done(Json::array({{{"id", 0},
                            {"rules_loaded", status.rules.rules_loaded},
                            {"rules_failed", status.rules.rules_failed},
                            {"rules_skipped", status.rules.rules_skipped}}}));
}

Answered failed_rules(Call& call) {
  constexpr size_t shown_max = 20;
  Json rules = Json::array();
  for (const Diagnostic& each : call.sensor.status().failed_rules) {
    if (rules.size() < shown_max) {
      rules.push_back(
          {{"tenant_id", 0}, {"filename", each.file}, {"line", each.line}, {"error", each.text()}});
    }
  }
  return done(rules);
}

Answered reopen_files(Call& call) {
  call.requests.reopen_files.store(true);
  return done("done");
}

std::string_view to_text(ReloadOutcome::State state) {
  switch (state) {
    case ReloadOutcome::State::none:
      return "none";
    case ReloadOutcome::State::running:
      return "running";
    case ReloadOutcome::State::done:
      return "done";
    case ReloadOutcome::State::failed:
      return "failed";
  }
  return "none";
}

Answered tell_status(Call& call) {
  const Status status = call.sensor.status();
  Json ports = Json::array();
  for (size_t i = 0; i < std::min(status.ports.size(), status.port_totals.size()); ++i) {
    const capture::PortFacts& facts = status.ports[i];
    const capture::PortTotals& totals = status.port_totals[i];
    ports.push_back({{"name", facts.name},
                     {"device", facts.device},
                     {"driver", facts.driver},
                     {"queues", facts.queues},
                     {"link_up", facts.link_is_up},
                     {"steered", facts.is_steered},
                     {"steering", facts.steering},
                     {"mtu", facts.mtu},
                     {"clock", facts.clock},
                     {"bypass", facts.bypass},
                     {"received", totals.received},
                     {"bytes", totals.bytes},
                     {"missed", totals.missed},
                     {"no_buffer", totals.no_buffer},
                     {"errors", totals.errors}});
  }
  return done({{"uptime_ms", status.uptime_ms},
               {"generation", status.generation},
               {"ports", ports},
               {"workers", workers_json(status.workers)},
               {"imbalance", imbalance_of(status.workers)},
               {"latency", latency_json(latencies_of(call.sensor.counters()))},
               {"cores",
                {{"plan", status.cores.says},
                 {"workers", status.cores.workers},
                 {"house_keeping", status.cores.keepers}}},
               {"rules",
                {{"loaded", status.rules.rules_loaded},
                 {"failed", status.rules.rules_failed},
                 {"skipped", status.rules.rules_skipped}}},
               {"reload",
                {{"state", to_text(status.last_reload.state)},
                 {"generation", status.last_reload.generation},
                 {"compile_seconds", status.last_reload.compile_seconds},
                 {"switch_seconds", status.last_reload.switch_seconds}}}});
}

Answered top_rules(Call& call) {
  return done(
      top_rules_json(call.sensor.signatures(), call.sensor.rule_costs(SIZE_MAX), rules_shown_max));
}

Answered rule_costs(Call& call) {
  return done(costs_json(call.sensor.rule_costs(rules_shown_max)));
}

std::span<const Command> commands() {
  static constexpr std::array rows{
      Command{"command-list", "the commands there are", list_commands},
      Command{"help", "the same", list_commands},
      Command{"shutdown", "inspect what was received, write it, end", shut_down},
      Command{"version", "of the sensor", tell_version},
      Command{"uptime", "seconds since the start", tell_uptime},
      Command{"running-mode", "how threads are arranged", tell_running_mode},
      Command{"capture-mode", "where packets come from", tell_capture_mode},
      Command{"conf-get", "a setting: {variable}", get_setting},
      Command{"dump-counters", "all counters, summed and by thread", dump_counters},
      Command{"iface-list", "the ports", list_ports},
      Command{"iface-stat", "what a port received and lost: {iface}", port_statistics},
      Command{"reload-rules", "reload, and answer when all workers have the rules", reload},
      Command{"ruleset-reload-rules", "the same", reload},
      Command{"ruleset-reload-nonblocking", "reload, and answer at once", reload_aside},
      Command{"ruleset-reload-time", "when rules were reloaded last", reload_time},
      Command{"ruleset-stats", "rules loaded, failed and skipped", rule_statistics},
      Command{"ruleset-failed-rules", "rules that are broken, and why", failed_rules},
      Command{"reopen-log-files", "after log rotation moved them", reopen_files},
      Command{"status", "ports, workers, latency, rules and the last reload", tell_status},
      Command{"top-rules", "the signatures that fire most, and those that cost most", top_rules},
      Command{"rule-costs", "what was sampled: scanning, rules, the costliest", rule_costs},
  };
  return rows;
}

}  // namespace

std::optional<Reply> Commands::answer(std::string_view request, bool is_again) {
  const Json parsed = Json::parse(request, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("command") || !parsed["command"].is_string()) {
    return refused("a request is {\"command\": name, \"arguments\": {…}}");
  }
  const std::string name = parsed["command"].get<std::string>();
  for (const Command& command : commands()) {
    if (command.name == name) {
      Call call{sensor_,
                requests_,
                version_,
                setting_,
                reload_serial_,
                is_again,
                parsed.value("arguments", Json::object())};
      return command.answer(call);
    }
  }
  return refused(fmt::format("Unknown command '{}'; command-list names them all", name));
}

}  // namespace shrike::control
