#include "shrike/worker/profile.h"

#include <gtest/gtest.h>

#include "compiled.h"

namespace shrike::worker {
namespace {

std::string rule_of(uint32_t sid, const char* message = "m") {
  return "alert tcp any any -> any any (msg:\"" + std::string(message) +
         "\"; content:\"x\"; sid:" + std::to_string(sid) + ";)\n";
}

RuleCosts costs_of(const RuleSet& rules) {
  return {rules.generation(), rules.infos().size()};
}

/// Adds checks of `cycles` each to the rule of this sid.
void spend(RuleCosts& costs, const RuleSet& rules, uint32_t sid, std::vector<uint64_t> cycles) {
  for (uint32_t i = 0; i < rules.infos().size(); ++i) {
    if (rules.infos()[i].sid == sid) {
      for (const uint64_t each : cycles) {
        costs.add_check(i, each);
        costs.add_datagram(2 * each);
      }
      costs.add_match(i);
    }
  }
}

/// "sid checks matches cycles cycles_max", one a signature.
std::string text_of(const CostSummary& summary) {
  std::string text;
  for (const SignatureCost& each : summary.signatures) {
    text += std::to_string(each.sid) + " " + std::to_string(each.cost.checks) + " " +
            std::to_string(each.cost.matches) + " " + std::to_string(each.cost.cycles) + " " +
            std::to_string(each.cost.cycles_max) + "\n";
  }
  return text;
}

TEST(RuleProfile, AddsUpWorkersCostliestFirst) {
  const RuleSet rules = test::compiled(rule_of(1) + rule_of(2) + rule_of(3) + rule_of(4));
  RuleCosts first = costs_of(rules);
  RuleCosts second = costs_of(rules);
  spend(first, rules, 1, {10, 30});
  spend(second, rules, 1, {20});
  spend(second, rules, 3, {100, 200});
  spend(first, rules, 4, {5});
  const RuleCosts* const tables[] = {&first, &second};
  const CostSummary all = RuleProfile().summary(rules, tables, 10);
  EXPECT_EQ(text_of(all), "3 2 1 300 200\n1 3 2 60 30\n4 1 1 5 5\n");
  EXPECT_EQ(all.rules_checked, 3U);
  EXPECT_EQ(all.rules.cycles, 365U);
  EXPECT_EQ(all.inspection.cycles, 730U);
  EXPECT_EQ(all.other_cycles(), 365U);
  EXPECT_DOUBLE_EQ(all.share_of(73), 0.1);
  const CostSummary short_one = RuleProfile().summary(rules, tables, 1);
  EXPECT_EQ(text_of(short_one), "3 2 1 300 200\n");
  EXPECT_EQ(short_one.rules.cycles, 365U);
}

TEST(RuleProfile, KeepsCostsWhereAReloadRenumbersRules) {
  const RuleSet before = test::compiled(rule_of(1) + rule_of(2) + rule_of(3, "old"));
  const RuleSet after = test::compiled(rule_of(9) + rule_of(3, "new") + rule_of(2));
  RuleCosts old_costs = costs_of(before);
  spend(old_costs, before, 1, {1000});
  spend(old_costs, before, 2, {10});
  spend(old_costs, before, 3, {20, 25});
  const RuleCosts* const old_tables[] = {&old_costs};
  RuleProfile profile;
  profile.keep(before, old_tables, after);
  RuleCosts costs = costs_of(after);
  spend(costs, after, 3, {100});
  spend(costs, after, 9, {7});
  const RuleCosts* const tables[] = {&costs};
  const CostSummary all = profile.summary(after, tables, 10);
  EXPECT_EQ(text_of(all), "3 3 2 145 100\n2 1 1 10 10\n9 1 1 7 7\n");
  EXPECT_EQ(all.signatures[0].message, "new");
  EXPECT_EQ(all.gone.cycles, 1000U);
  EXPECT_EQ(all.rules.cycles, 1162U);
  EXPECT_EQ(all.inspection.cycles, 2 * 1162U);
}

TEST(RuleProfile, HasNoTableWhereNothingIsSampled) {
  const RuleSet rules = test::compiled(rule_of(1));
  EngineOptions options;
  EXPECT_EQ(costs_for(options, rules)->generation(), rules.generation());
  options.detect.sample_batches = 0;
  EXPECT_EQ(costs_for(options, rules), nullptr);
  const CostSummary none = RuleProfile().summary(rules, {}, 10);
  EXPECT_EQ(none.share_of(1), 0);
  EXPECT_TRUE(none.signatures.empty());
}

}  // namespace
}  // namespace shrike::worker
