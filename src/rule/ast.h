#pragma once
#include <optional>
#include <string>
#include <vector>

#include "lexer.h"
#include "report.h"
#include "words.h"

/// The shape of a rule: its words with their places, nothing known about what they mean.
namespace shrike::rule {

/// `name;` or `name:value;`. Blanks around both are gone; quotes and "!" are still there.
struct OptionNode {
  Word name;
  Word value;
  bool has_value = false;
};

struct RuleNode {
  Word action, protocol, source, source_port, direction, target, target_port;
  std::vector<OptionNode> options;
};

/// Cuts a rule into its words. Every fault of shape is reported; gives nothing where what is left
/// could not be understood.
std::optional<RuleNode> parse_shape(const RuleText& rule, RuleReport& report);

/// The tree as text, one node a line with its place.
std::string to_text(const RuleNode& rule, const RuleText& text);

/// The same as flat tokens, one a line: place, kind, text.
std::string tokens_text(const RuleNode& rule, const RuleText& text);

}  // namespace shrike::rule
