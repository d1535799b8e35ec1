#include "keywords_tls_values.h"

#include <algorithm>
#include <array>

namespace shrike::rule {

namespace {

using Operator = Comparison::Operator;

struct VersionName {
  std::string_view name;
  uint64_t number;
};

constexpr VersionName tls_versions[] = {{"1.0", 0x0301}, {"1.1", 0x0302}, {"1.2", 0x0303}};
constexpr VersionName ssl_versions[] = {{"sslv2", 0x0200},  {"sslv3", 0x0300},  {"tls1.0", 0x0301},
                                        {"tls1.1", 0x0302}, {"tls1.2", 0x0303}, {"tls1.3", 0x0304}};
/// As protocol/tls.h numbers them.
constexpr VersionName ssl_states[] = {{"client_hello", 1},
                                      {"server_hello", 2},
                                      {"client_keyx", 4},
                                      {"server_keyx", 8},
                                      {"unknown", 1U << 31}};

std::optional<uint64_t> find_version(std::span<const VersionName> names, std::string_view name) {
  const auto at = std::find_if(names.begin(), names.end(), [name](const VersionName& each) {
    return is_same_word(each.name, name);
  });
  return at == names.end() ? std::nullopt : std::optional(at->number);
}

/// Takes one name off the front: up to a comma, a bar or the end.
Word take_name(Word& rest) {
  const size_t at = rest.text.find_first_of(",|");
  const Word name = rest.part(0, std::min(at, rest.text.size())).trimmed();
  rest = at == std::string_view::npos ? rest.from(rest.text.size()) : rest.from(at + 1);
  return name;
}

/// Reads a list of names, each of which may have a '!' before it.
/// @return the first '!' says that none of them may be.
std::optional<FieldNumbers> read_names(std::span<const VersionName> names, Word rest) {
  FieldNumbers numbers;
  do {
    Word name = take_name(rest);
    if (!name.empty() && name.text.front() == '!') {
      numbers.is_negated |= numbers.any_of.empty();
      name = name.from(1).trimmed();
    }
    const auto number = find_version(names, name.text);
    if (!number) {
      return std::nullopt;
    }
    numbers.any_of.push_back({Operator::equal, *number});
  } while (!rest.empty());
  return numbers;
}

void add_names(std::span<const VersionName> names, Builder& builder, const Keyword& keyword,
               const Argument& argument) {
  auto numbers = read_names(names, argument.value);
  if (!numbers) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  numbers->is_negated ^= argument.is_negated;
  add_field_numbers(builder, keyword, argument, std::move(*numbers));
}

/// Days since the Unix epoch. Source: H. Hinnant, "chrono-compatible low-level date algorithms".
constexpr int64_t days_from_civil(int64_t year, int64_t month, int64_t day) noexcept {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719468;
}

/// A number of digits off the front of a date.
std::optional<int64_t> take_digits(std::string_view& text, size_t digits_max) {
  size_t count = 0;
  int64_t value = 0;
  while (count < digits_max && count < text.size() && is_digit(text[count])) {
    value = value * 10 + (text[count++] - '0');
  }
  text.remove_prefix(count);
  return count == 0 ? std::nullopt : std::optional(value);
}

/// One part of a date: what stands before it, and its bounds.
struct DatePart {
  std::string_view before;
  int64_t min;
  int64_t max;
};
constexpr DatePart date_parts[] = {
    {"-", 1, 12}, {"-", 1, 31}, {" T", 0, 23}, {":", 0, 59}, {":", 0, 60}};

/// "2020", "2020-06", … "2020-06-01T12:30:59": UTC seconds. Only digits: these are the seconds.
std::optional<uint64_t> read_date(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), is_digit)) {
    return to_number<uint64_t>(text);
  }
  const auto year = take_digits(text, 4);
  std::array<int64_t, 5> parts{1, 1, 0, 0, 0};
  if (!year) {
    return std::nullopt;
  }
  for (size_t i = 0; i < parts.size() && !text.empty(); ++i) {
    if (date_parts[i].before.find(text.front()) == std::string_view::npos) {
      return std::nullopt;
    }
    text.remove_prefix(1);
    const auto value = take_digits(text, 2);
    if (!value || *value < date_parts[i].min || *value > date_parts[i].max) {
      return std::nullopt;
    }
    parts[i] = *value;
  }
  const int64_t seconds = days_from_civil(*year, parts[0], parts[1]) * 86400 + parts[2] * 3600 +
                          parts[3] * 60 + parts[4];
  return text.empty() && seconds >= 0 ? std::optional(static_cast<uint64_t>(seconds))
                                      : std::nullopt;
}

std::optional<Comparison> read_date_comparison(std::string_view text) {
  text = trim(text);
  if (const size_t at = text.find("<>"); at != std::string_view::npos) {
    const auto first = read_date(trim(text.substr(0, at)));
    const auto last = read_date(trim(text.substr(at + 2)));
    if (!first || !last || *last <= *first) {
      return std::nullopt;
    }
    return Comparison{Operator::between, *first == 0 ? 0 : *first - 1, *last + 1};
  }
  Operator op = Operator::equal;
  if (!text.empty() && (text.front() == '<' || text.front() == '>')) {
    op = text.front() == '<' ? Operator::less_or_equal : Operator::greater_or_equal;
    text = trim(text.substr(1));
  }
  const auto date = read_date(text);
  return date && !text.empty() ? std::optional(Comparison{op, *date}) : std::nullopt;
}

}  // namespace

void parse_tls_version(Builder& builder, const Keyword& keyword, const Argument& argument) {
  FieldNumbers numbers;
  numbers.is_negated = argument.is_negated;
  const std::string_view text = argument.value.text;
  if (text == "1.3") {
    numbers.any_of.push_back({Operator::equal, 0x0304});
    numbers.any_of.push_back({Operator::masked_equal, 0x7f00, 0xff00});
  } else if (const auto version = find_version(tls_versions, text)) {
    numbers.any_of.push_back({Operator::equal, *version});
  } else if (const auto raw = to_number<uint16_t>(text); raw && text.starts_with("0x")) {
    numbers.any_of.push_back({Operator::equal, *raw});
  } else {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  add_field_numbers(builder, keyword, argument, std::move(numbers));
}

void parse_ssl_version(Builder& builder, const Keyword& keyword, const Argument& argument) {
  add_names(ssl_versions, builder, keyword, argument);
}

void parse_ssl_state(Builder& builder, const Keyword& keyword, const Argument& argument) {
  add_names(ssl_states, builder, keyword, argument);
}

void parse_certificate_date(Builder& builder, const Keyword& keyword, const Argument& argument) {
  const auto comparison = read_date_comparison(argument.value.text);
  if (!comparison) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  add_field_numbers(builder, keyword, argument, {.any_of = {*comparison}});
}

void parse_certificate_fact(Builder& builder, const Keyword& keyword, const Argument& argument) {
  add_field_numbers(builder, keyword, argument, {.any_of = {{Operator::equal, 1}}});
}

void parse_ssh_protoversion(Builder& builder, const Keyword& keyword, const Argument& argument) {
  const std::string_view text = argument.value.text;
  if (text.empty()) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  if (text != "2_compat") {
    add_field_text(builder, keyword.field, argument, std::string(text), TextMatch::equals);
    return;
  }
  Pcre version;  // RFC 4253 section 5.1: 1.99 stands for 2.0
  version.pattern = "^(2|1\\.99$)";
  builder.add_check_to(keyword.field, std::move(version), argument.name);
}

}  // namespace shrike::rule
