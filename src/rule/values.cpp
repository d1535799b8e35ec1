#include "values.h"

#include <algorithm>

namespace shrike::rule {

namespace {

using Operator = Comparison::Operator;

/// "10", "0x1f", "10kb", "4 MiB"; nothing where it is no number.
std::optional<uint64_t> parse_quantity(std::string_view text) {
  text = trim(text);
  size_t digits = 0;
  const bool is_hex = text.starts_with("0x") || text.starts_with("0X");
  if (is_hex) digits = 2;
  while (digits < text.size() && (is_hex ? hex_value(text[digits]) >= 0 : is_digit(text[digits]))) {
    ++digits;
  }
  const auto number = to_number<uint64_t>(text.substr(0, digits));
  const std::string_view unit = trim(text.substr(digits));
  if (!number || unit.empty()) return number;
  unsigned shift = 0;
  if (is_same_word(unit, "kb") || is_same_word(unit, "kib")) shift = 10;
  if (is_same_word(unit, "mb") || is_same_word(unit, "mib")) shift = 20;
  if (is_same_word(unit, "gb") || is_same_word(unit, "gib")) shift = 30;
  if (shift == 0 || (*number << shift) >> shift != *number) return std::nullopt;
  return *number << shift;
}

/// Takes "<=", ">", "!" … off the front.
Operator take_operator(std::string_view& text) {
  struct Sign {
    std::string_view text;
    Operator op;
  };
  static constexpr Sign signs[] = {
      {"<=", Operator::less_or_equal}, {">=", Operator::greater_or_equal},
      {"!=", Operator::not_equal},     {"<", Operator::less},
      {">", Operator::greater},        {"!", Operator::not_equal},
      {"=", Operator::equal},
  };
  for (const Sign& sign : signs) {
    if (!text.starts_with(sign.text)) continue;
    text = trim_left(text.substr(sign.text.size()));
    return sign.op;
  }
  return Operator::equal;
}

/// Offset and size of "<>" or of the '-' of a range; size 0 where there is none.
std::pair<size_t, size_t> find_range_sign(std::string_view text) {
  if (const size_t at = text.find("<>"); at != std::string_view::npos) return {at, 2};
  const size_t at = text.find('-');
  return at == std::string_view::npos || at == 0 ? std::pair<size_t, size_t>{0, 0}
                                                 : std::pair<size_t, size_t>{at, 1};
}

std::optional<Comparison> parse_range(std::string_view text, Operator op) {
  const auto [at, size] = find_range_sign(text);
  const auto first = parse_quantity(text.substr(0, at));
  const auto second = parse_quantity(text.substr(at + size));
  const bool is_plain = op == Operator::equal || op == Operator::not_equal;
  if (!first || !second || !is_plain) return std::nullopt;
  return Comparison{op == Operator::equal ? Operator::between : Operator::not_between, *first,
                    *second};
}

bool is_pointless(const Comparison& comparison, uint64_t max) {
  switch (comparison.op) {
    case Operator::less:
    case Operator::greater_or_equal:
      return comparison.first == 0;
    case Operator::greater:
    case Operator::less_or_equal:
      return comparison.first >= max;
    case Operator::between:
    case Operator::not_between:
      return comparison.second <= comparison.first + 1;
    case Operator::equal:
    case Operator::not_equal:
      return false;
  }
  return false;
}

}  // namespace

std::optional<Comparison> parse_comparison(const Word& word, uint64_t max, RuleReport& report) {
  std::string_view text = word.text;
  const Operator op = take_operator(text);
  std::optional<Comparison> comparison;
  if (find_range_sign(text).second != 0) {
    comparison = parse_range(text, op);
  } else if (const auto number = parse_quantity(text)) {
    comparison = Comparison{op, *number, 0};
  }
  if (!comparison) {
    report.error(word, "number", "'{}' is no number; write 10, !10, <10, >=10 or 10-20", word.text);
    return std::nullopt;
  }
  if (comparison->first > max || comparison->second > max) {
    report.error(word, "number", "'{}' is out of range; the largest value is {}", word.text, max);
    return std::nullopt;
  }
  if (is_pointless(*comparison, max)) {
    report.error(word, "number", "'{}' is always or never true; write another bound", word.text);
    return std::nullopt;
  }
  return comparison;
}

std::optional<int64_t> parse_number(const Word& word, int64_t min, int64_t max,
                                    RuleReport& report) {
  const auto number = to_number<int64_t>(word.text);
  if (number && *number >= min && *number <= max) return number;
  report.error(word, "number", "'{}' is no number from {} to {}", word.text, min, max);
  return std::nullopt;
}

std::optional<Operand> parse_operand(const Word& word, int64_t min, int64_t max, Builder& builder) {
  const bool is_number =
      !word.empty() && (is_digit(word.text[0]) || word.text[0] == '-' || word.text[0] == '+');
  if (is_number) {
    const auto number = parse_number(word, min, max, builder.report());
    return number ? std::optional(Operand{*number, -1}) : std::nullopt;
  }
  if (const auto variable = builder.find_variable(word.text)) return Operand{0, *variable};
  builder.report().error(word, "variable-unknown",
                         "'{}' is no number and no variable; write byte_extract or byte_math for "
                         "it before",
                         word.text);
  return std::nullopt;
}

bool parse_fraction_comparison(std::string_view text, Entropy& entropy) {
  const auto to_fraction = [](std::string_view digits) -> std::optional<double> {
    double value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, fault] = std::from_chars(digits.data(), end, value);
    if (fault != std::errc{} || stop != end || !(value >= 0)) return std::nullopt;
    return value;
  };
  entropy.comparison.op = take_operator(text);
  const auto [at, size] = find_range_sign(text);
  const auto first = to_fraction(trim(text.substr(0, size == 0 ? text.size() : at)));
  if (!first) return false;
  entropy.first = *first;
  if (size == 0) return true;
  const auto second = to_fraction(trim(text.substr(at + size)));
  const bool is_plain = entropy.comparison.op == Operator::equal;
  if (!second || !is_plain || *second <= *first) return false;
  entropy.comparison.op = Operator::between;
  entropy.second = *second;
  return true;
}

void report_value(const Keyword& keyword, const Word& value, RuleReport& report) {
  report.error(value, "value", "'{}' is no value for {}; write {}:{}", value.text, keyword.name,
               keyword.name, keyword.arguments);
}

void parse_sticky_buffer(Builder& builder, const Keyword& keyword, const Argument& argument) {
  const std::string_view side = argument.value.text;
  if (!side.empty() && side != "to_server" && side != "to_client") {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  builder.open_buffer(keyword.field, argument.name);
}

void parse_content_modifier(Builder& builder, const Keyword& keyword, const Argument& argument) {
  builder.move_last_content(keyword.field, argument.name);
}

void parse_dormant_value(Builder& builder, const Keyword& keyword, const Argument& argument) {
  if (keyword.has_field()) {
    builder.add_check_to(keyword.field, NotInspected{std::string(keyword.name)}, argument.name);
    return;
  }
  builder.add(NotInspected{std::string(keyword.name)});
  builder.leave_to_later(keyword);
}

void parse_dormant_number(Builder& builder, const Keyword& keyword, const Argument& argument) {
  if (parse_comparison<uint64_t>(argument.value, builder.report())) {
    parse_dormant_value(builder, keyword, argument);
  }
}

void parse_nothing(Builder&, const Keyword&, const Argument&) {}

}  // namespace shrike::rule
