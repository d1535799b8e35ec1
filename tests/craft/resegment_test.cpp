#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "shrike/craft.h"

namespace shrike::craft {
namespace {

constexpr size_t ip_at = 14;
constexpr size_t tcp_at = 34;

uint16_t ip_bytes(const TimedFrame& frame) {
  return load_big16(&frame.bytes[ip_at + 2]);
}
uint32_t sequence_of(const TimedFrame& frame) {
  return load_big32(&frame.bytes[tcp_at + 4]);
}
uint8_t flags_of(const TimedFrame& frame) {
  return frame.bytes[tcp_at + 13];
}
std::string payload_of(const TimedFrame& frame) {
  const size_t header_bytes = size_t{frame.bytes[tcp_at + 12]} / 16 * 4;
  return std::string(as_text(Bytes(frame.bytes).subspan(tcp_at + header_bytes)));
}

/// Zero where the checksum is right.
uint16_t tcp_remainder(const TimedFrame& frame) {
  const Bytes bytes(frame.bytes);
  const uint32_t sum = partial_checksum(bytes.subspan(ip_at + 12, 8),
                                        static_cast<uint32_t>(6 + bytes.size() - tcp_at));
  return internet_checksum(bytes.subspan(tcp_at), sum);
}
uint16_t ip_remainder(const TimedFrame& frame) {
  return internet_checksum(Bytes(frame.bytes).subspan(ip_at, 20));
}

TimedFrame segment(uint8_t flags, std::string_view payload) {
  return Frame()
      .ethernet()
      .ipv4()
      .tcp({.sequence = 0xfffffffe, .acknowledgment = 77, .flags = flags})
      .payload(payload)
      .at(5);
}

TEST(Resegment, CutsWithFlagsNumbersAndChecksums) {
  const TimedFrame whole = segment(tcp_flag::fin | tcp_flag::psh | tcp_flag::ack, "abcdefgh");
  const std::vector<TimedFrame> pieces = resegment({&whole, 1}, {.piece_bytes_max = 3});
  ASSERT_EQ(pieces.size(), 3U);
  const std::string texts[] = {"abc", "def", "gh"};
  const uint32_t sequences[] = {0xfffffffe, 1, 4};
  for (size_t index = 0; index < pieces.size(); ++index) {
    SCOPED_TRACE(index);
    EXPECT_EQ(payload_of(pieces[index]), texts[index]);
    EXPECT_EQ(sequence_of(pieces[index]), sequences[index]);
    EXPECT_EQ(load_big32(&pieces[index].bytes[tcp_at + 8]), 77U);
    EXPECT_EQ(flags_of(pieces[index]), index == 2 ? 0x19 : tcp_flag::ack);
    EXPECT_EQ(ip_bytes(pieces[index]), pieces[index].bytes.size() - ip_at);
    EXPECT_EQ(tcp_remainder(pieces[index]), 0);
    EXPECT_EQ(ip_remainder(pieces[index]), 0);
    EXPECT_EQ(pieces[index].time_ns, 5U);
  }
}

TEST(Resegment, CutsIpv6WithPadding) {
  TimedFrame whole = Frame().ethernet().vlan().ipv6().tcp().payload("abc").at(5);
  whole.bytes.resize(whole.bytes.size() + 4);
  const std::vector<TimedFrame> pieces = resegment({&whole, 1}, {.piece_bytes_max = 2});
  ASSERT_EQ(pieces.size(), 2U);
  const Buffer first = Frame().ethernet().vlan().ipv6().tcp().payload("ab").bytes();
  const Buffer second = Frame().ethernet().vlan().ipv6().tcp({.sequence = 3}).payload("c").bytes();
  EXPECT_EQ(pieces[0].bytes, first);
  EXPECT_EQ(pieces[1].bytes, second);
}

TEST(Resegment, KeepsWrongChecksumsWrong) {
  TimedFrame whole = segment(tcp_flag::ack, "abcd");
  whole.bytes[tcp_at + 16] ^= 1;
  whole.bytes[ip_at + 10] ^= 1;
  for (const TimedFrame& piece : resegment({&whole, 1}, {.piece_bytes_max = 2})) {
    EXPECT_NE(tcp_remainder(piece), 0);
    EXPECT_NE(ip_remainder(piece), 0);
  }
}

TEST(Resegment, CopiesWhatItCannotCut) {
  std::vector<TimedFrame> frames{
      segment(tcp_flag::syn, "data"),
      segment(tcp_flag::rst, "data"),
      segment(tcp_flag::ack | tcp_flag::urg, "data"),
      Frame().ethernet().ipv4().udp().payload("data").at(1),
      Frame().ethernet().ipv4({.more_fragments = true}).tcp().payload("data").at(1),
      Frame().ethernet().ipv4({.total_length = 2000}).tcp().payload("data").at(1),
      Frame().ethernet().arp().at(1)};
  frames.push_back(segment(tcp_flag::ack, "data"));
  frames.back().wire_bytes = 1000;
  for (size_t cut = 0; cut < 60; ++cut) {
    TimedFrame damaged = segment(tcp_flag::ack, "data");
    damaged.bytes.resize(std::min(cut, damaged.bytes.size() - 1));
    frames.push_back(damaged);
  }
  const std::vector<TimedFrame> out = resegment(frames, {.piece_bytes_max = 1, .order_seed = 1});
  ASSERT_EQ(out.size(), frames.size());
  for (size_t index = 0; index < out.size(); ++index) {
    EXPECT_EQ(out[index].bytes, frames[index].bytes) << index;
  }
}

/// The client's stream put together by sequence numbers; the first of two copies counts.
std::string client_stream(const std::vector<TimedFrame>& frames) {
  std::string stream;
  for (const TimedFrame& frame : frames) {
    const bool is_client = frame.bytes[ip_at + 15] == 1;
    const size_t place = sequence_of(frame) - 1001;
    const std::string text = payload_of(frame);
    if (is_client && !text.empty()) {
      stream.resize(std::max(stream.size(), place + text.size()));
      stream.replace(place, text.size(), text);
    }
  }
  return stream;
}

TEST(Resegment, ReordersWithinWindowAndDirection) {
  std::string text;
  for (int index = 0; index < 100; ++index) {
    text += static_cast<char>('!' + index % 90);
  }
  Conversation flow;
  flow.handshake().client(text).server("answer").client("more").close();
  const std::vector<TimedFrame> ordered = resegment(flow.frames(), {.piece_bytes_max = 1});
  const std::vector<TimedFrame> mixed =
      resegment(flow.frames(), {.piece_bytes_max = 1, .order_seed = 3});
  ASSERT_EQ(mixed.size(), ordered.size());
  EXPECT_EQ(client_stream(mixed), text + "more");
  size_t moved = 0;
  for (size_t index = 0; index < mixed.size(); ++index) {
    EXPECT_EQ(mixed[index].time_ns, ordered[index].time_ns);
    EXPECT_EQ(mixed[index].bytes[ip_at + 15], ordered[index].bytes[ip_at + 15]);
    const int distance = static_cast<int>(sequence_of(mixed[index]) - sequence_of(ordered[index]));
    EXPECT_LT(std::abs(distance), 8);
    moved += distance != 0 ? 1 : 0;
  }
  EXPECT_GT(moved, 50U);
}

TEST(Resegment, KeepsTheOrderWithoutHandshake) {
  Conversation flow;
  flow.client("hello there");
  const std::vector<TimedFrame> ordered = resegment(flow.frames(), {.piece_bytes_max = 1});
  const std::vector<TimedFrame> mixed =
      resegment(flow.frames(), {.piece_bytes_max = 1, .order_seed = 3});
  ASSERT_EQ(mixed.size(), ordered.size());
  for (size_t index = 0; index < mixed.size(); ++index) {
    EXPECT_EQ(mixed[index].bytes, ordered[index].bytes);
  }
}

TEST(Resegment, RandomCutsAndCopies) {
  Conversation flow({.segment_bytes_max = 20000});
  flow.handshake().client(std::string(20000, 'x') + "end");
  const auto out = resegment(flow.frames(), {.cut_seed = 7, .duplicate = true});
  EXPECT_EQ(client_stream(out), std::string(20000, 'x') + "end");
  std::set<size_t> sizes;
  size_t payload_bytes = 0;
  for (const TimedFrame& frame : out) {
    sizes.insert(payload_of(frame).size());
    payload_bytes += payload_of(frame).size();
  }
  EXPECT_GT(sizes.size(), 10U);
  EXPECT_LE(*sizes.rbegin(), 1460U);
  EXPECT_EQ(payload_bytes, 2U * 20003);
}

TEST(Resegment, FragmentsAddUpToTheDatagram) {
  const std::string text(1000, 'f');
  const TimedFrame whole = Frame().ethernet().ipv4().udp().payload(text).at(5);
  const std::vector<TimedFrame> pieces = resegment({&whole, 1}, {.fragment = true});
  EXPECT_EQ(pieces.size(), 8U);
  Buffer joined;
  for (const TimedFrame& piece : pieces) {
    const uint16_t place = load_big16(&piece.bytes[ip_at + 6]);
    EXPECT_EQ((place & 0x1fffU) * 8, joined.size());
    joined.insert(joined.end(), piece.bytes.begin() + tcp_at, piece.bytes.end());
    EXPECT_EQ((place & 0x2000U) == 0, joined.size() == 1008);
    EXPECT_EQ(ip_bytes(piece), piece.bytes.size() - ip_at);
    EXPECT_EQ(ip_remainder(piece), 0);
  }
  EXPECT_EQ(joined, Buffer(whole.bytes.begin() + tcp_at, whole.bytes.end()));
}

TEST(Resegment, FragmentsIpv6AndLeavesSmallDatagramsWhole) {
  const std::string text(100, 'f');
  const Frame six = Frame().ethernet().ipv6().udp().payload(text);
  const std::vector<TimedFrame> frames{
      six.at(5), Frame().ethernet().ipv4().udp().payload(text.substr(0, 36)).at(6)};
  const std::vector<TimedFrame> out = resegment(frames, {.fragment = true});
  ASSERT_EQ(out.size(), 6U);
  const std::vector<Buffer> expected = fragment(six, 24);
  ASSERT_EQ(expected.size(), 5U);
  for (size_t index = 0; index < expected.size(); ++index) {
    EXPECT_EQ(out[index].bytes, expected[index]) << index;
  }
  EXPECT_EQ(out.back().bytes, frames.back().bytes);
}

}  // namespace
}  // namespace shrike::craft
