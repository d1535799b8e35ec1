#include "value.h"

#include <gtest/gtest.h>

namespace shrike::app {
namespace {

TEST(Value, ReadsFlagsAsSuricataDoes) {
  for (const char* yes : {"yes", "true", "on", "1", "YES", " True "}) {
    EXPECT_EQ(parse_flag(yes), true) << yes;
  }
  for (const char* no : {"no", "false", "off", "0", "No"}) {
    EXPECT_EQ(parse_flag(no), false) << no;
  }
  for (const char* neither : {"", "maybe", "2", "y"}) {
    EXPECT_EQ(parse_flag(neither), std::nullopt) << neither;
  }
}

struct SizeCase {
  const char* text;
  std::optional<uint64_t> bytes;
};

TEST(Value, ReadsSizesWithUnits) {
  const SizeCase cases[] = {
      {"0", 0},
      {"50", 50},
      {"64kb", 65536},
      {"1 MiB", 1048576},
      {"1.5 mb", 1572864},
      {"2gb", 2147483648},
      {"1 GiB", 1073741824},
      {" 12 KB ", 12288},
      {"", {}},
      {"mb", {}},
      {"-1", {}},
      {"10xb", {}},
      {"1e3", {}},
      {"nan", {}},
      {"99999999999999gb", {}},
  };
  for (const SizeCase& test : cases) {
    EXPECT_EQ(parse_size(test.text), test.bytes) << test.text;
  }
}

struct RangeCase {
  const char* text;
  const char* range;  ///< "first last", empty: none
};

TEST(Value, ReadsAddressesNetworksAndRanges) {
  const RangeCase cases[] = {
      {"10.1.2.3", "10.1.2.3 10.1.2.3"},
      {"10.1.2.3/8", "10.0.0.0 10.255.255.255"},
      {"0.0.0.0/0", "0.0.0.0 255.255.255.255"},
      {"192.168.1.129/25", "192.168.1.128 192.168.1.255"},
      {"10.0.0.1-10.0.0.9", "10.0.0.1 10.0.0.9"},
      {"2001:db8::/33", "2001:db8:: 2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"},
      {"::1", "::1 ::1"},
      {"10.0.0.9-10.0.0.1", ""},
      {"10.0.0.1-::1", ""},
      {"10.0.0.0/33", ""},
      {"10.0.0.0/", ""},
      {"10.0.0", ""},
      {"", ""},
      {"example.org", ""},
  };
  for (const RangeCase& test : cases) {
    SCOPED_TRACE(test.text);
    const auto range = parse_address_range(test.text);
    const std::string text = range ? to_text(range->first, range->version, true) + " " +
                                         to_text(range->last, range->version, true)
                                   : "";
    EXPECT_EQ(text, test.range);
  }
}

TEST(Value, ReadsPortsSortedAndOnce) {
  using Ports = std::vector<uint16_t>;
  EXPECT_EQ(parse_ports("80"), (Ports{80}));
  EXPECT_EQ(parse_ports("[5061, 5060,5060]"), (Ports{5060, 5061}));
  EXPECT_EQ(parse_ports("4789:4791"), (Ports{4789, 4790, 4791}));
  EXPECT_EQ(parse_ports("0:65535")->size(), 65536U);
  for (const char* wrong : {"", "[]", "http", "65536", "90:80", "1:2:3", "-1", "!80"}) {
    EXPECT_EQ(parse_ports(wrong), std::nullopt) << wrong;
  }
}

TEST(Value, SplitsLists) {
  using Parts = std::vector<std::string_view>;
  EXPECT_EQ(split_list(" [ a , b ] "), (Parts{"a", "b"}));
  EXPECT_EQ(split_list("a"), (Parts{"a"}));
  EXPECT_EQ(split_list("a,,b,"), (Parts{"a", "b"}));
  EXPECT_EQ(split_list("[]"), Parts{});
}

}  // namespace
}  // namespace shrike::app
