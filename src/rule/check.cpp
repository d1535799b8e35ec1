#include "lint.h"
#include "parse.h"

namespace shrike::rule {

void check(const std::vector<Source>& sources, const Options& options, Diagnostics& diagnostics,
           Report& report) {
  const std::vector<Rule> rules = parse(sources, options, diagnostics, report);
  lint_rules(rules, diagnostics);
  lint_forms(sources, diagnostics);
}

}  // namespace shrike::rule
