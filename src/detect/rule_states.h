#pragma once
#include <array>
#include <cstdint>
#include <memory>

#include "shrike/model/stream.h"

namespace shrike::detect {

/// What is remembered of rules that looked at a transaction which is not complete yet: steps that
/// matched, or that the rule is over with it. Small blocks out of one pool, chained by flow. Memory
/// is taken once; a full pool is a counted outcome and the rule begins anew.
class RuleStatePool {
 public:
  static constexpr uint32_t none = 0xffffffff;

  /// Steps of a rule that can be remembered, one bit each; later ones are run again.
  static constexpr uint32_t steps_max = 31;
  static constexpr uint32_t is_over = 1u << 31;  ///< fired, or cannot match any more

  /// A transaction in one direction: its id, of which 31 bits tell those of a flow apart.
  class Key {
   public:
    Key(uint64_t transaction_id, Direction direction) noexcept
        : value_(static_cast<uint32_t>(transaction_id << 1) | static_cast<uint32_t>(direction)) {}
    [[nodiscard]] uint32_t value() const noexcept { return value_; }

   private:
    uint32_t value_;
  };

  explicit RuleStatePool(uint32_t blocks_max);

  /// The steps of a rule; null where nothing is remembered.
  [[nodiscard]] uint32_t* find(uint32_t chain, Key key, uint32_t rule) noexcept;
  /// Remembers a rule of which nothing is remembered. May begin the chain.
  void add(uint32_t& chain, Key key, uint32_t rule, uint32_t steps) noexcept;
  /// Forgets all rules of a transaction in one direction.
  void erase(uint32_t& chain, Key key) noexcept;
  void release(uint32_t& chain) noexcept;
  void clear() noexcept;

  /// Calls visit(rule) for each rule of the transaction that is not over.
  template <typename Visit>
  void for_each_open(uint32_t chain, Key key, Visit&& visit) const noexcept {
    for (uint32_t at = chain; at != none; at = blocks_[at].next) {
      for (uint32_t i = 0; i < blocks_[at].count; ++i) {
        const Entry& entry = blocks_[at].entries[i];
        if (entry.key == key.value() && (entry.steps & is_over) == 0) {
          visit(entry.rule);
        }
      }
    }
  }

  uint64_t refused = 0;

 private:
  // Without initial values, so that memory is not touched before it is used.
  struct Entry {
    uint32_t key;
    uint32_t rule;
    uint32_t steps;
  };
  struct Block {
    uint32_t next;
    uint32_t count;
    std::array<Entry, 4> entries;
  };
  static_assert(sizeof(Block) == 56);

  std::unique_ptr<Block[]> blocks_;
  uint32_t blocks_max_;
  uint32_t free_ = none;  ///< chain of given-back blocks
  uint32_t unused_ = 0;   ///< blocks from here on were never taken
};

}  // namespace shrike::detect
