#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "shrike/craft.h"

namespace shrike::craft {
namespace {

/// One frame of an Ethernet and IPv4 conversation in a line:
/// "> SA 1000 5001 data", client's frames with ">", server's with "<".
std::string line_of(const TimedFrame& frame) {
  const Bytes ip = Bytes(frame.bytes).subspan(14);
  const Bytes transport = ip.subspan(20);
  const char* const arrow = ip[15] == 1 ? ">" : "<";
  if (ip[9] == 17) {
    return fmt::format("{} udp {}", arrow, as_text(transport.subspan(8)));
  }
  std::string flags;
  for (unsigned bit = 0; bit < 6; ++bit) {
    flags += (transport[13] >> bit & 1) != 0 ? std::string(1, "FSRPAU"[bit]) : "";
  }
  const size_t header_bytes = static_cast<size_t>(transport[12] >> 4) * 4;
  const std::string_view data = as_text(transport.subspan(header_bytes));
  return fmt::format("{} {} {} {}{}{}", arrow, flags, load_big32(transport.data() + 4),
                     load_big32(transport.data() + 8), data.empty() ? "" : " ", data);
}

std::vector<std::string> lines_of(const Conversation& conversation) {
  std::vector<std::string> lines;
  for (const TimedFrame& frame : conversation.frames()) {
    lines.push_back(line_of(frame));
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(Conversation, SpeaksTcp) {
  Conversation web;
  web.handshake().client("GET").server("200").close();
  EXPECT_EQ(lines_of(web), (Lines{
                               "> S 1000 0",
                               "< SA 5000 1001",
                               "> A 1001 5001",
                               "> PA 1001 5001 GET",
                               "< A 5001 1004",
                               "< PA 5001 1004 200",
                               "> A 1004 5004",
                               "> FA 1004 5004",
                               "< FA 5004 1005",
                               "> A 1005 5005",
                           }));
  EXPECT_EQ(web.sequence(Side::client), 1005U);
  for (size_t index = 0; index < web.frames().size(); ++index) {
    EXPECT_EQ(web.frames()[index].time_ns, 1'700'000'000'000'000'000U + index * 1'000'000);
  }
}

TEST(Conversation, CutsDataIntoSegments) {
  Conversation web({.segment_bytes_max = 4, .acknowledge = false});
  web.client("abcdefghij").reset();
  EXPECT_EQ(lines_of(web), (Lines{"> A 1000 5000 abcd", "> A 1004 5000 efgh", "> PA 1008 5000 ij",
                                  "> RA 1010 5000"}));
}

TEST(Conversation, WrapsSequenceNumbers) {
  Conversation web({.client_sequence = 0xfffffffe, .acknowledge = false});
  web.client("abcd").client("e");
  EXPECT_EQ(lines_of(web), (Lines{"> PA 4294967294 5000 abcd", "> PA 2 5000 e"}));
}

TEST(Conversation, SpeaksUdpAndIpv6) {
  Conversation names({.is_udp = true, .segment_bytes_max = 3});
  names.client("query").server("yes");
  EXPECT_EQ(lines_of(names), (Lines{"> udp que", "> udp ry", "< udp yes"}));
  Conversation six({.client = "2001:db8::1", .server = "2001:db8::2"});
  six.handshake();
  EXPECT_EQ(six.frames().at(0).bytes[14] >> 4, 6);
}

TEST(Conversation, DoesOddThingsOnPurpose) {
  Conversation odd({.acknowledge = false});
  odd.client("abc");
  odd.segment(Side::client, -2, "XY").segment(Side::client, 4, "later", tcp_flag::ack);
  odd.lose(Side::client, 9).client("d").repeat_last();
  EXPECT_EQ(lines_of(odd), (Lines{"> PA 1000 5000 abc", "> PA 1001 5000 XY", "> A 1007 5000 later",
                                  "> PA 1012 5000 d", "> PA 1012 5000 d"}));
  odd.drop_last().swap_last_two();
  EXPECT_EQ(lines_of(odd), (Lines{"> PA 1000 5000 abc", "> PA 1001 5000 XY", "> PA 1012 5000 d",
                                  "> A 1007 5000 later"}));
  EXPECT_LT(odd.frames()[2].time_ns, odd.frames()[3].time_ns);
}

TEST(Conversation, ShufflesTheSameWayEachTime) {
  const auto shuffled = [](uint64_t seed) {
    Conversation web({.segment_bytes_max = 1, .acknowledge = false});
    return lines_of(web.handshake().client("0123456789abcdef").shuffle(3, seed));
  };
  const Lines first = shuffled(1);
  EXPECT_EQ(first, shuffled(1));
  EXPECT_NE(first, shuffled(2));
  EXPECT_EQ(first[2], "> A 1001 5001");
  Lines sorted = first;
  std::sort(sorted.begin() + 3, sorted.end());
  Conversation plain({.segment_bytes_max = 1, .acknowledge = false});
  Lines expected = lines_of(plain.handshake().client("0123456789abcdef"));
  std::sort(expected.begin() + 3, expected.end());
  EXPECT_EQ(sorted, expected);
}

TEST(Conversation, TakesAnyFrameAndEnvelope) {
  Conversation tagged({.envelope = Frame().ethernet().vlan({.id = 5})});
  tagged.add(Side::server, Frame().icmp({.type = 3}).payload("x")).wait(5).client("a");
  const Buffer& bytes = tagged.frames().at(0).bytes;
  EXPECT_EQ(load_big16(bytes.data() + 14), 5);
  EXPECT_EQ(bytes.at(18 + 20), 3);
  EXPECT_EQ(tagged.frames().at(1).time_ns - tagged.frames().at(0).time_ns, 1'000'005U);
}

TEST(Conversation, MergesByTime) {
  Conversation first({.client_port = 1, .step_ns = 10});
  Conversation second({.client_port = 2, .step_ns = 7});
  const std::vector<std::vector<TimedFrame>> both{first.handshake().frames(),
                                                  second.handshake().frames()};
  std::vector<uint64_t> times;
  for (const TimedFrame& frame : merge(both)) {
    times.push_back(frame.time_ns - 1'700'000'000'000'000'000U);
  }
  EXPECT_EQ(times, (std::vector<uint64_t>{0, 0, 7, 10, 14, 20}));
}

TEST(Packets, BorrowFramesAndCarryNumberAndClock) {
  std::vector<TimedFrame> frames{Frame().ipv4().at(20), Frame().ipv4().at(10)};
  frames[1].wire_bytes = 1000;
  const std::vector<Packet> packets = to_packets(frames);
  ASSERT_EQ(packets.size(), 2U);
  EXPECT_EQ(packets[1].frame.data(), frames[1].bytes.data());
  EXPECT_EQ(packets[0].wire_bytes, 20U);
  EXPECT_EQ(packets[1].wire_bytes, 1000U);
  EXPECT_EQ(packets[1].number, 2U);
  EXPECT_EQ(packets[1].time_ns, 10U);
  EXPECT_EQ(packets[1].clock_ns, 20U);
  EXPECT_EQ(packets[1].link_type, LinkType::raw_ip);
}

}  // namespace
}  // namespace shrike::craft
