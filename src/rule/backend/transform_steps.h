#pragma once
#include "ir.h"
#include "shrike/model/rule_tables.h"

namespace shrike::rule {

/// One transform as detect runs it. The expression of a pcrexform is not in it: its index is set by
/// who compiles it. @param transform not a luaxform, which keeps its rule dormant.
[[nodiscard]] TransformStep step_of(const Transform& transform);

}  // namespace shrike::rule
