#include <gtest/gtest.h>

#include "telling.h"

namespace shrike::decode {
namespace {

using craft::Buffer;
using craft::Frame;

constexpr const char* plain = "udp 10.0.0.1:40000 > 10.0.0.2:53 'hi'";
constexpr const char* plain6 = "udp 2001:db8::1:40000 > 2001:db8::2:53 'hi'";

Buffer behind(Buffer head, const Frame& inner) {
  const Buffer bytes = inner.bytes();
  head.insert(head.end(), bytes.begin(), bytes.end());
  return head;
}
const Frame ipv4_datagram = Frame().ipv4().udp().payload("hi");
const Frame ipv6_datagram = Frame().ipv6().udp().payload("hi");

struct PppCase {
  Buffer head;
  const char* ipv4_told;  ///< what follows is IPv4
};
const PppCase ppp_cases[] = {
    {{0xff, 0x03, 0x00, 0x21}, plain},
    {{0x00, 0x21}, plain},
    {{0x21}, plain},
    {{0xff, 0x03, 0x21}, plain},
    {{0x00, 0x2f}, plain},
    {{0x2f}, plain},
    {{0x00, 0x57}, "- [invalid] ppp.ip6_pkt_too_small"},
    {{0xc0, 0x21}, "-"},
    {{0x82, 0x07}, "-"},
    {{0x00, 0x2b}, "- ppp.unsup_proto"},
    {{0x23}, "- ppp.unsup_proto"},
    {{0x12, 0x34}, "- [invalid] ppp.wrong_type"},
};

TEST(LinkPpp, FindsTheProtocolOfEveryHeaderForm) {
  Telling tell;
  for (const PppCase& test : ppp_cases) {
    SCOPED_TRACE(fmt::format("{:02x}", fmt::join(test.head, " ")));
    EXPECT_EQ(tell(behind(test.head, ipv4_datagram), LinkType::ppp), test.ipv4_told);
  }
  EXPECT_EQ(tell(behind({0x57}, ipv6_datagram), LinkType::ppp), plain6);
  EXPECT_EQ(tell(behind({0x00, 0x57}, ipv6_datagram), LinkType::ppp), plain6);
}

TEST(LinkPpp, SaysWhatIsTooShort) {
  Telling tell;
  EXPECT_EQ(tell({0x00, 0x21, 0x45}, LinkType::ppp), "- [invalid] ppp.ip4_pkt_too_small");
  EXPECT_EQ(tell({0x21, 0x45}, LinkType::ppp), "- [invalid] ppp.vju_pkt_too_small");
  EXPECT_EQ(tell({0x2f, 0x45}, LinkType::ppp), "- [invalid] ppp.vju_pkt_too_small");
  EXPECT_EQ(tell({0x57, 0x60}, LinkType::ppp), "- [invalid] ppp.ip6_pkt_too_small");
  EXPECT_EQ(tell({0xff, 0x03}, LinkType::ppp), "- [invalid] ppp.pkt_too_small");
}

Frame session() {
  return Frame().ethernet().pppoe();
}

TEST(LinkPpp, FindsTheProtocolOfSessions) {
  Telling tell;
  EXPECT_EQ(tell(session().append(ipv4_datagram)), plain);
  EXPECT_EQ(tell(session().append(ipv6_datagram)), plain6);
  EXPECT_EQ(tell(Frame().ethernet().pppoe({.length = 0}).append(ipv4_datagram)), "-");
  EXPECT_EQ(tell(Frame().ethernet().pppoe({.protocol = 0xc021}).payload("abc")),
            "- ppp.unsup_proto");
  EXPECT_EQ(tell(Frame().ethernet().pppoe({.protocol = 0x80fd}).payload("abc")),
            "- [invalid] ppp.wrong_type");
  EXPECT_EQ(tell(Frame().ethernet().pppoe({.protocol = 0x0021}).payload("abc")),
            "- [invalid] ppp.ip4_pkt_too_small");
  EXPECT_EQ(tell(cut(session(), 14 + 6)), "- [invalid] pppoe.pkt_too_small");
  Buffer short_protocol = session().append(ipv4_datagram).bytes();
  short_protocol.erase(short_protocol.begin() + 20);
  EXPECT_EQ(tell(short_protocol), plain);
}

TEST(LinkPpp, ChecksDiscovery) {
  Telling tell;
  const auto discovery = [](uint8_t code) { return Frame().ethernet().pppoe({.code = code}); };
  for (const uint8_t code : {0x07, 0x09, 0x19, 0x65, 0xa7}) {
    EXPECT_EQ(tell(discovery(code).payload("abcd")), "-");
  }
  EXPECT_EQ(tell(discovery(0x11).payload("abcd")), "- [invalid] pppoe.wrong_code");
  EXPECT_EQ(tell(Frame().ethernet().pppoe({.code = 9, .length = 5}).payload("abcd")),
            "- [invalid] pppoe.malformed_tags");
  EXPECT_EQ(tell(cut(discovery(9), 14 + 5)), "- [invalid] pppoe.pkt_too_small");
}

}  // namespace
}  // namespace shrike::decode
