#include "shrike/base/ring.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace shrike {
namespace {

TEST(RecordRing, GivesRecordsBackInOrderAcrossTheWrap) {
  RecordRing ring(4096);
  for (int round = 0; round < 1000; ++round) {
    const std::string text(static_cast<size_t>(round % 700), static_cast<char>('a' + round % 26));
    ASSERT_TRUE(ring.write(as_bytes(text)));
    const Bytes front = ring.front();
    ASSERT_NE(front.data(), nullptr);
    EXPECT_EQ(as_text(front), text);
    ring.pop();
  }
  EXPECT_EQ(ring.front().data(), nullptr);
}

TEST(RecordRing, RemembersTheMostThatEverWaited) {
  RecordRing ring(4096);
  EXPECT_EQ(ring.waiting_bytes_max(), 0U);
  const std::string text(500, 'x');
  for (const size_t records : {2U, 5U, 1U}) {
    for (size_t i = 0; i < records; ++i) {
      ASSERT_TRUE(ring.write(as_bytes(text)));
    }
    while (ring.front().data() != nullptr) {
      ring.pop();
    }
  }
  EXPECT_GE(ring.waiting_bytes_max(), 5 * 500U);
  EXPECT_LE(ring.waiting_bytes_max(), ring.capacity_bytes());
}

TEST(RecordRing, RefusesWhenFullAndTakesAgainAfterPop) {
  RecordRing ring(4096);
  const std::string text(1000, 'x');
  size_t written = 0;
  while (ring.write(as_bytes(text))) {
    ++written;
  }
  EXPECT_EQ(written, 4U);
  ASSERT_NE(ring.front().data(), nullptr);
  ring.pop();
  EXPECT_TRUE(ring.write(as_bytes(text)));
}

TEST(RecordRing, CarriesRecordsBetweenTwoThreads) {
  RecordRing ring(1 << 14);
  constexpr uint64_t records = 200000;
  std::thread producer([&ring] {
    for (uint64_t i = 0; i < records;) {
      const Bytes record(reinterpret_cast<const uint8_t*>(&i), sizeof i);
      if (ring.write(record)) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  });
  uint64_t expected = 0;
  while (expected < records) {
    const Bytes front = ring.front();
    if (front.data() == nullptr) {
      std::this_thread::yield();
      continue;
    }
    uint64_t value = 0;
    std::memcpy(&value, front.data(), sizeof value);
    ASSERT_EQ(value, expected);
    ++expected;
    ring.pop();
  }
  producer.join();
}

}  // namespace
}  // namespace shrike
