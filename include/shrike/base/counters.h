#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace shrike {

/// Values that one thread changes and others may read: whole, and a moment old. A change is a plain
/// load and store.
namespace relaxed {
inline void store(uint64_t& value, uint64_t now) noexcept {
  std::atomic_ref(value).store(now, std::memory_order_relaxed);
}
inline void add(uint64_t& value, uint64_t by) noexcept {
  store(value, value + by);
}
[[nodiscard]] inline uint64_t load(const uint64_t& value) noexcept {
  return std::atomic_ref(const_cast<uint64_t&>(value)).load(std::memory_order_relaxed);
}
}  // namespace relaxed

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
  [[nodiscard]] uint64_t value(size_t index) const noexcept { return relaxed::load(values[index]); }
};

/// The counters of one engine on one core. One thread bumps, so a bump is a plain load and store;
/// another may read a value that is a moment old (CounterView::value). `E` is an enum class whose
/// last enumerator is `count_`; `rows` has one row each.
template <typename E>
class Counters {
 public:
  static constexpr size_t count = static_cast<size_t>(E::count_);

  void add(E counter, uint64_t by = 1) noexcept {
    relaxed::add(values_[static_cast<size_t>(counter)], by);
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
