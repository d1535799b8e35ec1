#include <gtest/gtest.h>

#include "telling.h"

namespace shrike::decode {
namespace {

using craft::Buffer;
using craft::Frame;

constexpr const char* plain = "udp 10.0.0.1:40000 > 10.0.0.2:53 'hi'";

Frame udp_datagram() {
  return Frame().ipv4().udp().payload("hi");
}
Frame over(Frame link) {
  return link.append(udp_datagram());
}
std::string with(std::string_view marks) {
  return fmt::format("{} [{}]", plain, marks);
}

TEST(Link, ReachesIpThroughEveryLinkType) {
  Telling tell;
  EXPECT_EQ(tell(over(Frame().ethernet())), plain);
  EXPECT_EQ(tell(over(Frame().linux_sll())), plain);
  EXPECT_EQ(tell(over(Frame().linux_sll2())), plain);
  EXPECT_EQ(tell(over(Frame().null_link())), plain);
  EXPECT_EQ(tell(over(Frame().ppp())), plain);
  EXPECT_EQ(tell(over(Frame().cisco_hdlc())), plain);
  EXPECT_EQ(tell(udp_datagram()), plain);
  EXPECT_EQ(tell.counter("decoder.pkts"), 7u);
  for (const char* name : {"ethernet", "sll", "sll2", "null", "ppp", "chdlc", "raw"}) {
    EXPECT_EQ(tell.counter(fmt::format("decoder.{}", name)), 1u) << name;
  }
  EXPECT_EQ(tell.counter("decoder.udp"), 7u);
  EXPECT_EQ(tell.counter("decoder.invalid"), 0u);
}

TEST(Link, TakesLoopbackFamiliesOfEverySystemAndOrder) {
  Telling tell;
  Buffer frame = udp_datagram().bytes();
  frame.insert(frame.begin(), {0, 0, 0, 2});
  EXPECT_EQ(tell(frame, LinkType::null), plain) << "big endian";
  const Buffer inner = Frame().ipv6().udp().payload("hi").bytes();
  for (const uint8_t family : {10, 23, 24, 26, 28, 30}) {
    Buffer bytes = {family, 0, 0, 0};
    bytes.insert(bytes.end(), inner.begin(), inner.end());
    EXPECT_EQ(tell(bytes, LinkType::null), "udp 2001:db8::1:40000 > 2001:db8::2:53 'hi'");
  }
  EXPECT_EQ(tell({7, 0, 0, 0, 1}, LinkType::null), "- ltnull.unsupported_type");
  EXPECT_EQ(tell({2, 0, 0}, LinkType::null), "- [invalid] ltnull.pkt_too_small");
}

TEST(Link, SkipsWhatItCannotReadByName) {
  Telling tell;
  EXPECT_EQ(tell({1, 2, 3}, LinkType::ieee80211_radiotap), "-");
  EXPECT_EQ(tell({1, 2, 3}, LinkType::unknown), "-");
  EXPECT_EQ(tell.counter("decoder.skipped_ieee80211"), 1u);
  EXPECT_EQ(tell.counter("decoder.skipped_link_type"), 1u);
}

struct ShortCase {
  LinkType type;
  size_t bytes;
  const char* told;
};
const ShortCase short_cases[] = {
    {LinkType::ethernet, 0, "- [invalid] ethernet.pkt_too_small"},
    {LinkType::ethernet, 13, "- [invalid] ethernet.pkt_too_small"},
    {LinkType::ethernet, 14, "- ethernet.unknown_ethertype"},
    {LinkType::linux_sll, 15, "- [invalid] sll.pkt_too_small"},
    {LinkType::linux_sll2, 19, "- [invalid] sll2.pkt_too_small"},
    {LinkType::raw_ip, 19, "- [invalid] ipv4.pkt_too_small"},
    {LinkType::raw_ip, 20, "- ipraw.invalid_ip_version"},
    {LinkType::ppp, 0, "- [invalid] ppp.pkt_too_small"},
    {LinkType::ppp, 1, "- [invalid] ppp.pkt_too_small"},
    {LinkType::cisco_hdlc, 3, "- [invalid] chdlc.pkt_too_small"},
};

TEST(Link, SaysWhatIsTooShort) {
  Telling tell;
  for (const ShortCase& test : short_cases) {
    SCOPED_TRACE(test.told);
    EXPECT_EQ(tell(Buffer(test.bytes), test.type), test.told);
  }
}

TEST(Link, KeepsTheTagsOfAFrame) {
  Telling tell;
  EXPECT_EQ(tell(over(Frame().ethernet().vlan({.id = 7}))), with("vlan 7"));
  EXPECT_EQ(tell(over(Frame().ethernet().qinq(100, 7))), with("vlan 100 vlan 7"));
  EXPECT_EQ(tell(over(Frame().ethernet().vlan({.id = 1}).vlan({.id = 2}).vlan({.id = 3}))),
            with("vlan 1 vlan 2 vlan 3"));
  EXPECT_EQ(tell.counter("decoder.vlan"), 3u);
  EXPECT_EQ(tell.counter("decoder.vlan_qinq"), 2u);
  EXPECT_EQ(tell.counter("decoder.vlan_qinqinq"), 1u);
  EXPECT_EQ(tell(over(Frame().ethernet().vlan().vlan().vlan().vlan())),
            "- [vlan 1 vlan 1 vlan 1] vlan.too_many_layers");
  EXPECT_EQ(tell(cut(Frame().ethernet().vlan(), 17)), "- [invalid] vlan.header_too_small");
  EXPECT_EQ(tell(Frame().ethernet().vlan({.type = 0x1234})),
            "- [invalid vlan 1] ethernet.unknown_ethertype vlan.unknown_type");
}

/// Ethernet with any type, then any bytes, then a datagram.
Buffer tagged(uint16_t type, Buffer tag, const Buffer& rest) {
  Buffer bytes = Frame().ethernet({.type = type}).bytes();
  bytes.insert(bytes.end(), tag.begin(), tag.end());
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  return bytes;
}

TEST(Link, PassesTagsThatAreRare) {
  Telling tell;
  const Buffer datagram = udp_datagram().bytes();
  const Buffer frame = over(Frame().ethernet()).bytes();
  Buffer backbone(18);
  backbone[16] = 8;
  EXPECT_EQ(tell(tagged(0x88e7, backbone, datagram)), plain);
  EXPECT_EQ(tell(tagged(0x88e7, Buffer(17), {})), "- [invalid] ieee8021ah.header_too_small");
  EXPECT_EQ(tell(tagged(0x8926, {0, 0, 0, 0, 8, 0}, datagram)), plain);
  EXPECT_EQ(tell(tagged(0x8926, Buffer(5), {})), "- [invalid] vntag.header_too_small");
  EXPECT_EQ(tell(tagged(0x8926, Buffer(6), {})),
            "- [invalid] ethernet.unknown_ethertype vntag.unknown_type");
  EXPECT_EQ(tell(tagged(0x893f, {0, 0, 0, 0, 0, 0, 8, 0}, datagram)), plain);
  EXPECT_EQ(tell(tagged(0x893f, Buffer(7), {})), "- [invalid] etag.header_too_small");
  EXPECT_EQ(tell(tagged(0x893f, Buffer(8), {})),
            "- [invalid] ethernet.unknown_ethertype etag.unknown_type");
  EXPECT_EQ(tell(tagged(0x8903, {0, 1}, frame)), plain);
  EXPECT_EQ(tell(tagged(0x8903, {0, 1}, Buffer(13))), "- [invalid] dce.pkt_too_small");
}

TEST(Link, ReadsLabelStacks) {
  Telling tell;
  const auto labelled = [](uint32_t label) { return Frame().ethernet().mpls({.label = label}); };
  EXPECT_EQ(tell(over(labelled(16))), plain);
  EXPECT_EQ(tell(over(labelled(99).mpls({.label = 17}))), plain);
  EXPECT_EQ(tell(over(labelled(0))), plain) << "explicit null";
  EXPECT_EQ(tell(over(labelled(1))), "- mpls.bad_label_router_alert");
  EXPECT_EQ(tell(over(labelled(3))), "- mpls.bad_label_implicit_null");
  EXPECT_EQ(tell(over(labelled(14))), "- mpls.bad_label_reserved");
  EXPECT_EQ(tell(over(labelled(15))), plain);
  EXPECT_EQ(tell(labelled(2).ipv6().udp().payload("hi")),
            "udp 2001:db8::1:40000 > 2001:db8::2:53 'hi'");
  EXPECT_EQ(tell(cut(labelled(16), 17)), "- [invalid] mpls.header_too_small");
  EXPECT_EQ(tell(labelled(16).payload("abc")), "- [invalid] mpls.pkt_too_small");
  EXPECT_EQ(tell(labelled(16).payload("xbcd")), "- [invalid] mpls.unknown_payload_type");
  const Buffer word(4);
  EXPECT_EQ(tell(labelled(16).payload(Bytes(word)).append(over(Frame().ethernet()))), plain)
      << "pseudo wire with a control word";
  EXPECT_EQ(tell(cut(labelled(16).mpls({.is_bottom = false}), 22)),
            "- [invalid] mpls.header_too_small");
}

struct HeaderCase {
  const char* name;
  Buffer header;
  const char* told;
};
const HeaderCase nsh_cases[] = {
    {"type 2", {0, 2, 2, 1, 0, 0, 0, 0}, plain},
    {"short", {0, 2, 2, 1}, "- [invalid] nsh.header_too_small"},
    {"version", {0x40, 2, 2, 1, 0, 0, 0, 0}, "- nsh.unsupported_version"},
    {"too long", {0, 63, 2, 1, 0, 0, 0, 0}, "- [invalid] nsh.bad_header_length"},
    {"reserved", {0, 2, 0, 1, 0, 0, 0, 0}, "- nsh.reserved_type"},
    {"reserved 15", {0, 2, 15, 1, 0, 0, 0, 0}, "- nsh.reserved_type"},
    {"unassigned", {0, 2, 3, 1, 0, 0, 0, 0}, "- nsh.unsupported_type"},
    {"type 1 is 24 bytes", {0, 2, 1, 1, 0, 0, 0, 0}, "- [invalid] nsh.bad_header_length"},
    {"nested", {0, 2, 2, 4, 0, 0, 0, 0}, "- nsh.unknown_payload"},
};

TEST(Link, ReadsServiceHeaders) {
  Telling tell;
  for (const HeaderCase& test : nsh_cases) {
    SCOPED_TRACE(test.name);
    const bool is_whole = test.header.size() >= 8;
    EXPECT_EQ(tell(tagged(0x894f, test.header, is_whole ? udp_datagram().bytes() : Buffer{})),
              test.told);
  }
  Buffer type1(24);
  type1[1] = 6, type1[2] = 1, type1[3] = 3;
  EXPECT_EQ(tell(tagged(0x894f, type1, over(Frame().ethernet()).bytes())), plain);
}

Buffer arp_with(size_t at, uint8_t value) {
  Buffer bytes = Frame().ethernet().arp().bytes();
  bytes[14 + at] = value;
  return bytes;
}

TEST(Link, ChecksArp) {
  Telling tell;
  EXPECT_EQ(tell(Frame().ethernet().arp()), "-");
  EXPECT_EQ(tell(Frame().ethernet().arp().trailer(Buffer(18))), "-") << "padded to 60 bytes";
  EXPECT_EQ(tell(arp_with(1, 6)), "- [invalid] arp.unsupported_hardware");
  EXPECT_EQ(tell(arp_with(3, 6)), "- [invalid] arp.unsupported_protocol");
  EXPECT_EQ(tell(arp_with(4, 8)), "- [invalid] arp.invalid_hardware_size");
  EXPECT_EQ(tell(arp_with(5, 8)), "- [invalid] arp.invalid_protocol_size");
  EXPECT_EQ(tell(arp_with(7, 99)), "- [invalid] arp.unsupported_opcode");
  EXPECT_EQ(tell(cut(Frame().ethernet().arp(), 14 + 7)), "- [invalid] arp.pkt_too_small");
  EXPECT_EQ(tell(cut(Frame().ethernet().arp(), 14 + 27)), "- [invalid] arp.unsupported_pkt");
  EXPECT_EQ(tell.counter("decoder.arp"), 9u);
}

}  // namespace
}  // namespace shrike::decode
