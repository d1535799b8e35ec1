#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "decode/telling.h"
#include "worker/frame_owner.h"
#include "worker/parcel.h"

namespace shrike::worker {
namespace {

using craft::Frame;
using craft::TimedFrame;
using decode::Telling;

constexpr uint64_t time_ns = 1'700'000'000'000'000'000;

Frame udp_frame() {
  return Frame()
      .ethernet()
      .ipv4({.source = "10.0.0.1", .target = "10.0.0.2"})
      .udp({.source_port = 1, .target_port = 2})
      .payload("a datagram");
}

Frame tunnelled_frame() {
  return Frame()
      .ethernet()
      .ipv4({.source = "192.0.2.1", .target = "192.0.2.2"})
      .gre()
      .ipv4({.source = "10.0.0.1", .target = "10.0.0.2"})
      .tcp({.source_port = 1, .target_port = 2})
      .payload("inside");
}

std::vector<TimedFrame> fragments_of(const Frame& frame) {
  std::vector<TimedFrame> all;
  for (craft::Buffer& bytes : craft::fragment(frame, 16)) {
    all.push_back({.bytes = std::move(bytes), .time_ns = time_ns});
  }
  return all;
}

bool is_in(Bytes part, Bytes whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

/// Every datagram of these frames, handed over and opened again, says what it said before, and
/// nothing of it points back to where it came from.
void expect_same_behind_the_ring(const std::vector<TimedFrame>& frames) {
  Telling telling;
  RecordRing ring(1 << 20);
  ParcelRoom room;
  for (const Datagram& datagram : telling.decode(frames)) {
    ASSERT_TRUE(hand_over(ring, datagram));
    const Bytes record = ring.front();
    EXPECT_EQ(Parcel::clock_of(record), datagram.packet->clock_ns);
    const Parcel parcel = open_parcel(record, room);
    ASSERT_NE(parcel.datagram, nullptr);
    EXPECT_EQ(Telling::tell(*parcel.datagram), Telling::tell(datagram));
    EXPECT_EQ(parcel.datagram->carrier != nullptr, datagram.carrier != nullptr);
    for (const Bytes span : {parcel.datagram->ip_header, parcel.datagram->ip_payload,
                             parcel.datagram->transport_header, parcel.datagram->payload,
                             parcel.datagram->frame, parcel.packet.frame}) {
      EXPECT_TRUE(is_in(span, record));
    }
    ring.pop();
  }
}

TEST(Parcel, CarriesDatagrams) {
  expect_same_behind_the_ring({udp_frame().at(time_ns)});
}

TEST(Parcel, CarriesWhatWasInATunnelWithItsCarrier) {
  expect_same_behind_the_ring({tunnelled_frame().at(time_ns)});
}

TEST(Parcel, CarriesRebuiltDatagrams) {
  expect_same_behind_the_ring(fragments_of(udp_frame()));
}

TEST(Parcel, CarriesFramesUndecoded) {
  const std::vector<TimedFrame> frames{udp_frame().at(time_ns)};
  const std::vector<Packet> packets = craft::to_packets(frames);
  RecordRing ring(1 << 16);
  ASSERT_TRUE(hand_over(ring, packets.front()));
  ParcelRoom room;
  const Parcel parcel = open_parcel(ring.front(), room);
  EXPECT_EQ(parcel.datagram, nullptr);
  EXPECT_EQ(std::vector(parcel.packet.frame.begin(), parcel.packet.frame.end()), frames[0].bytes);
  EXPECT_EQ(parcel.packet.time_ns, time_ns);
}

TEST(Parcel, SaysWhenARingIsFull) {
  const std::vector<TimedFrame> frames{udp_frame().at(time_ns)};
  const std::vector<Packet> packets = craft::to_packets(frames);
  RecordRing ring(4096);
  size_t taken = 0;
  while (hand_over(ring, packets.front())) {
    ++taken;
  }
  EXPECT_EQ(taken, 4096 / (8 + (parcel_bytes(packets.front()) + 7) / 8 * 8));
  EXPECT_NE(ring.front().data(), nullptr);
  ring.pop();
  EXPECT_TRUE(hand_over(ring, packets.front()));
}

/// Both ways of asking for an owner agree, in both directions and behind tags.
TEST(FrameOwner, AgreesWithTheDatagrams) {
  const OwnerTable owners(4);
  for (int i = 1; i < 50; ++i) {
    const std::string one = "10.1.2." + std::to_string(i);
    const std::string other = "192.0.2." + std::to_string(200 - i);
    for (const bool is_answer : {false, true}) {
      const craft::Address source(is_answer ? other.c_str() : one.c_str());
      const craft::Address target(is_answer ? one.c_str() : other.c_str());
      const Frame frame = Frame()
                              .ethernet()
                              .vlan({.id = 10})
                              .ipv4({.source = source, .target = target})
                              .udp({.source_port = 1, .target_port = 2})
                              .payload("x");
      Telling telling;
      const std::span<const Datagram> datagrams = telling.decode({frame.at(time_ns)});
      ASSERT_EQ(datagrams.size(), 1U);
      EXPECT_EQ(owner_of_frame(*datagrams.front().packet, owners, 99),
                owners.owner_of(datagrams.front()));
    }
  }
}

TEST(FrameOwner, LeavesWhatItCannotReadWhereItIs) {
  const OwnerTable owners(4);
  TimedFrame frame = udp_frame().at(time_ns);
  for (const size_t bytes : {size_t{0}, size_t{13}, size_t{14}, size_t{33}}) {
    TimedFrame cut = frame;
    cut.bytes.resize(bytes);
    const std::vector<TimedFrame> frames{cut};
    EXPECT_EQ(owner_of_frame(craft::to_packets(frames).front(), owners, 99), 99U) << bytes;
  }
  const std::vector<TimedFrame> frames{Frame().ethernet().arp().at(time_ns)};
  EXPECT_EQ(owner_of_frame(craft::to_packets(frames).front(), owners, 99), 99U);
}

}  // namespace
}  // namespace shrike::worker
