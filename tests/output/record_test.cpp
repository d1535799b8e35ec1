#include "record.h"

#include <utility>

#include "scene.h"

namespace shrike::output {
namespace {

Record read_front(RecordRing& ring) {
  Record record;
  const Bytes bytes = ring.front();
  EXPECT_NE(bytes.data(), nullptr);
  EXPECT_TRUE(read_record(bytes, record));
  return record;
}

TEST(Record, CarriesAllThatAnAlertIsMadeOf) {
  RecordRing ring(1 << 20);
  RecordOptions options;
  options.packet_payload = true;
  options.frame = true;
  options.stream_bytes_max = 4;
  RecordWriter writer(options, ring);
  writer.set_generation(5);
  Scene scene;
  const std::string frame = "abcdefghijklmnopqrstuvwxyz";
  scene.datagram.frame = as_bytes(frame);
  scene.datagram.payload = as_bytes("payload");
  scene.datagram.vlan_count = 1;
  scene.datagram.vlan_ids = {100};
  scene.alert.rule_index = 9;
  scene.alert.from_stream = true;
  scene.alert.stream_bytes = as_bytes("stream");
  scene.alert.transaction = &scene.transaction;
  scene.transaction.id = 77;
  const uint32_t bits[] = {3, 1};
  const std::pair<uint32_t, uint32_t> integers[] = {{0, 42}};
  ASSERT_TRUE(writer.write_alert(scene.alert, {bits, integers}));

  const Record record = read_front(ring);
  EXPECT_EQ(record.head.kind, RecordKind::alert);
  EXPECT_EQ(record.head.generation, 5U);
  EXPECT_EQ(record.head.key.clock_ns, start_ns);
  EXPECT_EQ(record.head.key.number, 7U);
  EXPECT_EQ(record.head.key.flow_id, scene.tracked.flow.eve_id);
  EXPECT_EQ(record.datagram.source, ip("10.0.0.1"));
  EXPECT_EQ(record.datagram.target_port, 80);
  EXPECT_TRUE(record.datagram.has_ports);
  EXPECT_EQ(record.datagram.vlan_ids[0], 100);
  EXPECT_EQ(record.datagram.ethernet_target[0], 'a');
  EXPECT_EQ(record.datagram.ethernet_source[5], 'l');
  EXPECT_EQ(record.alert.rule_index, 9U);
  EXPECT_EQ(record.alert.tx_id, 77U);
  EXPECT_TRUE(record.has_flow);
  EXPECT_EQ(record.flow.bytes[1], 4000U);
  EXPECT_FALSE(record.has_carrier);
  ASSERT_EQ(record.flow_bits.size(), 8U);
  EXPECT_EQ(number_at(record.flow_bits, 0), 3U);
  EXPECT_EQ(number_at(record.flow_integers, 1), 42U);
  EXPECT_EQ(as_text(record.payload), "payload");
  EXPECT_EQ(as_text(record.stream_bytes), "stre");
  EXPECT_EQ(as_text(record.frame), frame);
  EXPECT_EQ(writer.counters().values[0], 1U);
}

TEST(Record, NumbersTheAlertsOfOneDatagram) {
  RecordRing ring(1 << 20);
  RecordWriter writer({}, ring);
  Scene scene;
  std::vector<uint32_t> sequences;
  for (const uint64_t number : {7, 7, 7, 8, 7}) {
    scene.datagram.number = number;
    ASSERT_TRUE(writer.write_alert(scene.alert, {}));
    sequences.push_back(read_front(ring).head.key.sequence);
    ring.pop();
  }
  EXPECT_EQ(sequences, (std::vector<uint32_t>{0, 1, 2, 0, 0}));
}

TEST(Record, GivesFalseWhereTheRingIsFullAndKeepsTheNumber) {
  RecordRing ring(1 << 16);
  RecordWriter writer({}, ring);
  const Scene scene;
  uint32_t written = 0;
  while (writer.write_alert(scene.alert, {})) {
    ++written;
  }
  EXPECT_GT(written, 50U);
  ASSERT_NE(ring.front().data(), nullptr);
  ring.pop();
  EXPECT_TRUE(writer.write_alert(scene.alert, {}));
  Record last;
  for (Bytes bytes = ring.front(); bytes.data() != nullptr; bytes = ring.front()) {
    ASSERT_TRUE(read_record(bytes, last));
    ring.pop();
  }
  EXPECT_EQ(last.head.key.sequence, written);
  EXPECT_EQ(writer.counters().values[1], 0U);
}

TEST(Record, IsDroppedAndCountedLive) {
  RecordRing ring(1 << 16);
  RecordOptions options;
  options.drop_when_full = true;
  RecordWriter writer(options, ring);
  const Scene scene;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(writer.write_alert(scene.alert, {}));
  }
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(writer.write_mark({}));
  }
  const CounterView counters = writer.counters();
  EXPECT_EQ(counters.values[0] + counters.values[1], 1000U);
  EXPECT_GT(counters.values[1], 0U);
  EXPECT_GT(counters.values[2], 900U);
}

TEST(Record, OfALongFrameIsCutToTheRing) {
  RecordRing ring(1 << 16);
  RecordOptions options;
  options.frame = true;
  options.packet_payload = true;
  RecordWriter writer(options, ring);
  Scene scene;
  const std::string frame(60000, 'f');
  scene.datagram.frame = as_bytes(frame);
  scene.datagram.payload = as_bytes(frame);
  ASSERT_TRUE(writer.write_alert(scene.alert, {}));
  const Record record = read_front(ring);
  EXPECT_GT(record.payload.size(), 15000U);
  EXPECT_LE(record.payload.size() + record.frame.size(), 16384U);
}

TEST(Record, ShowsInnerDatagramsAsRawIp) {
  RecordRing ring(1 << 20);
  RecordOptions options;
  options.frame = true;
  RecordWriter writer(options, ring);
  Scene outer;
  Scene inner;
  inner.datagram.carrier = &outer.datagram;
  inner.datagram.origin = DatagramOrigin::gre_tunnel;
  inner.datagram.depth = 1;
  inner.datagram.frame = as_bytes("the outer frame");
  inner.datagram.ip_header = as_bytes("header ");
  inner.datagram.ip_payload = as_bytes("and payload");
  ASSERT_TRUE(writer.write_alert(inner.alert, {}));
  const Record record = read_front(ring);
  EXPECT_TRUE(record.datagram.frame_is_raw_ip);
  EXPECT_EQ(as_text(record.frame), "header and payload");
  EXPECT_TRUE(record.has_carrier);
  EXPECT_EQ(record.carrier.source_port, 40000);
}

TEST(Record, WritesOnlyWhatSomeoneWants) {
  RecordRing ring(1 << 20);
  RecordOptions options;
  options.tagged_packets = false;
  RecordWriter writer(options, ring);
  Scene scene;
  scene.alert.is_tagged_packet = true;
  EXPECT_TRUE(writer.write_alert(scene.alert, {}));
  EXPECT_TRUE(writer.write_flow_end({}));
  EXPECT_EQ(ring.front().data(), nullptr);
}

TEST(Record, SkipsSectionsItDoesNotKnowAndRefusesTornOnes) {
  RecordRing ring(1 << 20);
  RecordWriter writer({}, ring);
  const Scene scene;
  ASSERT_TRUE(writer.write_alert(scene.alert, {}));
  const Bytes bytes = ring.front();
  std::vector<uint8_t> longer(bytes.begin(), bytes.end());
  const SectionHead unknown{.kind = static_cast<SectionKind>(999), .bytes = 3};
  const auto* const head = reinterpret_cast<const uint8_t*>(&unknown);
  longer.insert(longer.end(), head, head + sizeof unknown);
  longer.resize(longer.size() + 8);
  Record record;
  EXPECT_TRUE(read_record(longer, record));
  EXPECT_EQ(record.datagram.number, 7U);
  for (size_t cut = 1; cut < 8; ++cut) {
    EXPECT_FALSE(read_record(Bytes(longer).first(longer.size() - cut), record));
  }
  EXPECT_FALSE(read_record({}, record));
}

}  // namespace
}  // namespace shrike::output
