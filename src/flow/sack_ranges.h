#pragma once
#include <cstdint>

#include "lazy_array.h"
#include "shrike/base/bytes.h"
#include "tcp_session.h"

namespace shrike::flow {

/// Which bytes of a stream its receiver has selectively acknowledged (RFC 2018): ordered,
/// disjoint ranges. They widen the window in which the sender may send.
class SackRanges {
 public:
  static constexpr uint16_t ranges_a_stream_max = 64;

  explicit SackRanges(uint32_t ranges_max) : ranges_(ranges_max) {}

  /// Takes the blocks of a segment's SACK option that lie within the window.
  void update(TcpStream& stream, Bytes blocks) noexcept;
  /// Forgets what `last_ack` has passed.
  void prune(TcpStream& stream) noexcept;
  void clear(TcpStream& stream) noexcept;
  /// True where every block is known already.
  [[nodiscard]] bool knows(const TcpStream& stream, Bytes blocks) const noexcept;

 private:
  struct Range {
    uint32_t next;
    uint32_t left;
    uint32_t right;
  };
  void insert(TcpStream& stream, uint32_t left, uint32_t right) noexcept;

  NodePool<Range> ranges_;
};

}  // namespace shrike::flow
