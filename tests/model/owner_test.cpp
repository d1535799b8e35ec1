#include "shrike/model/owner.h"

#include <gtest/gtest.h>

#include <set>

namespace shrike {
namespace {

/// Microsoft's definition, bit by bit over the whole tuple: the slow, obvious version.
uint32_t toeplitz(const std::vector<uint8_t>& input) {
  uint32_t hash = 0;
  const uint64_t key = 0x6d5a6d5a6d5a6d5aULL;
  for (size_t i = 0; i < input.size() * 8; ++i) {
    if ((input[i / 8] >> (7 - i % 8) & 1) != 0) {
      const unsigned shift = i % 16;
      hash ^=
          static_cast<uint32_t>(key << shift >> 32 | (shift == 0 ? 0 : key >> (64 - shift) >> 32));
    }
  }
  return hash;
}

Datagram ipv4_tcp(uint32_t seed) {
  Datagram datagram;
  datagram.ip_version = 4;
  datagram.source.bytes = {10, 1, static_cast<uint8_t>(seed), 7};
  datagram.target.bytes = {192, 168, 3, static_cast<uint8_t>(seed * 7)};
  datagram.source_port = static_cast<uint16_t>(1024 + seed * 31);
  datagram.target_port = 443;
  return datagram;
}

std::vector<uint8_t> tuple_of(const Datagram& d) {
  std::vector<uint8_t> tuple(d.source.bytes.begin(), d.source.bytes.begin() + 4);
  tuple.insert(tuple.end(), d.target.bytes.begin(), d.target.bytes.begin() + 4);
  return tuple;
}

TEST(OwnerTable, HashIsToeplitzWithTheRepeatedKey) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    const Datagram datagram = ipv4_tcp(seed);
    EXPECT_EQ(OwnerTable::hash_of(datagram), toeplitz(tuple_of(datagram))) << seed;
  }
}

TEST(OwnerTable, BothDirectionsAndTheirErrorsHaveOneOwner) {
  const OwnerTable owners(5);
  std::set<uint32_t> seen;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    const Datagram there = ipv4_tcp(seed);
    Datagram back = there;
    std::swap(back.source, back.target);
    back.source_port = 20;  // another connection of the same hosts
    back.target_port = 1025;
    Datagram error;
    error.source.bytes = {8, 8, 8, 8};
    error.embedded = {there.source, there.target, there.source_port, there.target_port, 6, 4};
    EXPECT_EQ(owners.owner_of(there), owners.owner_of(back));
    EXPECT_EQ(owners.owner_of(there), owners.owner_of(error));
    seen.insert(owners.owner_of(there));
  }
  EXPECT_EQ(seen.size(), 5U);
}

}  // namespace
}  // namespace shrike
