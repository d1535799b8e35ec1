#include "cost_meter.h"

#include <algorithm>

#include "shrike/base/hash.h"

namespace shrike::detect {

namespace {

uint64_t measure_clock() noexcept {
  uint64_t least = UINT64_MAX;
  for (unsigned i = 0; i < 64; ++i) {
    const uint64_t began = __rdtsc();
    least = std::min<uint64_t>(least, __rdtsc() - began);
  }
  return least;
}

}  // namespace

CostMeter::CostMeter(uint32_t sample_batches) noexcept
    : sample_batches_(sample_batches), clock_cycles_(measure_clock()) {
  until_sample_ = next_distance();
}

/// 1 to 2 n - 1, so n on average.
uint32_t CostMeter::next_distance() noexcept {
  random_ = mix64(random_ + 1);
  return sample_batches_ <= 1
             ? 1
             : 1 + static_cast<uint32_t>(random_ % (2 * uint64_t{sample_batches_} - 1));
}

}  // namespace shrike::detect
