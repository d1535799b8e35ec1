#include "memory.h"

#include <algorithm>
#include <bit>

namespace shrike::protocol {

namespace {

// Under AddressSanitizer every block is the system's own, so that what strays out of one is seen.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool passes_through = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool passes_through = true;
#else
constexpr bool passes_through = false;
#endif
#else
constexpr bool passes_through = false;
#endif

}  // namespace

Pool::~Pool() = default;

unsigned Pool::order_of(size_t bytes) noexcept {
  return std::max<unsigned>(smallest_order, static_cast<unsigned>(std::bit_width(bytes - 1)));
}

void* Pool::take(size_t bytes) {
  bytes = std::max<size_t>(bytes, 1);
  const unsigned order = order_of(bytes);
  if (order > largest_order || passes_through) {
    used_bytes_ += bytes;
    return ::operator new(bytes);
  }
  used_bytes_ += size_t{1} << order;
  if (Free* const block = free_[order]) {
    free_[order] = block->next;
    return block;
  }
  return cut(order);
}

/// Cuts a fresh block from the slab; what is left of an old slab goes to the smaller sizes.
void* Pool::cut(unsigned order) {
  const size_t bytes = size_t{1} << order;
  if (slab_left_ < bytes) {
    while (slab_left_ >= size_t{1} << smallest_order) {
      const auto piece = static_cast<unsigned>(std::bit_width(slab_left_)) - 1;
      free_[piece] = ::new (slab_at_) Free{free_[piece]};
      slab_at_ += size_t{1} << piece;
      slab_left_ -= size_t{1} << piece;
    }
    slabs_.push_back(std::make_unique_for_overwrite<std::byte[]>(slab_bytes));
    slab_at_ = slabs_.back().get();
    slab_left_ = slab_bytes;
  }
  void* const block = slab_at_;
  slab_at_ += bytes;
  slab_left_ -= bytes;
  return block;
}

void Pool::give(void* block, size_t bytes) noexcept {
  bytes = std::max<size_t>(bytes, 1);
  const unsigned order = order_of(bytes);
  if (order > largest_order || passes_through) {
    used_bytes_ -= bytes;
    ::operator delete(block);
    return;
  }
  used_bytes_ -= size_t{1} << order;
  free_[order] = ::new (block) Free{free_[order]};
}

Arena::~Arena() {
  while (blocks_ != nullptr) {
    Block* const next = blocks_->next;
    pool_.give(blocks_, blocks_->bytes);
    blocks_ = next;
  }
}

uint8_t* Arena::take(size_t bytes) {
  if (bytes > left_) {
    constexpr size_t block_bytes = 1024;
    const size_t whole = std::max(block_bytes, sizeof(Block) + bytes);
    blocks_ = ::new (pool_.take(whole)) Block{blocks_, whole};
    at_ = reinterpret_cast<uint8_t*>(blocks_ + 1);
    left_ = whole - sizeof(Block);
  }
  uint8_t* const taken = at_;
  at_ += bytes;
  left_ -= bytes;
  return taken;
}

}  // namespace shrike::protocol
