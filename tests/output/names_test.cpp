#include "names.h"

#include <gtest/gtest.h>

#include "community_id.h"
#include "scene.h"
#include "time_text.h"

namespace shrike::output {
namespace {

TEST(Names, AreThoseThatSuricataWrites) {
  struct {
    uint8_t number;
    const char* text;
  } const cases[] = {{0, "HOPOPT"},     {1, "ICMP"},        {4, "IP-in-IP"},   {6, "TCP"},
                     {17, "UDP"},       {41, "IPv6"},       {44, "IPv6-Frag"}, {47, "GRE"},
                     {53, "SwIPe"},     {55, "MOBILE"},     {58, "IPv6-ICMP"}, {60, "IPv6-Opts"},
                     {84, "TTP"},       {85, "NSFNET-IGP"}, {89, "OSPF"},      {103, "PIM"},
                     {112, "VRRP"},     {115, "L2TP"},      {116, "DDX"},      {132, "SCTP"},
                     {143, "Ethernet"}, {144, "144"},       {255, "255"}};
  for (const auto& test : cases) {
    EXPECT_EQ(protocol_text(test.number), test.text);
  }
}

TEST(Names, PairIcmpTypesBothWays) {
  EXPECT_EQ(icmp_counterpart(8, false), 0);
  EXPECT_EQ(icmp_counterpart(0, false), 8);
  EXPECT_EQ(icmp_counterpart(3, false), 0);
  EXPECT_EQ(icmp_counterpart(128, true), 129);
  EXPECT_EQ(icmp_counterpart(136, true), 135);
}

TEST(TimeText, WritesTheLocalZone) {
  struct {
    const char* zone;
    uint64_t time_ns;
    const char* iso;
    const char* american;
  } const cases[] = {
      {"UTC", start_ns, "2024-03-09T14:05:06.000123+0000", "03/09/2024-14:05:06.000123"},
      {"<+0530>-5:30", start_ns, "2024-03-09T19:35:06.000123+0530", "03/09/2024-19:35:06.000123"},
      {"<-03>3", 0, "1969-12-31T21:00:00.000000-0300", "12/31/1969-21:00:00.000000"},
      {"UTC", 999'999'999, "1970-01-01T00:00:00.999999+0000", "01/01/1970-00:00:00.999999"},
  };
  for (const auto& test : cases) {
    const Zone zone(test.zone);
    TimeText times;
    EXPECT_EQ(times.iso(test.time_ns), test.iso);
    EXPECT_EQ(times.american(test.time_ns), test.american);
    EXPECT_EQ(times.iso(test.time_ns), test.iso) << "again, from what it remembers";
  }
}

// From the baseline of the specification, github.com/corelight/community-id-spec.
TEST(CommunityId, IsThatOfTheSpecificationInBothDirections) {
  struct {
    CommunityTuple tuple;
    uint16_t seed;
    const char* id;
  } const cases[] = {
      {{4, 6, ip("128.232.110.120"), ip("66.35.250.204"), 34855, 80},
       0,
       "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
      {{4, 6, ip("128.232.110.120"), ip("66.35.250.204"), 34855, 80},
       1,
       "1:3V71V58M3Ksw/yuFALMcW0LAHvc="},
      {{4, 17, ip("192.168.1.52"), ip("8.8.8.8"), 54585, 53}, 0, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(community_id(test.tuple, test.seed), test.id);
    CommunityTuple reverse = test.tuple;
    std::swap(reverse.source, reverse.target);
    std::swap(reverse.source_port, reverse.target_port);
    EXPECT_EQ(community_id(reverse, test.seed), test.id);
  }
}

}  // namespace
}  // namespace shrike::output
