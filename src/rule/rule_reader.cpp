#include "rule_reader.h"

#include "requirements.h"
#include "validate.h"

namespace shrike::rule {

namespace {

/// Takes negation and quotes off a value. @return false where they are wrong, reported.
bool unwrap(const Keyword& keyword, const OptionNode& option, Argument& argument,
            RuleReport& report) {
  Word value = option.value;
  if (keyword.has(trait::negatable) && !value.empty() && value.text[0] == '!') {
    argument.is_negated = true;
    value = value.from(1).trimmed();
  }
  const bool is_quoted = !value.empty() && value.text.front() == '"';
  const bool is_closed = value.text.size() >= 2 && value.text.back() == '"';
  if (keyword.has(trait::must_be_quoted) && (!is_quoted || !is_closed)) {
    report.error(value, "quotes", "the value of {} must stand in double quotes; write {}:\"…\"",
                 option.name.text, option.name.text);
    return false;
  }
  if (is_quoted && !keyword.has(trait::may_be_quoted | trait::must_be_quoted)) {
    report.error(value, "quotes", "the value of {} stands without quotes; remove them",
                 option.name.text);
    return false;
  }
  if (is_quoted && !is_closed) {
    report.error(value, "quotes", "the quote is not closed; write '\"' before the ';'");
    return false;
  }
  argument.value = is_quoted ? value.part(1, value.text.size() - 2) : value;
  return true;
}

void read_option(const OptionNode& option, Builder& builder) {
  RuleReport& report = builder.report();
  const Keyword* const keyword = find_keyword(option.name.text);
  if (keyword == nullptr) {
    report.error(option.name, "keyword", "'{}' is no keyword; see 'shrike rules list-keywords'",
                 option.name.text.substr(0, 40));
    return;
  }
  if (keyword->need == ArgumentNeed::required && (!option.has_value || option.value.empty())) {
    report.error(option.name, "value-missing", "'{}' needs a value; write {}:{}", option.name.text,
                 option.name.text, keyword->arguments);
    return;
  }
  if (keyword->need == ArgumentNeed::none && option.has_value) {
    report.error(option.value, "value-extra", "'{}' takes no value; write '{};'", option.name.text,
                 option.name.text);
    return;
  }
  Argument argument;
  argument.name = option.name;
  if (!unwrap(*keyword, option, argument, report)) return;
  builder.note_match(keyword->traits);
  keyword->parse(builder, *keyword, argument);
}

void read_options(const RuleNode& node, Builder& builder) {
  for (const OptionNode& option : node.options) {
    const uint32_t faults = builder.report().faults();
    read_option(option, builder);
    if (builder.report().faults() != faults) builder.forgive();
  }
}

}  // namespace

bool RuleReader::is_wanted(const RuleNode& node) const {
  for (const OptionNode& option : node.options) {
    if (option.name.text != "requires") continue;
    const Requirement requirement = check_requirements(option.value.text, context_.options.has_ja4);
    if (requirement == Requirement::not_met) return false;
    if (requirement == Requirement::unknown) return context_.options.ignore_unknown_requirements;
  }
  return true;
}

std::optional<Rule> RuleReader::read(const RuleText& text, const RuleNode& node,
                                     RuleReport& report) {
  Builder builder(context_, report);
  Rule& rule = builder.rule();
  rule.position = text.start();
  rule.info.file = text.start().file;
  rule.info.line = text.start().line;
  header_.read(node, builder);
  read_options(node, builder);
  if (rule.info.sid == 0 && !report.is_broken()) {
    report.error(node.action, "sid", "the rule has no sid; add 'sid:<number>;'");
  }
  if (!report.is_broken()) {
    validate(builder);
    settle_kind(builder);
  }
  if (report.is_broken()) return std::nullopt;
  rule.info.text = text.text();
  return builder.finish();
}

}  // namespace shrike::rule
