#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>

#include "assemble.h"
#include "build_info.h"
#include "run.h"
#include "run_parts.h"
#include "shrike/control.h"
#include "stop_signal.h"

namespace shrike::app {

namespace {

void tell_line(const std::string& text) {
  fmt::print(stderr, "shrike: {}\n", text);
}

void tell_ports(const capture::Ports& ports, unsigned workers) {
  for (const capture::PortFacts& port : ports.facts()) {
    tell_line(fmt::format("port {} ({}): {} queue{} of {} descriptors, link {}; {}; {}", port.name,
                          port.driver, port.queues, port.queues == 1 ? "" : "s",
                          port.rx_descriptors, port.link_is_up ? "up" : "down", port.steering,
                          port.bypass));
    if (!port.unseen.empty()) {
      tell_line(fmt::format("port {}: {}", port.name, port.unseen));
    }
  }
  tell_line(fmt::format("{} worker{}; stop with Ctrl-C, reload rules with SIGUSR2", workers,
                        workers == 1 ? "" : "s"));
}

std::optional<control::LoadedRules> load_live_rules(const CommandLine& line,
                                                    const Settings& settings) {
  rule::Report report;
  std::vector<Diagnostic> faults;
  std::optional<RuleSet> rules = load_rules(line, settings, report, &faults);
  if (!rules) {
    return std::nullopt;
  }
  return control::LoadedRules{std::move(*rules), std::move(report), std::move(faults)};
}

std::string folder_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

/// Makes the folders that the sensor writes in, and gives up what it no longer needs.
bool confine_to_folders(const Settings& settings, Diagnostics& diagnostics) {
  control::ConfineOptions options{.user = settings.user,
                                  .group = settings.group,
                                  .is_fenced = settings.is_fenced,
                                  .writable_folders = {settings.sinks.directory}};
  for (const output::EveOptions& eve : settings.sinks.eve) {
    if (eve.file.path.starts_with('/')) {
      options.writable_folders.push_back(folder_of(eve.file.path));
    }
  }
  if (!settings.rules.cache_directory.empty()) {
    options.writable_folders.push_back(settings.rules.cache_directory);
  }
  if (settings.command_socket_mode != Settings::CommandSocket::off) {
    options.writable_folders.push_back(folder_of(settings.command_socket));
  }
  bool is_fine = true;
  for (const std::string& folder : options.writable_folders) {
    is_fine &= make_directory(folder, diagnostics);
  }
  return is_fine && control::confine(options, diagnostics);
}

/// Null where there is to be none, or where it cannot be made: that is told.
std::unique_ptr<control::CommandServer> open_command_server(const CommandLine& line,
                                                            const Settings& settings,
                                                            const control::Sensor& sensor,
                                                            control::Requests& requests) {
  if (settings.command_socket_mode == Settings::CommandSocket::off) {
    return nullptr;
  }
  Diagnostics diagnostics;
  auto server = std::make_unique<control::CommandServer>(
      control::CommandServerOptions{
          .path = settings.command_socket,
          .version = std::string(build_info::version),
          .setting = [&line](const std::string& key) { return configured_value(line, key); }},
      sensor, requests, diagnostics);
  tell(diagnostics, Tell::problems);
  return diagnostics.errors() > 0 ? nullptr : std::move(server);
}

std::unique_ptr<control::MetricsServer> open_metrics(const Settings& settings,
                                                     const control::Sensor& sensor) {
  if (settings.metrics_address.empty()) {
    return nullptr;
  }
  Diagnostics diagnostics;
  auto server =
      std::make_unique<control::MetricsServer>(settings.metrics_address, sensor, diagnostics);
  tell(diagnostics, Tell::problems);
  return server;
}

control::SensorOptions sensor_options(const Settings& settings, const RuleSet& rules) {
  control::SensorOptions options;
  options.live = settings.live;
  options.live.engines = engine_options(settings, rules);
  options.statistics_interval_ms =
      settings.statistics_enabled ? settings.statistics_interval_ms : 0;
  options.stop_when_idle_ms = settings.stop_when_idle_ms;
  return options;
}

LiveFacts live_facts(const control::Sensor& sensor, const output::Collector& collector,
                     double seconds) {
  LiveFacts facts;
  const control::Status status = sensor.status();
  facts.seconds = seconds;
  facts.rules = status.rules;
  facts.output = collector.summary();
  for (const worker::ThreadCounters& thread : sensor.counters()) {
    for (const CounterView& view : thread.views) {
      facts.counters.add(view);
    }
  }
  for (size_t i = 0; i < std::min(status.ports.size(), status.port_totals.size()); ++i) {
    facts.ports.push_back({status.ports[i].name, status.port_totals[i]});
  }
  return facts;
}

/// Which core each thread has, before there are threads. What cannot be had is an error.
void plan_cores(const Settings& settings, const capture::Ports& ports,
                control::SensorOptions& options, Diagnostics& diagnostics) {
  worker::CoreRequest request{.workers = settings.workers,
                              .port_nodes = {},
                              .wanted = settings.live.cores,
                              .pins = settings.live.pins_workers};
  for (const capture::PortFacts& port : ports.facts()) {
    request.port_nodes.push_back(port.numa_node);
  }
  options.cores = worker::plan_cores(request, worker::this_machine(), diagnostics);
  options.live.cores = options.cores.workers;
  // This thread keeps house, and all that it starts from here on inherits that.
  if (diagnostics.errors() == 0 && !options.cores.keepers.empty()) {
    worker::pin_this_thread(options.cores.keepers);
  }
}

/// The run itself, once ports and rules stand ready. @return the exit code.
int watch(const CommandLine& line, const Settings& settings, capture::Ports& ports,
          control::LoadedRules rules) {
  Diagnostics diagnostics;
  output::CollectorOptions collecting = settings.collector;
  collecting.measures_latency = true;
  output::Collector collector(collecting, settings.sinks, diagnostics);
  control::SensorOptions options = sensor_options(settings, rules.rules);
  plan_cores(settings, ports, options, diagnostics);
  tell(diagnostics, Tell::problems);
  if (diagnostics.errors() > 0) {
    return exit_usage;
  }
  const auto load = [&] {
    std::optional<control::LoadedRules> loaded = load_live_rules(line, settings);
    if (const std::string unmet =
            loaded ? unmet_wishes(settings, loaded->rules, options.live.engines) : std::string();
        !unmet.empty()) {
      tell_line(
          fmt::format("rules ask for {}, which is worked out from the start or not at all: "
                      "they do not match until a restart",
                      unmet));
    }
    return loaded;
  };
  control::Sensor sensor(options, ports, collector, std::move(rules),
                         {.load_rules = load, .tell = tell_line});
  control::Requests& requests = install_live_signals();
  if (!line.quiet) {
    tell_ports(ports, settings.workers);
    tell_line(options.cores.says);
  }
  const auto start = std::chrono::steady_clock::now();
  const std::unique_ptr<control::CommandServer> server =
      open_command_server(line, settings, sensor, requests);
  const std::unique_ptr<control::MetricsServer> metrics = open_metrics(settings, sensor);
  control::ServiceManager manager;
  manager.tell_ready();
  sensor.run(requests, [&] {
    manager.tick();
    if (server != nullptr) {
      server->serve();
    }
  });
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  manager.tell_stopping();
  const LiveFacts facts = live_facts(sensor, collector, spent.count());
  if (!line.quiet) {
    fmt::print("{}", summary_text(facts));
  }
  return has_lost_lines(facts.output) ? exit_faults : exit_done;
}

}  // namespace

int run_live(const CommandLine& line) {
  Diagnostics diagnostics;
  const Settings settings = assemble_settings(line, diagnostics);
  if (settings.ports.ports.empty()) {
    diagnostics.error({}, "port", "no port to watch; name one with -i, or in dpdk.interfaces");
  }
  if (diagnostics.errors() == 0) {
    make_directory(settings.sinks.directory, diagnostics);
  }
  std::unique_ptr<capture::Ports> ports;
  if (diagnostics.errors() == 0 && capture::start_packet_memory(settings.memory, diagnostics)) {
    ports = capture::open_ports(settings.ports, diagnostics);
  }
  if (ports != nullptr) {
    confine_to_folders(settings, diagnostics);
  }
  tell(diagnostics, told_of_settings(line));
  if (diagnostics.errors() > 0 || ports == nullptr) {
    return exit_usage;
  }
  std::optional<control::LoadedRules> rules = load_live_rules(line, settings);
  if (!rules) {
    return exit_faults;
  }
  return watch(line, settings, *ports, std::move(*rules));
}

}  // namespace shrike::app
