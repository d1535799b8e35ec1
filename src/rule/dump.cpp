#include "backend/dump.h"

#include <set>

#include "ast.h"
#include "backend/backend.h"
#include "ir_text.h"
#include "parse.h"

namespace shrike::rule {

namespace {

/// The number a rule gives itself; 0 where there is none.
uint32_t sid_of(const RuleNode& node) {
  for (const OptionNode& option : node.options) {
    if (option.name.text == "sid") return to_number<uint32_t>(option.value.text).value_or(0);
  }
  return 0;
}

std::string dump_shapes(const std::vector<Source>& sources, bool as_tokens,
                        std::optional<uint32_t> sid, Diagnostics& diagnostics) {
  std::string out;
  for (const Source& source : sources) {
    Lexer lexer(source, diagnostics);
    while (const auto text = lexer.next()) {
      RuleReport report(*text, diagnostics);
      const auto node = parse_shape(*text, report);
      if (!node || (sid && sid_of(*node) != *sid)) continue;
      out += as_tokens ? tokens_text(*node, *text) : to_text(*node, *text);
    }
  }
  return out;
}

std::string dump_meaning(const std::vector<Rule>& rules, std::optional<uint32_t> sid) {
  std::string out;
  for (const Rule& rule : rules) {
    if (!sid || rule.info.sid == *sid) out += to_text(rule);
  }
  return out;
}

}  // namespace

std::string dump(const std::vector<Source>& sources, const Options& options, Stage stage,
                 std::optional<uint32_t> sid, Diagnostics& diagnostics) {
  if (stage == Stage::tokens || stage == Stage::ast) {
    return dump_shapes(sources, stage == Stage::tokens, sid, diagnostics);
  }
  Report report;
  RuleData data;
  std::vector<Rule> rules = parse(sources, options, diagnostics, report, &data);
  if (stage == Stage::ir) return dump_meaning(rules, sid);
  const auto tables = build_tables(std::move(rules), std::move(data), options, diagnostics, report);
  if (!tables) return {};
  return stage == Stage::program ? dump_programs(*tables, sid) : dump_groups(*tables, sid);
}

}  // namespace shrike::rule
