#pragma once
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "shrike/rule.h"

namespace shrike::test {

/// Rules that nothing is wrong with.
inline RuleSet compiled(const std::string& text) {
  Diagnostics diagnostics;
  rule::Report report;
  std::optional<RuleSet> rules =
      rule::compile({{"test.rules", text}}, rule::Options{}, diagnostics, report);
  EXPECT_TRUE(rules) << diagnostics.text();
  EXPECT_EQ(diagnostics.text(), "");
  return std::move(*rules);
}

}  // namespace shrike::test
