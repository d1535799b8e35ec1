#pragma once
#include <optional>
#include <vector>

#include "shrike/model/rule_tables.h"
#include "shrike/rule.h"

namespace shrike::rule {

/// Reads the file of categories ("1,BadHosts,Known bad hosts") and the lists of addresses
/// ("1.2.3.4,1,101", networks too). Faults are errors with their place, and the line is left out.
/// Source: Suricata user guide, "IP Reputation".
Reputation read_reputation(const std::optional<Source>& categories,
                           const std::vector<Source>& lists, Diagnostics& diagnostics);

}  // namespace shrike::rule
