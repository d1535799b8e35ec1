#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace shrike::worker {

/// Hands pointers from one thread to one other, in order. The taker sleeps in the kernel while
/// there is nothing, so more workers than cores do not steal time from each other.
/// Capacity is the number of items that can exist at all, so `put` never finds it full.
template <typename T, size_t capacity>
class HandOver {
  static_assert((capacity & (capacity - 1)) == 0, "capacity must be a power of two");

 public:
  /// Giver. REQUIRES: fewer than `capacity` items are under way.
  void put(T* item) noexcept {
    const uint32_t put_count = put_count_.load(std::memory_order_relaxed);
    items_[put_count & (capacity - 1)] = item;
    put_count_.store(put_count + 1, std::memory_order_release);
    put_count_.notify_one();
  }

  /// Taker. Waits for the next item.
  T* take() noexcept {
    uint32_t put_count = put_count_.load(std::memory_order_acquire);
    while (put_count == taken_count_) {
      put_count_.wait(put_count, std::memory_order_acquire);
      put_count = put_count_.load(std::memory_order_acquire);
    }
    return items_[taken_count_++ & (capacity - 1)];
  }

 private:
  std::array<T*, capacity> items_{};
  alignas(64) std::atomic<uint32_t> put_count_{0};
  alignas(64) uint32_t taken_count_ = 0;
};

}  // namespace shrike::worker
