#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/base/diagnostics.h"
#include "shrike/model/ruleset.h"

/// Rule text to a RuleSet: lexer, AST, keyword table, checks; fast patterns, groups, databases.
namespace shrike::rule {

/// One file of rules. Positions in diagnostics point into it, so it outlives them.
struct Source {
  std::string name;  ///< path as the operator wrote it
  std::string text;
};

struct Options {
  std::map<std::string, std::string> address_groups;  ///< HOME_NET: "[10.0.0.0/8]" …
  std::map<std::string, std::string> port_groups;
  std::optional<Source> classification;  ///< classification.config
  std::optional<Source> references;      ///< reference.config
  std::optional<Source> thresholds;      ///< threshold.config
  /// Suricata: reputation-categories-file and reputation-files, for `iprep`.
  std::optional<Source> reputation_categories;
  std::vector<Source> reputation_lists;
  std::vector<std::string> action_order{"pass", "drop", "reject", "alert"};
  bool simulate_ips = false;
  bool ignore_unknown_requirements = false;
  bool has_ja4 = true;              ///< JA4 fingerprints are made: `requires: feature ja4` is met
  bool has_public_suffixes = true;  ///< else `domain` and `tld` make a rule dormant
  /// Suricata: geoip-database, of MaxMind's format. Empty: `geoip` makes a rule dormant.
  std::string geoip_database;
  /// Rules about fields that nothing fills are awake too: to look at what becomes of them.
  bool assume_inspected = false;
  std::string cache_directory;   ///< empty: no cache
  unsigned compile_threads = 0;  ///< 0: as many as cores
};

/// What became of the rules; the summary and ruleset-stats read it.
struct Report {
  uint32_t rules_seen = 0;    ///< active rule lines
  uint32_t rules_loaded = 0;  ///< awake and dormant
  uint32_t rules_failed = 0;
  uint32_t rules_skipped = 0;               ///< `requires` not met, replaced duplicates
  std::map<std::string, uint32_t> dormant;  ///< reason to count: "field http.uri"
  uint32_t groups = 0;
  uint32_t databases = 0;
  uint32_t databases_from_cache = 0;
  double parse_seconds = 0, compile_seconds = 0;
};

/// Compiles all sources. Broken rules are reported and left out; gives nothing only when nothing
/// can be built at all (for example no memory).
std::optional<RuleSet> compile(const std::vector<Source>& sources, const Options& options,
                               Diagnostics& diagnostics, Report& report);

/// Only checks: everything compile reports and the linter's warnings, without databases.
void check(const std::vector<Source>& sources, const Options& options, Diagnostics& diagnostics,
           Report& report);

/// Text of a stage for one or all rules, to learn why a rule does what it does.
enum class Stage : uint8_t { tokens, ast, ir, program, groups };
std::string dump(const std::vector<Source>& sources, const Options& options, Stage stage,
                 std::optional<uint32_t> sid, Diagnostics& diagnostics);

/// The keyword table as text, a line a keyword: name, meaning, arguments, state.
std::string keyword_list();

}  // namespace shrike::rule
