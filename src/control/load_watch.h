#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "shrike/base/counters.h"
#include "shrike/capture/ports.h"
#include "shrike/control.h"
#include "shrike/worker/live.h"

namespace shrike::control {

/// How busy each worker is, how evenly they share, and how full their rings and pools ever were:
/// for statistics as counters, for the operator as WorkerLoad. The house-keeping thread looks;
/// views may be read by others.
class LoadWatch {
 public:
  /// What is there at one time, one of each a worker; pools may be missing.
  struct Seen {
    uint64_t now_ns = 0;  ///< of a clock that nobody sets
    std::vector<uint64_t> busy_ns;
    std::vector<uint64_t> packets;
    std::vector<worker::RingUse> record_rings;
    std::vector<worker::RingUse> hand_over_rings;
    std::vector<capture::PoolUse> pools;
  };

  explicit LoadWatch(std::vector<std::string> workers);

  /// Loads are those between two looks, of which the second comes at least a second later.
  void look(const Seen& seen);

  /// Valid as long as this.
  [[nodiscard]] CounterView view_of(size_t worker) const noexcept;
  [[nodiscard]] CounterView sums() const noexcept;
  [[nodiscard]] const std::vector<WorkerLoad>& workers() const noexcept { return workers_; }

 private:
  enum class Gauge : uint8_t {
    load,
    record_ring_bytes,
    record_ring_bytes_max,
    hand_over_ring_bytes_max,
    buffers,
    buffers_in_use,
    buffers_in_use_max,
    count_,
  };
  enum class Sum : uint8_t { mean_load, busiest_load, imbalance, count_ };
  using Gauges = std::array<uint64_t, static_cast<size_t>(Gauge::count_)>;

  void measure_loads(const Seen& seen);
  void publish();

  std::vector<WorkerLoad> workers_;
  std::vector<Gauges> gauges_;  ///< of each worker
  std::array<uint64_t, static_cast<size_t>(Sum::count_)> sums_{};
  uint64_t last_ns_ = 0;
  std::vector<uint64_t> last_busy_ns_;
};

}  // namespace shrike::control
