#pragma once
#include <cstdint>
#include <vector>

#include "shrike/model/rule_tables.h"

namespace shrike::rule {

/// A rule and the addresses under which it is filed.
struct FiledRule {
  uint32_t rule = 0;
  const AddressSet* addresses = nullptr;  ///< borrowed for the call
};

/// Cuts the address space where any rule's set begins or ends, and notes for each piece the rules
/// that hold there. @param rules in ascending order of rule.
[[nodiscard]] AddressTable build_address_table(const std::vector<FiledRule>& rules);

/// Files all ip-only rules of `tables` under the side that says more.
void file_address_only_rules(RuleTables& tables);

}  // namespace shrike::rule
