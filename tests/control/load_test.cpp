#include <gtest/gtest.h>

#include "control/cost_reports.h"
#include "control/load_watch.h"

namespace shrike::control {
namespace {

constexpr uint64_t second_ns = 1'000'000'000;

LoadWatch::Seen seen_at(uint64_t now_ns, std::vector<uint64_t> busy_ns) {
  const size_t count = busy_ns.size();
  return {.now_ns = now_ns,
          .busy_ns = std::move(busy_ns),
          .packets = std::vector<uint64_t>(count, 5),
          .record_rings = std::vector<worker::RingUse>(count, {4096, 100}),
          .hand_over_rings = std::vector<worker::RingUse>(count, {8192, 200}),
          .pools = {}};
}

uint64_t value(const CounterView& view, std::string_view name) {
  for (size_t i = 0; i < view.size(); ++i) {
    if (view.rows[i].name == name) {
      return view.value(i);
    }
  }
  ADD_FAILURE() << name;
  return 0;
}

TEST(LoadWatch, TellsLoadsOfTheLastSecondsAndHowUnequalTheyAre) {
  LoadWatch watch({"W#01", "W#02"});
  watch.look(seen_at(10 * second_ns, {second_ns, second_ns}));
  EXPECT_EQ(watch.workers()[0].load_permille, 0U);  // since when, nobody knows
  EXPECT_EQ(value(watch.sums(), "load.imbalance"), 1000U);
  watch.look(seen_at(12 * second_ns, {3 * second_ns, second_ns + second_ns / 2}));
  EXPECT_EQ(watch.workers()[0].load_permille, 1000U);
  EXPECT_EQ(watch.workers()[1].load_permille, 250U);
  EXPECT_EQ(value(watch.view_of(1), "worker.load"), 250U);
  EXPECT_EQ(value(watch.sums(), "load.mean"), 625U);
  EXPECT_EQ(value(watch.sums(), "load.busiest"), 1000U);
  EXPECT_EQ(value(watch.sums(), "load.imbalance"), 1600U);
  EXPECT_DOUBLE_EQ(imbalance_of(watch.workers()), 1.6);
  watch.look(seen_at(12 * second_ns + second_ns / 2, {9 * second_ns, 9 * second_ns}));
  EXPECT_EQ(watch.workers()[1].load_permille, 250U);  // too soon to say
}

TEST(LoadWatch, RemembersTheMostThatPoolsEverHeld) {
  LoadWatch watch({"W#01"});
  for (const uint32_t in_use : {10U, 300U, 20U}) {
    LoadWatch::Seen seen = seen_at(second_ns, {0});
    seen.pools = {{1023, in_use}};
    watch.look(seen);
  }
  EXPECT_EQ(watch.workers()[0].pool.in_use, 20U);
  EXPECT_EQ(watch.workers()[0].buffers_in_use_max, 300U);
  EXPECT_EQ(value(watch.view_of(0), "worker.buffers_in_use_max"), 300U);
  EXPECT_EQ(value(watch.view_of(0), "worker.hand_over_ring_bytes_max"), 200U);
}

TEST(CostReports, SumLatenciesOverThreads) {
  LatencyHistogram first;
  LatencyHistogram second;
  LatencyHistogram alert;
  first.add(3000);
  second.add(3000);
  second.add(1'000'000);
  alert.add(5'000'000);
  const Latencies latencies = latencies_of({{"W#01", {first.view(latency_rows::inspected())}},
                                            {"W#02", {second.view(latency_rows::inspected())}},
                                            {"Global", {alert.view(latency_rows::alert())}}});
  const nlohmann::json told = latency_json(latencies);
  EXPECT_EQ(told["inspected"]["count"], 3);
  EXPECT_EQ(told["inspected"]["p50_us"], 4);
  EXPECT_EQ(told["inspected"]["p99_us"], 1024);
  EXPECT_EQ(told["alert"]["p50_us"], 8192);
  EXPECT_EQ(told["written"]["count"], 0);
  EXPECT_EQ(told["inspected"]["buckets"].size(), LatencyHistogram::buckets);
}

TEST(CostReports, ShowWhatFiresWithWhatItCostsAndThenWhatOnlyCosts) {
  worker::CostSummary costs;
  costs.inspection = {
      .batches = 64, .batches_sampled = 1, .datagrams = 8, .cycles = 1000, .scan_cycles = 500};
  costs.rules = {.cycles = 300, .cycles_max = 90, .checks = 6, .matches = 1};
  costs.signatures = {{1, 7, 1, "slow", {200, 90, 4, 0}}, {1, 5, 2, "fires", {100, 60, 2, 1}}};
  const auto rows = top_rules_json({{1, 5, 2, "fires", 10, 3}, {1, 6, 1, "rare", 1, 0}}, costs, 50);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0]["sid"], 5);
  EXPECT_EQ(rows[0]["logged"], 10);
  EXPECT_EQ(rows[0]["cycles_per_check"], 50);
  EXPECT_EQ(rows[1]["sid"], 6);
  EXPECT_EQ(rows[1]["checks"], 0);
  EXPECT_EQ(rows[2]["sid"], 7);
  EXPECT_EQ(rows[2]["logged"], 0);
  EXPECT_EQ(rows[2]["share"], 0.2);
  const auto told = costs_json(costs);
  EXPECT_EQ(told["scanning"]["share"], 0.5);
  EXPECT_EQ(told["other"]["cycles"], 200);
  EXPECT_EQ(told["signatures"][0]["sid"], 7);
  EXPECT_EQ(top_rules_json({{1, 5, 2, "fires", 10, 3}, {1, 6, 1, "rare", 1, 0}}, costs, 1).size(),
            2U);  // one of each kind
}

}  // namespace
}  // namespace shrike::control
