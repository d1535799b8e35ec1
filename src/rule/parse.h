#pragma once
#include <vector>

#include "ir.h"
#include "shrike/model/rule_tables.h"
#include "shrike/rule.h"

namespace shrike::rule {

/// What the files hold that rules name: it goes into the tables as it is.
struct RuleData {
  std::vector<Dataset> datasets;
  Reputation reputation;
};

/// The whole front end: text to checked rules. Every fault of every rule goes to `diagnostics`;
/// broken rules are left out and counted in `report` (rules_seen, _loaded, _failed, _skipped,
/// dormant, parse_seconds). The rules come in inspection order: action, flow bits, flow integers,
/// variables, host bits, priority, sid (Suricata, detect-engine-sigorder). A rule with `<>` gives
/// two, next to each other in that order, with the same sid. Dormant rules are among them, with
/// their reason.
/// @param sources lend their text and name to the positions in the rules and diagnostics.
/// @param data    out; may be null.
std::vector<Rule> parse(const std::vector<Source>& sources, const Options& options,
                        Diagnostics& diagnostics, Report& report, RuleData* data = nullptr);

}  // namespace shrike::rule
