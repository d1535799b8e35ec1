#pragma once
#include <optional>
#include <string>
#include <vector>

#include "config_reader.h"
#include "settings.h"

namespace shrike::app {

/// Files that go with the rules.
enum class Companion : uint8_t { classification, references, thresholds };

/// Reads the file named by the setting `key`. Not configured: the installed one, else the one that
/// is compiled in (thresholds: none). Configured but not there: a warning, and the same.
std::optional<rule::Source> read_companion(const ConfigReader& config, std::string_view key,
                                           Companion companion);

/// Reads a file that a setting names, of at most as many bytes as a companion; a fault is an error.
std::optional<rule::Source> read_named_file(const ConfigReader& config, const ConfigNode& node,
                                            const std::string& folder);

/// Reads every rule file of `settings.rule_files`, each a path or a glob ("/etc/rules/*.rules"),
/// in the order given, a glob's by name. What cannot be read is an error where the command line
/// asked for it, else a warning.
std::vector<rule::Source> read_rule_files(const Settings& settings, Diagnostics& diagnostics);

}  // namespace shrike::app
