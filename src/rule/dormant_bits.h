#pragma once
#include <vector>

#include "ir.h"

namespace shrike::rule {

/// Puts rules to sleep that ask for a flow bit not to be set while a rule that sets it is dormant:
/// the bit would be missing for our reason, not the network's, and the rule would fire falsely.
void rest_with_dormant_setters(std::vector<Rule>& rules);

}  // namespace shrike::rule
