#include "shrike/base/latency.h"

#include <gtest/gtest.h>

namespace shrike {
namespace {

TEST(Latency, DoublesItsBuckets) {
  const struct {
    uint64_t ns;
    size_t bucket;
  } cases[] = {
      {0, 0},           {1, 0},          {1000, 0},           {1001, 1},
      {2000, 1},        {2001, 2},       {4000, 2},           {4001, 3},
      {1'024'000, 10},  {1'024'001, 11}, {8'388'608'000, 23}, {8'388'608'001, 24},
      {UINT64_MAX, 24},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(LatencyHistogram::bucket_of(each.ns), each.bucket) << each.ns;
  }
}

TEST(Latency, NamesItsBucketsAndKnowsThemAgain) {
  size_t stage = 0;
  for (const auto rows :
       {latency_rows::inspected(), latency_rows::alert(), latency_rows::written()}) {
    ASSERT_EQ(rows.size(), LatencyHistogram::buckets);
    for (size_t bucket = 0; bucket < rows.size(); ++bucket) {
      const LatencyPlace place = latency_place(rows[bucket].name);
      EXPECT_TRUE(place.exists) << rows[bucket].name;
      EXPECT_EQ(place.stage, stage);
      EXPECT_EQ(place.bucket, bucket);
    }
    ++stage;
  }
  EXPECT_EQ(latency_rows::alert()[10].name, "latency.alert.1024_us");
  EXPECT_EQ(latency_rows::alert()[10].meaning, "Packet received to alert decided: up to 1024 us.");
  for (const std::string_view other :
       {"latency.alert", "latency.alert.", "latency.alert.3_us", "latency.alert.16777216_us",
        "latency.alert.8", "latency.other.8_us", "latency.", "flow.total"}) {
    EXPECT_FALSE(latency_place(other).exists) << other;
  }
}

TEST(Latency, TellsPercentilesByTheBoundOfTheirBucket) {
  LatencyHistogram histogram;
  for (unsigned i = 0; i < 98; ++i) {
    histogram.add(3000);
  }
  histogram.add(1'500'000);
  histogram.add(20'000'000'000);
  LatencyBuckets buckets{};
  const CounterView view = histogram.view(latency_rows::alert());
  for (size_t i = 0; i < buckets.size(); ++i) {
    buckets[i] = view.value(i);
  }
  EXPECT_EQ(count_of(buckets), 100U);
  EXPECT_EQ(percentile_us(buckets, 0.5), 4U);
  EXPECT_EQ(percentile_us(buckets, 0.98), 4U);
  EXPECT_EQ(percentile_us(buckets, 0.99), 2048U);
  EXPECT_EQ(percentile_us(buckets, 1), 8388608U);  // no bound holds it: the last is told
  EXPECT_EQ(percentile_us(LatencyBuckets{}, 0.5), 0U);
}

}  // namespace
}  // namespace shrike
