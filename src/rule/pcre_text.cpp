#include "pcre_text.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <memory>

namespace shrike::rule {

namespace {

struct OptionFlag {
  char letter;
  uint32_t option;
};
constexpr OptionFlag option_flags[] = {
    {'i', PCRE2_CASELESS}, {'m', PCRE2_MULTILINE}, {'s', PCRE2_DOTALL},
    {'x', PCRE2_EXTENDED}, {'A', PCRE2_ANCHORED},  {'E', PCRE2_DOLLAR_ENDONLY},
    {'G', PCRE2_UNGREEDY},
};

struct FieldFlag {
  char letter;
  Field field;
};
constexpr FieldFlag field_flags[] = {
    {'U', Field::http_uri},      {'I', Field::http_uri_raw},    {'P', Field::http_request_body},
    {'Q', Field::file_data},     {'H', Field::http_header},     {'D', Field::http_header_raw},
    {'M', Field::http_method},   {'C', Field::http_cookie},     {'S', Field::http_stat_code},
    {'Y', Field::http_stat_msg}, {'V', Field::http_user_agent}, {'W', Field::http_host},
    {'Z', Field::http_host_raw},
};

/// Where expression and flags are within the text.
struct Parts {
  Word expression, flags, captures;
};

std::optional<Parts> split(const Word& text, RuleReport& report) {
  size_t begin = 0;
  char delimiter = '/';
  if (text.text.size() > 2 && text.text[0] == 'm' && text.text[1] != '/') {
    delimiter = text.text[1];
    begin = 1;
  } else if (text.text.starts_with("m/")) {
    begin = 1;
  }
  size_t end = text.text.size();
  while (end > begin + 1) {
    --end;
    if (text.text[end] == delimiter && text.text[end - 1] != '\\') break;
    const bool is_even = end >= 2 && text.text[end - 1] == '\\' && text.text[end - 2] == '\\';
    if (text.text[end] == delimiter && is_even) break;
  }
  if (text.text.size() < begin + 2 || text.text[begin] != delimiter || end <= begin ||
      text.text[end] != delimiter) {
    report.error(text, "pcre", "the expression must stand between slashes; write \"/…/flags\"");
    return std::nullopt;
  }
  Parts parts;
  parts.expression = text.part(begin + 1, end - begin - 1);
  const Word rest = text.from(end + 1);
  const size_t comma = std::min(rest.text.find(','), rest.text.size());
  parts.flags = rest.part(0, comma);
  parts.captures = rest.from(std::min(comma + 1, rest.text.size()));
  return parts;
}

bool read_flag(char letter, const Word& at, PcreText& parsed, RuleReport& report) {
  for (const OptionFlag& flag : option_flags) {
    if (flag.letter != letter) continue;
    parsed.pcre.pcre2_options |= flag.option;
    return true;
  }
  for (const FieldFlag& flag : field_flags) {
    if (flag.letter != letter) continue;
    if (parsed.field && *parsed.field != flag.field) {
      report.error(at, "pcre-flag", "'{}' names a second buffer; keep one of the flags", letter);
      return false;
    }
    parsed.field = flag.field;
    return true;
  }
  if (letter == 'R') parsed.pcre.is_relative = true;
  if (letter == 'R' || letter == 'B' || letter == 'O') return true;
  report.error(at, "pcre-flag",
               "'{}' is no flag; write some of i s m x A E G R O U I P Q H D M C S "
               "Y V W Z",
               letter);
  return false;
}

using Capture = Pcre::Capture;

std::optional<Capture::Scope> find_scope(std::string_view name) {
  if (name == "flow") return Capture::Scope::flow;
  if (name == "pkt") return Capture::Scope::packet;
  if (name == "alert") return Capture::Scope::alert;
  return std::nullopt;
}

/// `flow:name, pkt:name` behind the flags.
bool read_capture_list(Word rest, Pcre& pcre, RuleReport& report) {
  while (!rest.empty()) {
    Word entry = rest.take_until(',');
    const auto scope = find_scope(entry.take_until(':').text);
    const Word name = entry.trimmed();
    if (!scope || name.empty()) {
      report.error(name, "pcre-capture",
                   "'{}' is no capture; write flow:name, pkt:name or "
                   "alert:name",
                   name.text);
      return false;
    }
    pcre.captures.push_back({*scope, std::string(name.text)});
  }
  return true;
}

/// `(?P<flow_name>…)` within the expression.
void read_named_captures(Pcre& pcre) {
  static constexpr std::string_view opening = "(?P<";
  for (size_t at = pcre.pattern.find(opening); at != std::string::npos;
       at = pcre.pattern.find(opening, at + 1)) {
    const std::string_view rest = std::string_view(pcre.pattern).substr(at + opening.size());
    const std::string_view name = rest.substr(0, rest.find('>'));
    const size_t line = name.find('_');
    const auto scope = find_scope(name.substr(0, line));
    if (!scope || line == std::string_view::npos) continue;
    pcre.captures.push_back({*scope, std::string(name.substr(line + 1))});
  }
}

/// Upper-case letters that stand for themselves: `\S` and the like do not.
bool has_upper_case(std::string_view expression) {
  for (size_t i = 0; i < expression.size(); ++i) {
    if (expression[i] == '\\') {
      ++i;
      continue;
    }
    if (expression[i] >= 'A' && expression[i] <= 'Z') return true;
  }
  return false;
}

/// The number of groups; nothing where it does not compile, reported.
std::optional<uint32_t> count_groups(const Pcre& pcre, const Word& expression, RuleReport& report) {
  int fault = 0;
  PCRE2_SIZE offset = 0;
  const std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> code(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pcre.pattern.data()), pcre.pattern.size(),
                    pcre.pcre2_options, &fault, &offset, nullptr),
      &pcre2_code_free);
  if (!code) {
    std::array<PCRE2_UCHAR, 160> message{};
    pcre2_get_error_message(fault, message.data(), message.size());
    report.error(expression.from(std::min(offset, expression.text.size())), "pcre",
                 "{}; correct the expression", reinterpret_cast<const char*>(message.data()));
    return std::nullopt;
  }
  uint32_t groups = 0;
  pcre2_pattern_info(code.get(), PCRE2_INFO_CAPTURECOUNT, &groups);
  return groups;
}

}  // namespace

bool check_expression(const Word& expression, RuleReport& report) {
  Pcre pcre;
  pcre.pattern = expression.text;
  const auto groups = count_groups(pcre, expression, report);
  if (!groups || *groups == 1) return groups.has_value();
  report.error(expression, "pcre-capture",
               "the expression has {} groups; put one pair of parentheses around what remains",
               *groups);
  return false;
}

std::optional<PcreText> parse_pcre_text(const Word& text, RuleReport& report) {
  const auto parts = split(text, report);
  if (!parts) return std::nullopt;
  PcreText parsed;
  parsed.pcre.pattern = parts->expression.text;
  parsed.pcre.position = report.locate(text.position);
  for (size_t i = 0; i < parts->flags.text.size(); ++i) {
    if (!read_flag(parts->flags.text[i], parts->flags.from(i), parsed, report)) return std::nullopt;
  }
  if (!read_capture_list(parts->captures, parsed.pcre, report)) return std::nullopt;
  if (parsed.pcre.captures.empty()) read_named_captures(parsed.pcre);
  const bool is_caseless = (parsed.pcre.pcre2_options & PCRE2_CASELESS) != 0;
  if (parsed.field == Field::http_host && !is_caseless && has_upper_case(parsed.pcre.pattern)) {
    report.error(text, "host-case",
                 "http.host is in lower case and never matches this; write the "
                 "expression in lower case");
    return std::nullopt;
  }
  const auto groups = count_groups(parsed.pcre, parts->expression, report);
  if (!groups) return std::nullopt;
  if (*groups < parsed.pcre.captures.size()) {
    report.warning(parts->expression, "pcre-capture",
                   "{} captures are named, but the expression has {} groups; name one for each",
                   parsed.pcre.captures.size(), *groups);
    parsed.pcre.captures.resize(*groups);
  }
  return parsed;
}

}  // namespace shrike::rule
