#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "rule_states.h"
#include "shrike/base/bytes.h"
#include "shrike/model/limits.h"
#include "shrike/model/rule_tables.h"
#include "shrike/model/stream.h"

namespace shrike::detect {

/// What a block of variables holds: bits and integers have a number, the rest is chained bytes.
enum class VariableKind : uint8_t { bit, integer };

/// Bits and integers that rules set on flows: small blocks out of one pool, chained for the few
/// flows that have many, in the order in which they were set (EVE lists them so). Memory is taken
/// once; a full pool is a counted outcome and the variable stays unset.
class VariablePool {
 public:
  static constexpr uint32_t none = 0xffffffff;

  explicit VariablePool(uint32_t blocks_max);

  /// The value of a variable in the chain that starts at `chain`, or null.
  [[nodiscard]] uint32_t* find(uint32_t chain, VariableKind kind, uint32_t number) noexcept;
  /// Sets it, appending it where it is new; false where the pool is full. May begin the chain.
  bool set(uint32_t& chain, VariableKind kind, uint32_t number, uint32_t value) noexcept;
  void erase(uint32_t& chain, VariableKind kind, uint32_t number) noexcept;
  void release(uint32_t& chain) noexcept;
  void clear() noexcept;

  /// Calls visit(kind, number, value&) for each variable of a chain, in order.
  template <typename Visit>
  void for_each(uint32_t chain, Visit&& visit) noexcept {
    for (uint32_t at = chain; at != none; at = blocks_[at].next) {
      for (uint32_t i = 0; i < blocks_[at].count; ++i) {
        Entry& entry = blocks_[at].entries[i];
        visit(static_cast<VariableKind>(entry.key & 1), entry.key >> 1, entry.value);
      }
    }
  }
  /// As above, and lets `translate(kind, number)` give another number, or `none` to drop it.
  template <typename Translate>
  void renumber(uint32_t& chain, Translate&& translate) noexcept;

  uint64_t refused = 0;

 private:
  // Without initial values, so that memory is not touched before it is used.
  struct Entry {
    uint32_t key;  ///< number << 1 | kind
    uint32_t value;
  };
  struct Block {
    uint32_t next;
    uint32_t count;
    std::array<Entry, 7> entries;
  };
  static_assert(sizeof(Block) == 64);

  static uint32_t key_of(VariableKind kind, uint32_t number) noexcept {
    return number << 1 | static_cast<uint32_t>(kind);
  }
  [[nodiscard]] uint32_t take() noexcept;

  std::unique_ptr<Block[]> blocks_;
  uint32_t blocks_max_;
  uint32_t free_ = none;  ///< chain of given-back blocks
  uint32_t unused_ = 0;   ///< blocks from here on were never taken
};

template <typename Translate>
void VariablePool::renumber(uint32_t& chain, Translate&& translate) noexcept {
  uint32_t old = chain;
  chain = none;
  for (uint32_t at = old; at != none; at = blocks_[at].next) {
    for (uint32_t i = 0; i < blocks_[at].count; ++i) {
      const Entry entry = blocks_[at].entries[i];
      const auto kind = static_cast<VariableKind>(entry.key & 1);
      const uint32_t number = translate(kind, entry.key >> 1);
      if (number != none) {
        set(chain, kind, number, entry.value);
      }
    }
  }
  release(old);
}

/// Captured bytes kept with a flow (`pcre` with `flow:`): one fixed block a value, chained.
class CapturePool {
 public:
  static constexpr uint32_t none = 0xffffffff;

  explicit CapturePool(uint32_t blocks_max);
  [[nodiscard]] Bytes find(uint32_t chain, uint32_t variable) const noexcept;
  /// Keeps at most limits::flow_variable_bytes_max bytes. False where the pool is full.
  bool set(uint32_t& chain, uint32_t variable, Bytes value) noexcept;
  void release(uint32_t& chain) noexcept;
  void clear() noexcept;

  uint64_t refused = 0;

 private:
  struct Block {
    uint32_t next;
    uint32_t variable;
    uint32_t bytes;
    std::array<uint8_t, limits::flow_variable_bytes_max> value;
  };
  std::unique_ptr<Block[]> blocks_;
  uint32_t blocks_max_;
  uint32_t free_ = none;
  uint32_t unused_ = 0;
};

/// What detection remembers of a flow between datagrams. Without initial values: see `open`.
struct FlowSlot {
  static constexpr uint16_t no_group = 0xffff;
  std::array<uint16_t, 2> groups;  ///< the scan plan of each sender (FlowView::sender)
  std::array<bool, 2> address_rules_done;
  std::array<bool, 2> protocol_rules_done;  ///< for the identification at hand
  std::array<bool, 2> has_app_news;         ///< transactions changed since they were inspected
  std::array<bool, 2> has_app_data;         ///< … because bytes came in that direction
  uint8_t protocol;
  FlowVerdict verdict;
  uint32_t variables;  ///< chain in the VariablePool
  uint32_t captures;   ///< chain in the CapturePool
  uint32_t tags;       ///< chain in the TagTable
  uint32_t states;     ///< chain in the RuleStatePool

  /// The slot of a flow that just began.
  [[nodiscard]] static FlowSlot fresh(uint8_t protocol) noexcept {
    FlowSlot slot{};
    slot.groups = {no_group, no_group};
    slot.protocol = protocol;
    slot.verdict = FlowVerdict::inspect;
    slot.variables = slot.tags = VariablePool::none;
    slot.captures = CapturePool::none;
    slot.states = RuleStatePool::none;
    return slot;
  }
};
static_assert(sizeof(FlowSlot) == 32);

}  // namespace shrike::detect
