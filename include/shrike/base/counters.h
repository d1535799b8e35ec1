#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace shrike {

/// What a counter says. Statistics, metrics and documents all read this row.
struct CounterRow {
  std::string_view name;     ///< dotted, as in EVE stats: "decoder.ipv4"
  std::string_view unit;     ///< "packets", "bytes", "flows" …
  std::string_view meaning;  ///< one sentence
};

/// Rows and values of one engine on one core, borrowed from that engine.
struct CounterView {
  std::span<const CounterRow> rows;
  std::span<const uint64_t> values;

  /// How many there are. A view that was made of two tables may have more of one than of the other.
  [[nodiscard]] size_t size() const noexcept { return std::min(rows.size(), values.size()); }
  /// A value of an engine that another thread runs: whole, and a moment old.
  [[nodiscard]] uint64_t value(size_t index) const noexcept {
    return std::atomic_ref(const_cast<uint64_t&>(values[index])).load(std::memory_order_relaxed);
  }
};

/// The counters of one engine on one core. One thread bumps, so a bump is a plain load and store;
/// another may read a value that is a moment old (CounterView::value). `E` is an enum class whose
/// last enumerator is `count_`; `rows` has one row each.
template <typename E>
class Counters {
 public:
  static constexpr size_t count = static_cast<size_t>(E::count_);

  void add(E counter, uint64_t by = 1) noexcept {
    uint64_t& value = values_[static_cast<size_t>(counter)];
    std::atomic_ref(value).store(value + by, std::memory_order_relaxed);
  }
  [[nodiscard]] uint64_t get(E counter) const noexcept {
    return values_[static_cast<size_t>(counter)];
  }
  [[nodiscard]] CounterView view(std::span<const CounterRow> rows) const noexcept {
    return {rows, values_};
  }

 private:
  std::array<uint64_t, count> values_{};
};

}  // namespace shrike
