#pragma once
#include <optional>
#include <vector>

#include "backend/databases.h"
#include "backend/fast_pattern.h"
#include "shrike/model/rule_tables.h"

namespace shrike::rule {

/// Decides which rules a direction of a flow meets: by direction, transport and the server's port.
/// Ports that carry much traffic, and those that most rules leave alone, get groups with just
/// their rules; all other ports share one group per direction.
/// @param patterns [rules] the literal of each rule; nothing where it has none or is dormant.
/// @param awake    [rules]
void build_groups(RuleTables& tables, const std::vector<std::optional<FastPattern>>& patterns,
                  const std::vector<bool>& awake, DatabaseBuilder& databases);

}  // namespace shrike::rule
