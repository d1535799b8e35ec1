#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "shrike/model/rule_tables.h"

/// Compiled tables as text, to learn why a rule does what it does.
namespace shrike::rule {

/// The instructions of one rule, or of all, one line each.
[[nodiscard]] std::string dump_programs(const RuleTables& tables, std::optional<uint32_t> sid);

/// Every group with its databases and its rules without a literal; with a sid only groups that
/// hold that rule.
[[nodiscard]] std::string dump_groups(const RuleTables& tables, std::optional<uint32_t> sid);

}  // namespace shrike::rule
