#include "rule_states.h"

namespace shrike::detect {

RuleStatePool::RuleStatePool(uint32_t blocks_max)
    : blocks_(new Block[blocks_max]), blocks_max_(blocks_max) {}

void RuleStatePool::clear() noexcept {
  free_ = none;
  unused_ = 0;
}

uint32_t* RuleStatePool::find(uint32_t chain, Key key, uint32_t rule) noexcept {
  for (uint32_t at = chain; at != none; at = blocks_[at].next) {
    for (uint32_t i = 0; i < blocks_[at].count; ++i) {
      Entry& entry = blocks_[at].entries[i];
      if (entry.key == key.value() && entry.rule == rule) {
        return &entry.steps;
      }
    }
  }
  return nullptr;
}

void RuleStatePool::add(uint32_t& chain, Key key, uint32_t rule, uint32_t steps) noexcept {
  if (chain == none || blocks_[chain].count == blocks_[chain].entries.size()) {
    if (free_ == none && unused_ == blocks_max_) {
      ++refused;
      return;
    }
    const uint32_t taken = free_ != none ? free_ : unused_++;
    if (taken == free_) {
      free_ = blocks_[taken].next;
    }
    blocks_[taken].next = chain;
    blocks_[taken].count = 0;
    chain = taken;
  }
  Block& block = blocks_[chain];
  block.entries[block.count++] = {key.value(), rule, steps};
}

/// Packs what stays to the front of the chain's blocks and gives back those that become empty.
void RuleStatePool::erase(uint32_t& chain, Key key) noexcept {
  uint32_t* link = &chain;
  while (*link != none) {
    Block& block = blocks_[*link];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < block.count; ++i) {
      if (block.entries[i].key != key.value()) {
        block.entries[kept++] = block.entries[i];
      }
    }
    block.count = kept;
    if (kept != 0) {
      link = &block.next;
      continue;
    }
    const uint32_t emptied = *link;
    *link = block.next;
    blocks_[emptied].next = free_;
    free_ = emptied;
  }
}

void RuleStatePool::release(uint32_t& chain) noexcept {
  while (chain != none) {
    const uint32_t next = blocks_[chain].next;
    blocks_[chain].next = free_;
    free_ = chain;
    chain = next;
  }
}

}  // namespace shrike::detect
