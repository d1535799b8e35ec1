#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "command_line.h"
#include "settings.h"
#include "shrike/worker.h"
#include "summary.h"
#include "terminal.h"

/// What reading captures and watching ports have in common.
namespace shrike::app {

/// Command line and configuration are the operator's own words: all that is odd in them is told.
Tell told_of_settings(const CommandLine& line);

/// Rules compiled; nothing where they must not be used or cannot be built, which is told.
/// @param faults  where not null, takes the errors of rules that were left out.
std::optional<RuleSet> load_rules(const CommandLine& line, const Settings& settings,
                                  rule::Report& report, std::vector<Diagnostic>* faults = nullptr);

/// What engines cannot be told any more once they run, and rules that are loaded later ask for:
/// "file.magic, filemd5". Empty where nothing is missing.
std::string unmet_wishes(const Settings& settings, const RuleSet& rules,
                         const worker::EngineOptions& running);

/// What the engines of every worker are built from.
worker::EngineOptions engine_options(const Settings& settings, const RuleSet& rules);

/// What the process took of the machine so far.
RunFacts::Cost cost_so_far();

/// Makes a folder and those above it. @return false with an error in `diagnostics`.
bool make_directory(const std::string& path, Diagnostics& diagnostics);

bool has_lost_lines(const output::Summary& output);

}  // namespace shrike::app
