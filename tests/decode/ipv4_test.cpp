#include <gtest/gtest.h>

#include "telling.h"

namespace shrike::decode {
namespace {

using craft::Buffer;
using craft::Frame;
using craft::Ipv4;

Frame with(const Ipv4& fields) {
  return Frame().ethernet().ipv4(fields).udp().payload("hi");
}

const FrameCase header_cases[] = {
    {"sound", with({}), "udp 10.0.0.1:40000 > 10.0.0.2:53 'hi'"},
    {"version", with({.version = 5}), "- [invalid] ipv4.wrong_ip_version"},
    {"header length", with({.header_words = 4}), "- [invalid] ipv4.hlen_too_small"},
    {"total length", with({.total_length = 19}), "- [invalid] ipv4.iplen_smaller_than_hlen"},
    {"truncated", with({.total_length = 31}), "- [invalid] ipv4.trunc_pkt"},
    {"padding is no payload", with({}).trailer(Buffer(20)),
     "udp 10.0.0.1:40000 > 10.0.0.2:53 'hi'"},
    {"no decoder for it", Frame().ethernet().ipv4({.protocol = 89}).payload("abc"),
     "ip-89 10.0.0.1 > 10.0.0.2"},
    {"icmpv6", Frame().ethernet().ipv4({.protocol = 58}).payload("abc"),
     "icmpv6 10.0.0.1 > 10.0.0.2 [invalid] ipv4.icmpv6"},
};

TEST(Ipv4, ChecksTheHeader) {
  Telling tell;
  for (const FrameCase& test : header_cases) {
    SCOPED_TRACE(test.name);
    EXPECT_EQ(tell(test.frame), test.told);
  }
  EXPECT_EQ(tell(cut(with({}), 14 + 19)), "- [invalid] ipv4.pkt_too_small");
}

TEST(Ipv4, GivesHeadersAndLengths) {
  Telling tell;
  const auto datagrams = tell.decode({with({.ttl = 9}).trailer(Buffer(7)).at(42)});
  ASSERT_EQ(datagrams.size(), 1u);
  const Datagram& datagram = datagrams[0];
  EXPECT_EQ(datagram.ip_version, 4);
  EXPECT_EQ(datagram.ip_header.size(), 20u);
  EXPECT_EQ(datagram.ip_header[8], 9);
  EXPECT_EQ(datagram.ip_payload.size(), 10u);
  EXPECT_EQ(datagram.transport_header.size(), 8u);
  EXPECT_EQ(as_text(datagram.payload), "hi");
  EXPECT_EQ(datagram.wire_bytes, 14u + 20 + 8 + 2 + 7);
  EXPECT_EQ(datagram.time_ns, 42u);
  EXPECT_EQ(datagram.number, 1u);
  EXPECT_EQ(datagram.carrier, nullptr);
  EXPECT_EQ(datagram.frame.size(), datagram.wire_bytes);
}

struct OptionCase {
  const char* name;
  Buffer options;
  uint16_t present;
  bool is_ip;
  const char* events;
};
constexpr uint16_t nop = ipv4_option::no_operation, end = ipv4_option::end_of_list;

const OptionCase option_cases[] = {
    {"nops", {1, 1, 1, 1, 1, 1, 1, 1}, nop, true, ""},
    {"end", {0, 0, 0, 0, 0, 0, 0, 0}, end, true, ""},
    {"odd words", {1, 1, 1, 0}, nop | end, true, " ipv4.opt_pad_required"},
    {"record route", {7, 7, 4, 0, 0, 0, 0, 1}, ipv4_option::record_route | nop, true, ""},
    {"route pointer low", {7, 7, 3, 0, 0, 0, 0, 1}, nop, true, " ipv4.opt_malformed"},
    {"route pointer odd", {7, 7, 5, 0, 0, 0, 0, 1}, nop, true, " ipv4.opt_malformed"},
    {"route pointer at its end",
     {7, 7, 8, 0, 0, 0, 0, 1},
     ipv4_option::record_route | nop,
     true,
     ""},
    {"route pointer beyond", {7, 7, 12, 0, 0, 0, 0, 1}, nop, true, " ipv4.opt_malformed"},
    {"loose", {131, 3, 4, 1, 1, 1, 1, 1}, ipv4_option::loose_source_route | nop, true, ""},
    {"strict", {137, 3, 4, 1, 1, 1, 1, 1}, ipv4_option::strict_source_route | nop, true, ""},
    {"stamp", {68, 8, 5, 0, 0, 0, 0, 0}, ipv4_option::timestamp, true, ""},
    {"stamp with addresses", {68, 8, 9, 1, 0, 0, 0, 0}, 0, true, " ipv4.opt_malformed"},
    {"stamp pointer low", {68, 8, 4, 0, 0, 0, 0, 0}, 0, true, " ipv4.opt_malformed"},
    {"quick start", {25, 8, 0, 0, 0, 0, 0, 0}, ipv4_option::quick_start, true, ""},
    {"quick start short", {25, 7, 0, 0, 0, 0, 0, 1}, nop, true, " ipv4.opt_invalid_len"},
    {"security", {130, 3, 0, 1, 1, 1, 1, 1}, ipv4_option::security | nop, true, ""},
    {"security short", {130, 2, 1, 1, 1, 1, 1, 1}, nop, true, " ipv4.opt_invalid_len"},
    {"extended security",
     {133, 3, 0, 1, 1, 1, 1, 1},
     ipv4_option::extended_security | nop,
     true,
     ""},
    {"stream id", {136, 4, 0, 0, 1, 1, 1, 1}, ipv4_option::stream_id | nop, true, ""},
    {"stream id long", {136, 5, 0, 0, 0, 1, 1, 1}, nop, true, " ipv4.opt_invalid_len"},
    {"router alert", {148, 4, 0, 0, 1, 1, 1, 1}, ipv4_option::router_alert | nop, true, ""},
    {"unknown", {99, 4, 0, 0, 1, 1, 1, 1}, nop, true, " ipv4.opt_invalid"},
    {"twice", {148, 4, 0, 0, 148, 4, 0, 0}, ipv4_option::router_alert, true, " ipv4.opt_duplicate"},
    {"no room for a length", {1, 1, 1, 1, 1, 1, 1, 7}, nop, true, " ipv4.opt_eol_required"},
    {"overrun", {1, 1, 1, 1, 1, 1, 7, 3}, nop, false, " ipv4.opt_invalid_len"},
    {"length 1", {7, 1, 1, 1, 1, 1, 1, 1}, 0, false, " ipv4.opt_invalid_len"},
    {"commercial security",
     {134, 10, 0, 0, 0, 1, 1, 4, 0, 0, 1, 1, 1, 1, 1, 1},
     ipv4_option::commercial_security | nop,
     true,
     ""},
    {"tag of another kind",
     {134, 10, 0, 0, 0, 1, 3, 4, 0, 0, 1, 1, 1, 1, 1, 1},
     nop,
     true,
     " ipv4.opt_malformed"},
    {"tag too long",
     {134, 10, 0, 0, 0, 1, 1, 5, 0, 0, 1, 1, 1, 1, 1, 1},
     nop,
     true,
     " ipv4.opt_malformed"},
    {"tag out of line",
     {134, 10, 0, 0, 0, 1, 1, 4, 1, 0, 1, 1, 1, 1, 1, 1},
     nop,
     true,
     " ipv4.opt_malformed"},
    {"free-form tag",
     {134, 10, 0, 0, 0, 1, 7, 4, 1, 0, 1, 1, 1, 1, 1, 1},
     ipv4_option::commercial_security | nop,
     true,
     ""},
};

TEST(Ipv4, ChecksOptions) {
  Telling tell;
  for (const OptionCase& test : option_cases) {
    SCOPED_TRACE(test.name);
    const auto datagrams = tell.decode({with({.options = test.options}).at(1)});
    ASSERT_EQ(datagrams.size(), 1u);
    std::string events;
    for (const DecodeEvent event : datagrams[0].events.all()) {
      events += fmt::format(" {}", to_text(event));
    }
    EXPECT_EQ(events, test.events);
    EXPECT_EQ(datagrams[0].ip_version, test.is_ip ? 4 : 0);
    EXPECT_EQ(datagrams[0].address_version, 4);
    EXPECT_EQ(to_text(datagrams[0].source, 4), "10.0.0.1");
    EXPECT_EQ(datagrams[0].has_transport, test.is_ip);
    EXPECT_EQ(datagrams[0].ipv4_options, test.present);
  }
}

TEST(Ipv4, GivesFragmentsWithoutTransport) {
  Telling tell;
  EXPECT_EQ(tell(with({.more_fragments = true})), "udp 10.0.0.1 > 10.0.0.2 [fragment]");
  const auto datagrams = tell.decode({with({.id = 2, .fragment_offset_bytes = 64}).at(1)});
  EXPECT_TRUE(datagrams[0].is_fragment);
  EXPECT_FALSE(datagrams[0].more_fragments);
  EXPECT_EQ(datagrams[0].fragment_offset, 64);
  EXPECT_FALSE(datagrams[0].wants_flow);
  EXPECT_EQ(tell(with({.dont_fragment = true})), "udp 10.0.0.1:40000 > 10.0.0.2:53 'hi'");
}

}  // namespace
}  // namespace shrike::decode
