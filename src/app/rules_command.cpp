#include "rules_command.h"

#include <fmt/format.h>

#include "assemble.h"
#include "rule_files.h"
#include "run.h"
#include "terminal.h"

namespace shrike::app {

int check_rules(const CommandLine& line) {
  return test_configuration(line);
}

int dump_rules(const CommandLine& line) {
  Diagnostics diagnostics;
  const Settings settings = assemble_settings(line, diagnostics);
  if (diagnostics.errors() > 0) {
    tell(diagnostics, Tell::errors);
    return exit_usage;
  }
  const std::vector<rule::Source> sources = read_rule_files(settings, diagnostics);
  fmt::print("{}", rule::dump(sources, settings.rules, line.stage, line.sid, diagnostics));
  tell(diagnostics, line.quiet ? Tell::errors : Tell::problems);
  return diagnostics.errors() > 0 ? exit_faults : exit_done;
}

int list_keywords() {
  fmt::print("{}", rule::keyword_list());
  return exit_done;
}

}  // namespace shrike::app
