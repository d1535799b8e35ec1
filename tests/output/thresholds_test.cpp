#include "thresholds.h"

#include <gtest/gtest.h>

#include "scene.h"

namespace shrike::output {
namespace {

/// One match: when, from whom to whom (letters are hosts), in which flow.
struct Match {
  double seconds;
  char source = 'a';
  char target = 'b';
  uint64_t flow_id = 1;
};

IpAddress host(char letter) {
  IpAddress address = ip("10.0.0.0");
  address.bytes[3] = static_cast<uint8_t>(letter);
  return address;
}

ThresholdSubject subject_of(const Match& match) {
  return {.hosts = {4, host(match.source), host(match.target)},
          .flow_id = match.flow_id,
          .time_us = start_ns / 1000 + static_cast<uint64_t>(match.seconds * 1e6)};
}

/// '!' logged, '.' kept back, 'd' logged with rate_filter's action.
std::string outcomes(const RuleInfo& info, const std::vector<Match>& matches) {
  Thresholds thresholds(1000);
  std::string text;
  for (const Match& match : matches) {
    const ThresholdVerdict verdict = thresholds.decide(info, subject_of(match));
    text += !verdict.logs ? '.' : verdict.new_action ? 'd' : '!';
  }
  return text;
}

std::vector<Match> every_second(int count) {
  std::vector<Match> matches;
  for (int i = 0; i < count; ++i) {
    matches.push_back({static_cast<double>(i)});
  }
  return matches;
}

struct ThresholdCase {
  const char* what;
  Threshold threshold;
  std::vector<Match> matches;
  const char* outcomes;
};

Threshold make(ThresholdType type, uint32_t count, uint32_t seconds,
               ThresholdTrack track = ThresholdTrack::by_source) {
  return {.type = type, .track = track, .count = count, .seconds = seconds, .addresses = {}};
}

TEST(Thresholds, CountAsSuricataDoes) {
  using enum ThresholdType;
  const ThresholdCase cases[] = {
      {"limit logs the first count of a window", make(limit, 2, 60), every_second(5), "!!..."},
      {"limit begins again after the window, with a full count", make(limit, 1, 3), every_second(9),
       "!...!...!"},
      {"the window's last microsecond belongs to it",
       make(limit, 1, 3),
       {{0}, {3.0}, {3.000001}},
       "!.!"},
      {"time that runs backwards is within the window",
       make(limit, 1, 3),
       {{10}, {5}, {13.5}},
       "!.!"},
      {"threshold logs every count-th", make(threshold, 3, 60), every_second(7), "..!..!."},
      {"threshold of 1 logs all", make(threshold, 1, 60), every_second(3), "!!!"},
      {"threshold counts anew after the window",
       make(threshold, 2, 3),
       {{0}, {4}, {5}, {6}, {7}, {20}, {21}},
       "..!.!.!"},
      {"both logs once a window, at the count-th", make(both, 2, 10), every_second(5), ".!..."},
      {"both of 1 logs the first of each window", make(both, 1, 3), every_second(6), "!...!."},
      {"both counts anew after the window",
       make(both, 2, 3),
       {{0}, {1}, {2}, {4}, {5}, {6}},
       ".!..!."},
      {"detection_filter logs above the count", make(detection_filter, 2, 60), every_second(5),
       "..!!!"},
      {"detection_filter's window is fixed, not sliding", make(detection_filter, 2, 3),
       every_second(8), "..!!..!!"},
      {"backoff by powers",
       {.type = backoff,
        .track = ThresholdTrack::by_flow,
        .count = 1,
        .multiplier = 2,
        .addresses = {}},
       every_second(9),
       "!!.!...!."},
      {"backoff from its count",
       {.type = backoff,
        .track = ThresholdTrack::by_flow,
        .count = 2,
        .multiplier = 3,
        .addresses = {}},
       every_second(7),
       ".!...!."},
  };
  for (const ThresholdCase& test : cases) {
    SCOPED_TRACE(test.what);
    RuleInfo info = rule(1);
    info.thresholds = {test.threshold};
    EXPECT_EQ(outcomes(info, test.matches), test.outcomes);
  }
}

TEST(Thresholds, TrackWhatTheySay) {
  using enum ThresholdTrack;
  const std::vector<Match> matches = {{0, 'a', 'b', 1}, {1, 'a', 'b', 1}, {2, 'b', 'a', 1},
                                      {3, 'a', 'c', 2}, {4, 'c', 'b', 3}, {5, 'a', 'b', 0}};
  struct {
    ThresholdTrack track;
    const char* outcomes;
  } const cases[] = {{by_source, "!.!.!."},
                     {by_target, "!.!!.."},
                     {by_both, "!..!!."},
                     {by_rule, "!....."},
                     {by_flow, "!..!!."}};
  for (const auto& test : cases) {
    SCOPED_TRACE(static_cast<int>(test.track));
    RuleInfo info = rule(1);
    info.thresholds = {make(ThresholdType::limit, 1, 60, test.track)};
    EXPECT_EQ(outcomes(info, matches), test.outcomes);
  }
}

TEST(Thresholds, KeepRulesApart) {
  Thresholds thresholds(1000);
  RuleInfo first = rule(1);
  first.thresholds = {make(ThresholdType::limit, 1, 60)};
  RuleInfo other_sid = first;
  other_sid.sid = 2;
  RuleInfo other_gid = first;
  other_gid.gid = 3;
  RuleInfo other_rev = first;
  other_rev.rev = 9;
  for (const RuleInfo& each : {first, other_sid, other_gid, other_rev}) {
    EXPECT_TRUE(thresholds.decide(each, subject_of({0})).logs);
    EXPECT_FALSE(thresholds.decide(each, subject_of({1})).logs);
  }
}

TEST(Thresholds, RateFilterChangesTheActionWhileItsTimeoutHolds) {
  struct {
    const char* what;
    uint32_t count, seconds, timeout_seconds;
    std::vector<Match> matches;
    const char* outcomes;
  } const cases[] = {
      {"above the count", 2, 60, 1000, every_second(5), "!!ddd"},
      {"not when matches are rare", 1, 2, 1000, {{0}, {3}, {6}}, "!!!"},
      {"until the timeout has passed, which costs one match",
       1,
       60,
       5,
       {{0}, {1}, {3}, {6}, {7}, {8}},
       "!ddd!d"},
      {"the new action outlives the window", 1, 2, 100, {{0}, {1}, {50}}, "!dd"},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.what);
    RuleInfo info = rule(1);
    info.thresholds = {{.type = ThresholdType::rate,
                        .track = ThresholdTrack::by_source,
                        .count = test.count,
                        .seconds = test.seconds,
                        .timeout_seconds = test.timeout_seconds,
                        .new_action = Action::drop,
                        .addresses = {}}};
    EXPECT_EQ(outcomes(info, test.matches), test.outcomes);
  }
}

TEST(Thresholds, SuppressByAddress) {
  const AddressRange b_to_c{.version = 4, .first = host('b'), .last = host('c')};
  const AddressRange version6{.version = 6, .first = {}, .last = ip("ffff::")};
  using enum ThresholdTrack;
  const std::vector<Match> matches = {{0, 'a', 'b'}, {1, 'b', 'a'}, {2, 'c', 'b'}, {3, 'a', 'd'}};
  struct {
    ThresholdTrack track;
    std::vector<AddressRange> addresses;
    const char* outcomes;
  } const cases[] = {{by_source, {b_to_c}, "!..!"},   {by_target, {b_to_c}, ".!.!"},
                     {by_either, {b_to_c}, "...!"},   {by_source, {}, "...."},
                     {by_source, {version6}, "!!!!"}, {by_source, {version6, b_to_c}, "!..!"}};
  for (const auto& test : cases) {
    RuleInfo info = rule(1);
    info.thresholds = {
        {.type = ThresholdType::suppress, .track = test.track, .addresses = test.addresses}};
    EXPECT_EQ(outcomes(info, matches), test.outcomes);
  }
}

TEST(Thresholds, SuppressionComesFirstAndDoesNotCount) {
  const AddressRange a{.version = 4, .first = host('a'), .last = host('a')};
  RuleInfo info = rule(1);
  info.thresholds = {
      make(ThresholdType::limit, 1, 60, ThresholdTrack::by_rule),
      {.type = ThresholdType::suppress, .track = ThresholdTrack::by_source, .addresses = {a}}};
  EXPECT_EQ(outcomes(info, {{0, 'a', 'b'}, {1, 'c', 'b'}, {2, 'c', 'b'}}), ".!.");
}

TEST(Thresholds, AllOfARuleMustLetItThrough) {
  RuleInfo info = rule(1);
  info.thresholds = {make(ThresholdType::detection_filter, 1, 60),
                     make(ThresholdType::limit, 1, 60, ThresholdTrack::by_rule)};
  EXPECT_EQ(outcomes(info, every_second(4)), ".!..");
}

TEST(Thresholds, GiveUpTheOldestWhereTheTableIsFull) {
  Thresholds thresholds(2);
  RuleInfo info = rule(1);
  info.thresholds = {make(ThresholdType::limit, 1, 60)};
  EXPECT_TRUE(thresholds.decide(info, subject_of({0, 'a'})).logs);
  EXPECT_TRUE(thresholds.decide(info, subject_of({1, 'b'})).logs);
  EXPECT_FALSE(thresholds.decide(info, subject_of({2, 'a'})).logs);
  EXPECT_TRUE(thresholds.decide(info, subject_of({3, 'c'})).logs) << "takes the place of b";
  EXPECT_FALSE(thresholds.decide(info, subject_of({4, 'a'})).logs);
  EXPECT_TRUE(thresholds.decide(info, subject_of({5, 'b'})).logs);
  EXPECT_EQ(thresholds.evicted(), 2U);
}

}  // namespace
}  // namespace shrike::output
