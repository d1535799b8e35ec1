#pragma once
#include <cstdint>
#include <vector>

namespace shrike::capture {

/// What the kernel dropped before DPDK's af_packet driver could take it. The driver does not say:
/// its sockets do, once for each reading (packet(7), PACKET_STATISTICS).
class KernelDrops {
 public:
  /// Remembers which sockets the process has, so that those that a port opens can be told.
  KernelDrops();
  /// The packet sockets that were opened since the constructor.
  void adopt_new_sockets();

  /// Dropped so far, over all adopted sockets.
  uint64_t read() noexcept;

 private:
  std::vector<int> sockets_before_;
  std::vector<int> sockets_;
  uint64_t dropped_ = 0;
};

}  // namespace shrike::capture
