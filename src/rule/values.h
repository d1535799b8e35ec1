#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "builder.h"
#include "ir.h"
#include "keyword.h"

/// How the values of many keywords are written.
///
/// To make a keyword look at the number of a field (Session::add_number): choose its row's
/// function.
///   {"dns.opcode", …, parse_field_number<uint8_t>, 0, Field::dns_opcode}   10, !10, <10, 10-20
///   constexpr NumberSyntax rcode_syntax{.max = 65535, .names = rcode_names};  // at namespace
///   scope
///   {"dns.rcode", …, parse_field_numbers<rcode_syntax>, may_be_quoted, Field::dns_rcode}
///   {"mqtt.flags", …, parse_field_flags<flag_names>, may_be_quoted, Field::mqtt_flags} dup,!retain
/// A keyword with a syntax of its own builds FieldNumbers itself and calls add_field_numbers. An
/// old form that looks for a text in a buffer (`tls.subject:"…"`) calls add_field_text, or has
/// parse_field_text<TextMatch::…> in its row and the buffer's field (not one of its own).
/// Where the row of the field in model/field.h is not inspected yet, such a rule stays dormant.
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

/// A number that rules may write by name, exact case: {"nxdomain", 3}.
struct NumberName {
  std::string_view name;
  uint64_t number = 0;
};

/// How the number of a field is written; see above.
struct NumberSyntax {
  uint64_t max = UINT64_MAX;
  std::span<const NumberName> names{};
  bool is_list = false;         ///< "1,2,5-7": any of them; else one
  bool ends_included = false;   ///< a range holds its ends, unlike Suricata's other ranges
  bool chooses_values = false;  ///< ",any", ",all" or ",<index>" behind it, from 0, -1 is the last
};

/// Reads a value in this syntax, or reports what is wrong with it.
std::optional<FieldNumbers> read_field_numbers(const NumberSyntax& syntax, const Keyword& keyword,
                                               const Argument& argument, RuleReport& report);
/// "syn,!ack": all of these bits as said. Bits are given by `names`.
std::optional<FieldNumbers> read_field_flags(std::span<const NumberName> names,
                                             const Keyword& keyword, const Argument& argument,
                                             RuleReport& report);
/// Adds the check to the keyword's field, in a buffer of its own.
void add_field_numbers(Builder& builder, const Keyword& keyword, const Argument& argument,
                       FieldNumbers numbers);

template <const NumberSyntax& syntax>
void parse_field_numbers(Builder& builder, const Keyword& keyword, const Argument& argument) {
  if (auto numbers = read_field_numbers(syntax, keyword, argument, builder.report())) {
    add_field_numbers(builder, keyword, argument, std::move(*numbers));
  }
}

template <typename Number>
inline constexpr NumberSyntax plain_numbers{.max = std::numeric_limits<Number>::max()};
template <typename Number>
void parse_field_number(Builder& builder, const Keyword& keyword, const Argument& argument) {
  parse_field_numbers<plain_numbers<Number>>(builder, keyword, argument);
}

template <const auto& names>
void parse_field_flags(Builder& builder, const Keyword& keyword, const Argument& argument) {
  if (auto numbers = read_field_flags(names, keyword, argument, builder.report())) {
    add_field_numbers(builder, keyword, argument, std::move(*numbers));
  }
}

/// How an old keyword's text must stand in the bytes of the field.
enum class TextMatch : uint8_t { contains, equals, contains_nocase, ends_nocase };

/// Adds a content to `field`, in a buffer of its own; argument.is_negated negates it.
/// @param bytes decoded, not empty.
void add_field_text(Builder& builder, Field field, const Argument& argument, std::string bytes,
                    TextMatch match);
/// The value is a text in which only \\, \", \; and |hex| mean something else than themselves.
void parse_field_text_as(TextMatch match, Builder& builder, const Keyword& keyword,
                         const Argument& argument);
template <TextMatch match>
void parse_field_text(Builder& builder, const Keyword& keyword, const Argument& argument) {
  parse_field_text_as(match, builder, keyword, argument);
}

/// Ready-made parse functions for keywords that say no more than this.
void parse_sticky_buffer(Builder& builder, const Keyword& keyword, const Argument& argument);
/// Sticky where nothing precedes it, else for the content before it: `http_uri`, `http_header` …
void parse_content_modifier(Builder& builder, const Keyword& keyword, const Argument& argument);
/// A value of an application layer, or a check that Shrike does not evaluate: kept by name.
void parse_dormant_value(Builder& builder, const Keyword& keyword, const Argument& argument);
void parse_dormant_number(Builder& builder, const Keyword& keyword, const Argument& argument);
void parse_nothing(Builder& builder, const Keyword& keyword, const Argument& argument);

}  // namespace shrike::rule
