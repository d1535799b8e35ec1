#pragma once
#include <vector>

#include "ir.h"
#include "shrike/rule.h"

namespace shrike::rule {

/// The whole front end: text to checked rules. Every fault of every rule goes to `diagnostics`;
/// broken rules are left out and counted in `report` (rules_seen, _loaded, _failed, _skipped,
/// dormant, parse_seconds). The rules come in inspection order: action, flow bits, flow integers,
/// variables, host bits, priority, sid (Suricata, detect-engine-sigorder). A rule with `<>` gives
/// two, next to each other in that order, with the same sid. Dormant rules are among them, with
/// their reason.
/// @param sources lend their text and name to the positions in the rules and diagnostics.
std::vector<Rule> parse(const std::vector<Source>& sources, const Options& options,
                        Diagnostics& diagnostics, Report& report);

}  // namespace shrike::rule
