#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "shrike/top.h"

namespace shrike::app {

/// How much a counter grew; 0 where it did not.
[[nodiscard]] constexpr uint64_t growth(uint64_t before, uint64_t now) noexcept {
  return now > before ? now - before : 0;
}

/// What happened between two samples of one sensor. Where the second is of a sensor that started
/// anew, everything since its start.
class TopChange {
 public:
  /// `now` is borrowed.
  TopChange(const top::Sample& before, const top::Sample& now);

  [[nodiscard]] double seconds() const noexcept { return seconds_; }
  [[nodiscard]] const top::Sample& before() const noexcept { return before_; }
  /// Of the same name; all zero where it was not there.
  [[nodiscard]] top::Port port_before(std::string_view name) const;
  [[nodiscard]] top::Worker worker_before(std::string_view name) const;
  [[nodiscard]] uint64_t lost_lately(const top::Loss& loss) const noexcept;
  [[nodiscard]] LatencyBuckets latency(size_t stage) const noexcept;
  /// Load of the busiest worker over the mean.
  [[nodiscard]] double imbalance() const noexcept;

  struct Fired {
    const top::Signature* signature;
    uint64_t lately;  ///< alerts written
  };
  /// Most alerts of late first, then most of all.
  [[nodiscard]] std::vector<Fired> fired() const;

 private:
  const top::Sample& now_;
  top::Sample before_;
  double seconds_ = 0;
};

}  // namespace shrike::app
