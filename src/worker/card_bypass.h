#pragma once
#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <utility>
#include <vector>

#include "bypass_desk.h"
#include "shrike/capture/card_rules.h"

namespace shrike::worker {

struct CardBypassOptions {
  /// Flows that cards drop at once, over all workers. Cards keep some thousand exact rules (ixgbe
  /// 8 k of one direction, i40e 8 k, mlx5 more, at a cost).
  uint32_t flows_max = 4096;
  /// A rule takes a card's firmware up to a millisecond, and the thread has other things to do.
  uint32_t installs_a_second = 1000;
  uint64_t count_interval_ns = 2'000'000'000;  ///< between two looks at what a rule dropped
  uint32_t counts_a_turn = 64;
  /// A full table gives up the flow that has been silent longest, from here on.
  uint64_t evicted_idle_ns = 10'000'000'000;
};

/// The flows that network cards drop, of all workers. The house-keeping thread alone: installing,
/// counting and removing is slow, and bounded a turn.
class CardBypass {
 public:
  /// Everything is borrowed and outlives this.
  CardBypass(std::vector<capture::CardRules*> cards, std::vector<BypassDesk*> desks,
             const CardBypassOptions& options = {});
  /// Takes every rule out of the cards.
  ~CardBypass();
  CardBypass(const CardBypass&) = delete;
  CardBypass& operator=(const CardBypass&) = delete;

  /// One turn: what workers wish, and a few looks at what was dropped.
  void keep(uint64_t now_ns) noexcept;
  /// Tells the workers all that was dropped until now: before flows end with the run.
  void tell_all(uint64_t now_ns) noexcept;

  [[nodiscard]] CounterView counters() const noexcept;

 private:
  enum class Counter : uint8_t {
    packets,
    bytes,
    closed,
    flows,
    installed,
    refused,
    full,
    throttled,
    evicted,
    count_,
  };

  /// One direction of a flow, in one card.
  struct Side {
    capture::CardRules* card = nullptr;
    capture::CardRules::Rule rule = nullptr;
    size_t direction = 0;
    uint64_t packets = 0;  ///< as last told
    uint64_t bytes = 0;
  };
  struct Flow {
    size_t desk = 0;
    uint32_t slot = 0;
    uint64_t eve_id = 0;
    uint64_t counted_ns = 0;
    uint64_t active_ns = 0;
    std::vector<Side> sides;
  };
  using Flows = std::list<Flow>;
  using Key = std::pair<size_t, uint64_t>;  ///< desk, eve_id

  void install(size_t desk, const BypassWish& wish, uint64_t now_ns);
  [[nodiscard]] bool has_budget(uint64_t now_ns) noexcept;
  [[nodiscard]] bool make_room(uint64_t now_ns);
  void end(size_t desk, const BypassWish& wish);
  void count(Flow& flow, uint64_t now_ns) noexcept;
  void take_out(Flows::iterator flow);
  void refuse(size_t desk, const BypassWish& wish, Counter why) noexcept;

  const std::vector<capture::CardRules*> cards_;
  const std::vector<BypassDesk*> desks_;
  const CardBypassOptions options_;
  Flows flows_;  ///< what was counted longest ago first
  std::map<Key, Flows::iterator> by_key_;
  uint64_t budget_from_ns_ = 0;
  uint32_t installs_ = 0;
  Counters<Counter> counters_;
};

}  // namespace shrike::worker
