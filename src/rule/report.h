#pragma once
#include <string_view>
#include <utility>

#include "lexer.h"
#include "rule_limits.h"
#include "shrike/base/diagnostics.h"
#include "words.h"

namespace shrike::rule {

/// The diagnostics of one rule: knows the rule's true places and whether the rule is broken.
class RuleReport {
 public:
  RuleReport(const RuleText& rule, Diagnostics& diagnostics)
      : rule_(rule), diagnostics_(diagnostics) {}

  template <typename... Args>
  void error(const Position& at, std::string_view code, fmt::format_string<Args...> format,
             Args&&... args) {
    if (faults_++ < faults_per_rule_max) {
      diagnostics_.error(rule_.locate(at), code, format, std::forward<Args>(args)...);
    }
  }
  template <typename... Args>
  void error(const Word& at, std::string_view code, fmt::format_string<Args...> format,
             Args&&... args) {
    error(at.position, code, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void warning(const Word& at, std::string_view code, fmt::format_string<Args...> format,
               Args&&... args) {
    diagnostics_.warning(rule_.locate(at.position), code, format, std::forward<Args>(args)...);
  }

  [[nodiscard]] bool is_broken() const noexcept { return faults_ != 0; }
  [[nodiscard]] uint32_t faults() const noexcept { return faults_; }
  [[nodiscard]] Position locate(const Position& derived) const { return rule_.locate(derived); }

 private:
  const RuleText& rule_;
  Diagnostics& diagnostics_;
  uint32_t faults_ = 0;
};

}  // namespace shrike::rule
