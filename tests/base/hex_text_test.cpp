#include "shrike/base/hex_text.h"

#include <gtest/gtest.h>

#include <array>

namespace shrike {
namespace {

TEST(HexText, HasTwoDigitsAByteAndSeparatorsBetween) {
  constexpr std::array<uint8_t, 3> bytes{0x00, 0x0a, 0xff};
  EXPECT_EQ(hex_text(bytes), "000aff");
  EXPECT_EQ(hex_text(bytes, ":"), "00:0a:ff");
  EXPECT_EQ(hex_text(Bytes(bytes).first(1), ":"), "00");
  EXPECT_EQ(hex_text({}, ":"), "");
}

}  // namespace
}  // namespace shrike
