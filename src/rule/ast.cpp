#include "ast.h"

#include "rule_limits.h"

namespace shrike::rule {

namespace {

/// Takes the next word of the header off the front; blanks within brackets belong to it.
Word take_header_word(Word& rest) {
  rest = rest.trimmed();
  size_t size = 0;
  int depth = 0;
  for (; size < rest.text.size(); ++size) {
    const char letter = rest.text[size];
    if (letter == '[') ++depth;
    if (letter == ']') --depth;
    if (depth <= 0 && (is_blank(letter) || letter == '(')) break;
  }
  const Word word = rest.part(0, size);
  rest = rest.from(size);
  return word;
}

/// Offset of the semicolon that ends the option at the start. Quotes do not protect it, only a
/// backslash does (as in Suricata), or else npos.
size_t find_option_end(std::string_view text) {
  for (size_t at = text.find(';'); at != std::string_view::npos; at = text.find(';', at + 1)) {
    if (at == 0 || text[at - 1] != '\\') return at;
  }
  return std::string_view::npos;
}

void parse_options(Word rest, RuleNode& node, RuleReport& report) {
  node.options.reserve(24);
  for (rest = rest.trimmed(); !rest.empty(); rest = rest.trimmed()) {
    if (node.options.size() == options_max) {
      report.error(rest, "options-count", "a rule may have {} options; split it in two",
                   options_max);
      return;
    }
    const size_t end = find_option_end(rest.text);
    if (end == std::string_view::npos) {
      report.error(rest, "option-end", "'{}' has no ';' at its end; write '{};'",
                   rest.text.substr(0, 40), rest.text.substr(0, 40));
      return;
    }
    Word option = rest.part(0, end);
    rest = rest.from(end + 1);
    const size_t colon = option.text.find(':');
    const bool has_value = colon != std::string_view::npos;
    OptionNode parsed{option.part(0, colon).trimmed(), {}, has_value};
    if (has_value) parsed.value = option.from(colon + 1).trimmed();
    if (parsed.name.empty()) {
      report.error(parsed.name, "option-name", "an option without a name; remove the extra ';'");
      continue;
    }
    node.options.push_back(parsed);
  }
}

std::string place(const RuleText& text, const Word& word) {
  const Position at = text.locate(word.position);
  return fmt::format("{}:{}", at.line, at.column);
}

template <typename Line>
void for_each_header_word(const RuleNode& rule, const Line& line) {
  line("action", rule.action);
  line("protocol", rule.protocol);
  line("source", rule.source);
  line("source-port", rule.source_port);
  line("direction", rule.direction);
  line("target", rule.target);
  line("target-port", rule.target_port);
}

}  // namespace

std::optional<RuleNode> parse_shape(const RuleText& rule, RuleReport& report) {
  RuleNode node;
  Word rest = rule.word();
  for (Word* const word : {&node.action, &node.protocol, &node.source, &node.source_port,
                           &node.direction, &node.target, &node.target_port}) {
    *word = take_header_word(rest);
    if (word->empty()) {
      report.error(*word, "header",
                   "the header ends here; write: action protocol address port -> address port (…)");
      return std::nullopt;
    }
  }
  rest = rest.trimmed();
  if (rest.empty() || rest.text.front() != '(') {
    report.error(rest, "options", "options in parentheses must follow; write (msg:\"…\"; sid:…;)");
    return std::nullopt;
  }
  if (rest.text.back() != ')') {
    report.error(rest.from(rest.text.size()), "options",
                 "the rule does not end with ')'; close the options with ';)'");
    return std::nullopt;
  }
  parse_options(rest.part(1, rest.text.size() - 2), node, report);
  return node;
}

std::string to_text(const RuleNode& rule, const RuleText& text) {
  std::string out =
      fmt::format("rule {}:{}\n", rule.action.position.file, place(text, rule.action));
  for_each_header_word(rule, [&](std::string_view kind, const Word& word) {
    out += fmt::format("  {} {} '{}'\n", place(text, word), kind, word.text);
  });
  for (const OptionNode& option : rule.options) {
    out += fmt::format("  {} option '{}'\n", place(text, option.name), option.name.text);
    if (option.has_value) {
      out += fmt::format("    {} value '{}'\n", place(text, option.value), option.value.text);
    }
  }
  return out;
}

std::string tokens_text(const RuleNode& rule, const RuleText& text) {
  std::string out;
  const auto line = [&](std::string_view kind, const Word& word) {
    out += fmt::format("{}:{} {} {}\n", word.position.file, place(text, word), kind, word.text);
  };
  for_each_header_word(rule, line);
  for (const OptionNode& option : rule.options) {
    line("keyword", option.name);
    if (option.has_value) line("value", option.value);
  }
  return out;
}

}  // namespace shrike::rule
