#include "top_view.h"

#include <gtest/gtest.h>

namespace shrike::app {
namespace {

using top::Sample;

Sample sample_at(uint64_t seconds) {
  Sample sample;
  sample.time_ns = 1'000'000'000 * (100 + seconds);
  sample.version = "Shrike 0.1.0";
  sample.uptime_ms = seconds * 1000;
  sample.generation = 2;
  sample.rules_loaded = 45123;
  sample.packets = sample.inspected = seconds * 1'000'000;
  sample.wire_bytes = seconds * 125'000'000;
  sample.alerts = seconds * 5;
  sample.flows_active = 200;
  sample.ports = {{"eth0", "net_ice", true, seconds * 1'000'000, seconds * 125'000'000, 0}};
  sample.losses = {{"missed", "packets", 0}, {"ring full", "records", 0}};
  for (const char* const name : {"W#01", "W#02"}) {
    sample.workers.push_back({name, 500, seconds * 500'000, {100, 400}, {0, 1000}, {50, 100}});
  }
  sample.latencies[0][5] = seconds * 100;
  sample.signatures = {{1, 7, "a signature", seconds * 5, 3}};
  sample.costs = {.batches = 6400,
                  .batches_sampled = 100,
                  .cycles = 1'000'000,
                  .scan_cycles = 600'000,
                  .rule_cycles = 300'000,
                  .rules = {{1, 9, "a slow rule", 1000, 0, 250'000, 4000}}};
  return sample;
}

std::string text_of(const std::vector<TopLine>& lines) {
  std::string text;
  for (const TopLine& line : lines) {
    text += line.text + "\n";
  }
  return text;
}

void expect_parts(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(TopView, ShowsWhatHappenedBetweenTwoSamples) {
  const std::string text = text_of(top_lines(sample_at(10), sample_at(12), {}));
  expect_parts(text,
               {"Shrike 0.1.0  up 0:12  45,123 rules (generation 2)", "1,000,000/s", "1.00 Gbit/s",
                "100.0 % inspected", "Lost     nothing",
                "W#01   [########        ]   50.0 %    500,000/s      25 %       0 %      50 %",
                "25 %       0 %      50 %", "the busiest has 1.00 times the mean",
                "packet to inspected         32 us", "packet to alert                 -",
                "5.0/s            60             3  1:7 a signature",
                "Detection, sampled in 1.6 % of batches: 60.0 % scanning, 30.0 % rules, 10.0 % the "
                "rest",
                "25.0 %           250         1,000  1:9 a slow rule"});
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(TopView, PointsAtWhatIsLostAndAtWhoHasTooMuchToDo) {
  Sample now = sample_at(12);
  now.losses[0].count = 4000;
  now.workers[0].load_permille = 990;
  const std::vector<TopLine> lines = top_lines(sample_at(10), now, {});
  size_t alarms = 0;
  for (const TopLine& line : lines) {
    alarms += line.style == TopLine::Style::alarm ? 1 : 0;
  }
  EXPECT_EQ(alarms, 2U);
  expect_parts(text_of(lines), {"2,000/s           4,000 packets: missed", "1.33 times the mean"});
  // Lost long ago: still told, no more an alarm.
  Sample later = now;
  later.time_ns += 1'000'000'000;
  for (const TopLine& line : top_lines(now, later, {})) {
    EXPECT_TRUE(line.style != TopLine::Style::alarm || line.text.starts_with("W#01"));
  }
}

TEST(TopView, FitsIntoATerminal) {
  Sample now = sample_at(12);
  for (unsigned i = 0; i < 60; ++i) {
    now.workers.push_back(now.workers[0]);
    now.signatures.push_back({1, 100 + i, std::string(300, 'x'), 1, 0});
    now.costs.rules.push_back(now.costs.rules[0]);
  }
  for (const size_t rows : {1U, 5U, 10U, 24U, 25U, 50U, 200U}) {
    for (const size_t columns : {1U, 20U, 80U, 200U}) {
      const auto lines = top_lines(sample_at(10), now, {.columns = columns, .rows = rows});
      EXPECT_LE(lines.size(), rows);
      for (const TopLine& line : lines) {
        EXPECT_LE(line.text.size(), columns + 4) << line.text;  // "…" is of three bytes
      }
    }
  }
  const std::string text =
      text_of(top_lines(sample_at(10), sample_at(12), {.columns = 80, .rows = 24}));
  expect_parts(text, {"a signature", "a slow rule"});
}

TEST(TopView, GivesATerminalNothingToObey) {
  Sample now = sample_at(12);
  now.signatures[0].message = "a\x1b[2Jb\r\n\t\x7f c\xc2\x9b d\xff \xc3\xa4";
  expect_parts(text_of(top_lines(sample_at(10), now, {})), {"1:7 a.[2Jb.... c. d. \xc3\xa4\n"});
}

TEST(TopView, TakesASensorThatStartedAnewFromItsStart) {
  const Sample before = sample_at(1000);
  Sample now = sample_at(4);
  now.time_ns = before.time_ns + 1'000'000'000;
  expect_parts(text_of(top_lines(before, now, {})), {"1,000,000/s", "5.0/s            20"});
}

TEST(TopView, SaysNothingThatItDoesNotKnow) {
  const std::string text = text_of(top_lines({}, {}, {}));
  expect_parts(text, {"Lost     nothing", "- inspected"});
  EXPECT_EQ(text.find("Slow rule"), std::string::npos);
}

TEST(TopView, TellsMachinesTheSame) {
  Sample now = sample_at(12);
  now.losses[0].count = 6;
  const std::string json = top_json(sample_at(10), now);
  expect_parts(json, {R"("interval_ms":2000)",
                      R"("packets":{"total":12000000,"lately":2000000,"per_second":1000000})",
                      R"("lost":[{"cause":"missed","unit":"packets","total":6,"lately":6})",
                      R"("load_permille":500)", R"("imbalance":1.0000)",
                      R"("inspected":{"count":200,"p50_us":32)",
                      R"("signature":"a signature","logged":60,"suppressed":3,"lately":10)",
                      R"("scanning_share":0.6000,"rules_share":0.3000)",
                      R"("signature":"a slow rule","share":0.2500,"checks":1000)"});
  EXPECT_EQ(json.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace shrike::app
