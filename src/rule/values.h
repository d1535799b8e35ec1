#pragma once
#include <cstdint>
#include <limits>
#include <optional>

#include "builder.h"
#include "ir.h"
#include "keyword.h"

/// How the values of many keywords are written.
namespace shrike::rule {

/// "10", "=10", "!10", "!=10", "<10", "<=10", ">10", ">=10", "10-20" and "10<>20" (both without
/// their ends), "!10-20"; hexadecimal after 0x, units kib, mib, gib behind a number. What cannot
/// be, or cannot fail, is refused. Source: Suricata user guide, "Integer keywords".
std::optional<Comparison> parse_comparison(const Word& word, uint64_t max, RuleReport& report);

template <typename Number>
std::optional<Comparison> parse_comparison(const Word& word, RuleReport& report) {
  return parse_comparison(word, std::numeric_limits<Number>::max(), report);
}

/// A number within bounds, reported where it is not.
std::optional<int64_t> parse_number(const Word& word, int64_t min, int64_t max, RuleReport& report);

/// A number within bounds or the name of a variable that stands before.
std::optional<Operand> parse_operand(const Word& word, int64_t min, int64_t max, Builder& builder);

/// The comparison of an entropy: ">= 4.5", "< 1", "1.5-4.5", "3". Sets comparison, first, second.
bool parse_fraction_comparison(std::string_view text, Entropy& entropy);

/// Reports a value that the keyword's syntax does not allow; the syntax is the advice.
void report_value(const Keyword& keyword, const Word& value, RuleReport& report);

/// Ready-made parse functions for keywords that say no more than this.
void parse_sticky_buffer(Builder& builder, const Keyword& keyword, const Argument& argument);
/// Sticky where nothing precedes it, else for the content before it: `http_uri`, `http_header` …
void parse_content_modifier(Builder& builder, const Keyword& keyword, const Argument& argument);
/// A value of an application layer, or a check that Shrike does not evaluate: kept by name.
void parse_dormant_value(Builder& builder, const Keyword& keyword, const Argument& argument);
void parse_dormant_number(Builder& builder, const Keyword& keyword, const Argument& argument);
void parse_nothing(Builder& builder, const Keyword& keyword, const Argument& argument);

}  // namespace shrike::rule
