#pragma once
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "shrike/base/bytes.h"
#include "shrike/base/check.h"

namespace shrike {

/// Records of varying length from one producer thread to one consumer thread, without locks.
/// Each side keeps its own index on a cache line of its own and a copy of the other's, so that
/// an uncontended write touches no shared line. Source: rigtorp/SPSCQueue (cached indices),
/// Aeron's OneToOneRingBuffer (length-prefixed records, padding at the wrap).
///
/// Memory: capacity_bytes, taken by the constructor. Nothing is allocated afterwards.
class RecordRing {
 public:
  /// @param capacity_bytes a power of two, at least 4096; a record takes at most a quarter of it.
  explicit RecordRing(size_t capacity_bytes)
      : capacity_(capacity_bytes), memory_(new (std::align_val_t{64}) std::byte[capacity_bytes]) {
    check(std::has_single_bit(capacity_bytes) && capacity_bytes >= 4096, "ring capacity");
  }

  [[nodiscard]] size_t capacity_bytes() const noexcept { return capacity_; }
  /// The most that ever waited when the consumer looked for more. Any thread.
  [[nodiscard]] size_t waiting_bytes_max() const noexcept {
    return waiting_bytes_max_.load(std::memory_order_relaxed);
  }

  /// Largest record that `write` and `claim` accept, in bytes.
  [[nodiscard]] size_t record_bytes_max() const noexcept { return capacity_ / 4; }

  /// Producer. A place for a record of `bytes` bytes, or nothing where the ring is full.
  /// The record is seen by the consumer after `publish`; one claim at a time.
  [[nodiscard]] std::span<std::byte> claim(size_t bytes) noexcept {
    check(bytes <= record_bytes_max(), "record fits a ring");
    const size_t need = frame_bytes(bytes);
    size_t at = head_ & (capacity_ - 1);
    const size_t until_wrap = capacity_ - at;
    const size_t padding = need > until_wrap ? until_wrap : 0;
    if (!has_room(padding + need)) {
      return {};
    }
    if (padding != 0) {
      store_length(at, padding_mark);
      head_ += padding;
      at = 0;
    }
    claimed_ = need;
    store_length(at, static_cast<uint32_t>(bytes));
    return {memory_.get() + at + prefix_bytes, bytes};
  }

  /// Producer. Hands the claimed record over.
  void publish() noexcept {
    head_ += claimed_;
    claimed_ = 0;
    shared_head_.store(head_, std::memory_order_release);
  }

  /// Producer. Copies a record in; false where the ring is full (the caller counts it).
  [[nodiscard]] bool write(Bytes record) noexcept {
    const std::span<std::byte> place = claim(record.size());
    if (place.data() == nullptr) {
      return false;
    }
    std::memcpy(place.data(), record.data(), record.size());
    publish();
    return true;
  }

  /// Consumer. The oldest record, or nothing (data() == nullptr). It stays valid until `pop`.
  [[nodiscard]] Bytes front() noexcept {
    for (;;) {
      if (tail_ == seen_head_) {
        seen_head_ = shared_head_.load(std::memory_order_acquire);
        if (tail_ == seen_head_) {
          return {};
        }
        note_waiting(seen_head_ - tail_);
      }
      const size_t at = tail_ & (capacity_ - 1);
      const uint32_t length = load_length(at);
      if (length != padding_mark) {
        return {reinterpret_cast<const uint8_t*>(memory_.get()) + at + prefix_bytes, length};
      }
      tail_ += capacity_ - at;
    }
  }

  /// Consumer. Gives the place of `front` back. REQUIRES: front() returned a record.
  void pop() noexcept {
    tail_ += frame_bytes(load_length(tail_ & (capacity_ - 1)));
    shared_tail_.store(tail_, std::memory_order_release);
  }

 private:
  static constexpr size_t prefix_bytes = 8;
  static constexpr uint32_t padding_mark = 0xffffffff;

  static size_t frame_bytes(size_t bytes) noexcept {
    return prefix_bytes + ((bytes + 7) & ~size_t{7});
  }
  [[nodiscard]] bool has_room(size_t bytes) noexcept {
    if (head_ + bytes - seen_tail_ <= capacity_) {
      return true;
    }
    seen_tail_ = shared_tail_.load(std::memory_order_acquire);
    return head_ + bytes - seen_tail_ <= capacity_;
  }
  void note_waiting(size_t bytes) noexcept {
    if (bytes > waiting_bytes_max_.load(std::memory_order_relaxed)) {
      waiting_bytes_max_.store(bytes, std::memory_order_relaxed);
    }
  }
  void store_length(size_t at, uint32_t length) noexcept {
    std::memcpy(memory_.get() + at, &length, sizeof length);
  }
  [[nodiscard]] uint32_t load_length(size_t at) const noexcept {
    uint32_t length = 0;
    std::memcpy(&length, memory_.get() + at, sizeof length);
    return length;
  }

  struct AlignedDelete {
    void operator()(std::byte* memory) const noexcept {
      ::operator delete[](memory, std::align_val_t{64});
    }
  };

  const size_t capacity_;
  const std::unique_ptr<std::byte[], AlignedDelete> memory_;
  alignas(64) size_t head_ = 0;  // producer's line
  size_t seen_tail_ = 0;
  size_t claimed_ = 0;
  alignas(64) std::atomic<size_t> shared_head_{0};
  alignas(64) size_t tail_ = 0;  // consumer's line
  size_t seen_head_ = 0;
  std::atomic<size_t> waiting_bytes_max_{0};
  alignas(64) std::atomic<size_t> shared_tail_{0};
};

}  // namespace shrike
