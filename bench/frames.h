#pragma once
#include <vector>

#include "shrike/craft.h"
#include "shrike/model/packet.h"

namespace shrike::bench {

/// Crafted frames as the packets of batches, to feed one engine without a source. The packets
/// borrow from the frames.
class Frames {
 public:
  explicit Frames(std::vector<craft::TimedFrame> frames);

  [[nodiscard]] std::span<const Packet> packets() const noexcept { return packets_; }
  [[nodiscard]] size_t wire_bytes() const noexcept { return wire_bytes_; }

 private:
  std::vector<craft::TimedFrame> frames_;
  std::vector<Packet> packets_;
  size_t wire_bytes_ = 0;
};

/// `flows` TCP conversations of `segments` segments each way, interleaved, `segment_bytes` each.
[[nodiscard]] std::vector<craft::TimedFrame> conversations(unsigned flows, unsigned segments,
                                                           size_t segment_bytes);

}  // namespace shrike::bench
