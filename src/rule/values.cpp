#include "values.h"

#include <algorithm>

#include "content_text.h"

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
    case Operator::masked_equal:
    case Operator::masked_not_equal:
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

namespace {

const NumberName* find_name(std::span<const NumberName> names, std::string_view text) {
  const auto at = std::find_if(names.begin(), names.end(),
                               [text](const NumberName& name) { return name.name == text; });
  return at == names.end() ? nullptr : &*at;
}

/// "5-8" with both ends, as a comparison that excludes them; a plain number; nothing for others.
std::optional<Comparison> read_whole_range(std::string_view text, uint64_t max) {
  const auto [at, size] = find_range_sign(text);
  if (size == 0) return std::nullopt;
  const auto first = parse_quantity(text.substr(0, at));
  const auto second = parse_quantity(text.substr(at + size));
  if (!first || !second || *first > *second || *second > max) return std::nullopt;
  if (*first == 0) return Comparison{Operator::less_or_equal, *second, 0};
  if (*second == UINT64_MAX) return Comparison{Operator::greater_or_equal, *first, 0};
  return Comparison{Operator::between, *first - 1, *second + 1};
}

/// One number, range or name.
std::optional<Comparison> read_field_number(const NumberSyntax& syntax, const Word& word,
                                            RuleReport& report) {
  std::string_view text = word.text;
  const Operator op = take_operator(text);
  if (const NumberName* const name = find_name(syntax.names, text)) {
    if (op == Operator::equal || op == Operator::not_equal) return Comparison{op, name->number, 0};
  }
  if (syntax.ends_included && op == Operator::equal) {
    if (const auto range = read_whole_range(text, syntax.max)) return range;
  }
  return parse_comparison(word, syntax.max, report);
}

/// "any", "all" or an index, which FieldNumbers counts from 1.
std::optional<int32_t> read_values_choice(std::string_view text) {
  if (text == "any") return 0;
  if (text == "all") return FieldNumbers::all_values;
  const auto index = to_number<int32_t>(text);
  if (!index || *index >= FieldNumbers::all_values - 1) return std::nullopt;
  return *index >= 0 ? *index + 1 : *index;
}

}  // namespace

std::optional<FieldNumbers> read_field_numbers(const NumberSyntax& syntax, const Keyword& keyword,
                                               const Argument& argument, RuleReport& report) {
  FieldNumbers numbers;
  numbers.is_negated = argument.is_negated;
  Word rest = argument.value;
  if (syntax.chooses_values) {
    const Word number = rest.take_until(',');
    const auto values = rest.empty() ? 0 : read_values_choice(rest.trimmed().text);
    if (!values) {
      report_value(keyword, rest, report);
      return std::nullopt;
    }
    numbers.values = *values;
    rest = number;
  }
  do {
    const Word word = syntax.is_list ? rest.take_until(',') : std::exchange(rest, Word{});
    const auto comparison = read_field_number(syntax, word.trimmed(), report);
    if (!comparison) return std::nullopt;
    numbers.any_of.push_back(*comparison);
  } while (!rest.empty());
  return numbers;
}

std::optional<FieldNumbers> read_field_flags(std::span<const NumberName> names,
                                             const Keyword& keyword, const Argument& argument,
                                             RuleReport& report) {
  uint64_t mask = 0;
  uint64_t wanted = 0;
  Word rest = argument.value;
  do {
    Word word = rest.take_until(',');
    const bool is_negated = word.text.starts_with('!');
    if (is_negated) word = word.from(1).trimmed();
    const NumberName* const name = find_name(names, word.text);
    if (name == nullptr || (mask & name->number) != 0) {
      report_value(keyword, word, report);
      return std::nullopt;
    }
    mask |= name->number;
    wanted |= is_negated ? 0 : name->number;
  } while (!rest.empty());
  FieldNumbers numbers;
  numbers.is_negated = argument.is_negated;
  numbers.any_of.push_back({Operator::masked_equal, wanted, mask});
  return numbers;
}

void add_field_numbers(Builder& builder, const Keyword& keyword, const Argument& argument,
                       FieldNumbers numbers) {
  builder.add_check_to(keyword.field, std::move(numbers), argument.name);
}

void add_field_text(Builder& builder, Field field, const Argument& argument, std::string bytes,
                    TextMatch match) {
  Content content;
  content.bytes = std::move(bytes);
  content.is_negated = argument.is_negated;
  content.is_nocase = match == TextMatch::contains_nocase || match == TextMatch::ends_nocase;
  content.starts_with = match == TextMatch::equals;
  content.ends_with = match == TextMatch::equals || match == TextMatch::ends_nocase;
  content.position = builder.report().locate(argument.value.position);
  builder.add_check_to(field, std::move(content), argument.name);
}

void parse_field_text_as(TextMatch match, Builder& builder, const Keyword& keyword,
                         const Argument& argument) {
  auto bytes = decode_content(argument.value, builder.report());
  if (!bytes) return;
  if (bytes->empty()) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  add_field_text(builder, keyword.field, argument, std::move(*bytes), match);
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
  builder.open_buffer(keyword.field, argument.name,
                      side.empty()          ? FieldDirections::both
                      : side == "to_server" ? FieldDirections::to_server
                                            : FieldDirections::to_client);
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
