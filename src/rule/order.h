#pragma once
#include <string>
#include <vector>

#include "ir.h"

namespace shrike::rule {

/// Sorts into inspection order: action; rules that set flow bits before those that check them,
/// the same for flow integers, flow variables, packet variables, host bits and pair bits; then
/// priority, then sid. Source: Suricata, detect-engine-sigorder.c.
void sort_rules(std::vector<Rule>& rules, const std::vector<std::string>& action_order);

}  // namespace shrike::rule
