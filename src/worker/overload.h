#pragma once
#include <array>
#include <atomic>
#include <span>
#include <vector>

#include "shrike/base/counters.h"
#include "shrike/flow.h"
#include "shrike/worker/live.h"

namespace shrike::worker {

/// What one live worker stops inspecting when it cannot keep up, and which flows are too much for
/// a core by themselves (OverloadOptions). The worker says once a batch whether its queues have a
/// backlog, and shows what it inspected while `is_choosing`. One thread, but for `began_ns` and
/// the counters. Memory is taken by the constructor.
class Overload {
 public:
  Overload(const OverloadOptions& options, uint32_t flow_slots);

  /// After each batch, and now and then without one.
  /// @param has_backlog  another full batch waits, or other workers wait to hand over
  /// @param now_ns       on a clock that nobody sets
  void note(bool has_backlog, uint64_t now_ns) noexcept {
    if (has_backlog || score_ns_ != 0) [[unlikely]] {
      weigh(has_backlog, now_ns);
    }
    noted_ns_ = now_ns;
  }

  /// Whether `choose` wants to see what is inspected.
  [[nodiscard]] bool is_choosing() const noexcept { return is_shedding_ || has_elephants_; }

  /// Gives up flows among those that these datagrams, just inspected, belong to.
  void choose(std::span<const Tracked> tracked, flow::FlowTracker& flows) noexcept;

  /// When the overload began that is under way, on the wall clock; 0: none is. Any thread.
  [[nodiscard]] uint64_t began_ns() const noexcept {
    return began_ns_.load(std::memory_order_acquire);
  }
  [[nodiscard]] CounterView counters() const noexcept;

 private:
  enum class Counter : uint8_t { periods, steps, backlog_ns, count_ };

  /// A flow's bytes in the present window, for elephants.
  struct Window {
    uint64_t eve_id = 0;
    uint64_t number = 0;
    uint64_t bytes = 0;
  };

  void weigh(bool has_backlog, uint64_t now_ns) noexcept;
  void press(uint64_t now_ns) noexcept;
  void step_down() noexcept;
  void end() noexcept;
  void relieve(const Tracked& tracked, uint64_t bytes, flow::FlowTracker& flows) noexcept;
  void watch(const Tracked& tracked, flow::FlowTracker& flows) noexcept;

  const OverloadOptions options_;
  const bool has_elephants_;
  const uint64_t window_bytes_max_;
  uint64_t score_ns_ = 0;  ///< time with a backlog, on balance
  uint64_t noted_ns_ = 0;
  uint64_t next_step_ns_ = 0;
  bool is_shedding_ = false;
  uint64_t size_min_bytes_ = UINT64_MAX;  ///< flows beyond it are large
  /// Bytes that came since the last step, by the size of their flows: bit width of its bytes.
  std::array<uint64_t, 65> sizes_{};
  std::vector<Window> windows_;  ///< by slot; empty without elephants
  std::atomic<uint64_t> began_ns_{0};
  Counters<Counter> counters_;
};

}  // namespace shrike::worker
