#include "shrike/base/latency.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace shrike {

namespace {

constexpr std::string_view prefix = "latency.";
constexpr std::string_view unit_end = "_us";

}  // namespace

LatencyRows::LatencyRows(std::string_view stage, std::string_view unit, std::string_view meaning) {
  for (size_t i = 0; i < rows_.size(); ++i) {
    const bool is_bounded = i < LatencyHistogram::bounded;
    const uint64_t bound_us = is_bounded ? LatencyHistogram::bound_us(i) : 0;
    names_[i] = is_bounded ? fmt::format("{}{}.{}{}", prefix, stage, bound_us, unit_end)
                           : fmt::format("{}{}.more", prefix, stage);
    meanings_[i] = is_bounded ? fmt::format("{}: up to {} us.", meaning, bound_us)
                              : fmt::format("{}: longer.", meaning);
    rows_[i] = {names_[i], unit, meanings_[i]};
  }
}

std::span<const CounterRow> latency_rows::inspected() {
  static const LatencyRows rows("inspected", "batches", "Received to inspected");
  return rows.rows();
}

std::span<const CounterRow> latency_rows::alert() {
  static const LatencyRows rows("alert", "alerts", "Packet received to alert decided");
  return rows.rows();
}

std::span<const CounterRow> latency_rows::written() {
  static const LatencyRows rows("written", "alerts", "Alert decided to line written");
  return rows.rows();
}

LatencyPlace latency_place(std::string_view counter) noexcept {
  if (!counter.starts_with(prefix)) {
    return {};
  }
  counter.remove_prefix(prefix.size());
  const size_t dot = counter.find('.');
  const auto* const stage =
      std::find(latency_stages.begin(), latency_stages.end(), counter.substr(0, dot));
  if (dot == std::string_view::npos || stage == latency_stages.end()) {
    return {};
  }
  const auto index = static_cast<size_t>(stage - latency_stages.begin());
  const std::string_view bucket = counter.substr(dot + 1);
  if (bucket == "more") {
    return {index, LatencyHistogram::bounded, true};
  }
  uint64_t bound_us = 0;
  std::from_chars(bucket.data(), bucket.data() + bucket.size(), bound_us);
  if (!bucket.ends_with(unit_end) || !std::has_single_bit(bound_us)) {
    return {};
  }
  return {index, static_cast<size_t>(std::countr_zero(bound_us)),
          bound_us < uint64_t{1} << LatencyHistogram::bounded};
}

uint64_t count_of(const LatencyBuckets& buckets) noexcept {
  return std::accumulate(buckets.begin(), buckets.end(), uint64_t{0});
}

uint64_t percentile_us(const LatencyBuckets& buckets, double share) noexcept {
  const uint64_t count = count_of(buckets);
  const auto wanted = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count)));
  uint64_t seen = 0;
  for (size_t i = 0; i < buckets.size(); ++i) {
    seen += buckets[i];
    if (seen != 0 && seen >= wanted) {
      return LatencyHistogram::bound_us(std::min(i, LatencyHistogram::bounded - 1));
    }
  }
  return 0;
}

}  // namespace shrike
