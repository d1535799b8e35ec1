#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config.h"
#include "shrike/base/diagnostics.h"
#include "shrike/capture.h"
#include "shrike/capture/ports.h"
#include "shrike/decode.h"
#include "shrike/detect.h"
#include "shrike/flow.h"
#include "shrike/model/limits.h"
#include "shrike/output.h"
#include "shrike/protocol.h"
#include "shrike/rule.h"
#include "shrike/worker/live.h"

namespace shrike::app {

/// Where rules stand: a path or a pattern.
struct RuleFile {
  std::string path;
  bool is_required = false;  ///< named on the command line: missing is an error
};

/// Everything a run needs, from command line and configuration, checked. Owns all texts.
struct Settings {
  capture::FileSourceOptions files;
  capture::PacketMemoryOptions memory;
  decode::DecoderOptions decoder;
  flow::FlowOptions flow;
  protocol::ProtocolOptions protocols;
  detect::DetectorOptions detector;
  rule::Options rules;
  output::SinkOptions sinks;
  output::CollectorOptions collector;
  bool statistics_enabled = true;
  uint32_t statistics_interval_ms = 8000;  ///< live

  // Live.
  capture::PortsOptions ports;
  std::vector<capture::PortOptions> kernel_interfaces;  ///< af-packet; used where there is no port
  worker::LiveOptions live;  ///< its engines are filled in when the rules are known
  uint32_t stop_when_idle_ms = 0;
  std::string user;  ///< to run as, live; empty: as who started it
  std::string group;
  bool is_fenced = true;
  std::string metrics_address;  ///< "127.0.0.1:9464"; empty: no metrics
  /// Where the control socket is; empty: the usual place.
  std::string command_socket;
  enum class CommandSocket : uint8_t {
    automatic,
    on,
    off
  } command_socket_mode = CommandSocket::automatic;

  std::vector<RuleFile> rule_files;
  unsigned workers = 1;
};

/// Applies the configuration to `settings`. Every fault is an error with its place; keys of
/// Suricata that Shrike has no use for are told once, in one note.
///
/// What the configuration leaves out: without any file, load stock_config_text() first; with a
/// file, `settings` comes with what Suricata 8.0.7 has built in (built_in_settings), which differs
/// from its stock file: an operator's suricata.yaml then means what it means there.
void apply_config(const Config& config, Settings& settings, Diagnostics& diagnostics);

/// What holds where a configuration file says nothing.
[[nodiscard]] Settings built_in_settings();

/// The stock configuration (shrike.yaml), compiled in.
[[nodiscard]] std::string_view stock_config_text() noexcept;

}  // namespace shrike::app
