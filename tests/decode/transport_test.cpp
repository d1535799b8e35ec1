#include <gtest/gtest.h>

#include "telling.h"

namespace shrike::decode {
namespace {

using craft::Buffer;
using craft::Frame;

Frame start() {
  return Frame().ethernet().ipv4();
}
Frame of(uint8_t protocol) {
  return Frame().ethernet().ipv4({.protocol = protocol});
}

const FrameCase cases[] = {
    {"tcp", start().tcp().payload("hi"), "tcp 10.0.0.1:40000 > 10.0.0.2:80 'hi'"},
    {"tcp short", of(6).payload("1234567890123456789"),
     "tcp 10.0.0.1 > 10.0.0.2 [invalid] tcp.pkt_too_small"},
    {"tcp header beyond", start().tcp({.header_words = 6}),
     "tcp 10.0.0.1 > 10.0.0.2 [invalid] tcp.hlen_too_small"},
    {"tcp header of four words", start().tcp({.header_words = 4}),
     "tcp 10.0.0.1 > 10.0.0.2 [invalid] tcp.invalid_optlen"},
    {"tcp header takes the data",
     start()
         .tcp({.header_words = 6})
         .payload("\1\1\1\1"
                  "5"),
     "tcp 10.0.0.1:40000 > 10.0.0.2:80 '5'"},
    {"udp", start().udp().payload("hi"), "udp 10.0.0.1:40000 > 10.0.0.2:53 'hi'"},
    {"udp short", of(17).payload("1234567"),
     "udp 10.0.0.1 > 10.0.0.2 [invalid] udp.hlen_too_small"},
    {"udp length beyond", start().udp({.length = 11}).payload("hi"),
     "udp 10.0.0.1 > 10.0.0.2 [invalid] udp.pkt_too_small"},
    {"udp length below a header", start().udp({.length = 7}).payload("hi"),
     "udp 10.0.0.1 > 10.0.0.2 [invalid] udp.len_invalid"},
    {"udp length cuts the payload", start().udp({.length = 9}).payload("hi"),
     "udp 10.0.0.1:40000 > 10.0.0.2:53 'h'"},
    {"sctp", start().sctp().payload("hi"), "ip-132 10.0.0.1:40000 > 10.0.0.2:3868 'hi'"},
    {"sctp short", of(132).payload("12345678901"),
     "ip-132 10.0.0.1 > 10.0.0.2 [invalid] sctp.pkt_too_small"},
    {"esp", start().esp().payload("hi"), "ip-50 10.0.0.1 > 10.0.0.2 'hi'"},
    {"esp short", of(50).payload("1234567"),
     "ip-50 10.0.0.1 > 10.0.0.2 [invalid] esp.pkt_too_small"},
};

TEST(Transport, TakesPayloadOrSaysWhyNot) {
  Telling tell;
  for (const FrameCase& test : cases) {
    SCOPED_TRACE(test.name);
    EXPECT_EQ(tell(test.frame), test.told);
  }
}

TEST(Transport, GivesHeadersWithOptions) {
  Telling tell;
  const Frame frame = start().tcp({.flags = 0x5a, .options = Buffer(12, 1)}).payload("hi");
  const auto datagrams = tell.decode({frame.at(1)});
  EXPECT_EQ(datagrams[0].transport_header.size(), 32u);
  EXPECT_EQ(datagrams[0].tcp_flags, 0x5a);
  EXPECT_EQ(tell.decode({start().sctp().at(1)})[0].transport_header.size(), 12u);
  EXPECT_EQ(tell.decode({start().esp().at(1)})[0].transport_header.size(), 8u);
}

TEST(Transport, ChecksChecksumsOfTcpWhereAsked) {
  const Frame right = start().tcp().payload("hello");
  const Frame right6 = Frame().ethernet().ipv6().tcp().payload("hello");
  const Frame wrong = start().tcp({.checksum = 1}).payload("hello");
  const Frame wrong_udp = start().udp({.checksum = 1}).payload("hello");
  Telling checking({.check_checksums = true});
  EXPECT_FALSE(checking.decode({right.at(1)})[0].checksum_is_bad);
  EXPECT_FALSE(checking.decode({right6.at(1)})[0].checksum_is_bad);
  EXPECT_TRUE(checking.decode({wrong.at(1)})[0].checksum_is_bad);
  EXPECT_FALSE(checking.decode({wrong_udp.at(1)})[0].checksum_is_bad);
  Telling trusting({.check_checksums = false});
  EXPECT_FALSE(trusting.decode({wrong.at(1)})[0].checksum_is_bad);
}

struct OptionCase {
  const char* name;
  Buffer options;
  uint8_t present;
  const char* events;
  bool is_invalid = false;
};
constexpr const char* bad_length = " tcp.opt_invalid_len";
constexpr const char* duplicate = " tcp.opt_duplicate";

const OptionCase option_cases[] = {
    {"mss", {2, 4, 5, 180}, tcp_option::mss, ""},
    {"mss short", {2, 3, 5, 0}, 0, bad_length},
    {"mss twice", {2, 4, 5, 180, 2, 4, 0, 1}, tcp_option::mss, duplicate},
    {"window scale", {3, 3, 7, 1}, tcp_option::window_scale, ""},
    {"window scale long", {3, 4, 7, 7}, 0, bad_length},
    {"sack permitted", {4, 2, 1, 1}, tcp_option::sack_permitted, ""},
    {"sack permitted long", {4, 3, 1, 1}, 0, bad_length},
    {"no sack blocks", {5, 2, 1, 1}, tcp_option::sack, ""},
    {"sack", {1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2}, tcp_option::sack, ""},
    {"half a sack block", {1, 1, 5, 6, 0, 0, 0, 1}, 0, bad_length},
    {"time stamp", {1, 1, 8, 10, 0, 0, 0, 5, 0, 0, 0, 6}, tcp_option::timestamp, ""},
    {"time stamp first", {8, 10, 0, 0, 0, 5, 0, 0, 0, 6, 1, 1}, tcp_option::timestamp, ""},
    {"time stamp short", {8, 9, 0, 0, 0, 5, 0, 0, 0, 1, 1, 1}, 0, bad_length},
    {"fast open request", {34, 2, 1, 1}, tcp_option::fast_open, ""},
    {"fast open cookie", {34, 6, 1, 2, 3, 4, 1, 1}, tcp_option::fast_open, ""},
    {"fast open odd", {34, 5, 1, 2, 3, 1, 1, 1}, 0, bad_length},
    {"older fast open", {254, 4, 0xf9, 0x89}, tcp_option::fast_open, ""},
    {"other experiment", {253, 4, 1, 2}, 0, ""},
    {"experiment of odd length", {253, 5, 1, 2, 3, 1, 1, 1}, 0, bad_length},
    {"md5 short", {19, 4, 1, 2}, 0, bad_length, true},
    {"authentication", {29, 4, 1, 2}, tcp_option::authentication, ""},
    {"authentication short", {29, 3, 1, 1}, 0, bad_length, true},
    {"unknown", {77, 4, 1, 2}, 0, ""},
    {"end", {0, 2, 4, 5}, 0, ""},
    {"length 1", {2, 1, 5, 180}, 0, bad_length, true},
    {"overrun", {1, 1, 2, 4}, 0, bad_length, true},
    {"no length", {1, 1, 1, 2}, 0, ""},
};

TEST(TcpOptions, TakesTheFirstOfEachKind) {
  Telling tell;
  for (const OptionCase& test : option_cases) {
    SCOPED_TRACE(test.name);
    const auto datagrams = tell.decode({start().tcp({.options = test.options}).at(1)});
    const Datagram& datagram = datagrams[0];
    EXPECT_TRUE(datagram.has_transport);
    EXPECT_EQ(datagram.tcp.present, test.present);
    EXPECT_EQ(datagram.is_invalid, test.is_invalid);
    std::string events;
    for (const DecodeEvent event : datagram.events.all()) {
      events += fmt::format(" {}", to_text(event));
    }
    EXPECT_EQ(events, test.events);
  }
}

TEST(TcpOptions, GivesValues) {
  Telling tell;
  const Buffer options = craft::to_bytes({.segment_bytes_max = 1440,
                                          .window_scale = 9,
                                          .sack_permitted = true,
                                          .timestamp = 0x01020304,
                                          .timestamp_echo = 77});
  const TcpOptions syn = tell.decode({start().tcp({.options = options}).at(1)})[0].tcp;
  EXPECT_EQ(syn.mss, 1440);
  EXPECT_EQ(syn.window_scale, 9);
  EXPECT_EQ(syn.timestamp_value, 0x01020304u);
  EXPECT_EQ(syn.timestamp_echo, 77u);
  EXPECT_TRUE(syn.has(tcp_option::sack_permitted));
  const TcpOptions wide = tell.decode({start().tcp({.options = {3, 3, 15, 1}}).at(1)})[0].tcp;
  EXPECT_TRUE(wide.has(tcp_option::window_scale));
  EXPECT_EQ(wide.window_scale, 0) << "above 14";
  const auto sack =
      tell.decode({start().tcp({.options = {1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2}}).at(1)});
  EXPECT_EQ(sack[0].tcp.sack_count, 1);
  EXPECT_EQ(load_big32(sack[0].transport_header.data() + sack[0].tcp.sack_at + 4), 2u);
  EXPECT_EQ(tell.decode({start().tcp().at(1)})[0].tcp.present, 0);
}

}  // namespace
}  // namespace shrike::decode
