#include "apply.h"

#include <string_view>

#include "stock_config.h"

namespace shrike::app {

namespace {

/// Sections whose unknown keys are errors, because they are Shrike's own.
bool is_own(std::string_view path) {
  return path.starts_with("shrike.") || path.find(".csv.") != std::string_view::npos;
}

constexpr size_t unused_told_max = 40;

void tell_unused(const Config& config, Diagnostics& diagnostics) {
  std::string told;
  size_t count = 0;
  for (const Config::Unused& unused : config.unused()) {
    if (is_own(unused.path)) {
      diagnostics.error(unused.node->position(), "unknown-key",
                        "{} is no key of Shrike's; the shipped shrike.yaml lists them",
                        unused.path);
    } else if (++count <= unused_told_max) {
      told += (told.empty() ? "" : ", ") + unused.path;
    }
  }
  if (count > unused_told_max) {
    told += fmt::format(" and {} more", count - unused_told_max);
  }
  if (count > 0) {
    diagnostics.note({}, "unused-keys", "keys that Shrike has no use for: {}", told);
  }
}

}  // namespace

std::string_view stock_config_text() noexcept {
  return stock_config;
}

Settings built_in_settings() {
  Settings settings;
  settings.flow.tcp = {30, 300, 10, 100};
  settings.flow.udp = {30, 300, 0, 100};
  settings.flow.icmp = {30, 300, 0, 100};
  settings.flow.other = {30, 300, 0, 100};
  settings.flow.depth_bytes = 0;
  settings.decoder.teredo_ports.clear();
  settings.sinks.eve.emplace_back();
  for (const AppProtocol each :
       {AppProtocol::modbus, AppProtocol::dnp3, AppProtocol::enip, AppProtocol::pgsql}) {
    settings.protocols.protocols[static_cast<size_t>(each)].mode =
        protocol::ProtocolSetting::Mode::off;
  }
  return settings;
}

void apply_config(const Config& config, Settings& settings, Diagnostics& diagnostics) {
  const ConfigReader reader(config.root(), diagnostics);
  Mode mode;
  reader.flag("simulate-ips", mode.simulate_ips);
  apply_rules(reader, mode, settings);  // first: ports elsewhere may name vars
  apply_decoding(reader, settings);
  apply_flows(reader, mode, settings);
  apply_protocols(reader, settings);
  apply_outputs(reader, settings);
  apply_live(reader, settings);
  apply_own(reader, settings);
  tell_unused(config, diagnostics);
}

}  // namespace shrike::app
