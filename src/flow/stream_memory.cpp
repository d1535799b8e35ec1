#include "stream_memory.h"

#include <algorithm>
#include <bit>

namespace shrike::flow {
namespace {

uint8_t top_order_for(size_t bytes_max) noexcept {
  const auto whole = static_cast<uint8_t>(std::bit_width(std::max<size_t>(bytes_max, 1)) - 1);
  return std::clamp(whole, StreamMemory::order_min, StreamMemory::order_max);
}

}  // namespace

StreamMemory::StreamMemory(size_t bytes_max)
    : top_order_(top_order_for(bytes_max)),
      units_(static_cast<uint32_t>((bytes_max >> top_order_) << (top_order_ - order_min))),
      free_order_(units_ + size_t{1}),
      memory_(size_t{units_} * unit_bytes) {
  free_.fill(none);
  kept_.fill(none);
}

uint8_t* StreamMemory::take(uint8_t order) noexcept {
  if (order > top_order_) {
    return nullptr;
  }
  uint32_t unit = kept_[order];
  if (unit != none) [[likely]] {
    kept_[order] = at(unit).next;
    --kept_count_[order];
  } else {
    unit = split_down(order);
    if (unit == none) {
      join_kept();
      unit = split_down(order);
    }
    if (unit == none) {
      return nullptr;
    }
  }
  used_bytes_ += size_t{1} << order;
  return memory_.data() + size_t{unit} * unit_bytes;
}

void StreamMemory::give_back(uint8_t* block, uint8_t order) noexcept {
  used_bytes_ -= size_t{1} << order;
  const auto unit = static_cast<uint32_t>(static_cast<size_t>(block - memory_.data()) / unit_bytes);
  if (kept_count_[order] < kept_max >> (order - order_min) / 2) {
    at(unit).next = kept_[order];
    kept_[order] = unit;
    ++kept_count_[order];
    return;
  }
  join(unit, order);
}

void StreamMemory::push(uint32_t unit, uint8_t order) noexcept {
  at(unit) = {free_[order], none};
  if (free_[order] != none) {
    at(free_[order]).previous = unit;
  }
  free_[order] = unit;
  free_order_[unit] = static_cast<uint8_t>(order + 1);
}

void StreamMemory::unlink(uint32_t unit, uint8_t order) noexcept {
  const FreeBlock block = at(unit);
  (block.previous == none ? free_[order] : at(block.previous).next) = block.next;
  if (block.next != none) {
    at(block.next).previous = block.previous;
  }
  free_order_[unit] = 0;
}

uint32_t StreamMemory::split_down(uint8_t order) noexcept {
  uint8_t from = order;
  while (from <= top_order_ && free_[from] == none) {
    ++from;
  }
  uint32_t unit = none;
  if (from <= top_order_) {
    unit = free_[from];
    unlink(unit, from);
  } else if (fresh_unit_ < units_) {
    from = top_order_;
    unit = fresh_unit_;
    fresh_unit_ += 1u << (top_order_ - order_min);
  } else {
    return none;
  }
  while (from > order) {
    --from;
    push(unit + (1u << (from - order_min)), from);
  }
  return unit;
}

void StreamMemory::join(uint32_t unit, uint8_t order) noexcept {
  while (order < top_order_) {
    const uint32_t buddy = unit ^ (1u << (order - order_min));
    if (free_order_[buddy] != order + 1) {
      break;
    }
    unlink(buddy, order);
    unit = std::min(unit, buddy);
    ++order;
  }
  push(unit, order);
}

void StreamMemory::join_kept() noexcept {
  for (uint8_t order = order_min; order <= top_order_; ++order) {
    uint32_t unit = kept_[order];
    kept_[order] = none;
    kept_count_[order] = 0;
    while (unit != none) {
      const uint32_t next = at(unit).next;
      join(unit, order);
      unit = next;
    }
  }
}

}  // namespace shrike::flow
