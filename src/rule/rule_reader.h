#pragma once
#include <optional>

#include "header.h"
#include "ir.h"
#include "report.h"

namespace shrike::rule {

/// One rule from its shape to its checked meaning.
class RuleReader {
 public:
  /// @param context, options outlive the reader.
  RuleReader(Context& context, const Options& options) : context_(context), header_(options) {}

  /// Whether the sensor is what the rule's `requires` asks for; where not, the rule is skipped.
  [[nodiscard]] bool is_wanted(const RuleNode& node) const;

  /// Nothing where the rule has faults; all of them are reported then.
  std::optional<Rule> read(const RuleText& text, const RuleNode& node, RuleReport& report);

 private:
  Context& context_;
  HeaderReader header_;
};

}  // namespace shrike::rule
