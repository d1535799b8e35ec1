#include "flow_table.h"

namespace shrike::flow {

// Later entries of the same run move up, so that a search may stop at the first empty one.
void FlowTable::erase(uint64_t hash, uint32_t slot) noexcept {
  uint32_t hole = home(hash);
  while (entries_[hole].slot_plus_one != slot + 1) {
    check(entries_[hole].slot_plus_one != 0, "an erased flow is in the table");
    hole = (hole + 1) & mask_;
  }
  for (uint32_t at = (hole + 1) & mask_; entries_[at].slot_plus_one != 0; at = (at + 1) & mask_) {
    const uint32_t wanted = entries_[at].tag & mask_;
    if (((at - wanted) & mask_) >= ((at - hole) & mask_)) {
      entries_[hole] = entries_[at];
      hole = at;
    }
  }
  entries_[hole] = {};
}

}  // namespace shrike::flow
