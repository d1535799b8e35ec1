#pragma once
#include "command_line.h"

namespace shrike::app {

/// What the program ends with; man/shrike.1 documents them.
enum ExitCode : int {
  exit_done = 0,
  exit_faults = 1,  ///< in rules (-T, --init-errors-fatal, rules check), captures or outputs
  exit_usage = 2,   ///< command line or configuration: nothing was run
  exit_inner = 3,   ///< ours, or the machine's: no memory
};

/// Reads the captures, inspects them, writes what was found and says what it came to.
int run_captures(const CommandLine& line);

/// Watches ports until it is told to stop, and says what it came to.
int run_live(const CommandLine& line);

/// -T: says everything that is wrong with configuration and rules.
int test_configuration(const CommandLine& line);

}  // namespace shrike::app
