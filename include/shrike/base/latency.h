#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "shrike/base/counters.h"

namespace shrike {

/// How long something took, in buckets that double: up to 1, 2, 4 … 8388608 us (8.4 s), and longer.
/// One thread adds; another may read the view a moment old, as with Counters.
class LatencyHistogram {
 public:
  static constexpr size_t bounded = 24;
  static constexpr size_t buckets = bounded + 1;  ///< the last: longer than any bound

  /// Longest that the bucket takes, in us. REQUIRES: bucket < bounded.
  [[nodiscard]] static constexpr uint64_t bound_us(size_t bucket) noexcept {
    return uint64_t{1} << bucket;
  }
  [[nodiscard]] static constexpr size_t bucket_of(uint64_t ns) noexcept {
    const uint64_t us = ns / 1000 + (ns % 1000 != 0 ? 1 : 0);
    const auto bucket = us <= 1 ? size_t{0} : static_cast<size_t>(std::bit_width(us - 1));
    return bucket < bounded ? bucket : bounded;
  }

  void add(uint64_t ns) noexcept { relaxed::add(values_[bucket_of(ns)], 1); }
  [[nodiscard]] CounterView view(std::span<const CounterRow> rows) const noexcept {
    return {rows, values_};
  }

 private:
  std::array<uint64_t, buckets> values_{};
};

/// The rows of a histogram: "latency.alert.1_us" … "latency.alert.8388608_us",
/// "latency.alert.more".
class LatencyRows {
 public:
  /// @param stage    "alert".
  /// @param unit     what is counted: "alerts".
  /// @param meaning  "From receiving a packet to …".
  LatencyRows(std::string_view stage, std::string_view unit, std::string_view meaning);
  LatencyRows(const LatencyRows&) = delete;
  LatencyRows& operator=(const LatencyRows&) = delete;

  [[nodiscard]] std::span<const CounterRow> rows() const noexcept { return rows_; }

 private:
  std::array<std::string, LatencyHistogram::buckets> names_;
  std::array<std::string, LatencyHistogram::buckets> meanings_;
  std::array<CounterRow, LatencyHistogram::buckets> rows_{};
};

/// The rows of each stage, which collectors and workers share.
namespace latency_rows {
[[nodiscard]] std::span<const CounterRow> inspected();  ///< batches, received to inspected
[[nodiscard]] std::span<const CounterRow> alert();      ///< alerts, packet received to decided
[[nodiscard]] std::span<const CounterRow> written();    ///< alerts, decided to handed to the system
}  // namespace latency_rows

/// Sums of a histogram's buckets over several threads.
using LatencyBuckets = std::array<uint64_t, LatencyHistogram::buckets>;

/// The stages in their order on a packet's way, as rows name them.
inline constexpr std::array<std::string_view, 3> latency_stages{"inspected", "alert", "written"};

/// The stage and the bucket that a counter belongs to, where it is one of a histogram.
struct LatencyPlace {
  size_t stage = 0;  ///< index into latency_stages
  size_t bucket = 0;
  bool exists = false;
};
[[nodiscard]] LatencyPlace latency_place(std::string_view counter) noexcept;

[[nodiscard]] uint64_t count_of(const LatencyBuckets& buckets) noexcept;

/// What is told of a histogram.
struct Percentile {
  std::string_view name;  ///< "p99_us"
  double share;
};
inline constexpr Percentile percentiles[] = {
    {"p50_us", 0.5}, {"p90_us", 0.9}, {"p99_us", 0.99}, {"p999_us", 0.999}};

/// The time below which this share (0 to 1) of all stays, in us: the upper bound of its bucket, the
/// last bound for what is longer; 0 where nothing was counted.
[[nodiscard]] uint64_t percentile_us(const LatencyBuckets& buckets, double share) noexcept;

}  // namespace shrike
