#pragma once
#include <array>
#include <cstdint>

#include "flow_table.h"

namespace shrike::flow {

/// Flows by the second in which to look at them again. A flow that stays busy is not moved by
/// every datagram: it is looked at when its old second comes, and put back under the new one.
/// So the wheel costs a list step per flow and timeout, not per datagram.
/// Source: Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", scheme 6.
class TimerWheel {
 public:
  static constexpr uint32_t spokes = 1024;  ///< seconds; longer timeouts are looked at in between

  explicit TimerWheel(FlowTable& flows) : flows_(flows) {}

  [[nodiscard]] uint32_t now() const noexcept { return now_; }
  [[nodiscard]] bool is_empty() const noexcept { return count_ == 0; }

  /// Starts the wheel, or jumps over seconds in which nobody is to be looked at.
  void set_now(uint32_t tick) noexcept { now_ = tick; }

  /// Holds the slot under `tick`, later than now; a tick too far is cut to the wheel's reach.
  void insert(uint32_t slot, uint32_t tick) noexcept {
    if (tick <= now_) {
      tick = now_ + 1;
    } else if (tick - now_ >= spokes) {
      tick = now_ + spokes - 1;
    }
    Flow& flow = flows_[slot];
    Spoke& spoke = spokes_[tick % spokes];
    flow.wheel_tick = tick;
    flow.wheel_next = 0;
    flow.wheel_previous = spoke.last;
    (spoke.last == 0 ? spoke.first : flows_[spoke.last - 1].wheel_next) = slot + 1;
    spoke.last = slot + 1;
    ++count_;
  }
  void remove(uint32_t slot) noexcept {
    Flow& flow = flows_[slot];
    if (flow.wheel_tick == 0) {
      return;
    }
    Spoke& spoke = spokes_[flow.wheel_tick % spokes];
    (flow.wheel_previous == 0 ? spoke.first : flows_[flow.wheel_previous - 1].wheel_next) =
        flow.wheel_next;
    (flow.wheel_next == 0 ? spoke.last : flows_[flow.wheel_next - 1].wheel_previous) =
        flow.wheel_previous;
    flow.wheel_tick = flow.wheel_next = flow.wheel_previous = 0;
    --count_;
  }
  /// First slot under `tick` plus one, or 0; follow Flow::wheel_next.
  [[nodiscard]] uint32_t first(uint32_t tick) const noexcept {
    return spokes_[tick % spokes].first;
  }

 private:
  /// First in, first out. Slots plus one; 0: nobody.
  struct Spoke {
    uint32_t first = 0;
    uint32_t last = 0;
  };

  FlowTable& flows_;
  std::array<Spoke, spokes> spokes_{};
  uint32_t now_ = 0;
  uint32_t count_ = 0;
};

}  // namespace shrike::flow
