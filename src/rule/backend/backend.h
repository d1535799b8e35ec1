#pragma once
#include <memory>
#include <vector>

#include "parse.h"
#include "shrike/base/diagnostics.h"
#include "shrike/model/rule_tables.h"
#include "shrike/rule.h"

/// IR to compiled tables. Cold; runs once a load, on the control thread and helpers of its own.
namespace shrike::rule {

/// Compiles rules, given in inspection order, into the tables that detect reads. Literal databases
/// come from the cache where they are there. Faults of the cache (a folder that cannot be written)
/// are warnings; a pcre that does not compile is an error and leaves its rule without effect.
/// @return null only where Hyperscan cannot compile at all, said in `diagnostics`.
std::unique_ptr<RuleTables> build_tables(std::vector<Rule> rules, RuleData data,
                                         const Options& options, Diagnostics& diagnostics,
                                         Report& report);

}  // namespace shrike::rule
