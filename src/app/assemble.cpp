#include "assemble.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "apply.h"
#include "build_info.h"
#include "value.h"

namespace shrike::app {

namespace {

constexpr size_t filter_file_bytes_max = 64u << 10;

void load_base(const CommandLine& line, Config& config, Diagnostics& diagnostics) {
  const std::string installed = std::string(build_info::config_directory) + "/shrike.yaml";
  if (!line.config_file.empty()) {
    config.load_file(line.config_file, diagnostics);
  } else if (std::filesystem::exists(installed)) {
    config.load_file(installed, diagnostics);
  } else {
    config.load_text("shrike.yaml", std::string(stock_config_text()), diagnostics);
  }
}

void load_configuration(const CommandLine& line, Config& config, Diagnostics& diagnostics) {
  load_base(line, config, diagnostics);
  for (const std::string& path : line.includes) {
    config.load_file(path, diagnostics);
  }
  for (const std::string& assignment : line.sets) {
    config.set(assignment, diagnostics);
  }
}

/// Where compiled rules are kept unless somebody says otherwise.
std::string default_cache_directory() {
  if (geteuid() == 0) {
    return "/var/cache/shrike";
  }
  if (const char* const cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != 0) {
    return std::string(cache) + "/shrike";
  }
  if (const char* const home = std::getenv("HOME"); home != nullptr && *home != 0) {
    return std::string(home) + "/.cache/shrike";
  }
  return {};
}

/// A filter file may have comments; its lines are one expression.
std::string read_filter_file(const std::string& path, Diagnostics& diagnostics) {
  const auto text = read_text_file(path, filter_file_bytes_max, {"-F"}, diagnostics);
  std::string filter;
  for (std::string_view rest = text ? *text : std::string_view(); !rest.empty();) {
    const size_t end = rest.find('\n');
    const std::string_view line = trim(rest.substr(0, rest.substr(0, end).find('#')));
    if (!line.empty()) {
      filter += (filter.empty() ? "" : " ") + std::string(line);
    }
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return filter;
}

void apply_captures(const CommandLine& line, Settings& settings, Diagnostics& diagnostics) {
  settings.files.paths = line.captures;
  settings.files.recursive = line.recursive;
  settings.files.per_file = line.per_file;
  if (!line.filter_file.empty()) {
    settings.files.bpf_filter = read_filter_file(line.filter_file, diagnostics);
  }
  if (!line.filter.empty()) {
    settings.files.bpf_filter = line.filter;
  }
  const bool several =
      line.per_file || line.captures.size() > 1 ||
      (line.captures.size() == 1 && std::filesystem::is_directory(line.captures[0]));
  for (output::EveOptions& eve : settings.sinks.eve) {
    eve.pcap_filename = eve.pcap_filename || several;
  }
}

void apply_rule_files(const CommandLine& line, Settings& settings) {
  if (!line.only_rules.empty()) {
    settings.rule_files.clear();
  }
  for (const auto* const paths : {&line.only_rules, &line.extra_rules}) {
    for (const std::string& path : *paths) {
      settings.rule_files.push_back({path, true});
    }
  }
}

}  // namespace

Settings assemble_settings(const CommandLine& line, Diagnostics& diagnostics) {
  Config config;
  load_configuration(line, config, diagnostics);
  Settings settings = built_in_settings();
  settings.rules.cache_directory = default_cache_directory();
  apply_config(config, settings, diagnostics);
  apply_captures(line, settings, diagnostics);
  apply_rule_files(line, settings);
  if (line.is_live()) {
    choose_ports(line.interfaces, settings);
    settings.memory.telemetry = true;
    for (output::EveOptions& eve : settings.sinks.eve) {
      for (const capture::PortOptions& port : settings.ports.ports) {
        eve.interface_names.push_back(capture::name_of(port));
      }
    }
  }
  return settings;
}

std::optional<std::string> configured_value(const CommandLine& line, const std::string& key) {
  Diagnostics unheard;  // said at the start already
  Config config;
  load_configuration(line, config, unheard);
  const ConfigNode* const node = config.root().find(key);
  return node != nullptr && node->is_scalar() ? std::optional(node->text) : std::nullopt;
}

}  // namespace shrike::app
