#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace shrike {

/// Loads of workers, added up, in permille of a core each.
class LoadSums {
 public:
  void add(uint64_t permille) noexcept {
    ++workers_;
    sum_ += permille;
    busiest_ = std::max(busiest_, permille);
  }
  [[nodiscard]] uint64_t mean() const noexcept { return workers_ == 0 ? 0 : sum_ / workers_; }
  [[nodiscard]] uint64_t busiest() const noexcept { return busiest_; }
  /// The busiest over the mean; 1 where nobody has any load.
  [[nodiscard]] double imbalance() const noexcept {
    return sum_ == 0 ? 1
                     : static_cast<double>(busiest_) * static_cast<double>(workers_) /
                           static_cast<double>(sum_);
  }
  /// The same in permille, rounded down.
  [[nodiscard]] uint64_t imbalance_permille() const noexcept {
    return sum_ == 0 ? 1000 : busiest_ * 1000 * workers_ / sum_;
  }

 private:
  uint64_t workers_ = 0;
  uint64_t sum_ = 0;
  uint64_t busiest_ = 0;
};

}  // namespace shrike
