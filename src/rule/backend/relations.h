#pragma once
#include <vector>

#include "shrike/model/rule_program.h"

namespace shrike::rule {

/// Marks in the checks of one buffer which ones hang on which: a content or pcre whose end a
/// later check is relative to, where a retry of it may help, and the last one. These marks steer
/// the back-tracking exactly as DETECT_CONTENT_RELATIVE_NEXT and its kin steer Suricata's.
void mark_relations(std::vector<BufferInstruction>& instructions);

}  // namespace shrike::rule
