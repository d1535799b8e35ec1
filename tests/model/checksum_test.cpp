#include "shrike/model/checksum.h"

#include <gtest/gtest.h>

#include <vector>

namespace shrike {
namespace {

/// RFC 1071 section 4.1, word by word.
uint16_t slow_sum(Bytes bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    const uint32_t low = i + 1 < bytes.size() ? bytes[i + 1] : 0;
    sum += uint32_t{bytes[i]} << 8 | low;
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint16_t>(sum);
}

TEST(Checksum, SumsAnyLengthAndPlace) {
  std::vector<uint8_t> bytes(301);
  uint32_t state = 1;
  for (uint8_t& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<uint8_t>(state >> 24);
  }
  for (size_t from = 0; from < 9; ++from) {
    for (size_t count = 0; from + count <= bytes.size(); ++count) {
      const Bytes part = Bytes(bytes).subspan(from, count);
      ASSERT_EQ(internet_sum(part), slow_sum(part)) << from << " " << count;
    }
  }
  const std::vector<uint8_t> ones(65535, 0xff);
  EXPECT_EQ(internet_sum(ones), slow_sum(ones));
}

TEST(Checksum, GoesOnFromASum) {
  const std::vector<uint8_t> bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  EXPECT_EQ(internet_sum(Bytes(bytes).subspan(4), internet_sum(Bytes(bytes).first(4))),
            internet_sum(bytes));
}

TEST(Checksum, HoldsForADatagramOfTheBook) {
  // Header with its checksum 0xb861, as every text book has it.
  const std::vector<uint8_t> header = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                                       0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
  Datagram datagram;
  EXPECT_FALSE(ip_checksum_holds(datagram));
  datagram.ip_version = 4;
  datagram.ip_header = header;
  EXPECT_TRUE(ip_checksum_holds(datagram));
  EXPECT_FALSE(transport_checksum_holds(datagram));
}

TEST(Checksum, CoversPseudoHeaderAndPayload) {
  // UDP 1 > 2 with "a", from 10.0.0.1 to 10.0.0.2.
  std::vector<uint8_t> udp = {0, 1, 0, 2, 0, 9, 0, 0, 'a'};
  Datagram datagram;
  datagram.ip_version = 4;
  datagram.protocol = ip_protocol::udp;
  datagram.has_transport = true;
  datagram.source.bytes = {10, 0, 0, 1};
  datagram.target.bytes = {10, 0, 0, 2};
  const uint32_t sum = 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 17 + 9 + 1 + 2 + 9 + ('a' << 8);
  udp[6] = static_cast<uint8_t>(~sum >> 8);
  udp[7] = static_cast<uint8_t>(~sum);
  datagram.transport_header = Bytes(udp).first(8);
  datagram.payload = Bytes(udp).subspan(8);
  EXPECT_TRUE(transport_checksum_holds(datagram));
  udp[8] = 'b';
  EXPECT_FALSE(transport_checksum_holds(datagram));
}

}  // namespace
}  // namespace shrike
