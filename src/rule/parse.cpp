#include "parse.h"

#include <algorithm>
#include <chrono>
#include <unordered_map>

#include "ast.h"
#include "dormant_bits.h"
#include "order.h"
#include "reputation.h"
#include "rule_reader.h"
#include "thresholds.h"

namespace shrike::rule {

namespace {

/// Gathers the rules of all files and settles which of equal numbers stays.
class Collection {
 public:
  Collection(Diagnostics& diagnostics, Report& report)
      : diagnostics_(diagnostics), report_(report) {}

  void add(Rule&& rule) {
    const uint64_t key = (uint64_t{rule.info.gid} << 32) | rule.info.sid;
    const auto [entry, is_new] = known_.emplace(key, rules_.size());
    if (is_new) {
      rules_.push_back(std::move(rule));
      return;
    }
    Rule& known = rules_[entry->second];
    if (rule.info.rev <= known.info.rev) {
      diagnostics_.error(rule.position, "duplicate",
                         "sid {} is in {}:{} already with rev {}; give it another sid or a higher "
                         "rev",
                         rule.info.sid, known.info.file, known.info.line, known.info.rev);
      ++report_.rules_failed;
      return;
    }
    diagnostics_.warning(
        rule.position, "replaced",
        "rev {} of sid {} takes the place of rev {} in {}:{}; remove the older one", rule.info.rev,
        rule.info.sid, known.info.rev, known.info.file, known.info.line);
    ++report_.rules_skipped;
    known = std::move(rule);
  }

  std::vector<Rule>& rules() noexcept { return rules_; }

 private:
  std::vector<Rule> rules_;
  std::unordered_map<uint64_t, size_t> known_;
  Diagnostics& diagnostics_;
  Report& report_;
};

void parse_file(const Source& source, RuleReader& reader, Collection& collection,
                Diagnostics& diagnostics, Report& report) {
  Lexer lexer(source, diagnostics);
  while (const auto text = lexer.next()) {
    ++report.rules_seen;
    RuleReport rule_report(*text, diagnostics);
    const auto node = parse_shape(*text, rule_report);
    if (node && !rule_report.is_broken() && !reader.is_wanted(*node)) {
      ++report.rules_skipped;
      continue;
    }
    auto rule = node ? reader.read(*text, *node, rule_report) : std::nullopt;
    if (rule) {
      collection.add(std::move(*rule));
    } else {
      ++report.rules_failed;
    }
  }
  report.rules_seen += lexer.refused();
  report.rules_failed += lexer.refused();
}

bool is_same(const AddressSet& first, const AddressSet& second) {
  return first.is_any == second.is_any && first.ranges == second.ranges;
}
bool is_same(const PortSet& first, const PortSet& second) {
  return first.is_any == second.is_any &&
         std::equal(
             first.ranges.begin(), first.ranges.end(), second.ranges.begin(), second.ranges.end(),
             [](const auto& a, const auto& b) { return a.first == b.first && a.last == b.last; });
}

/// `<>` stands for two rules, the second with its sides exchanged.
void unfold_bidirectional(std::vector<Rule>& rules, Diagnostics& diagnostics) {
  const size_t count = rules.size();
  for (size_t i = 0; i < count; ++i) {
    if (!rules[i].header.is_bidirectional) continue;
    Header& header = rules[i].header;
    if (is_same(header.source, header.target) && is_same(header.source_port, header.target_port)) {
      diagnostics.warning(rules[i].position, "same-sides",
                          "both sides of '<>' are the same, it is read as '->'; write '->'");
      header.is_bidirectional = false;
      continue;
    }
    rules.push_back(rules[i]);
    Header& turned = rules.back().header;
    std::swap(turned.source, turned.target);
    std::swap(turned.source_port, turned.target_port);
  }
}

}  // namespace

std::vector<Rule> parse(const std::vector<Source>& sources, const Options& options,
                        Diagnostics& diagnostics, Report& report, RuleData* data) {
  const auto start = std::chrono::steady_clock::now();
  Context context{
      options,
      read_classes(options.classification, diagnostics),
      read_references(options.references, diagnostics),
      {},
      {},
      read_reputation(options.reputation_categories, options.reputation_lists, diagnostics)};
  RuleReader reader(context, options);
  Collection collection(diagnostics, report);
  for (const Source& source : sources) {
    parse_file(source, reader, collection, diagnostics, report);
  }
  std::vector<Rule> rules = std::move(collection.rules());
  report.rules_loaded += static_cast<uint32_t>(rules.size());
  if (data != nullptr) {
    *data = {std::move(context.datasets).take(), std::move(context.reputation)};
  }
  rest_with_dormant_setters(rules);
  for (const Rule& rule : rules) {
    if (!rule.dormant_reason.empty()) ++report.dormant[rule.dormant_reason];
  }
  unfold_bidirectional(rules, diagnostics);
  sort_rules(rules, options.action_order);
  if (options.thresholds) {
    apply_threshold_file(*options.thresholds, options.address_groups, rules, diagnostics);
  }
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  report.parse_seconds += spent.count();
  return rules;
}

}  // namespace shrike::rule
