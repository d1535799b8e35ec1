#include "shrike/model/address.h"

#include <gtest/gtest.h>

namespace shrike {
namespace {

TEST(Address, WritesBothVersions) {
  IpAddress address;
  address.bytes = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  EXPECT_EQ(to_text(address, 4), "32.1.13.184");
  EXPECT_EQ(to_text(address, 6), "2001:0db8:0000:0000:0000:0000:0000:0001");
  EXPECT_EQ(to_text(address, 6, true), "2001:db8::1");
}

}  // namespace
}  // namespace shrike
