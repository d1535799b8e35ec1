#pragma once
#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

namespace shrike::app {

/// Gives CLI11 the words of a command that has its own, as `shrike doctor`.
/// @return the exit code where the program ends here: help was asked for, or they cannot be read.
std::optional<int> read_words(CLI::App& app, const std::vector<std::string>& words);

}  // namespace shrike::app
