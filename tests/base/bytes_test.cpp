#include "shrike/base/bytes.h"

#include <gtest/gtest.h>

#include <array>

namespace shrike {
namespace {

constexpr std::array<uint8_t, 8> bytes{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08};

TEST(ByteReader, ReadsBothOrders) {
  EXPECT_EQ(ByteReader(bytes).big16(), 0x0102);
  EXPECT_EQ(ByteReader(bytes).big32(), 0x01020304U);
  EXPECT_EQ(ByteReader(bytes).big64(), 0x0102030405060708U);
  EXPECT_EQ(ByteReader(bytes).little16(), 0x0201);
  EXPECT_EQ(ByteReader(bytes).little32(), 0x04030201U);
  EXPECT_EQ(ByteReader(bytes).little64(), 0x0807060504030201U);
}

TEST(ByteReader, NeverReadsPastTheEndAndStaysFailed) {
  ByteReader reader(Bytes(bytes).first(3));
  EXPECT_EQ(reader.big32(), 0U);
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.left(), 3U);
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_TRUE(reader.failed());
}

TEST(ByteReader, TakesAndSkips) {
  ByteReader reader(bytes);
  EXPECT_TRUE(reader.skip(2));
  EXPECT_EQ(reader.take(3).front(), 3);
  EXPECT_EQ(reader.rest().size(), 3U);
  EXPECT_TRUE(reader.take(4).empty());
  EXPECT_FALSE(reader.skip(4));
  EXPECT_TRUE(reader.failed());
}

}  // namespace
}  // namespace shrike
