#include <chrono>
#include <optional>
#include <utility>

#include "backend/backend.h"
#include "parse.h"
#include "shrike/rule.h"

namespace shrike::rule {

std::optional<RuleSet> compile(const std::vector<Source>& sources, const Options& options,
                               Diagnostics& diagnostics, Report& report) {
  RuleData data;
  std::vector<Rule> rules = parse(sources, options, diagnostics, report, &data);
  const auto started = std::chrono::steady_clock::now();
  std::unique_ptr<RuleTables> tables =
      build_tables(std::move(rules), std::move(data), options, diagnostics, report);
  report.compile_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  if (tables == nullptr) {
    return std::nullopt;
  }
  return RuleSet(std::move(tables));
}

}  // namespace shrike::rule
