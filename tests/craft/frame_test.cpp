#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "shrike/craft.h"

namespace shrike::craft {
namespace {

std::string hex(Bytes bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

uint16_t big16(const Buffer& bytes, size_t at) {
  return load_big16(bytes.data() + at);
}

/// Sum over a header with its checksum in place: zero where it is right.
uint16_t residue(Bytes bytes, uint32_t before = 0) {
  return internet_checksum(bytes, before);
}

uint32_t pseudo_header(Bytes addresses, uint8_t protocol, size_t bytes) {
  return partial_checksum(addresses, static_cast<uint32_t>(protocol + bytes));
}

TEST(Frame, WritesHeadersAsTheirDocumentsSay) {
  EXPECT_EQ(hex(Frame().ethernet().ipv4().udp().payload("hello").bytes()),
            "020000000002"
            "020000000001"
            "0800"
            "45000021"
            "00010000"
            "401166c9"
            "0a000001"
            "0a000002"
            "9c400035"
            "000d"
            "0b8a"
            "68656c6c6f");
  EXPECT_EQ(hex(Frame()
                    .ipv4({.ttl = 1, .tos = 0x10, .id = 0x1234, .dont_fragment = true})
                    .tcp({.source_port = 1,
                          .target_port = 2,
                          .sequence = 3,
                          .acknowledgment = 4,
                          .flags = tcp_flag::syn | tcp_flag::ack,
                          .window = 5,
                          .urgent_pointer = 6,
                          .options = {2, 4, 5, 0xb4}})
                    .bytes()),
            "4510002c"
            "12344000"
            "01065386"
            "0a000001"
            "0a000002"
            "00010002"
            "00000003"
            "00000004"
            "60120005"
            "83ff0006"
            "020405b4");
  EXPECT_EQ(hex(Frame()
                    .ipv6({.hop_limit = 2, .traffic_class = 0xab, .flow_label = 0x12345})
                    .icmpv6({.type = 128, .id = 7, .sequence = 8})
                    .bytes()),
            "6ab12345"
            "00083a02"
            "20010db8000000000000000000000001"
            "20010db8000000000000000000000002"
            "8000"
            "2439"
            "0007"
            "0008");
}

TEST(Frame, NamesWhatFollows) {
  struct Case {
    Frame frame;
    size_t at;
    uint16_t value;
  };
  const Case cases[] = {
      {Frame().ethernet().ipv4(), 12, 0x0800},
      {Frame().ethernet().ipv6(), 12, 0x86dd},
      {Frame().ethernet().arp(), 12, 0x0806},
      {Frame().ethernet().vlan().ipv6(), 12, 0x8100},
      {Frame().ethernet().vlan().ipv6(), 16, 0x86dd},
      {Frame().ethernet().qinq(1, 2).ipv4(), 12, 0x88a8},
      {Frame().ethernet().qinq(1, 2).ipv4(), 16, 0x8100},
      {Frame().ethernet().mpls().ipv4(), 12, 0x8847},
      {Frame().ethernet().pppoe().ipv4(), 12, 0x8864},
      {Frame().ethernet().pppoe().ipv6(), 20, 0x0057},
      {Frame().ethernet().pppoe({.code = 9}).payload("tags"), 12, 0x8863},
      {Frame().ethernet({.type = 0x1234}).ipv4(), 12, 0x1234},
      {Frame().linux_sll().ipv6(), 14, 0x86dd},
      {Frame().linux_sll2().ipv4(), 0, 0x0800},
      {Frame().ppp().ipv4(), 2, 0x0021},
      {Frame().cisco_hdlc().ipv4(), 2, 0x0800},
      {Frame().null_link().ipv4(), 0, 0x0200},
      {Frame().null_link().ipv6(), 0, 0x1800},
      {Frame().gre().ethernet(), 2, 0x6558},
      {Frame().gre({.sequence = 1}).erspan(), 2, 0x88be},
      {Frame().gre({.version = 1}).ppp(), 2, 0x880b},
      {Frame().geneve({.options = {1, 2, 3, 4}}).ipv4(), 2, 0x0800},
  };
  for (const Case& test : cases) {
    const Buffer bytes = test.frame.bytes();
    SCOPED_TRACE(hex(bytes));
    EXPECT_EQ(big16(bytes, test.at), test.value);
  }
}

TEST(Frame, NamesIpProtocols) {
  struct Case {
    Frame inner;
    uint8_t protocol;
  };
  const Case cases[] = {
      {Frame().tcp(), 6},
      {Frame().udp(), 17},
      {Frame().icmp(), 1},
      {Frame().icmpv6(), 58},
      {Frame().sctp(), 132},
      {Frame().gre(), 47},
      {Frame().ipv4(), 4},
      {Frame().ipv6(), 41},
      {Frame().esp(), 50},
      {Frame().authentication(), 51},
      {Frame().ipv6_fragment(), 44},
      {Frame().ipv6_extension({.type = 0}), 0},
      {Frame().ipv6_extension({.type = 43}), 43},
      {Frame().payload("x"), 253},
      {Frame(), 59},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(static_cast<int>(test.protocol));
    EXPECT_EQ(Frame().ipv4().append(test.inner).bytes()[9], test.protocol);
    EXPECT_EQ(Frame().ipv6().append(test.inner).bytes()[6], test.protocol);
  }
}

TEST(Frame, ComputesChecksumsThatVerify) {
  for (const char* const payload : {"", "a", "ab", "three"}) {
    SCOPED_TRACE(payload);
    const Buffer tcp =
        Frame().ipv4({.options = {1, 1, 1}}).tcp().payload(std::string_view(payload)).bytes();
    EXPECT_EQ(residue(Bytes(tcp).first(24)), 0);
    EXPECT_EQ(residue(Bytes(tcp).subspan(24),
                      pseudo_header(Bytes(tcp).subspan(12, 8), 6, tcp.size() - 24)),
              0);
    const Buffer udp =
        Frame().ipv6().ipv6_extension().udp().payload(std::string_view(payload)).bytes();
    EXPECT_EQ(residue(Bytes(udp).subspan(48),
                      pseudo_header(Bytes(udp).subspan(8, 32), 17, udp.size() - 48)),
              0);
    const Buffer icmp = Frame().ipv4().icmp().payload(std::string_view(payload)).bytes();
    EXPECT_EQ(residue(Bytes(icmp).subspan(20)), 0);
    const Buffer gre = Frame().gre({.has_checksum = true, .key = 1}).ipv4().udp().bytes();
    EXPECT_EQ(residue(gre), 0);
  }
}

TEST(Frame, WritesTheUdpChecksumZeroAsAllOnes) {
  // The payload is the complement of everything else that is summed.
  const Buffer without = Frame().ipv4().udp().payload(std::string_view("\0\0", 2)).bytes();
  const uint16_t sum = big16(without, 26);
  const Buffer payload{static_cast<uint8_t>(sum >> 8), static_cast<uint8_t>(sum)};
  EXPECT_EQ(big16(Frame().ipv4().udp().payload(payload).bytes(), 26), 0xffff);
}

TEST(Frame, ComputesCrc32c) {
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283U);  // the check value of CRC-32/ISCSI
  const Buffer frame = Frame().sctp().sctp_data("hello").bytes();
  Buffer zeroed = frame;
  std::fill(zeroed.begin() + 8, zeroed.begin() + 12, uint8_t{0});
  EXPECT_EQ(load_little32(frame.data() + 8), crc32c(zeroed));
  EXPECT_EQ(frame.size(), 12U + 4 + 12 + 8);
  EXPECT_EQ(big16(frame, 14), 4 + 12 + 5);
}

TEST(Frame, KeepsWhatItIsTold) {
  const Buffer ip = Frame()
                        .ipv4({.version = 5,
                               .protocol = 99,
                               .header_words = 3,
                               .total_length = 7,
                               .checksum = 0xbeef})
                        .tcp({.header_words = 15, .checksum = 0x1111})
                        .bytes();
  EXPECT_EQ(ip[0], 0x53);
  EXPECT_EQ(ip[9], 99);
  EXPECT_EQ(big16(ip, 2), 7);
  EXPECT_EQ(big16(ip, 10), 0xbeef);
  EXPECT_EQ(ip[32], 0xf0);
  EXPECT_EQ(big16(ip, 36), 0x1111);
  const Buffer udp = Frame()
                         .ipv6({.next_header = 1, .payload_length = 2})
                         .udp({.length = 3, .checksum = 0})
                         .bytes();
  EXPECT_EQ(udp[6], 1);
  EXPECT_EQ(big16(udp, 4), 2);
  EXPECT_EQ(big16(udp, 44), 3);
  EXPECT_EQ(big16(udp, 46), 0);
  EXPECT_EQ(Frame().mpls({.is_bottom = false}).ipv4().bytes()[2], 0);
}

TEST(Frame, MarksTheLastLabelOnly) {
  const Buffer bytes = Frame().mpls({.label = 5}).mpls({.label = 6}).ipv4().bytes();
  EXPECT_EQ(hex(Bytes(bytes).first(8)),
            "00005040"
            "00006140");
}

TEST(Frame, LeavesTrailersOutOfLengths) {
  const Buffer bytes = Frame().ethernet().ipv4().udp().payload("x").trailer(Buffer(17)).bytes();
  EXPECT_EQ(bytes.size(), 60U);
  EXPECT_EQ(big16(bytes, 16), 29);
  EXPECT_EQ(big16(bytes, 38), 9);
}

TEST(Frame, CountsLengthsOfExtensionsAndOptions) {
  const Buffer bytes = Frame()
                           .ipv6_extension({.content = Buffer(7)})
                           .authentication({.check_value = Buffer(16)})
                           .geneve({.options = Buffer(5)})
                           .bytes();
  EXPECT_EQ(bytes[1], 1) << "16 bytes";
  EXPECT_EQ(bytes[16 + 1], 5) << "28 bytes, in words, less two";
  EXPECT_EQ(bytes[16 + 28], 2) << "5 bytes fill two words";
}

TEST(Frame, AlignsTcpOptions) {
  EXPECT_EQ(hex(to_bytes({.segment_bytes_max = 1460,
                          .window_scale = 7,
                          .sack_permitted = true,
                          .timestamp = 1,
                          .timestamp_echo = 2})),
            "020405b4"
            "01030307"
            "01010402"
            "0101080a"
            "0000000100000002");
}

TEST(Frame, TellsItsLinkType) {
  EXPECT_EQ(Frame().ethernet().ipv4().link_type(), LinkType::ethernet);
  EXPECT_EQ(Frame().ipv6().at(5).link_type, LinkType::raw_ip);
  EXPECT_EQ(Frame().linux_sll().link_type(), LinkType::linux_sll);
  EXPECT_EQ(Frame().linux_sll2().link_type(), LinkType::linux_sll2);
  EXPECT_EQ(Frame().null_link().link_type(), LinkType::null);
  EXPECT_EQ(Frame().ppp().link_type(), LinkType::ppp);
  EXPECT_EQ(Frame().cisco_hdlc().link_type(), LinkType::cisco_hdlc);
}

TEST(Checksum, MovesWithWhatChanges) {
  Buffer header = Frame().ipv4().bytes();
  const Buffer after{192, 0, 2, 77};
  const uint16_t moved = updated_checksum(big16(header, 10), Bytes(header).subspan(12, 4), after);
  EXPECT_EQ(moved, big16(Frame().ipv4({.source = "192.0.2.77"}).bytes(), 10));
}

struct FragmentCase {
  size_t piece_bytes;
  std::vector<std::pair<size_t, size_t>> pieces;  ///< offset and length
};
const FragmentCase fragment_cases[] = {
    {16, {{0, 16}, {16, 16}, {32, 16}, {48, 2}}},
    {31, {{0, 24}, {24, 24}, {48, 2}}},
    {3, {{0, 8}, {8, 8}, {16, 8}, {24, 8}, {32, 8}, {40, 8}, {48, 2}}},
    {1000, {{0, 50}}},
};

TEST(Fragment, CutsIpv4) {
  const Frame whole = Frame().ethernet().vlan().ipv4({.id = 9}).udp().payload(std::string(42, 'x'));
  const Buffer original = whole.bytes();
  for (const FragmentCase& test : fragment_cases) {
    SCOPED_TRACE(test.piece_bytes);
    const std::vector<Buffer> pieces = fragment(whole, test.piece_bytes);
    ASSERT_EQ(pieces.size(), test.pieces.size());
    for (size_t index = 0; index < pieces.size(); ++index) {
      const Buffer& piece = pieces[index];
      const auto [offset, bytes] = test.pieces[index];
      EXPECT_EQ(residue(Bytes(piece).subspan(18, 20)), 0);
      EXPECT_EQ(big16(piece, 20), 20 + bytes);
      EXPECT_EQ(big16(piece, 22), 9);
      EXPECT_EQ(big16(piece, 24), offset / 8 | (index + 1 < pieces.size() ? 0x2000U : 0U));
      EXPECT_EQ(piece[18 + 9], 17);
      EXPECT_EQ(hex(Bytes(piece).subspan(38)), hex(Bytes(original).subspan(38 + offset, bytes)));
    }
  }
}

TEST(Fragment, CutsIpv6) {
  const Frame whole = Frame().ipv6().udp().payload(std::string(42, 'x'));
  const Buffer original = whole.bytes();
  for (const FragmentCase& test : fragment_cases) {
    SCOPED_TRACE(test.piece_bytes);
    const std::vector<Buffer> pieces = fragment(whole, test.piece_bytes);
    ASSERT_EQ(pieces.size(), test.pieces.size());
    for (size_t index = 0; index < pieces.size(); ++index) {
      const Buffer& piece = pieces[index];
      const auto [offset, bytes] = test.pieces[index];
      EXPECT_EQ(big16(piece, 4), 8 + bytes);
      EXPECT_EQ(piece[6], 44);
      EXPECT_EQ(piece[40], 17);
      EXPECT_EQ(big16(piece, 42), offset | (index + 1 < pieces.size() ? 1U : 0U));
      EXPECT_EQ(hex(Bytes(piece).subspan(48)), hex(Bytes(original).subspan(40 + offset, bytes)));
    }
  }
}

TEST(AddressText, StopsOnWhatIsNone) {
  EXPECT_DEATH(Address("10.0.0.256"), "bug: craft: text is an IP address");
  EXPECT_DEATH(MacAddress("02:00"), "bug: craft: text is an Ethernet address");
}

}  // namespace
}  // namespace shrike::craft
