#pragma once
#include <optional>
#include <vector>

#include "backend/databases.h"
#include "backend/fast_pattern.h"
#include "backend/program.h"
#include "ir.h"
#include "shrike/model/rule_tables.h"

namespace shrike::rule {

/// What is known of all rules, by index.
struct RuleList {
  const std::vector<Rule>& rules;
  const std::vector<std::optional<FastPattern>>& patterns;  ///< nothing: none, or dormant
  const std::vector<bool>& awake;
};

/// Files the rules about transactions by direction and protocol, and there by the field (and its
/// transforms) in which their literal stands.
void build_app_groups(RuleTables& tables, const RuleList& list, const ProgramBuilder& programs,
                      DatabaseBuilder& databases);

}  // namespace shrike::rule
