#include "command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "value.h"

namespace shrike::app {

namespace {

constexpr Position here{"command line"};

constexpr const char* run_examples = R"(
Commands:
  shrike rules check FILES…         say everything that is wrong in rules
  shrike rules dump FILES…          show what became of a rule, stage by stage
  shrike rules list-keywords        the words rules are made of
  shrike doctor                     what this machine lacks to run the sensor live
  shrike top                        what a running sensor does, frame by frame
  shrike version                    how this binary was built

Examples:
  Which of these rules fire in this capture?
    shrike -r capture.pcap -S my.rules -l out && cat out/fast.log
  A folder of captures, each on its own, all cores, checksums ignored:
    shrike -r captures/ --recursive --per-file -k none -j 4 -S 'rules/*.rules' -l out
  Live on a kernel interface with two workers, until Ctrl-C:
    shrike -i eth0 -j 2 -S 'rules/*.rules' -l /var/log/shrike
  With the configuration of the Suricata that stands there now:
    shrike -r capture.pcap -c /etc/suricata/suricata.yaml -l out
  Is everything in order before I install it?
    shrike -T -c shrike.yaml -S my.rules
  Only part of the traffic, and one setting changed:
    shrike -r capture.pcap -S my.rules -l out --set stream.midstream=yes 'tcp port 80'
  Which of these rules take the time?
    shrike -r capture.pcap -S my.rules -l out --profile-rules -

Exit status: 0 done; 1 rules or captures have faults (rules only with -T or --init-errors-fatal);
2 the command line or the configuration is wrong, and nothing was run; 3 an inner fault.
The manual page shrike(1) says more.)";

constexpr const char* rules_examples = R"(
Examples:
  shrike rules check my.rules
  shrike rules check -c /etc/suricata/suricata.yaml 'rules/*.rules'
  shrike rules dump --stage program --sid 2100498 my.rules

Exit status: 0 all is well; 1 some rule is broken; 2 the command line is wrong.)";

/// Options take any text here; what it must be is checked afterwards, all of it at once.
struct RawOptions {
  std::vector<std::string> captures;
  std::vector<std::string> words;  ///< that belong to no option
  std::string workers;
  std::string batch;
  std::string checksums;
  std::string cache_directory;
  std::string stage = "ast";
  std::string sid;
  bool no_cache = false;
  bool simulate_ips = false;
  bool version = false;
};

void add_options_for_configuration(CLI::App& app, CommandLine& line) {
  const std::string group = "Configuration";
  app.add_option("-c", line.config_file, "Configuration, Shrike's or Suricata's")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--include", line.includes, "More configuration, laid over the first")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->group(group);
  app.add_option("--set", line.sets, "One setting: stream.midstream=yes, action-order.0=alert")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->group(group);
}

void add_input_options(CLI::App& app, CommandLine& line, RawOptions& raw) {
  const std::string group = "Captures";
  app.add_option("-r", raw.captures,
                 "Captures to read: pcap or pcapng, plain, gzip or zstd; folders; - for "
                 "standard input")
      ->type_name("FILE|DIR…")
      ->expected(1, CLI::detail::expected_max_vector_size)
      ->group(group);
  app.add_flag("--recursive,--pcap-file-recursive", line.recursive, "Descend into folders")
      ->group(group);
  app.add_flag("--per-file", line.per_file, "Every capture starts with empty state")->group(group);
  app.add_option("-F", line.filter_file, "File with a BPF filter")->type_name("FILE")->group(group);
  app.add_option("-k", raw.checksums, "Wrong checksums: all are looked at, none are")
      ->type_name("none|all")
      ->group(group);
}

void add_live_options(CLI::App& app, CommandLine& line) {
  app.add_option("-i", line.interfaces,
                 "Receive from a kernel interface (eth0), a PCI address, or a virtual device in "
                 "DPDK's words (net_memif0,socket=…); may be repeated")
      ->type_name("PORT")
      ->allow_extra_args(false)
      ->group("Live");
}

void add_rule_options(CLI::App& app, CommandLine& line, RawOptions& raw) {
  const std::string group = "Rules";
  app.add_option("-S", line.only_rules,
                 "Rules, in place of those of the configuration; may be "
                 "repeated, and be a pattern in quotes")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->group(group);
  app.add_option("-s", line.extra_rules, "Rules, beside those of the configuration")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->group(group);
  app.add_flag("-T", line.test_only, "Check configuration and rules, and end")->group(group);
  app.add_flag("--init-errors-fatal", line.init_errors_fatal, "Do not run with a broken rule")
      ->group(group);
  app.add_flag("--no-cache", raw.no_cache, "Compile all rules anew")->group(group);
  app.add_option("--cache-dir", raw.cache_directory, "Where compiled rules are kept")
      ->type_name("DIR")
      ->group(group);
}

void add_run_options(CLI::App& app, CommandLine& line, RawOptions& raw) {
  const std::string group = "Run";
  app.add_option("-l", line.log_directory, "Folder for alerts and logs, made if it is not there")
      ->type_name("DIR")
      ->group(group);
  app.add_option("-j", raw.workers, "Workers that inspect, 1 to 128")->type_name("N")->group(group);
  app.add_flag("--simulate-ips", raw.simulate_ips, "As if inline: drop rules take effect")
      ->group(group);
  app.add_option("--batch", raw.batch, "Packets a batch, 1 to 64")->type_name("N")->group(group);
  app.add_option("--profile-rules", line.profile_file,
                 "What every rule cost, measured in all batches; - for standard output")
      ->type_name("FILE")
      ->group(group);
  app.add_flag("--json", line.profile_is_json, "The profile as JSON")->group(group);
  app.add_flag("-v", line.verbosity, "Say more; twice, everything")->group(group);
  app.add_flag("-q", line.quiet, "Only say what is wrong")->group(group);
  app.add_flag("-V,--version,--build-info", raw.version, "How this binary was built")->group(group);
  app.add_option("filter", raw.words, "BPF filter, as in tcpdump")->group("");
}

/// A misspelt option deserves the one that was meant.
std::string nearest_option(const CLI::App& app, const std::string& word) {
  std::string best;
  size_t best_shared = 3;  // fewer letters in common say nothing
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      const std::string written = "--" + name;
      size_t shared = 0;
      while (shared < written.size() && shared < word.size() && written[shared] == word[shared]) {
        ++shared;
      }
      if (shared > best_shared) {
        best_shared = shared;
        best = written;
      }
    }
  }
  return best;
}

/// CLI11 leaves two empty lines between groups; one is enough.
std::string help_text(const CLI::App& app) {
  std::string text = app.help();
  for (size_t at; (at = text.find("\n\n\n")) != std::string::npos;) {
    text.erase(at, 1);
  }
  while (text.ends_with('\n')) {
    text.pop_back();
  }
  return text;
}

/// Gives CLI11 the words, and every option that does not exist to `diagnostics`.
/// @return false where help was asked for or the words cannot be read at all.
bool parse_words(CLI::App& app, std::vector<std::string> words, CommandLine& line,
                 Diagnostics& diagnostics) {
  std::reverse(words.begin(), words.end());  // CLI11 wants the last word first
  app.allow_extras();
  try {
    app.parse(words);
  } catch (const CLI::CallForHelp&) {
    line.command = CommandLine::Command::help;
    line.help = help_text(app);
    return false;
  } catch (const CLI::ParseError& fault) {
    diagnostics.error(here, "usage", "{}; see {} --help", fault.what(), app.get_name());
    return false;
  }
  for (const std::string& extra : app.remaining()) {
    const std::string meant = nearest_option(app, extra);
    diagnostics.error(
        here, "unknown-option", "'{}' is no option; {}", extra,
        meant.empty() ? "see " + app.get_name() + " --help" : "did you mean " + meant + "?");
  }
  return true;
}

bool looks_like_capture(const std::string& word) {
  const std::string end = std::filesystem::path(word).extension().string();
  return word == "-" || end == ".pcap" || end == ".pcapng" || end == ".cap" || end == ".gz" ||
         end == ".zst" || std::filesystem::exists(word);
}

/// Words behind -r are captures as long as they look like it; then a filter begins.
void split_captures(const RawOptions& raw, CommandLine& line, Diagnostics& diagnostics) {
  std::vector<std::string> filter;
  for (const std::string& word : raw.captures) {
    if (line.captures.empty() || (filter.empty() && looks_like_capture(word))) {
      line.captures.push_back(word);
    } else {
      filter.push_back(word);
    }
  }
  filter.insert(filter.end(), raw.words.begin(), raw.words.end());
  for (const std::string& word : filter) {
    if (word.ends_with(".rules")) {
      diagnostics.error(here, "filter",
                        "'{}' stands where a filter is; write -S before each file "
                        "of rules, or one pattern in quotes",
                        word);
    }
    line.filter += (line.filter.empty() ? "" : " ") + word;
  }
  if (!line.filter.empty() && !line.filter_file.empty()) {
    diagnostics.error(here, "filter", "there are two filters, -F {} and '{}'; give one",
                      line.filter_file, line.filter);
  }
}

/// Options that say what a setting says become that setting, on top of every --set.
void turn_into_sets(const RawOptions& raw, CommandLine& line, Diagnostics& diagnostics) {
  const auto number = [&](const std::string& text, const char* option, const char* key,
                          uint64_t highest) {
    const auto value = parse_number(text);
    if (text.empty()) {
      return;
    }
    if (!value || *value < 1 || *value > highest) {
      diagnostics.error(here, "range", "'{}' is not a value of {}; write 1 to {}", text, option,
                        highest);
      return;
    }
    line.sets.push_back(std::string(key) + "=" + text);
  };
  number(raw.workers, "-j", "shrike.workers", 128);
  number(raw.batch, "--batch", "shrike.batch-packets", 64);
  if (raw.checksums == "none" || raw.checksums == "all") {
    line.sets.emplace_back(raw.checksums == "none" ? "pcap-file.checksum-checks=no"
                                                   : "pcap-file.checksum-checks=yes");
  } else if (!raw.checksums.empty()) {
    diagnostics.error(here, "checksums", "'{}' is not a value of -k; write none or all",
                      raw.checksums);
  }
  if (raw.simulate_ips) {
    line.sets.emplace_back("simulate-ips=yes");
  }
  if (!raw.cache_directory.empty()) {
    line.sets.push_back("shrike.cache-directory=" + raw.cache_directory);
  }
  if (raw.no_cache) {
    line.sets.emplace_back("shrike.cache=no");
  }
  if (!line.profile_file.empty()) {
    line.sets.emplace_back("shrike.profiling.sample-batches=1");
  }
  if (!line.log_directory.empty()) {
    line.sets.push_back("default-log-dir=" + line.log_directory);
  }
}

void check_profile_options(const CommandLine& line, Diagnostics& diagnostics) {
  if (!line.profile_file.empty() && line.captures.empty()) {
    diagnostics.error(here, "profile",
                      "--profile-rules is for captures; live, write shrike top, or ask for "
                      "rule-costs at the control socket");
  }
  if (line.profile_is_json && line.profile_file.empty()) {
    diagnostics.error(here, "profile", "--json is for --profile-rules; write both");
  }
}

CommandLine parse_run(const std::vector<std::string>& words, Diagnostics& diagnostics) {
  CommandLine line;
  RawOptions raw;
  CLI::App app(
      "Network intrusion detection: watches ports or reads captures, tells what your rules "
      "find.",
      "shrike");
  app.footer(run_examples);
  add_input_options(app, line, raw);
  add_live_options(app, line);
  add_rule_options(app, line, raw);
  add_options_for_configuration(app, line);
  add_run_options(app, line, raw);
  if (!parse_words(app, words, line, diagnostics)) {
    return line;
  }
  if (raw.version) {
    line.command = CommandLine::Command::version;
    return line;
  }
  split_captures(raw, line, diagnostics);
  turn_into_sets(raw, line, diagnostics);
  if (line.captures.empty() && line.interfaces.empty() && line.config_file.empty() &&
      !line.test_only) {
    diagnostics.error(here, "captures",
                      "there is nothing to read; write shrike -r CAPTURE -S RULES -l DIR, or live: "
                      "shrike -i PORT -S RULES -l DIR, or shrike -c FILE with ports in it");
  }
  if (!line.captures.empty() && !line.interfaces.empty()) {
    diagnostics.error(here, "captures", "-r reads captures and -i is live; give one of them");
  }
  check_profile_options(line, diagnostics);
  return line;
}

constexpr struct {
  std::string_view name;
  rule::Stage stage;
} stages[] = {
    {"tokens", rule::Stage::tokens},   {"ast", rule::Stage::ast},       {"ir", rule::Stage::ir},
    {"program", rule::Stage::program}, {"groups", rule::Stage::groups},
};

void read_dump_options(const RawOptions& raw, CommandLine& line, Diagnostics& diagnostics) {
  const auto* const stage = std::find_if(std::begin(stages), std::end(stages),
                                         [&](const auto& row) { return row.name == raw.stage; });
  if (stage == std::end(stages)) {
    diagnostics.error(here, "stage", "'{}' is no stage; write tokens, ast, ir, program or groups",
                      raw.stage);
  } else {
    line.stage = stage->stage;
  }
  if (raw.sid.empty()) {
    return;
  }
  const auto sid = parse_number(raw.sid);
  if (!sid || *sid > UINT32_MAX) {
    diagnostics.error(here, "sid", "'{}' is not a sid; write a number", raw.sid);
  } else {
    line.sid = static_cast<uint32_t>(*sid);
  }
}

CommandLine parse_rules(std::vector<std::string> words, Diagnostics& diagnostics) {
  CommandLine line;
  RawOptions raw;
  const std::string verb = words.empty() ? "" : words[0];
  CLI::App app("Works on rules without reading captures: check, dump or list-keywords.",
               "shrike rules " + (verb.starts_with("-") ? std::string() : verb));
  app.footer(rules_examples);
  app.add_option("files", line.only_rules, "Files of rules, or patterns in quotes")
      ->type_name("FILES…");
  app.add_flag("-q", line.quiet, "Only say what is wrong");
  app.add_flag("--simulate-ips", raw.simulate_ips, "As if inline: drop rules take effect");
  add_options_for_configuration(app, line);
  if (verb == "check") {
    line.command = CommandLine::Command::check_rules;
  } else if (verb == "dump") {
    line.command = CommandLine::Command::dump_rules;
    app.add_option("--stage", raw.stage, "What to show")->type_name("tokens|ast|ir|program|groups");
    app.add_option("--sid", raw.sid, "Only this rule")->type_name("N");
  } else if (verb == "list-keywords") {
    line.command = CommandLine::Command::list_keywords;
  } else if (verb != "--help" && verb != "-h") {
    diagnostics.error(here, "command",
                      "'{}' is no command; write shrike rules check, dump or "
                      "list-keywords",
                      verb);
    return line;
  }
  if (!words.empty() && !verb.starts_with("-")) {
    words.erase(words.begin());
  }
  if (!parse_words(app, std::move(words), line, diagnostics)) {
    return line;
  }
  read_dump_options(raw, line, diagnostics);
  turn_into_sets(raw, line, diagnostics);
  if (line.only_rules.empty() && line.command != CommandLine::Command::list_keywords) {
    diagnostics.error(here, "rules", "there are no rules; write shrike rules {} FILES…", verb);
  }
  return line;
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& words, Diagnostics& diagnostics) {
  if (!words.empty() && words[0] == "rules") {
    return parse_rules({words.begin() + 1, words.end()}, diagnostics);
  }
  if (!words.empty() && words[0] == "version") {
    CommandLine line;
    line.command = CommandLine::Command::version;
    return line;
  }
  return parse_run(words, diagnostics);
}

}  // namespace shrike::app
