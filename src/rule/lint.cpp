#include "lint.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "ast.h"
#include "keyword.h"

namespace shrike::rule {

namespace {

using Operator = Comparison::Operator;
using What = HeaderNumber::What;

constexpr size_t icmp = 1;
constexpr size_t tcp = 6;
constexpr size_t icmpv6 = 58;

/// Where a bit is set and where it is asked for.
struct BitUse {
  const Rule* setter = nullptr;
  const Rule* reader = nullptr;
};

void note_bits(const Rule& rule, const FlowBits& check, std::map<std::string, BitUse>& uses) {
  for (const std::string& name : check.names) {
    BitUse& use = uses[name];
    const bool is_question = check.command == FlowBits::Command::is_set ||
                             check.command == FlowBits::Command::is_not_set;
    if (is_question && use.reader == nullptr) use.reader = &rule;
    if (!is_question && check.command != FlowBits::Command::unset && use.setter == nullptr) {
      use.setter = &rule;
    }
  }
}

void lint_bits(const std::vector<Rule>& rules, Diagnostics& diagnostics) {
  std::map<std::string, BitUse> uses;
  for (const Rule& rule : rules) {
    for (const PacketCheck& check : rule.packet_checks) {
      if (const auto* const bits = std::get_if<FlowBits>(&check)) note_bits(rule, *bits, uses);
    }
  }
  for (const auto& [name, use] : uses) {
    if (use.reader != nullptr && use.setter == nullptr) {
      diagnostics.warning(use.reader->position, "bit-unset",
                          "flow bit '{}' is checked, but no rule sets it; load the rule that does",
                          name);
    }
    if (use.reader == nullptr && use.setter != nullptr) {
      diagnostics.warning(use.setter->position, "bit-unused",
                          "flow bit '{}' is set, but no rule checks it; remove it or load the rule "
                          "that does",
                          name);
    }
  }
}

/// The numbers that a comparison lets through, where they are one run.
Range<uint64_t> run_of(const Comparison& comparison) {
  const uint64_t first = comparison.first;
  switch (comparison.op) {
    case Operator::equal:
      return {first, first};
    case Operator::less:
      return {0, first - 1};
    case Operator::less_or_equal:
      return {0, first};
    case Operator::greater:
      return {first + 1, UINT64_MAX};
    case Operator::greater_or_equal:
      return {first, UINT64_MAX};
    case Operator::between:
      return {first + 1, comparison.second - 1};
    case Operator::not_equal:
    case Operator::not_between:
    case Operator::masked_equal:
    case Operator::masked_not_equal:
      return {0, UINT64_MAX};
  }
  return {0, UINT64_MAX};
}

void warn_never(const Rule& rule, std::string_view why, Diagnostics& diagnostics) {
  diagnostics.warning(rule.position, "never-matches", "the rule never matches: {}; change one side",
                      why);
}

void lint_numbers(const Rule& rule, Diagnostics& diagnostics) {
  std::map<What, Range<uint64_t>> runs;
  for (const PacketCheck& check : rule.packet_checks) {
    const auto* const number = std::get_if<HeaderNumber>(&check);
    if (number == nullptr) continue;
    const Range<uint64_t> run = run_of(number->comparison);
    const auto [entry, is_new] = runs.emplace(number->what, run);
    if (is_new) continue;
    Range<uint64_t>& known = entry->second;
    known = {std::max(known.first, run.first), std::min(known.last, run.last)};
    if (known.first > known.last) {
      warn_never(rule, "two comparisons of the same number exclude each other", diagnostics);
      return;
    }
  }
}

bool is_about_tcp(const PacketCheck& check) {
  if (const auto* const number = std::get_if<HeaderNumber>(&check)) {
    return number->what >= What::tcp_sequence && number->what <= What::tcp_wscale;
  }
  return std::holds_alternative<TcpFlags>(check) || std::holds_alternative<StreamSize>(check) ||
         std::holds_alternative<StreamEventCheck>(check);
}

bool is_about_icmp(const PacketCheck& check) {
  const auto* const number = std::get_if<HeaderNumber>(&check);
  return number != nullptr && number->what >= What::icmp_type && number->what <= What::icmpv6_mtu;
}

void lint_protocols(const Rule& rule, Diagnostics& diagnostics) {
  const auto& protocols = rule.header.ip_protocols;
  for (const PacketCheck& check : rule.packet_checks) {
    if (is_about_tcp(check) && !protocols[tcp]) {
      warn_never(rule, "a keyword of TCP in a rule for another protocol", diagnostics);
      return;
    }
    if (is_about_icmp(check) && !protocols[icmp] && !protocols[icmpv6]) {
      warn_never(rule, "a keyword of ICMP in a rule for another protocol", diagnostics);
      return;
    }
  }
}

/// The least bytes that the positive contents of the buffer need.
uint64_t needed_bytes(const Buffer& buffer) {
  int64_t cursor = 0;
  int64_t needed = 0;
  const auto literal = [](const std::optional<Operand>& operand) {
    return operand && operand->variable < 0 ? operand->literal : 0;
  };
  for (const BufferCheck& check : buffer.checks) {
    const auto* const content = std::get_if<Content>(&check);
    if (content == nullptr || content->is_negated) continue;
    const int64_t start =
        content->is_relative ? cursor + literal(content->distance) : literal(content->offset);
    cursor = std::max<int64_t>(start, 0) + static_cast<int64_t>(content->bytes.size());
    needed = std::max(needed, cursor);
  }
  return static_cast<uint64_t>(needed);
}

void lint_sizes(const Rule& rule, Diagnostics& diagnostics) {
  for (const Buffer& buffer : rule.buffers) {
    uint64_t most = UINT64_MAX;
    for (const BufferCheck& check : buffer.checks) {
      const auto* const size = std::get_if<BufferSize>(&check);
      if (size != nullptr) most = std::min(most, run_of(size->comparison).last);
    }
    for (const PacketCheck& check : rule.packet_checks) {
      const auto* const number = std::get_if<HeaderNumber>(&check);
      const bool is_dsize = number != nullptr && number->what == What::payload_bytes;
      if (is_dsize && buffer.field == Field::payload) {
        most = std::min(most, run_of(number->comparison).last);
      }
    }
    if (needed_bytes(buffer) > most) {
      warn_never(rule, "the contents need more bytes than bsize or dsize allow", diagnostics);
      return;
    }
  }
}

void lint_noalert(const Rule& rule, Diagnostics& diagnostics) {
  if (!rule.info.is_noalert) return;
  const auto has_effect = [](const PacketCheck& check) {
    if (const auto* const bits = std::get_if<FlowBits>(&check)) {
      return bits->command <= FlowBits::Command::toggle;
    }
    if (const auto* const integer = std::get_if<FlowInteger>(&check)) {
      return integer->command <= FlowInteger::Command::assign;
    }
    return std::holds_alternative<NotInspected>(check);
  };
  const bool sets_something =
      std::any_of(rule.packet_checks.begin(), rule.packet_checks.end(), has_effect) ||
      !rule.info.host_bits.empty() || rule.is_bypass || rule.info.action != Action::alert;
  if (!sets_something) {
    diagnostics.warning(rule.position, "no-effect",
                        "the rule raises no alert and sets nothing; remove noalert or the rule");
  }
}

/// An old form of a keyword, where it stands first and how often.
struct OldForm {
  Position first;
  std::string advice;
  uint32_t count = 0;
};

/// What to write instead of an old form; empty where the form is not old.
std::string advice_for(const OptionNode& option, const Keyword& keyword) {
  if (keyword.has(trait::modifier) && keyword.has_field()) {
    return fmt::format("write '{};' before the content", to_text(keyword.field));
  }
  if (keyword.name == "uricontent") return "write 'http.uri; content:…'";
  if (keyword.name == "rawbytes") return "remove it, it does nothing";
  if (keyword.name == "ssh.protoversion") return "write 'ssh.proto; content:…'";
  if (keyword.name == "ssh.softwareversion") return "write 'ssh.software; content:…'";
  if (keyword.name == "fast_pattern" && option.value.text == "only") return "write fast_pattern";
  const bool is_tcp_alias = keyword.name.starts_with("tcp.");  // flags, seq, ack: still usual
  if (option.name.text != keyword.name && !is_tcp_alias) {
    return fmt::format("write {}", keyword.name);
  }
  return {};
}

void note_old_forms(const RuleNode& node, const RuleText& text,
                    std::map<std::string, OldForm, std::less<>>& forms) {
  for (const OptionNode& option : node.options) {
    const Keyword* const keyword = find_keyword(option.name.text);
    if (keyword == nullptr) continue;
    std::string advice = advice_for(option, *keyword);
    if (advice.empty()) continue;
    std::string name(option.name.text);
    if (keyword->name == "fast_pattern") name += ":only";
    OldForm& form = forms[name];
    if (form.count++ != 0) continue;
    form.first = text.locate(option.name.position);
    form.advice = std::move(advice);
  }
}

}  // namespace

void lint_rules(const std::vector<Rule>& rules, Diagnostics& diagnostics) {
  lint_bits(rules, diagnostics);
  for (const Rule& rule : rules) {
    lint_numbers(rule, diagnostics);
    lint_protocols(rule, diagnostics);
    lint_sizes(rule, diagnostics);
    lint_noalert(rule, diagnostics);
  }
}

void lint_forms(const std::vector<Source>& sources, Diagnostics& diagnostics) {
  std::map<std::string, OldForm, std::less<>> forms;
  Diagnostics ignored;  // parse() has reported these already
  for (const Source& source : sources) {
    Lexer lexer(source, ignored);
    while (const auto text = lexer.next()) {
      RuleReport report(*text, ignored);
      if (const auto node = parse_shape(*text, report)) note_old_forms(*node, *text, forms);
    }
  }
  for (const auto& [name, form] : forms) {
    diagnostics.warning(form.first, "deprecated", "'{}' is an old form, {} in all; {}", name,
                        form.count, form.advice);
  }
}

}  // namespace shrike::rule
