#include <gtest/gtest.h>

#include "telling.h"

namespace shrike::decode {
namespace {

using craft::Buffer;
using craft::Frame;
using craft::Gre;

Frame start() {
  return Frame().ethernet().ipv4({.source = "1.1.1.1", .target = "2.2.2.2"});
}
Frame inner4() {
  return Frame().ipv4().udp().payload("hi");
}
Frame inner6() {
  return Frame().ipv6().udp().payload("hi");
}
std::string told4(std::string_view origin) {
  return fmt::format("udp 10.0.0.1:40000 > 10.0.0.2:53 'hi' [{}]\n", origin);
}
std::string told6(std::string_view origin) {
  return fmt::format("udp 2001:db8::1:40000 > 2001:db8::2:53 'hi' [{}]\n", origin);
}
std::string outer(uint8_t protocol) {
  return fmt::format("ip-{} 1.1.1.1 > 2.2.2.2 [carries]", protocol);
}
Frame gre(const Gre& fields = {}) {
  return start().gre(fields);
}

TEST(Tunnel, OpensIpInIp) {
  Telling tell;
  EXPECT_EQ(tell(start().append(inner4())), told4("ipv4 tunnel") + outer(4));
  EXPECT_EQ(tell(start().append(inner6())), told6("ipv4 tunnel") + outer(41));
  EXPECT_EQ(tell(Frame().ethernet().ipv6({.source = "2001::1"}).append(inner4())),
            told4("ipv6 tunnel") + "ip-4 2001::1 > 2001:db8::2 [carries]");
  EXPECT_EQ(tell(Frame().ethernet().ipv6({.source = "2001::1"}).append(inner6())),
            told6("ipv6 tunnel") + "ip-41 2001::1 > 2001:db8::2 [carries]");
  for (const char* name : {"ipv4_in_ipv4", "ipv6_in_ipv4", "ipv4_in_ipv6", "ipv6_in_ipv6"}) {
    EXPECT_EQ(tell.counter(fmt::format("decoder.{}", name)), 1u) << name;
  }
}

TEST(Tunnel, ForgetsWhatIsNoDatagram) {
  Telling tell;
  EXPECT_EQ(tell(Frame().ethernet().ipv4({.protocol = 4}).payload("junk")),
            "ip-4 10.0.0.1 > 10.0.0.2");
  EXPECT_EQ(tell(Frame().ethernet().ipv6({.next_header = 4}).payload("junk")),
            "ip-4 2001:db8::1 > 2001:db8::2 [invalid] ipv6.ipv4_in_ipv6_too_small");
  EXPECT_EQ(tell(Frame().ethernet().ipv6({.next_header = 4}).payload("12345678901234567890")),
            "ip-4 2001:db8::1 > 2001:db8::2 ipv6.ipv4_in_ipv6_wrong_version");
  EXPECT_EQ(tell(Frame().ethernet().ipv6({.next_header = 41}).payload("junk")),
            "ip-41 2001:db8::1 > 2001:db8::2 [invalid] ipv6.ipv6_in_ipv6_too_small");
}

TEST(Tunnel, OpensGre) {
  Telling tell;
  const std::string in4 = told4("gre tunnel") + outer(47);
  EXPECT_EQ(tell(gre().append(inner4())), in4);
  EXPECT_EQ(tell(gre().append(inner6())), told6("gre tunnel") + outer(47));
  EXPECT_EQ(tell(gre({.has_checksum = true, .key = 1, .sequence = 2}).append(inner4())), in4);
  EXPECT_EQ(tell(gre().ethernet().append(inner4())), in4);
  EXPECT_EQ(tell(gre({.protocol = 0x8100}).vlan({.id = 5}).append(inner4())),
            told4("gre tunnel vlan 5") + outer(47));
  EXPECT_EQ(tell(gre({.version = 1, .key = 0x00200001, .sequence = 1}).ppp().append(inner4())),
            in4);
  EXPECT_EQ(tell(gre({.protocol = 0x1234}).payload("abc")), "ip-47 1.1.1.1 > 2.2.2.2");
  EXPECT_EQ(tell(Frame().ethernet().ipv6().gre().append(inner4())),
            told4("gre tunnel") + "ip-47 2001:db8::1 > 2001:db8::2 [carries]");
}

TEST(Tunnel, OpensErspan) {
  Telling tell;
  EXPECT_EQ(tell(gre({.sequence = 1}).erspan({.vlan = 9}).ethernet().append(inner4())),
            told4("gre tunnel vlan 9") + outer(47));
  EXPECT_EQ(tell(gre({.protocol = 0x88be}).ethernet().append(inner4())),
            told4("gre tunnel") + outer(47))
      << "type I";
  EXPECT_EQ(tell.counter("decoder.erspan"), 2u);
  EXPECT_EQ(tell(gre({.sequence = 1}).erspan({.version = 2}).ethernet().append(inner4())),
            "ip-47 1.1.1.1 > 2.2.2.2");
}

struct GreCase {
  const char* name;
  Buffer header;
  const char* event;
};
const GreCase gre_cases[] = {
    {"short", {0, 0, 8}, "gre.pkt_too_small"},
    {"version", {0, 2, 8, 0}, "gre.wrong_version"},
    {"recursion", {1, 0, 8, 0}, "gre.version0_recur"},
    {"flags", {0, 8, 8, 0}, "gre.version0_flags"},
    {"too big", {0x20, 0, 8, 0, 0, 0, 0}, "gre.version0_hdr_too_big"},
    {"route", {0x40, 0, 8, 0, 0, 0, 0, 0, 0, 1, 0, 9}, "gre.version0_malformed_sre_hdr"},
    {"route cut", {0x40, 0, 8, 0, 0, 0, 0, 0, 0, 1, 0}, "gre.version0_malformed_sre_hdr"},
    {"v1 checksum", {0xa0, 1, 0x88, 0x0b}, "gre.version1_chksum"},
    {"v1 route", {0x60, 1, 0x88, 0x0b}, "gre.version1_route"},
    {"v1 strict", {0x28, 1, 0x88, 0x0b}, "gre.version1_ssr"},
    {"v1 recursion", {0x21, 1, 0x88, 0x0b}, "gre.version1_recur"},
    {"v1 flags", {0x20, 9, 0x88, 0x0b}, "gre.version1_flags"},
    {"v1 protocol", {0x20, 1, 0x08, 0x00}, "gre.version1_wrong_protocol"},
    {"v1 key", {0x00, 1, 0x88, 0x0b}, "gre.version1_no_key"},
    {"v1 too big", {0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 0}, "gre.version1_hdr_too_big"},
};

TEST(Tunnel, ChecksGre) {
  Telling tell;
  for (const GreCase& test : gre_cases) {
    SCOPED_TRACE(test.name);
    EXPECT_EQ(tell(Frame().ethernet().ipv4({.protocol = 47}).payload(Bytes(test.header))),
              fmt::format("ip-47 10.0.0.1 > 10.0.0.2 [invalid] {}", test.event));
  }
  const Buffer bare = {0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 0, 0, 0, 0, 9};
  EXPECT_EQ(tell(Frame().ethernet().ipv4({.protocol = 47}).payload(Bytes(bare))),
            "ip-47 10.0.0.1 > 10.0.0.2")
      << "an acknowledgment alone";
}

Frame udp_to(uint16_t port) {
  return start().udp({.source_port = 999, .target_port = port});
}
/// The outer datagram's line, which shows its payload, is not looked at.
std::string first_line(const std::string& told) {
  return told.substr(0, told.find('\n') + 1);
}

TEST(Tunnel, OpensWhatLivesInUdp) {
  Telling tell;
  EXPECT_EQ(first_line(tell(udp_to(3544).append(inner6()))), told6("teredo tunnel"));
  EXPECT_EQ(first_line(tell(udp_to(3544).teredo_origin().append(inner6()))),
            told6("teredo tunnel"));
  EXPECT_EQ(first_line(tell(udp_to(4789).vxlan().ethernet().append(inner4()))),
            told4("vxlan encapsulation"));
  EXPECT_EQ(first_line(tell(udp_to(4789).vxlan().ethernet().vlan({.id = 6}).append(inner4()))),
            told4("vxlan encapsulation vlan 6"));
  EXPECT_EQ(first_line(tell(udp_to(6081).geneve().append(inner6()))),
            told6("geneve encapsulation"));
  EXPECT_EQ(
      first_line(tell(udp_to(6081).geneve({.options = {0, 0, 0, 1, 1, 2, 3, 4}}).append(inner4()))),
      told4("geneve encapsulation"));
  EXPECT_EQ(first_line(tell(udp_to(6081).geneve().ethernet().append(inner4()))),
            told4("geneve encapsulation"));
  EXPECT_EQ(tell.counter("decoder.teredo"), 2u);
  EXPECT_EQ(tell.counter("decoder.vxlan"), 2u);
  EXPECT_EQ(tell.counter("decoder.geneve"), 3u);
}

TEST(Tunnel, LeavesOtherUdpAlone) {
  Telling tell;
  const auto is_alone = [&](const Frame& frame) {
    const auto datagrams = tell.decode({frame.at(1)});
    return datagrams.size() == 1 && !datagrams[0].carries_inner && datagrams[0].events.empty();
  };
  EXPECT_TRUE(is_alone(udp_to(3545).append(inner6()))) << "another port";
  EXPECT_TRUE(is_alone(udp_to(3544).ipv6({.hop_limit = 0}).udp())) << "no hops left";
  EXPECT_TRUE(is_alone(udp_to(3544).ipv6({.payload_length = 9}).udp().payload("hi")))
      << "length differs";
  EXPECT_TRUE(is_alone(udp_to(3544).ipv6().udp({.length = 3}).payload("x"))) << "flawed inside";
  EXPECT_TRUE(is_alone(udp_to(4789).vxlan({.flags = 0}).ethernet().append(inner4())));
  EXPECT_TRUE(is_alone(udp_to(4789).vxlan({.flags = 0x88}).ethernet().append(inner4())));
  EXPECT_TRUE(is_alone(udp_to(4789).payload("short")));
  EXPECT_TRUE(is_alone(udp_to(6081).geneve({.flags = 1}).append(inner4())));
  EXPECT_TRUE(is_alone(udp_to(6081).geneve({.options = {0, 0, 0, 2, 1, 2, 3, 4}}).append(inner4())))
      << "options overrun the header";
  EXPECT_TRUE(is_alone(start().udp({.source_port = 4789}).vxlan().ethernet().append(inner4())))
      << "VXLAN goes by the target port";
}

TEST(Tunnel, SaysWhatItCannotOpen) {
  Telling tell;
  EXPECT_TRUE(tell(udp_to(4789).vxlan().ethernet({.type = 0x1234}).payload("abc"))
                  .ends_with("[invalid] vxlan.unknown_payload_type"));
  EXPECT_TRUE(tell(udp_to(6081).geneve({.protocol = 0x1234}).payload("abc"))
                  .ends_with("[invalid] geneve.unknown_payload_type"));
}

TEST(Tunnel, FollowsItsOptions) {
  Telling off({.check_checksums = false,
               .vxlan_enabled = false,
               .geneve_enabled = false,
               .teredo_enabled = false});
  EXPECT_EQ(off.decode({udp_to(3544).append(inner6()).at(1)}).size(), 1u);
  EXPECT_EQ(off.decode({udp_to(4789).vxlan().ethernet().append(inner4()).at(1)}).size(), 1u);
  EXPECT_EQ(off.decode({udp_to(6081).geneve().append(inner4()).at(1)}).size(), 1u);
  Telling no_type1({.check_checksums = false, .erspan_type1_enabled = false});
  EXPECT_EQ(no_type1(gre({.protocol = 0x88be}).ethernet().append(inner4())),
            "ip-47 1.1.1.1 > 2.2.2.2");
  Telling ports({.check_checksums = false, .vxlan_ports = {1, 2}, .teredo_ports = {}});
  EXPECT_EQ(ports.decode({udp_to(2).vxlan().ethernet().append(inner4()).at(1)}).size(), 2u);
  EXPECT_EQ(ports.decode({udp_to(77).append(inner6()).at(1)}).size(), 2u) << "any port";
}

}  // namespace
}  // namespace shrike::decode
