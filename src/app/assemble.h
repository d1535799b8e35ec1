#pragma once
#include <optional>
#include <string>

#include "command_line.h"
#include "settings.h"

namespace shrike::app {

/// Command line and configuration joined: the configuration file (named, or the installed one, or
/// the stock configuration), then --include and --set, then what the other options say. Every
/// mistake is an error in `diagnostics`.
Settings assemble_settings(const CommandLine& line, Diagnostics& diagnostics);

/// The value that the configuration has at a dotted key; nothing where it says nothing.
std::optional<std::string> configured_value(const CommandLine& line, const std::string& key);

}  // namespace shrike::app
