#include "shrike/base/number_list.h"

#include <gtest/gtest.h>

namespace shrike {
namespace {

struct Case {
  const char* text;
  std::vector<uint32_t> numbers;
  const char* written;
};

class NumberLists : public testing::TestWithParam<Case> {};

TEST_P(NumberLists, ReadAndWritten) {
  const std::vector<uint32_t> numbers = parse_list(GetParam().text);
  EXPECT_EQ(numbers, GetParam().numbers);
  EXPECT_EQ(list_text(numbers), GetParam().written);
}

INSTANTIATE_TEST_SUITE_P(
    All, NumberLists,
    testing::Values(Case{"", {}, ""}, Case{"\n", {}, ""}, Case{"x", {}, ""}, Case{"0\n", {0}, "0"},
                    Case{"0-2,8\n", {0, 1, 2, 8}, "0-2,8"}, Case{" 3,4,6", {3, 4, 6}, "3-4,6"},
                    Case{"1,x,2", {1}, "1"}, Case{"5-3,4", {4}, "4"}, Case{"7-", {}, ""}));

TEST(NumberLists, StopWhereTheyAreTooLong) {
  EXPECT_EQ(parse_list("0-4000000000").size(), 4096U);
}

}  // namespace
}  // namespace shrike
