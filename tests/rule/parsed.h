#pragma once
#include <string>
#include <vector>

#include "ir_text.h"
#include "parse.h"
#include "report.h"

namespace shrike::rule::test {

/// Rules from text, with everything that was said about them.
struct Parsed {
  explicit Parsed(std::string text, Options options = {})
      : sources{{"test.rules", std::move(text)}},
        rules(parse(sources, options, diagnostics, report)) {}

  std::vector<Source> sources;
  Diagnostics diagnostics;
  Report report;
  std::vector<Rule> rules;
};

/// The meaning of one rule as text without its first three lines (rule, message, header), or what
/// is wrong with it.
inline std::string meaning_of(const std::string& options,
                              const std::string& head = "alert tcp any any -> any any") {
  const Parsed parsed(head + " (" + options + " sid:1;)");
  if (parsed.rules.empty()) return parsed.diagnostics.text();
  std::string text = to_text(parsed.rules[0]);
  for (int i = 0; i < 3; ++i) text.erase(0, text.find('\n') + 1);
  return text;
}

/// A word at the beginning of a file, for readers that want one, and a report for it.
struct Scene {
  explicit Scene(std::string_view text)
      : rule(text, {"test.rules", 1, 1}), report(rule, diagnostics), word(rule.word()) {}

  RuleText rule;
  Diagnostics diagnostics;
  RuleReport report;
  Word word;
};

}  // namespace shrike::rule::test
