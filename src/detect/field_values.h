#pragma once
#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "shrike/model/rule_tables.h"
#include "shrike/model/transaction.h"
#include "transforms.h"
#include "verify.h"

namespace shrike::detect {

/// The values of one transaction in one direction as rules see them during one inspection: by
/// field, of growing bodies what is to be looked at now, and with transforms applied, each once.
class FieldValues {
 public:
  static constexpr uint32_t none = 0xffffffff;

  FieldValues(uint32_t pcre_match_limit, uint32_t pcre_recursion_limit);

  using View = BufferView;

  /// Takes up a transaction. @param at_end: nothing follows, whatever its bodies say.
  void begin(const RuleTables& tables, const Transaction& transaction, Direction direction,
             bool at_end) noexcept;
  /// Notes in the bodies what was looked at.
  void commit() noexcept;

  /// Values of a field, in order: first_of(field), next_of(index) … until none.
  [[nodiscard]] uint32_t first_of(Field field) const noexcept {
    return present_[static_cast<size_t>(field)] ? first_[static_cast<size_t>(field)] : none;
  }
  [[nodiscard]] uint32_t next_of(uint32_t index) const noexcept { return next_[index]; }
  [[nodiscard]] bool has(Field field) const noexcept {
    return present_[static_cast<size_t>(field)];
  }
  [[nodiscard]] const FieldValue& operator[](uint32_t index) const noexcept {
    return values_[index];
  }
  [[nodiscard]] uint32_t size() const noexcept { return static_cast<uint32_t>(values_.size()); }

  /// No further value of the field will come.
  [[nodiscard]] bool is_final(Field field) const noexcept {
    return progress_ >= row_of(field).final_at;
  }

  /// A value under a list of transforms. Nothing: of a body, there is nothing to look at now.
  [[nodiscard]] std::optional<View> view(uint32_t index, uint32_t transforms) noexcept;

  /// Has a body grown so that it is to be looked at?
  [[nodiscard]] static bool has_news(const Transaction& transaction, Direction direction) noexcept;

  uint64_t values_refused = 0;
  [[nodiscard]] uint64_t take_scratch_refused() noexcept {
    return std::exchange(scratch_.refused, 0);
  }

 private:
  /// Values seen of one transaction and direction; more are not inspected, and counted.
  static constexpr uint32_t values_max = 16384;
  static constexpr uint32_t bodies_max = 256;
  static constexpr size_t scratch_bytes_max = size_t{4} << 20;
  static constexpr uint32_t cached_max = 4096;
  static constexpr uint32_t buckets = 512;

  /// What is looked at of a growing body in this inspection.
  struct Window {
    uint32_t index = 0;
    bool is_open = false;
    View view;
  };
  struct Cached {
    uint32_t index = 0;
    uint32_t transforms = 0;
    uint32_t next = none;
    Bytes bytes;
  };

  void open_window(uint32_t index, bool at_end) noexcept;
  [[nodiscard]] uint64_t window_start(const FieldValue& value) const noexcept;
  [[nodiscard]] const Window* window_of(uint32_t index) const noexcept;
  [[nodiscard]] Bytes transformed(uint32_t index, uint32_t transforms, Bytes bytes) noexcept;
  static size_t bucket_of(uint32_t index, uint32_t transforms) noexcept {
    return (index * 31 + transforms) % buckets;
  }

  const RuleTables* tables_ = nullptr;
  AppProtocol protocol_ = AppProtocol::unknown;
  Progress progress_ = Progress::started;
  std::span<const FieldValue> values_;
  std::bitset<fields_count> present_;
  std::array<uint32_t, fields_count> first_{};
  std::array<uint32_t, fields_count> last_{};
  std::unique_ptr<uint32_t[]> next_;  ///< [values_max]
  std::array<Window, bodies_max> windows_{};
  size_t window_count_ = 0;
  std::unique_ptr<Cached[]> cached_;  ///< [cached_max]
  uint32_t cached_count_ = 0;
  std::array<uint32_t, buckets> heads_{};
  ByteScratch scratch_;
  Transformer transformer_;
};

}  // namespace shrike::detect
