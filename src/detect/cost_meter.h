#pragma once
#include <x86intrin.h>

#include <cstdint>

#include "shrike/model/rule_costs.h"

namespace shrike::detect {

/// Decides which batches are measured, and adds up what is. One core's. Between two samples lies a
/// random number of batches: traffic that repeats itself would else show the same rules each time.
class CostMeter {
 public:
  /// @param sample_batches  one in so many, on average; 0: none.
  explicit CostMeter(uint32_t sample_batches) noexcept;

  void use(RuleCosts* costs) noexcept {
    costs_ = costs;
    is_on_ = false;
  }
  /// Costs of another rule set than this have no place any more.
  void take_up(uint64_t generation) noexcept {
    if (costs_ != nullptr && costs_->generation() != generation) {
      use(nullptr);
    }
  }
  void begin_batch() noexcept {
    if (costs_ == nullptr || sample_batches_ == 0) {
      return;
    }
    is_on_ = --until_sample_ == 0;
    costs_->add_batch(is_on_);
    if (is_on_) [[unlikely]] {
      until_sample_ = next_distance();
    }
  }

  /// Whether the batch at hand is measured. What follows is only for then.
  [[nodiscard]] bool is_on() const noexcept { return is_on_; }
  [[nodiscard]] static uint64_t now() noexcept { return __rdtsc(); }
  void add_check(uint32_t rule, uint64_t began) noexcept {
    costs_->add_check(rule, spent_since(began));
  }
  void add_match(uint32_t rule) noexcept { costs_->add_match(rule); }
  void add_scan(uint64_t began) noexcept { costs_->add_scan(spent_since(began)); }
  void add_datagram(uint64_t began) noexcept { costs_->add_datagram(spent_since(began)); }

 private:
  [[nodiscard]] uint64_t spent_since(uint64_t began) const noexcept {
    const uint64_t spent = now() - began;
    return spent > clock_cycles_ ? spent - clock_cycles_ : 0;
  }
  [[nodiscard]] uint32_t next_distance() noexcept;

  const uint32_t sample_batches_;
  const uint64_t clock_cycles_;  ///< between two readings of the counter, at least
  uint32_t until_sample_ = 1;
  uint64_t random_ = 0x9e3779b97f4a7c15;  ///< same seed, same samples
  bool is_on_ = false;
  RuleCosts* costs_ = nullptr;
};

}  // namespace shrike::detect
