#include "load_watch.h"

#include <algorithm>
#include <utility>

#include "shrike/base/load_sums.h"

namespace shrike::control {

namespace {

constexpr uint64_t second_ns = 1'000'000'000;

constexpr CounterRow gauge_rows[] = {
    {"worker.load", "permille", "Share of the last seconds that was spent on packets."},
    {"worker.record_ring_bytes", "bytes", "Size of the ring to the collector."},
    {"worker.record_ring_bytes_max", "bytes", "Most that ever waited in it."},
    {"worker.hand_over_ring_bytes_max", "bytes", "Most that ever waited from another worker."},
    {"worker.buffers", "buffers", "Packet buffers of the pool."},
    {"worker.buffers_in_use", "buffers", "… in use, those of the port's descriptors too."},
    {"worker.buffers_in_use_max", "buffers", "Most that ever were in use at a look."},
};
constexpr CounterRow sum_rows[] = {
    {"load.mean", "permille", "Load of all workers, on average."},
    {"load.busiest", "permille", "Load of the busiest worker."},
    {"load.imbalance", "permille", "Load of the busiest worker for 1000 of the mean."},
};

}  // namespace

LoadWatch::LoadWatch(std::vector<std::string> workers)
    : workers_(workers.size()), gauges_(workers.size()), last_busy_ns_(workers.size()) {
  static_assert(std::size(gauge_rows) == static_cast<size_t>(Gauge::count_));
  static_assert(std::size(sum_rows) == static_cast<size_t>(Sum::count_));
  for (size_t i = 0; i < workers.size(); ++i) {
    workers_[i].name = std::move(workers[i]);
  }
}

void LoadWatch::look(const Seen& seen) {
  for (size_t i = 0; i < workers_.size(); ++i) {
    WorkerLoad& worker = workers_[i];
    worker.packets = seen.packets[i];
    worker.record_ring = seen.record_rings[i];
    worker.hand_over_ring = seen.hand_over_rings[i];
    if (i < seen.pools.size()) {
      worker.pool = seen.pools[i];
      worker.buffers_in_use_max = std::max(worker.buffers_in_use_max, worker.pool.in_use);
    }
  }
  if (last_ns_ == 0 || seen.now_ns >= last_ns_ + second_ns) {
    measure_loads(seen);
  }
  publish();
}

void LoadWatch::measure_loads(const Seen& seen) {
  const uint64_t passed_ns = seen.now_ns - last_ns_;
  for (size_t i = 0; i < workers_.size() && last_ns_ != 0; ++i) {
    const uint64_t busy_ns = seen.busy_ns[i] - last_busy_ns_[i];
    workers_[i].load_permille =
        static_cast<uint32_t>(std::min<uint64_t>(1000, busy_ns * 1000 / passed_ns));
  }
  last_ns_ = seen.now_ns;
  last_busy_ns_ = seen.busy_ns;
}

void LoadWatch::publish() {
  LoadSums loads;
  for (size_t i = 0; i < workers_.size(); ++i) {
    const WorkerLoad& worker = workers_[i];
    const Gauges now{worker.load_permille,
                     worker.record_ring.bytes,
                     worker.record_ring.waiting_bytes_max,
                     worker.hand_over_ring.waiting_bytes_max,
                     worker.pool.buffers,
                     worker.pool.in_use,
                     worker.buffers_in_use_max};
    for (size_t gauge = 0; gauge < now.size(); ++gauge) {
      relaxed::store(gauges_[i][gauge], now[gauge]);
    }
    loads.add(worker.load_permille);
  }
  relaxed::store(sums_[static_cast<size_t>(Sum::mean_load)], loads.mean());
  relaxed::store(sums_[static_cast<size_t>(Sum::busiest_load)], loads.busiest());
  relaxed::store(sums_[static_cast<size_t>(Sum::imbalance)], loads.imbalance_permille());
}

CounterView LoadWatch::view_of(size_t worker) const noexcept {
  return {gauge_rows, gauges_[worker]};
}

CounterView LoadWatch::sums() const noexcept {
  return {sum_rows, sums_};
}

}  // namespace shrike::control
