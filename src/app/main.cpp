#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "build_info.h"
#include "command_line.h"
#include "doctor_command.h"
#include "rules_command.h"
#include "run.h"
#include "terminal.h"
#include "top_command.h"

namespace shrike::app {

namespace {

int run_command(const CommandLine& line) {
  switch (line.command) {
    case CommandLine::Command::run:
      return line.test_only   ? test_configuration(line)
             : line.is_live() ? run_live(line)
                              : run_captures(line);
    case CommandLine::Command::check_rules:
      return check_rules(line);
    case CommandLine::Command::dump_rules:
      return dump_rules(line);
    case CommandLine::Command::list_keywords:
      return list_keywords();
    case CommandLine::Command::version:
      fmt::print("{}", build_info::text());
      return exit_done;
    case CommandLine::Command::help:
      fmt::print("{}\n", line.help);
      return exit_done;
  }
  return exit_inner;
}

int run_program(const std::vector<std::string>& words) {
  if (!words.empty() && words[0] == "doctor") {
    return run_doctor({words.begin() + 1, words.end()});
  }
  if (!words.empty() && words[0] == "top") {
    return run_top({words.begin() + 1, words.end()});
  }
  Diagnostics diagnostics;
  const CommandLine line = parse_command_line(words, diagnostics);
  if (diagnostics.errors() > 0) {
    tell(diagnostics, Tell::errors);
    return exit_usage;
  }
  return run_command(line);
}

}  // namespace

}  // namespace shrike::app

int main(int count, char** words) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a write that fails, and is told as one
  try {
    return shrike::app::run_program({words + 1, words + count});
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "shrike: error[inner]: %s\n", fault.what());
    return shrike::app::exit_inner;
  }
}
