#include <gtest/gtest.h>

#include "telling.h"

namespace shrike::decode {
namespace {

using craft::Buffer;
using craft::Frame;

TEST(Decoder, PutsInnerDatagramsBeforeTheirCarriers) {
  Telling tell;
  const Frame frame =
      Frame().ethernet().vlan({.id = 3}).ipv4().gre().ipv4().ipv6().tcp().payload("x");
  const auto datagrams = tell.decode({frame.at(5)});
  ASSERT_EQ(datagrams.size(), 3u);
  EXPECT_EQ(Telling::tell(datagrams[0]),
            "tcp 2001:db8::1:40000 > 2001:db8::2:80 'x' [ipv4 tunnel]");
  EXPECT_EQ(Telling::tell(datagrams[1]), "ip-41 10.0.0.1 > 10.0.0.2 [gre tunnel carries]");
  EXPECT_EQ(Telling::tell(datagrams[2]), "ip-47 10.0.0.1 > 10.0.0.2 [carries vlan 3]");
  const uint8_t depths[] = {2, 1, 0};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(datagrams[i].depth, depths[i]);
    EXPECT_EQ(datagrams[i].order, i);
    EXPECT_EQ(datagrams[i].carrier, i < 2 ? &datagrams[2] : nullptr);
    EXPECT_EQ(datagrams[i].number, 1u);
    EXPECT_EQ(datagrams[i].time_ns, 5u);
    EXPECT_EQ(datagrams[i].packet, datagrams[2].packet);
  }
  EXPECT_EQ(datagrams[0].link_type, LinkType::raw_ip);
  EXPECT_EQ(datagrams[0].wire_bytes, 40u + 20 + 1);
  EXPECT_EQ(datagrams[1].wire_bytes, 20u + datagrams[0].wire_bytes);
  EXPECT_EQ(datagrams[2].wire_bytes, frame.bytes().size());
}

Frame nested(size_t tunnels, const Frame& link = Frame().ethernet()) {
  Frame frame = Frame(link).ipv4();
  for (size_t i = 0; i < tunnels; ++i) {
    frame.ipv4();
  }
  return frame.udp().payload("x");
}

TEST(Decoder, StopsAtTooManyLayers) {
  // Ethernet and IPv4 make two; each tunnel takes a layer of its own and one for its header.
  Telling tell;
  EXPECT_EQ(tell.decode({nested(6).at(1)}).size(), 7u);
  EXPECT_EQ(tell.decode({nested(7).at(1)}).size(), 7u) << "the last one does not even start";
  EXPECT_EQ(tell.counter("decoder.event.too_many_layers"), 0u);
  const Frame tagged = Frame().ethernet().vlan();
  EXPECT_EQ(tell.decode({nested(5, tagged).at(1)}).size(), 6u);
  const auto deepest = tell.decode({nested(7, tagged).at(1)});
  EXPECT_EQ(deepest.size(), 7u);
  EXPECT_EQ(Telling::tell(deepest[0]),
            "ip-4 10.0.0.1 > 10.0.0.2 [ipv4 tunnel invalid] too_many_layers");
  EXPECT_EQ(tell.counter("decoder.event.too_many_layers"), 1u);
  Telling shallow({.check_checksums = false, .layers_max = 3});
  EXPECT_EQ(shallow(nested(0)), "udp 10.0.0.1:40000 > 10.0.0.2:53 'x'");
  EXPECT_EQ(shallow(nested(1)), "ip-4 10.0.0.1 > 10.0.0.2 [invalid] too_many_layers");
}

TEST(Decoder, StopsWhereTheBatchIsFull) {
  Decoder decoder({.check_checksums = false});
  const craft::TimedFrame frame = nested(6).at(1);
  const std::vector<craft::TimedFrame> frames(limits::batch_packets_max * 2, frame);
  const std::vector<Packet> packets = craft::to_packets(frames);
  DatagramBatch batch;
  size_t taken = 0;
  size_t calls = 0;
  while (taken < packets.size()) {
    batch.clear();
    const size_t more = decoder.decode(std::span(packets).subspan(taken), batch);
    ASSERT_GT(more, 0u);
    EXPECT_EQ(batch.size(), more * 7);
    taken += more;
    ++calls;
  }
  EXPECT_GT(calls, 1u);
}

TEST(Decoder, CountsFramesAndEvents) {
  Telling tell;
  tell(nested(0));
  tell(cut(nested(0), 20));
  tell(nested(1));
  EXPECT_EQ(tell.counter("decoder.pkts"), 3u);
  EXPECT_EQ(tell.counter("decoder.bytes"),
            nested(0).bytes().size() + 20 + nested(1).bytes().size());
  EXPECT_EQ(tell.counter("decoder.invalid"), 1u);
  EXPECT_EQ(tell.counter("decoder.ipv4"), 4u);
  EXPECT_EQ(tell.counter("decoder.udp"), 2u);
  EXPECT_EQ(tell.counter("decoder.event.ipv4.pkt_too_small"), 1u);
}

TEST(Decoder, NamesEveryCounterOnce) {
  const Decoder decoder({});
  std::vector<std::string_view> names;
  for (const CounterView& view : decoder.counters()) {
    ASSERT_EQ(view.rows.size(), view.values.size());
    for (const CounterRow& row : view.rows) {
      EXPECT_FALSE(row.name.empty() || row.unit.empty() || row.meaning.empty());
      names.push_back(row.name);
    }
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

}  // namespace
}  // namespace shrike::decode
