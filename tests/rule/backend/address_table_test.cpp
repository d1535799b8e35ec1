#include "backend/address_table.h"

#include <gtest/gtest.h>

#include <random>

namespace shrike::rule {
namespace {

IpAddress address4(uint32_t value) {
  IpAddress address;
  for (size_t i = 0; i < 4; ++i) {
    address.bytes[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
  }
  return address;
}

std::vector<uint32_t> found(const AddressTable& table, const IpAddress& address, unsigned version) {
  const AddressTable::Found found = table.find(address, version);
  return {found.first, found.last};
}

TEST(AddressTable, FindsTheRulesThatNameAnAddress) {
  AddressSet ten;
  ten.ipv4 = {{0x0a000000, 0x0affffff}};
  AddressSet one;
  one.ipv4 = {{0x0a000001, 0x0a000001}, {0x0a000002, 0x0a000002}, {0xffffffff, 0xffffffff}};
  AddressSet six;
  six.ipv6 = {{address4(0x20010db8), address4(0x20010db9)}};
  const AddressTable table = build_address_table({{3, &ten}, {5, &one}, {8, &six}});
  using Rules = std::vector<uint32_t>;
  EXPECT_EQ(found(table, address4(0x09ffffff), 4), Rules{});
  EXPECT_EQ(found(table, address4(0x0a000000), 4), Rules{3});
  EXPECT_EQ(found(table, address4(0x0a000001), 4), (Rules{3, 5}));
  EXPECT_EQ(found(table, address4(0x0a000002), 4), (Rules{3, 5}));
  EXPECT_EQ(found(table, address4(0x0a000003), 4), Rules{3});
  EXPECT_EQ(found(table, address4(0x0b000000), 4), Rules{});
  EXPECT_EQ(found(table, address4(0xffffffff), 4), Rules{5});
  EXPECT_EQ(found(table, address4(0x20010db8), 6), Rules{8});
  EXPECT_EQ(found(table, address4(0x20010dba), 6), Rules{});
  EXPECT_EQ(found(AddressTable{}, address4(0), 4), Rules{});
}

TEST(AddressTable, AgreesWithAskingEveryRule) {
  std::mt19937 chance(11);
  std::vector<AddressSet> sets(50);
  std::vector<FiledRule> filed;
  for (uint32_t rule = 0; rule < sets.size(); ++rule) {
    uint32_t at = chance() % 1000;
    for (int i = 0; i < 20; ++i) {
      const uint32_t last = at + chance() % 3000;
      sets[rule].ipv4.push_back({at, last});
      at = last + 1 + chance() % 40000;
    }
    filed.push_back({rule, &sets[rule]});
  }
  const AddressTable table = build_address_table(filed);
  for (int round = 0; round < 20000; ++round) {
    const IpAddress address = address4(chance() % 900000);
    std::vector<uint32_t> expected;
    for (uint32_t rule = 0; rule < sets.size(); ++rule) {
      if (sets[rule].contains(address, 4)) {
        expected.push_back(rule);
      }
    }
    ASSERT_EQ(found(table, address, 4), expected) << to_text(address, 4);
  }
}

}  // namespace
}  // namespace shrike::rule
