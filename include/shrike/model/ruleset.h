#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "shrike/model/rule_info.h"

namespace shrike {

/// Compiled rules: immutable, shared by all workers, built only by rule::compile.
class RuleSet {
 public:
  [[nodiscard]] std::span<const RuleInfo> infos() const noexcept;            ///< in inspection order
  [[nodiscard]] std::span<const std::string> bit_names() const noexcept;     ///< flow bits
  [[nodiscard]] std::span<const std::string> integer_names() const noexcept; ///< flow integers
};

}  // namespace shrike
