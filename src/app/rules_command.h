#pragma once
#include "command_line.h"

namespace shrike::app {

/// `shrike rules check FILES…`: everything that is wrong with them.
int check_rules(const CommandLine& line);
/// `shrike rules dump FILES…`: a stage of what became of them, on stdout.
int dump_rules(const CommandLine& line);
/// `shrike rules list-keywords`
int list_keywords();

}  // namespace shrike::app
