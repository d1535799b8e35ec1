#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "lazy_array.h"

namespace shrike::flow {

/// The budget for stream bytes of one core: blocks of 2^order bytes out of one range of address
/// space, split and joined again as buddies. Pages are touched only as far as they are used.
/// Source: Knuth, "The Art of Computer Programming" vol. 1, 2.5, "the buddy system".
class StreamMemory {
 public:
  static constexpr uint8_t order_min = 9;   ///< 512 bytes: a small segment
  static constexpr uint8_t order_max = 24;  ///< 16 MiB: one stream's longest run of bytes

  explicit StreamMemory(size_t bytes_max);

  /// Smallest order whose blocks hold `bytes`.
  [[nodiscard]] static uint8_t order_of(size_t bytes) noexcept {
    const size_t least = bytes <= (size_t{1} << order_min) ? size_t{1} << order_min : bytes;
    return static_cast<uint8_t>(64 - __builtin_clzll(least - 1));
  }
  /// A block of 2^order bytes, or null where the budget does not hold it.
  [[nodiscard]] uint8_t* take(uint8_t order) noexcept;
  void give_back(uint8_t* block, uint8_t order) noexcept;
  [[nodiscard]] uint64_t used_bytes() const noexcept { return used_bytes_; }

 private:
  struct FreeBlock {
    uint32_t next;
    uint32_t previous;
  };
  static constexpr size_t unit_bytes = size_t{1} << order_min;
  static constexpr uint32_t none = 0xffffffff;
  /// Freed blocks kept whole an order, since the next stream will want one of that size.
  static constexpr uint32_t kept_max = 64;

  [[nodiscard]] FreeBlock& at(uint32_t unit) noexcept {
    return *reinterpret_cast<FreeBlock*>(memory_.data() + size_t{unit} * unit_bytes);
  }
  void push(uint32_t unit, uint8_t order) noexcept;
  void unlink(uint32_t unit, uint8_t order) noexcept;
  [[nodiscard]] uint32_t split_down(uint8_t order) noexcept;
  void join(uint32_t unit, uint8_t order) noexcept;
  void join_kept() noexcept;

  uint8_t top_order_;
  uint32_t units_;
  uint32_t fresh_unit_ = 0;  ///< never handed out from here on
  uint64_t used_bytes_ = 0;
  std::array<uint32_t, order_max + 1> free_;  ///< first free block of each order
  std::array<uint32_t, order_max + 1> kept_;  ///< first kept block of each order
  std::array<uint32_t, order_max + 1> kept_count_{};
  LazyArray<uint8_t> free_order_;  ///< by unit: order + 1 where a free block begins
  LazyArray<uint8_t> memory_;
};

}  // namespace shrike::flow
