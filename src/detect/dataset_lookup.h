#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "shrike/base/bytes.h"
#include "shrike/model/rule_tables.h"

namespace shrike::detect {

/// Looks buffers up in datasets, and keeps what rules put in or took out while they ran. Memory for
/// that is taken once and bounded; what finds no room is counted and not kept.
class Datasets {
 public:
  Datasets();

  /// Forgets what rules changed: another rule set comes.
  void clear() noexcept;

  /// Tells whether the buffer is (not) in the set, as the command asks, and changes the set where
  /// it says so. Source: Suricata user guide, "Datasets".
  [[nodiscard]] bool matches(const RuleTables& tables, const DatasetArguments& arguments,
                             Bytes buffer) noexcept;

  uint64_t refused = 0;

 private:
  static constexpr uint32_t changes_max = 1u << 15;
  static constexpr uint32_t slots = 2 * changes_max;
  static constexpr uint32_t key_bytes_max = 4u << 20;
  static constexpr size_t address_bytes = 16;
  static constexpr uint32_t none = 0xffffffff;

  struct Change {
    uint64_t hash = 0;
    uint32_t dataset = 0;
    uint32_t bytes_at = 0;
    uint32_t bytes = 0;
    bool is_in = false;
  };
  struct Found {
    bool is_in = false;
    uint16_t reputation = 0;
  };

  [[nodiscard]] Found find(const Dataset& dataset, uint32_t number, Bytes key) const noexcept;
  [[nodiscard]] uint32_t slot_of(uint32_t dataset, Bytes key, uint64_t hash) const noexcept;
  void change(uint32_t dataset, Bytes key, bool is_in) noexcept;

  std::unique_ptr<uint32_t[]> slots_;  ///< [slots] into changes_, or none
  std::unique_ptr<Change[]> changes_;
  uint32_t change_count_ = 0;
  std::unique_ptr<uint8_t[]> key_bytes_;
  uint32_t key_bytes_used_ = 0;
};

}  // namespace shrike::detect
