#pragma once
#include <optional>
#include <string>
#include <vector>

#include "shrike/base/diagnostics.h"
#include "shrike/rule.h"

namespace shrike::app {

/// What the operator asked for, word for word: nothing is looked up or opened here.
struct CommandLine {
  enum class Command : uint8_t { run, check_rules, dump_rules, list_keywords, version, help };

  Command command = Command::run;
  std::string help;  ///< the text to print, for Command::help

  std::vector<std::string> captures;     ///< -r
  std::vector<std::string> interfaces;   ///< -i
  std::vector<std::string> only_rules;   ///< -S, and the FILES of `shrike rules`
  std::vector<std::string> extra_rules;  ///< -s
  std::string log_directory;             ///< -l
  std::string config_file;               ///< -c
  std::vector<std::string> includes;     ///< --include
  std::vector<std::string> sets;         ///< --set, then what other options stand for
  std::string filter_file;               ///< -F
  std::string filter;                    ///< the words at the end
  std::string profile_file;              ///< --profile-rules
  bool profile_is_json = false;          ///< --json
  bool per_file = false;
  bool recursive = false;
  bool test_only = false;  ///< -T
  bool init_errors_fatal = false;
  bool quiet = false;
  unsigned verbosity = 0;                ///< how often -v
  rule::Stage stage = rule::Stage::ast;  ///< rules dump --stage
  std::optional<uint32_t> sid;           ///< rules dump --sid

  /// Nothing to read: packets come from ports.
  [[nodiscard]] bool is_live() const noexcept { return captures.empty(); }
};

/// Reads the words behind the program's name. Every mistake is an error in `diagnostics`; what is
/// given back then is of no use.
CommandLine parse_command_line(const std::vector<std::string>& words, Diagnostics& diagnostics);

}  // namespace shrike::app
