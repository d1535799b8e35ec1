#include "summary.h"

#include <gtest/gtest.h>

#include "terminal.h"

namespace shrike::app {
namespace {

TEST(Terminal, WritesNumbersForPeople) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1000), "1,000");
  EXPECT_EQ(with_commas(1234567), "1,234,567");
  EXPECT_EQ(with_unit(999), "999 B");
  EXPECT_EQ(with_unit(1500), "1.5 kB");
  EXPECT_EQ(with_unit(999'960), "1.0 MB");
  EXPECT_EQ(with_unit(2'300'000'000), "2.3 GB");
  EXPECT_EQ(as_clock(7.4), "0:07");
  EXPECT_EQ(as_clock(754), "12:34");
  EXPECT_EQ(as_clock(3723), "1:02:03");
  EXPECT_EQ(as_rate(1'250'000, 1), "10.0 Mbit/s");
  EXPECT_EQ(as_rate(250'000'000, 1), "2.00 Gbit/s");
  EXPECT_EQ(as_rate(1, 0), "-");
}

TEST(Terminal, SaysHowFarAndHowLong) {
  const worker::Progress half{.packets = 1000, .alerts = 2, .read_bytes = 50, .total_bytes = 100};
  EXPECT_EQ(progress_text(half, 2'500'000, 2),
            " 50 %  1,000 packets  10.0 Mbit/s  2 alerts  0:02 left");
  const worker::Progress endless{.packets = 1, .alerts = 0, .read_bytes = 50, .total_bytes = 0};
  EXPECT_EQ(progress_text(endless, 0, 2), "1 packets  0.0 Mbit/s  0 alerts");
}

TEST(Summary, SaysWhatTheRunCameTo) {
  constexpr CounterRow rows[] = {{"capture.packets", "packets", ""},
                                 {"capture.wire_bytes", "bytes", ""},
                                 {"decoder.pkts", "packets", ""},
                                 {"decoder.invalid", "packets", ""},
                                 {"flow.total", "flows", ""},
                                 {"decoder.event.ipv4.trunc_pkt", "packets", ""},
                                 {"decoder.event.ipv4.opt_pad_required", "packets", ""},
                                 {"stream.payload_bytes", "bytes", ""},
                                 {"stream.inspected_bytes", "bytes", ""},
                                 {"stream.skipped.depth_bytes", "bytes", ""},
                                 {"stream.skipped.repeated_bytes", "bytes", ""}};
  constexpr uint64_t values[] = {4000, 1'500'000, 4000, 3, 12, 3, 0, 5000, 4000, 900, 90};
  RunFacts facts;
  facts.captures = 2;
  facts.progress.packets = 4000;
  facts.seconds = 2;
  facts.start_seconds = 0.5;
  facts.rules.rules_loaded = 10;
  facts.rules.rules_failed = 1;
  facts.rules.dormant = {{"field http.uri", 4}, {"field dns.query", 2}};
  facts.output.alerts_logged = 5;
  facts.output.alerts_suppressed = 1;
  facts.output.signatures = {{1, 100, 2, "first", 2, 0}, {1, 101, 1, "second", 3, 1}};
  facts.output.sinks = {{"eve-log", "out/eve.json", 7, 7, 0, ""},
                        {"fast", "out/fast.log", 5, 4, 1, "No space left on device"}};
  facts.counters.add({rows, values});
  facts.cost = RunFacts::Cost{1.5, 0.25, 100'000'000};
  EXPECT_EQ(
      summary_text(facts),
      "Read      4,000 packets, 1.5 MB in 2 captures\n"
      "Speed     2.00 s, 6.0 Mbit/s, 2,000 packets/s (start-up 0.50 s)\n"
      "Flows     12\n"
      "Rules     10 loaded, 1 failed, 0 skipped\n"
      "          6 of the loaded are dormant: what they look at is not parsed yet\n"
      "           4  field http.uri\n"
      "           2  field dns.query\n"
      "Alerts    5, and 1 kept back by thresholds\n"
      "           3  [1:101:1] second\n"
      "           2  [1:100:2] first\n"
      "Malformed 3 packets that cannot be decoded further\n"
      "           3  ipv4.trunc_pkt\n"
      "Accounts  4,000 packets = 3,997 decoded + 3 malformed + 0 of link types not known\n"
      "          5,000 bytes of TCP payload = 4,000 inspected + 0 discarded + 990 skipped, 10 "
      "unaccounted for\n"
      "         900  skipped: depth_bytes\n"
      "          90  skipped: repeated_bytes\n"
      "Written   7 lines to out/eve.json\n"
      "          4 lines to out/fast.log, 1 lost: No space left on device\n"
      "Cost      1.50 s user, 0.25 s system, 100.0 MB memory at most\n");
}

TEST(Summary, ShowsTheTwentyMostFrequentSignatures) {
  RunFacts facts;
  for (uint32_t sid = 1; sid <= 25; ++sid) {
    facts.output.signatures.push_back({1, sid, 1, "rule", 100 - sid, 0});
  }
  const std::string text = summary_text(facts);
  EXPECT_NE(text.find("[1:20:1]"), std::string::npos);
  EXPECT_EQ(text.find("[1:21:1]"), std::string::npos);
  EXPECT_NE(text.find("and 5 more"), std::string::npos);
}

}  // namespace
}  // namespace shrike::app
