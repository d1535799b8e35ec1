#include <gtest/gtest.h>

#include "telling.h"

namespace shrike::decode {
namespace {

using craft::Buffer;
using craft::Frame;

constexpr const char* plain = "udp 2001:db8::1:40000 > 2001:db8::2:53 'hi'";

Frame start() {
  return Frame().ethernet().ipv6();
}
Frame ended(Frame frame) {
  return frame.udp().payload("hi");
}
Frame options(uint8_t type, Buffer content) {
  return ended(start().ipv6_extension({.type = type, .content = std::move(content)}));
}
Frame hop(Buffer content) {
  return options(0, std::move(content));
}
Frame destination(Buffer content) {
  return options(60, std::move(content));
}
std::string with(std::string_view rest) {
  return fmt::format("{} {}", plain, rest);
}

const FrameCase header_cases[] = {
    {"sound", ended(start()), plain},
    {"version", ended(Frame().ethernet().ipv6({.version = 4})),
     "- [invalid] ipv6.wrong_ip_version"},
    {"truncated", ended(Frame().ethernet().ipv6({.payload_length = 11})),
     "- [invalid] ipv6.trunc_pkt"},
    {"padding", ended(start()).trailer(Buffer(9)), plain},
    {"unknown", Frame().ethernet().ipv6({.next_header = 200}).payload("abc"),
     "ip-200 2001:db8::1 > 2001:db8::2 ipv6.unknown_next_header"},
    {"icmp", Frame().ethernet().ipv6({.next_header = 1}).payload("abc"),
     "ip-0 2001:db8::1 > 2001:db8::2 ipv6.icmpv4"},
    {"nothing", Frame().ethernet().ipv6({.next_header = 59}), "ip-0 2001:db8::1 > 2001:db8::2"},
    {"nothing, and data", Frame().ethernet().ipv6({.next_header = 59}).payload("a"),
     "ip-0 2001:db8::1 > 2001:db8::2 ipv6.data_after_none_header"},
    {"no room", Frame().ethernet().ipv6({.next_header = 60}).payload("a"),
     "ip-0 2001:db8::1 > 2001:db8::2 [invalid] ipv6.trunc_exthdr"},
};

TEST(Ipv6, ChecksTheHeader) {
  Telling tell;
  for (const FrameCase& test : header_cases) {
    SCOPED_TRACE(test.name);
    EXPECT_EQ(tell(test.frame), test.told);
  }
  EXPECT_EQ(tell(cut(start(), 14 + 39)), "-");
}

struct ChainCase {
  const char* name;
  Frame frame;
  std::string told;
};

TEST(Ipv6, WalksExtensionHeaders) {
  const craft::Ipv6Extension routing = {.type = 43, .content = {2, 0}};
  const craft::Ipv6Extension home = {.type = 60, .content = {1, 2, 0, 0, 5, 2, 0, 0}};
  const ChainCase cases[] = {
      {"routing", ended(start().ipv6_extension(routing)), plain},
      {"type 0", ended(start().ipv6_extension({.type = 43, .content = {0, 0}})),
       with("ipv6.rh_type_0")},
      {"routing twice", ended(start().ipv6_extension(routing).ipv6_extension(routing)),
       with("ipv6.exthdr_dupl_rh")},
      {"destination twice", ended(start().ipv6_extension(home).ipv6_extension(home)), plain},
      {"destination thrice",
       ended(start().ipv6_extension(home).ipv6_extension(home).ipv6_extension(home)),
       with("ipv6.exthdr_dupl_dh")},
      {"mobility, identity, shim",
       ended(start()
                 .ipv6_extension({.type = 135})
                 .ipv6_extension({.type = 139})
                 .ipv6_extension({.type = 140})),
       plain},
      {"authentication", ended(start().authentication()), plain},
      {"authentication twice", ended(start().authentication().authentication()),
       with("ipv6.exthdr_dupl_ah")},
      {"overrun", ended(start().ipv6_extension({.type = 43, .length_words = 9})),
       "ip-43 2001:db8::1 > 2001:db8::2 [invalid] ipv6.trunc_exthdr"},
      {"tunnel behind", start().ipv6_extension(routing).ipv4().udp().payload("hi"),
       "udp 10.0.0.1:40000 > 10.0.0.2:53 'hi' [ipv6 tunnel]\n"
       "ip-4 2001:db8::1 > 2001:db8::2 [carries]"},
      {"esp behind", start().ipv6_extension(routing).esp().payload("x"),
       "ip-50 2001:db8::1 > 2001:db8::2 'x'"},
  };
  Telling tell;
  for (const ChainCase& test : cases) {
    SCOPED_TRACE(test.name);
    EXPECT_EQ(tell(test.frame), test.told);
  }
}

TEST(Ipv6, ChecksOptions) {
  const ChainCase cases[] = {
      {"router alert", hop({5, 2, 0, 0, 1, 0}), with("ipv6.zero_len_padn")},
      {"only padding", hop({1, 4, 0, 0, 0, 0}), with("ipv6.hopopts_only_padding")},
      {"only padding", destination({0, 0, 0, 0, 0, 0}), with("ipv6.dstopts_only_padding")},
      {"unknown", hop({99, 4, 0, 0, 0, 0}), with("ipv6.hopopts_unknown_opt")},
      {"unknown", destination({99, 4, 0, 0, 0, 0}), with("ipv6.dstopts_unknown_opt")},
      {"jumbo", hop({0xc2, 4, 0, 0, 0, 9}), plain},
      {"jumbo short", hop({0xc2, 3, 0, 0, 0, 0}), with("[invalid] ipv6.exthdr_invalid_optlen")},
      {"alert short", hop({5, 1, 0, 0, 0, 0}), with("[invalid] ipv6.exthdr_invalid_optlen")},
      {"overrun", hop({99, 6, 0, 0, 0, 0}), with("[invalid] ipv6.exthdr_invalid_optlen")},
      {"no length", hop({99, 3, 0, 0, 0, 7}),
       with("[invalid] ipv6.hopopts_unknown_opt ipv6.exthdr_invalid_optlen")},
  };
  Telling tell;
  for (const ChainCase& test : cases) {
    SCOPED_TRACE(test.name);
    EXPECT_EQ(tell(test.frame), test.told);
  }
}

TEST(Ipv6, KnowsWholeDatagramsWithAFragmentHeader) {
  Telling tell;
  EXPECT_EQ(tell(ended(start().ipv6_fragment())), with("ipv6.exthdr_useless_fh"));
  EXPECT_EQ(tell(ended(start().ipv6_fragment().ipv6_fragment({.more_fragments = true}))),
            with("ipv6.exthdr_useless_fh ipv6.exthdr_dupl_fh"));
  EXPECT_EQ(tell(start().ipv6_fragment({.next_header = 59})),
            "ip-44 2001:db8::1 > 2001:db8::2 ipv6.exthdr_useless_fh");
}

TEST(Ipv6, GivesFragmentsWithoutTransport) {
  Telling tell;
  EXPECT_EQ(
      tell(start().ipv6_fragment({.more_fragments = true, .next_header = 17}).payload("12345678")),
      "ip-44 2001:db8::1 > 2001:db8::2 [fragment]");
  EXPECT_EQ(tell(start()
                     .ipv6_fragment({.id = 2, .more_fragments = true, .next_header = 17})
                     .payload("123")),
            "ip-44 2001:db8::1 > 2001:db8::2 [fragment] ipv6.frag_invalid_length");
  Buffer reserved =
      start().ipv6_fragment({.id = 3, .offset_bytes = 8, .next_header = 17}).payload("x").bytes();
  reserved[14 + 40 + 1] = 1;
  EXPECT_EQ(tell(reserved),
            "ip-44 2001:db8::1 > 2001:db8::2 [fragment] ipv6.fh_non_zero_reserved_field");
}

TEST(Ipv6, RemembersWhatItPassed) {
  Telling tell;
  const auto datagrams =
      tell.decode({ended(start()
                             .ipv6_extension({.type = 0, .content = {5, 2, 0, 0}})
                             .ipv6_extension({.type = 43, .content = {2, 0}})
                             .authentication())
                       .at(1)});
  EXPECT_EQ(datagrams[0].ipv6_extensions,
            ipv6_extension::hop_by_hop | ipv6_extension::routing | ipv6_extension::authentication);
  EXPECT_EQ(datagrams[0].ip_header.size(), 40u);
  EXPECT_EQ(datagrams[0].transport_header.size(), 8u);
}

}  // namespace
}  // namespace shrike::decode
