#pragma once
#include <string>

#include "ir.h"

namespace shrike::rule {

/// The checked meaning of a rule as text: a line for the rule, its header, each check, each buffer
/// and each check in it. For people and tests; no program reads it.
std::string to_text(const Rule& rule);

/// ">= 10", "10 to 20 without the ends".
std::string to_text(const Comparison& comparison);

std::string_view to_text(RuleKind kind);

}  // namespace shrike::rule
