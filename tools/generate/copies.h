#pragma once
#include <cstdint>
#include <vector>

#include "address_rewriter.h"
#include "shrike/base/bytes.h"

namespace shrike::generate {

/// Frames under other addresses, so that one capture becomes the traffic of many hosts. Copy 0 is
/// the frame as it is. A host has another address in each copy, or so chance would have it: that
/// both hosts of a conversation meet theirs again in two copies takes one in 2^48. Checksums stay
/// right where they were right. Frames without IP are the same in every copy.
class FlowCopies {
 public:
  /// @param count 1 to copies_max
  explicit FlowCopies(uint32_t count);

  [[nodiscard]] uint32_t count() const { return static_cast<uint32_t>(rewriters_.size()); }
  /// From now on all copies have addresses that they had in no round before; round 0 is what the
  /// constructor made. After copies_max copies they come again.
  void begin_round(uint64_t round);
  /// The frame as copy `index` sends it; valid until the next call.
  [[nodiscard]] Bytes copy(Bytes frame, uint32_t index);

  /// So that the chance above stays one in a hundred over all pairs of copies.
  static constexpr uint32_t copies_max = 1U << 20;

 private:
  std::vector<traffic_mix::AddressRewriter> rewriters_;  ///< one a copy
  bool keeps_first_ = true;                              ///< copy 0 is the frame as it is
  std::vector<uint8_t> scratch_;
};

}  // namespace shrike::generate
