#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "shrike/base/bytes.h"

struct rte_mbuf;
struct rte_mempool;

namespace shrike::capture {

struct LongFrame;

/// One source's share of the packet memory. Frames are copied into mbufs of the pool, longer ones
/// into one block from EAL's heap with mbufs attached to it, so a frame is contiguous always.
/// Keeps returned mbufs in a stack of its own: the last one used is the next one, so its memory
/// is still in the cache, and the shared pool is not touched once warm. One thread.
class FrameBuffers {
 public:
  /// @param buffers_max mbufs this source may hold. REQUIRES: packet_pool().
  explicit FrameBuffers(uint32_t buffers_max);
  ~FrameBuffers();
  FrameBuffers(const FrameBuffers&) = delete;
  FrameBuffers& operator=(const FrameBuffers&) = delete;

  /// A copy of `frame` in an mbuf, or null where there is no memory until something is released.
  rte_mbuf* copy(Bytes frame) noexcept;
  void release(rte_mbuf* buffer) noexcept;
  /// Whether frames are out that can come back.
  [[nodiscard]] bool has_loans() const noexcept { return taken_ > free_.size(); }

  /// Whether frames of that length do not fit in one mbuf of the pool.
  [[nodiscard]] bool is_long(size_t bytes) const noexcept { return bytes > frame_bytes_max_; }

  /// The bytes that `copy` made.
  [[nodiscard]] static const uint8_t* data_of(const rte_mbuf* buffer) noexcept;

 private:
  rte_mbuf* take() noexcept;
  bool refill() noexcept;
  rte_mbuf* copy_long(Bytes frame) noexcept;
  void give_up(rte_mbuf* first, LongFrame& block) noexcept;
  static void free_long_frame(void* memory, void* block) noexcept;

  rte_mempool* pool_;
  uint32_t buffers_max_;
  uint32_t frame_bytes_max_;  ///< of one mbuf
  size_t taken_ = 0;          ///< mbufs out of the pool: lent and free ones
  size_t long_bytes_held_ = 0;
  std::vector<rte_mbuf*> free_;  ///< never grows past buffers_max
};

}  // namespace shrike::capture
