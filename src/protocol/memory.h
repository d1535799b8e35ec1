#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace shrike::protocol {

/// Memory of one core's parsers: freed blocks are kept by size and given out again, so that after
/// warm-up nothing is asked of the system. Not thread-safe. The budget is soft: whoever feeds
/// parsers asks `is_full()` first, and each feed can only take a bounded amount.
class Pool {
 public:
  explicit Pool(uint64_t bytes_max) : bytes_max_(bytes_max) {}
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  [[nodiscard]] void* take(size_t bytes);
  void give(void* block, size_t bytes) noexcept;

  [[nodiscard]] bool is_full() const noexcept { return used_bytes_ >= bytes_max_; }
  [[nodiscard]] uint64_t used_bytes() const noexcept { return used_bytes_; }

 private:
  static constexpr unsigned smallest_order = 5;  ///< 32 bytes
  static constexpr unsigned largest_order = 20;  ///< 1 MiB; what is larger comes from the system
  static constexpr size_t slab_bytes = size_t{1} << largest_order;
  struct Free {
    Free* next;
  };
  [[nodiscard]] static unsigned order_of(size_t bytes) noexcept;
  [[nodiscard]] void* cut(unsigned order);

  uint64_t bytes_max_;
  uint64_t used_bytes_ = 0;
  std::array<Free*, largest_order + 1> free_{};
  std::vector<std::unique_ptr<std::byte[]>> slabs_;
  std::byte* slab_at_ = nullptr;
  size_t slab_left_ = 0;
};

/// Lets the standard containers live in a Pool.
template <typename T>
class PoolAllocator {
 public:
  using value_type = T;
  // NOLINTNEXTLINE(google-explicit-constructor): containers rebind it
  PoolAllocator(Pool& pool) noexcept : pool_(&pool) {}
  template <typename U>
  // NOLINTNEXTLINE(google-explicit-constructor)
  PoolAllocator(const PoolAllocator<U>& other) noexcept : pool_(&other.pool()) {}

  [[nodiscard]] T* allocate(size_t count) {
    return static_cast<T*>(pool_->take(count * sizeof(T)));  // NOLINT(bugprone-sizeof-expression)
  }
  void deallocate(T* memory, size_t count) noexcept {
    pool_->give(memory, count * sizeof(T));  // NOLINT(bugprone-sizeof-expression)
  }
  [[nodiscard]] Pool& pool() const noexcept { return *pool_; }

  template <typename U>
  bool operator==(const PoolAllocator<U>& other) const noexcept {
    return pool_ == &other.pool();
  }

 private:
  Pool* pool_;
};

template <typename T>
using PoolVector = std::vector<T, PoolAllocator<T>>;
using PoolBytes = PoolVector<uint8_t>;
using PoolString = std::basic_string<char, std::char_traits<char>, PoolAllocator<char>>;

template <typename T, typename... Arguments>
[[nodiscard]] T* make_in(Pool& pool, Arguments&&... arguments) {
  static_assert(alignof(T) <= 16);
  return ::new (pool.take(sizeof(T))) T(std::forward<Arguments>(arguments)...);
}
template <typename T>
void destroy_in(Pool& pool, T* object) noexcept {
  object->~T();
  pool.give(object, sizeof(T));
}

/// Bytes that stay where they are until the arena dies: the texts of one transaction.
class Arena {
 public:
  explicit Arena(Pool& pool) noexcept : pool_(pool) {}
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  [[nodiscard]] uint8_t* take(size_t bytes);

 private:
  struct Block {
    Block* next;
    size_t bytes;
  };
  Pool& pool_;
  Block* blocks_ = nullptr;
  uint8_t* at_ = nullptr;
  size_t left_ = 0;
};

}  // namespace shrike::protocol
