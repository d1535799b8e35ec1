#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "shrike/base/counters.h"
#include "shrike/base/ring.h"
#include "shrike/capture/card_rules.h"
#include "shrike/flow.h"

namespace shrike::worker {

/// What a worker asks the house-keeping thread for: a flow has nothing left to inspect, or is over.
struct BypassWish {
  enum class Kind : uint8_t { install, end } kind = Kind::install;
  uint32_t slot = 0;
  uint64_t eve_id = 0;
  capture::CardTuple tuple;  ///< from client to server
};

/// What became of it.
struct BypassReport {
  enum class Kind : uint8_t {
    installed,
    removed,  ///< or never installed: its packets come to the worker
    traffic,  ///< the card dropped these since the last report
  } kind = Kind::removed;
  uint32_t slot = 0;
  uint64_t eve_id = 0;
  std::array<uint64_t, 2> packets{};  ///< by Direction
  std::array<uint64_t, 2> bytes{};
};

/// Where one worker and the house-keeping thread speak about flows that the network card may drop.
/// The worker never waits: a wish that finds no room is forgotten, and made again with the flow's
/// next packet. That a flow is over always finds room, or a rule would blind the sensor for the
/// next flow of its tuple. Memory is taken by the constructor.
class BypassDesk {
 public:
  /// @param flows_max  of this worker that may be spoken of at once.
  explicit BypassDesk(uint32_t flows_max);

  // The worker's side.

  /// A datagram of a bypassed flow came all the same.
  void want(const Tracked& tracked) noexcept;
  /// A flow is over. @return whether it was ever in the card; then `end` says what was dropped.
  bool end(FlowEnd& end) noexcept;
  /// Flows whose packets the card still drops go on.
  void take_reports(flow::FlowTracker& flows, uint64_t clock_ns) noexcept;
  [[nodiscard]] CounterView counters() const noexcept;

  // The house-keeping thread's side.

  [[nodiscard]] bool next_wish(BypassWish& wish) noexcept;
  /// @return false where the worker has not read for long.
  bool report(const BypassReport& report) noexcept;

 private:
  enum class Counter : uint8_t { wishes, table_full, too_many, count_ };

  /// A flow that was spoken of, until it ends.
  struct Asked {
    uint64_t eve_id = 0;
    uint32_t slot = 0;
    bool is_used = false;
    bool is_open = false;  ///< the wish is out, or the rule is in the card
    bool was_in_card = false;
    uint64_t again_ns = 0;  ///< not asked for before, where the card did not take it
    std::array<uint64_t, 2> packets{};
    std::array<uint64_t, 2> bytes{};
  };

  [[nodiscard]] Asked* find(uint32_t slot, uint64_t eve_id) noexcept;
  [[nodiscard]] Asked* take_place(uint32_t slot, uint64_t eve_id) noexcept;
  [[nodiscard]] bool has_budget(uint64_t clock_ns) noexcept;

  std::vector<Asked> asked_;  ///< by slot: a few places from slot & mask on
  RecordRing wishes_;
  RecordRing reports_;
  uint64_t budget_second_ = 0;
  uint32_t wishes_in_second_ = 0;
  Counters<Counter> counters_;
};

}  // namespace shrike::worker
