#include "copies.h"

namespace shrike::generate {

FlowCopies::FlowCopies(uint32_t count) {
  for (uint64_t mix = 1; mix < count; ++mix) {
    rewriters_.emplace_back(mix);
  }
}

Bytes FlowCopies::copy(Bytes frame, uint32_t index) {
  if (index == 0) {
    return frame;
  }
  scratch_.assign(frame.begin(), frame.end());
  rewriters_[index - 1].rewrite(scratch_);
  return scratch_;
}

}  // namespace shrike::generate
