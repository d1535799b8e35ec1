#include <gtest/gtest.h>

#include "world.h"

namespace shrike {
namespace {

using test::Entry;

constexpr const char* rules_text = R"(
alert tcp any any -> any any (content:"evil"; dsize:>1; sid:1;)
alert tcp any any -> any any (content:"evil"; pcre:"/never.*found/"; dsize:>1; sid:2;)
alert tcp any any -> any any (content:"elsewhere"; dsize:>1; sid:3;)
alert tcp 10.0.0.0/8 any -> any any (sid:4;)
)";

/// A detector that has seen `batches` of one datagram each.
struct Trial {
  explicit Trial(uint32_t sample_batches, unsigned batches)
      : rules(test::compile_text(rules_text)),
        costs(rules.generation(), rules.infos().size()),
        detector(test::make_detector({.sample_batches = sample_batches})) {
    detector.use_costs(&costs);
    for (unsigned i = 0; i < batches; ++i) {
      detector.begin_batch();
      test::inspect(detector, rules, {{.payload = "so evil", .opened = true}});
    }
  }
  [[nodiscard]] RuleCost of(uint32_t sid) const {
    for (size_t i = 0; i < rules.infos().size(); ++i) {
      if (rules.infos()[i].sid == sid) {
        return costs.rule(i);
      }
    }
    return {};
  }

  RuleSet rules;
  RuleCosts costs;
  detect::Detector detector;
};

TEST(Costs, CountEveryCheckAndMatchWhereEveryBatchIsMeasured) {
  const Trial run(1, 20);
  const struct {
    uint32_t sid;
    uint64_t checks;
    uint64_t matches;
  } cases[] = {{1, 20, 20}, {2, 20, 0}, {3, 0, 0}, {4, 20, 20}};
  for (const auto& each : cases) {
    EXPECT_EQ(run.of(each.sid).checks, each.checks) << each.sid;
    EXPECT_EQ(run.of(each.sid).matches, each.matches) << each.sid;
    EXPECT_EQ(run.of(each.sid).cycles != 0, each.checks != 0) << each.sid;
    EXPECT_LE(run.of(each.sid).cycles_max, run.of(each.sid).cycles) << each.sid;
  }
}

TEST(Costs, AddUpToNoMoreThanTheWhole) {
  const Trial run(1, 50);
  const InspectionCost all = run.costs.inspection();
  EXPECT_EQ(all.batches, 50U);
  EXPECT_EQ(all.batches_sampled, 50U);
  EXPECT_EQ(all.datagrams, 50U);
  uint64_t rule_cycles = 0;
  for (size_t i = 0; i < run.costs.rules(); ++i) {
    rule_cycles += run.costs.rule(i).cycles;
  }
  EXPECT_GT(rule_cycles, 0U);
  EXPECT_GT(all.scan_cycles, 0U);
  EXPECT_LE(rule_cycles + all.scan_cycles, all.cycles);
}

TEST(Costs, AreOfAboutOneBatchInSoMany) {
  const Trial never(0, 100);
  EXPECT_EQ(never.costs.inspection().batches_sampled, 0U);
  EXPECT_EQ(never.of(1).checks, 0U);
  const Trial some(16, 8000);
  const InspectionCost cost = some.costs.inspection();
  EXPECT_EQ(cost.batches, 8000U);
  EXPECT_GT(cost.batches_sampled, 400U);  // 500 on average
  EXPECT_LT(cost.batches_sampled, 600U);
  EXPECT_EQ(cost.datagrams, cost.batches_sampled);
  EXPECT_EQ(some.of(1).checks, cost.batches_sampled);
  const Trial again(16, 8000);  // same seed, same samples
  EXPECT_EQ(again.costs.inspection().batches_sampled, cost.batches_sampled);
}

TEST(Costs, OfOtherRulesAreLeftAlone) {
  Trial run(1, 3);
  const RuleSet more =
      test::compile_text(R"(alert tcp any any -> any any (content:"evil"; dsize:>1; sid:1;))");
  run.detector.begin_batch();
  test::inspect(run.detector, more, {{.payload = "so evil"}});
  run.detector.begin_batch();
  test::inspect(run.detector, more, {{.payload = "so evil"}});
  EXPECT_EQ(run.of(1).checks, 3U);
  RuleCosts costs(more.generation(), more.infos().size());
  run.detector.use_costs(&costs);
  run.detector.begin_batch();
  test::inspect(run.detector, more, {{.payload = "so evil"}});
  EXPECT_EQ(costs.rule(0).checks, 1U);
}

}  // namespace
}  // namespace shrike
