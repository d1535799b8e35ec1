#include "copies.h"

namespace shrike::generate {

FlowCopies::FlowCopies(uint32_t count) : rewriters_(count, traffic_mix::AddressRewriter(0)) {
  begin_round(0);
}

void FlowCopies::begin_round(uint64_t round) {
  uint64_t mix = round * count() % copies_max;
  keeps_first_ = mix == 0;
  for (traffic_mix::AddressRewriter& rewriter : rewriters_) {
    rewriter = traffic_mix::AddressRewriter(mix);
    ++mix;
  }
}

Bytes FlowCopies::copy(Bytes frame, uint32_t index) {
  if (index == 0 && keeps_first_) {
    return frame;
  }
  scratch_.assign(frame.begin(), frame.end());
  rewriters_[index].rewrite(scratch_);
  return scratch_;
}

}  // namespace shrike::generate
