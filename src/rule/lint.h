#pragma once
#include <vector>

#include "ir.h"
#include "shrike/rule.h"

namespace shrike::rule {

/// Warns of rules that load but cannot do what they are for: bits that nobody sets or checks,
/// checks that exclude each other, contents that do not fit, noalert without effect.
void lint_rules(const std::vector<Rule>& rules, Diagnostics& diagnostics);

/// Warns of old forms of keywords, once for each form, at its first place and with its count.
void lint_forms(const std::vector<Source>& sources, Diagnostics& diagnostics);

}  // namespace shrike::rule
