#include <gtest/gtest.h>

#include "telling.h"

namespace shrike::decode {
namespace {

using craft::Buffer;
using craft::Frame;

Frame v4(uint8_t type, uint8_t code) {
  return Frame().ethernet().ipv4().icmp({.type = type, .code = code});
}
Frame v6(uint8_t type, uint8_t code, uint8_t hop_limit = 1) {
  return Frame().ethernet().ipv6({.hop_limit = hop_limit}).icmpv6({.type = type, .code = code});
}

struct IcmpCase {
  uint8_t type;
  uint8_t code;
  const char* events;
};
const IcmpCase v4_cases[] = {
    {0, 0, ""},
    {0, 1, " icmpv4.unknown_code"},
    {3, 16, " icmpv4.unknown_code"},
    {4, 1, " icmpv4.unknown_code"},
    {5, 4, " icmpv4.unknown_code"},
    {8, 0, ""},
    {8, 1, " icmpv4.unknown_code"},
    {10, 0, " icmpv4.unknown_type"},
    {11, 2, " icmpv4.unknown_code"},
    {12, 1, " icmpv4.unknown_code"},
    {13, 0, " icmpv4.ipv4_trunc_pkt"},
    {14, 1, " icmpv4.unknown_code icmpv4.ipv4_trunc_pkt"},
    {15, 0, ""},
    {18, 1, " icmpv4.unknown_code"},
    {30, 0, " icmpv4.unknown_type"},
};

TEST(Icmp, KnowsTypesAndCodes) {
  Telling tell;
  for (const IcmpCase& test : v4_cases) {
    SCOPED_TRACE(fmt::format("{}/{}", test.type, test.code));
    EXPECT_EQ(tell(v4(test.type, test.code).payload("abc")),
              fmt::format("icmp 10.0.0.1 > 10.0.0.2 'abc'{}", test.events));
  }
  EXPECT_EQ(tell(cut(v4(8, 0), 14 + 20 + 8)), "icmp 10.0.0.1 > 10.0.0.2 ''");
  EXPECT_EQ(tell(Frame().ethernet().ipv4({.protocol = 1}).payload("1234567")),
            "icmp 10.0.0.1 > 10.0.0.2 [invalid] icmpv4.pkt_too_small");
}

TEST(Icmp, GivesTypeCodeAndHeader) {
  Telling tell;
  const auto datagrams = tell.decode({v4(3, 1).append(Frame().ipv4().udp()).at(1)});
  EXPECT_EQ(datagrams[0].icmp_type, 3);
  EXPECT_EQ(datagrams[0].icmp_code, 1);
  EXPECT_EQ(datagrams[0].transport_header.size(), 8u);
  EXPECT_EQ(datagrams[0].payload.size(), 28u);
}

TEST(Icmp, LeavesTheFixedPartOutOfThePayload) {
  Telling tell;
  EXPECT_EQ(tell(v4(13, 0).payload("123456789012abc")), "icmp 10.0.0.1 > 10.0.0.2 'abc'");
  Buffer advertisement = v4(9, 0).payload("12345678abc").bytes();
  advertisement[14 + 20 + 4] = 1;  // one address
  advertisement[14 + 20 + 5] = 2;  // of two words
  EXPECT_EQ(tell(advertisement), "icmp 10.0.0.1 > 10.0.0.2 'abc'");
  advertisement[14 + 20 + 4] = 2;
  EXPECT_EQ(tell(advertisement), "icmp 10.0.0.1 > 10.0.0.2 '12345678abc' icmpv4.ipv4_trunc_pkt");
}

TEST(Icmp, TiesUnreachableTargetsToTheirFlow) {
  Telling tell;
  const Frame about = Frame().ipv4({.source = "1.1.1.1", .target = "2.2.2.2"});
  const auto unreachable = [&](const Frame& inner) {
    return tell.decode({v4(3, 3).append(inner).at(1)})[0].embedded;
  };
  const Datagram::Embedded udp =
      unreachable(Frame(about).udp({.source_port = 7, .target_port = 9}));
  EXPECT_EQ(udp.ip_version, 4);
  EXPECT_EQ(udp.protocol, ip_protocol::udp);
  EXPECT_EQ(to_text(udp.source, 4), "1.1.1.1");
  EXPECT_EQ(to_text(udp.target, 4), "2.2.2.2");
  EXPECT_EQ(udp.source_port, 7);
  EXPECT_EQ(udp.target_port, 9);
  EXPECT_EQ(unreachable(Frame(about).tcp()).protocol, ip_protocol::tcp);
  EXPECT_EQ(unreachable(Frame(about).icmp()).ip_version, 0);
  EXPECT_EQ(unreachable(Frame().ipv4({.protocol = 6}).payload("12345678")).ip_version, 0)
      << "eight bytes of TCP are not enough";
  EXPECT_EQ(tell.decode({v4(11, 0).append(Frame(about).udp()).at(1)})[0].embedded.ip_version, 0);
}

TEST(Icmp, ChecksWhatErrorsAreAbout) {
  Telling tell;
  EXPECT_EQ(tell(v4(3, 0).payload("abc")),
            "icmp 10.0.0.1 > 10.0.0.2 'abc' [invalid] icmpv4.ipv4_trunc_pkt");
  EXPECT_EQ(tell(v4(3, 0)), "icmp 10.0.0.1 > 10.0.0.2 ''");
  EXPECT_EQ(tell(v4(4, 0)), "icmp 10.0.0.1 > 10.0.0.2 '' [invalid] icmpv4.ipv4_trunc_pkt");
  EXPECT_EQ(tell(v4(5, 0).payload("12345678901234567890")),
            "icmp 10.0.0.1 > 10.0.0.2 '12345678901234567890' [invalid] icmpv4.ipv4_unknown_ver");
}

const IcmpCase v6_cases[] = {
    {0, 0, " icmpv6.unknown_type"},
    {1, 7, " icmpv6.unknown_code"},
    {2, 1, " icmpv6.unknown_code"},
    {3, 2, " icmpv6.unknown_code"},
    {4, 3, " icmpv6.unknown_code"},
    {5, 0, " icmpv6.unassigned_type"},
    {100, 0, " icmpv6.experimentation_type"},
    {102, 0, " icmpv6.unassigned_type"},
    {127, 0, " icmpv6.unknown_type"},
    {133, 0, ""},
    {134, 1, " icmpv6.unknown_code"},
    {137, 0, ""},
    {138, 2, ""},
    {138, 3, " icmpv6.unknown_code"},
    {138, 255, ""},
    {139, 2, ""},
    {140, 3, " icmpv6.unknown_code"},
    {143, 0, ""},
    {150, 9, ""},
    {151, 9, ""},
    {154, 1, " icmpv6.unknown_code"},
    {155, 3, ""},
    {155, 4, " icmpv6.unknown_code"},
    {155, 128, ""},
    {155, 133, " icmpv6.unknown_code"},
    {159, 1, " icmpv6.unknown_code"},
    {160, 0, " icmpv6.unassigned_type"},
    {200, 0, " icmpv6.experimentation_type"},
    {255, 0, " icmpv6.unassigned_type"},
};

TEST(Icmp, KnowsTypesAndCodesOfVersion6) {
  Telling tell;
  for (const IcmpCase& test : v6_cases) {
    SCOPED_TRACE(fmt::format("{}/{}", test.type, test.code));
    // Neither errors nor echoes: payload from the fifth byte on, eight less than there are.
    const std::string told = tell(v6(test.type, test.code).payload("123456789012"));
    EXPECT_TRUE(told.ends_with(fmt::format("1234'{}", test.events))) << told;
  }
  EXPECT_EQ(tell(v6(128, 0).payload("abc")), "icmpv6 2001:db8::1 > 2001:db8::2 'abc'");
  EXPECT_EQ(tell(v6(129, 0).payload("abc")), "icmpv6 2001:db8::1 > 2001:db8::2 'abc'");
  EXPECT_EQ(tell(v6(133, 0).payload("abc")), "icmpv6 2001:db8::1 > 2001:db8::2 ''");
  EXPECT_EQ(tell(Frame().ethernet().ipv6({.next_header = 58}).payload("1234567")),
            "icmpv6 2001:db8::1 > 2001:db8::2 [invalid] icmpv6.pkt_too_small");
}

TEST(Icmp, WantsListenerMessagesFromTheLink) {
  Telling tell;
  for (const uint8_t type : {130, 131, 132}) {
    EXPECT_EQ(tell(v6(type, 0, 1)), "icmpv6 2001:db8::1 > 2001:db8::2 ''");
    EXPECT_EQ(tell(v6(type, 0, 64)),
              "icmpv6 2001:db8::1 > 2001:db8::2 '' icmpv6.mld_message_with_invalid_hl");
  }
  EXPECT_EQ(tell(v6(143, 0, 64)), "icmpv6 2001:db8::1 > 2001:db8::2 ''");
}

TEST(Icmp, ChecksWhatErrorsOfVersion6AreAbout) {
  Telling tell;
  EXPECT_EQ(tell.decode({v6(1, 0).append(Frame().ipv6().udp()).at(1)})[0].payload.size(), 48u);
  EXPECT_EQ(tell(v6(3, 0).payload("abc")),
            "icmpv6 2001:db8::1 > 2001:db8::2 'abc' [invalid] icmpv6.ipv6_trunc_pkt");
  const Buffer zeros(40);
  EXPECT_TRUE(
      tell(v6(2, 0).payload(Bytes(zeros))).ends_with(" [invalid] icmpv6.ipv6_unknown_version"));
}

}  // namespace
}  // namespace shrike::decode
