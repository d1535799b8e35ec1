#include "flow_state.h"

#include <algorithm>
#include <cstring>

namespace shrike::detect {

VariablePool::VariablePool(uint32_t blocks_max)
    : blocks_(new Block[blocks_max]), blocks_max_(blocks_max) {}

uint32_t VariablePool::take() noexcept {
  if (free_ != none) {
    const uint32_t taken = free_;
    free_ = blocks_[taken].next;
    blocks_[taken].next = none;
    blocks_[taken].count = 0;
    return taken;
  }
  if (unused_ == blocks_max_) {
    return none;
  }
  blocks_[unused_].next = none;
  blocks_[unused_].count = 0;
  return unused_++;
}

uint32_t* VariablePool::find(uint32_t chain, VariableKind kind, uint32_t number) noexcept {
  const uint32_t key = key_of(kind, number);
  for (uint32_t at = chain; at != none; at = blocks_[at].next) {
    for (uint32_t i = 0; i < blocks_[at].count; ++i) {
      if (blocks_[at].entries[i].key == key) {
        return &blocks_[at].entries[i].value;
      }
    }
  }
  return nullptr;
}

bool VariablePool::set(uint32_t& chain, VariableKind kind, uint32_t number,
                       uint32_t value) noexcept {
  if (uint32_t* const known = find(chain, kind, number); known != nullptr) {
    *known = value;
    return true;
  }
  uint32_t last = chain;
  while (last != none && blocks_[last].next != none) {
    last = blocks_[last].next;
  }
  if (last == none || blocks_[last].count == blocks_[last].entries.size()) {
    const uint32_t fresh = take();
    if (fresh == none) {
      ++refused;
      return false;
    }
    (last == none ? chain : blocks_[last].next) = fresh;
    last = fresh;
  }
  Block& block = blocks_[last];
  block.entries[block.count++] = {key_of(kind, number), value};
  return true;
}

void VariablePool::erase(uint32_t& chain, VariableKind kind, uint32_t number) noexcept {
  const uint32_t key = key_of(kind, number);
  uint32_t* link = &chain;
  while (*link != none) {
    Block& block = blocks_[*link];
    const auto first = block.entries.begin();
    const auto last = first + block.count;
    const auto at =
        std::find_if(first, last, [key](const Entry& entry) { return entry.key == key; });
    if (at == last) {
      link = &block.next;
      continue;
    }
    std::copy(at + 1, last, at);
    if (--block.count == 0) {
      const uint32_t empty = *link;
      *link = block.next;
      block.next = free_;
      free_ = empty;
    }
    return;
  }
}

void VariablePool::release(uint32_t& chain) noexcept {
  while (chain != none) {
    const uint32_t next = blocks_[chain].next;
    blocks_[chain].next = free_;
    free_ = chain;
    chain = next;
  }
}

void VariablePool::clear() noexcept {
  free_ = none;
  unused_ = 0;
}

CapturePool::CapturePool(uint32_t blocks_max)
    : blocks_(new Block[blocks_max]), blocks_max_(blocks_max) {}

Bytes CapturePool::find(uint32_t chain, uint32_t variable) const noexcept {
  for (uint32_t at = chain; at != none; at = blocks_[at].next) {
    if (blocks_[at].variable == variable) {
      return {blocks_[at].value.data(), blocks_[at].bytes};
    }
  }
  return {};
}

bool CapturePool::set(uint32_t& chain, uint32_t variable, Bytes value) noexcept {
  uint32_t at = chain;
  while (at != none && blocks_[at].variable != variable) {
    at = blocks_[at].next;
  }
  if (at == none) {
    if (free_ != none) {
      at = free_;
      free_ = blocks_[at].next;
    } else if (unused_ < blocks_max_) {
      at = unused_++;
    } else {
      ++refused;
      return false;
    }
    blocks_[at].variable = variable;
    blocks_[at].next = chain;
    chain = at;
  }
  Block& block = blocks_[at];
  block.bytes = static_cast<uint32_t>(std::min(value.size(), block.value.size()));
  std::copy_n(value.begin(), block.bytes, block.value.begin());
  return true;
}

void CapturePool::release(uint32_t& chain) noexcept {
  while (chain != none) {
    const uint32_t next = blocks_[chain].next;
    blocks_[chain].next = free_;
    free_ = chain;
    chain = next;
  }
}

void CapturePool::clear() noexcept {
  free_ = none;
  unused_ = 0;
}

}  // namespace shrike::detect
