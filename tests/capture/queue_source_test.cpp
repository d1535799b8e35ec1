#include "live/queue_source.h"

#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_ring.h>

#include "capture_support.h"
#include "packet_memory.h"

namespace shrike::capture {
namespace {

using craft::Frame;

constexpr uint64_t start_ns = 1'700'000'000'000'000'000;

/// A port of DPDK's ring driver: what the test puts in comes out of its queue as it is, with
/// everything that a card would have written into the mbuf.
class RingPort {
 public:
  RingPort() {
    ring_ = rte_ring_create("queue_source_test", 256, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    port_ = rte_eth_from_rings("test", &ring_, 1, &ring_, 1, 0);
    const rte_eth_conf conf{};
    EXPECT_GE(port_, 0) << rte_strerror(rte_errno);
    EXPECT_EQ(rte_eth_dev_configure(number(), 1, 1, &conf), 0);
    EXPECT_EQ(rte_eth_rx_queue_setup(number(), 0, 128, SOCKET_ID_ANY, nullptr, packet_pool()), 0);
    EXPECT_EQ(rte_eth_tx_queue_setup(number(), 0, 128, SOCKET_ID_ANY, nullptr), 0);
    EXPECT_EQ(rte_eth_dev_start(number()), 0);
  }
  [[nodiscard]] uint16_t number() const { return static_cast<uint16_t>(port_); }

  static rte_mbuf* buffer_of(Bytes frame) {
    rte_mbuf* const buffer = rte_pktmbuf_alloc(packet_pool());
    std::copy(frame.begin(), frame.end(),
              reinterpret_cast<uint8_t*>(
                  rte_pktmbuf_append(buffer, static_cast<uint16_t>(frame.size()))));
    return buffer;
  }
  void put(rte_mbuf* buffer) { EXPECT_EQ(rte_ring_enqueue(ring_, buffer), 0); }

 private:
  rte_ring* ring_ = nullptr;
  int port_ = -1;
};

class QueueSources : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_TRUE(has_packet_memory());
    ASSERT_EQ(rte_mbuf_dyn_rx_timestamp_register(&stamp_offset, &stamp_flag), 0);
    port = new RingPort();
  }

  QueueSources() {
    // A clock that stands still: what the machine's own counter says does not matter.
    system.publish({.ticks = 0, .ns = start_ns, .ns_a_tick = 0});
    card.publish({.ticks = 1000, .ns = start_ns - 500'000, .ns_a_tick = 10});
  }

  QueueSource make(bool has_clock, bool plays_files = false, bool checks_sums = true) {
    return QueueSource({{.port = port->number(),
                         .checks_sums = checks_sums,
                         .clock = has_clock ? &card : nullptr}},
                       {.system = &system,
                        .ticks = TickSource::steady_clock,
                        .stamp_offset = stamp_offset,
                        .stamp_flag = stamp_flag,
                        .stamps_of_files = plays_files},
                       nullptr, limits::batch_packets_max);
  }
  static rte_mbuf* stamped(rte_mbuf* buffer, uint64_t ticks) {
    *RTE_MBUF_DYNFIELD(buffer, stamp_offset, rte_mbuf_timestamp_t*) = ticks;
    buffer->ol_flags |= stamp_flag;
    return buffer;
  }

  static inline RingPort* port = nullptr;
  static inline int stamp_offset = -1;
  static inline uint64_t stamp_flag = 0;
  SharedLine system;
  SharedLine card;
  PacketBatch batch;
};

craft::Buffer frame_bytes() {
  return Frame()
      .ethernet()
      .ipv4({.source = "10.0.0.1", .target = "10.0.0.2"})
      .tcp({.source_port = 1, .target_port = 2})
      .payload("bytes")
      .bytes();
}

TEST_F(QueueSources, GiveThePortsOwnTimes) {
  QueueSource source = make(true);
  port->put(stamped(RingPort::buffer_of(frame_bytes()), 2000));
  port->put(RingPort::buffer_of(frame_bytes()));                      // without a stamp: now
  port->put(stamped(RingPort::buffer_of(frame_bytes()), 3000));       // earlier: held
  port->put(stamped(RingPort::buffer_of(frame_bytes()), 1'000'000));  // later than now, a little
  port->put(stamped(RingPort::buffer_of(frame_bytes()), 1));          // 500 us ago: held too
  port->put(stamped(RingPort::buffer_of(frame_bytes()), uint64_t{1} << 60));  // no time at all
  source.receive(batch);
  ASSERT_EQ(batch.size(), 6U);
  const std::vector<uint64_t> expected{
      start_ns - 490'000,  start_ns, start_ns, start_ns + 9'490'000, start_ns + 9'490'000,
      start_ns + 9'490'000};
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(batch.all()[i].time_ns, expected[i]) << i;
  }
  EXPECT_EQ(counter_of(source, "capture.stamped"), 4U);
  EXPECT_EQ(counter_of(source, "capture.stamps_refused"), 1U);
  EXPECT_EQ(counter_of(source, "capture.times_held"), 3U);
  source.release(batch);
}

TEST_F(QueueSources, TakeNoTicksThatNobodyCanRead) {
  QueueSource source = make(false);
  port->put(stamped(RingPort::buffer_of(frame_bytes()), 2000));
  source.receive(batch);
  ASSERT_EQ(batch.size(), 1U);
  EXPECT_EQ(batch.all()[0].time_ns, start_ns);
  EXPECT_EQ(counter_of(source, "capture.stamped"), 0U);
  source.release(batch);
}

TEST_F(QueueSources, PlayFilesAsTheyAre) {
  QueueSource source = make(false, true);
  port->put(stamped(RingPort::buffer_of(frame_bytes()), 5'000'001));
  port->put(stamped(RingPort::buffer_of(frame_bytes()), 5'000'000));
  source.receive(batch);
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch.all()[0].time_ns, 5'000'001'000U);
  EXPECT_EQ(batch.all()[1].time_ns, 5'000'000'000U);
  EXPECT_EQ(batch.all()[1].clock_ns, 5'000'001'000U) << "the sensor's clock never runs back";
  source.release(batch);
}

TEST_F(QueueSources, FollowASystemClockThatIsSetBack) {
  constexpr uint64_t hour_ns = 3'600'000'000'000;
  QueueSource source = make(false);
  port->put(RingPort::buffer_of(frame_bytes()));
  source.receive(batch);
  source.release(batch);
  system.publish({.ticks = 0,
                  .ns = start_ns - hour_ns + 1000,
                  .ns_a_tick = 0,
                  .behind_ns = hour_ns,
                  .times_set_back = 1});
  port->put(RingPort::buffer_of(frame_bytes()));
  source.receive(batch);
  ASSERT_EQ(batch.size(), 1U);
  EXPECT_EQ(batch.all()[0].time_ns, start_ns - hour_ns + 1000) << "as the operator set it";
  EXPECT_EQ(batch.all()[0].clock_ns, start_ns + 1000) << "and timeouts go on";
  EXPECT_EQ(counter_of(source, "capture.clock_set_back"), 1U);
  EXPECT_EQ(counter_of(source, "capture.times_held"), 0U);
  source.release(batch);
}

TEST_F(QueueSources, SayWhichSumsThePortFoundRight) {
  QueueSource source = make(false);
  constexpr uint64_t good = RTE_MBUF_F_RX_L4_CKSUM_GOOD;
  constexpr uint32_t tcp = RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_TCP;
  const struct {
    uint64_t flags;
    uint32_t type;  ///< what the port saw
    bool holds;
  } cases[] = {{0, tcp, false},
               {good, tcp, true},
               {good, RTE_PTYPE_L3_IPV4_EXT | RTE_PTYPE_L4_TCP, true},
               {good, RTE_PTYPE_L3_IPV6_EXT_UNKNOWN | RTE_PTYPE_L4_UDP, true},
               {RTE_MBUF_F_RX_L4_CKSUM_BAD, tcp, false},
               {RTE_MBUF_F_RX_L4_CKSUM_NONE, tcp, false},
               {RTE_MBUF_F_RX_IP_CKSUM_GOOD, tcp, false},
               // What it did not look at, but the driver calls right.
               {good, RTE_PTYPE_UNKNOWN, false},
               {good, RTE_PTYPE_L3_IPV4, false},
               {good, RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_FRAG, false},
               {good, RTE_PTYPE_L3_IPV6_EXT | RTE_PTYPE_L4_TCP, false},
               {good, RTE_PTYPE_L3_IPV4 | RTE_PTYPE_TUNNEL_IP | RTE_PTYPE_INNER_L4_TCP, false}};
  for (const auto& each : cases) {
    rte_mbuf* const buffer = RingPort::buffer_of(frame_bytes());
    buffer->ol_flags |= each.flags;
    buffer->packet_type = each.type;
    port->put(buffer);
  }
  source.receive(batch);
  ASSERT_EQ(batch.size(), std::size(cases));
  for (size_t i = 0; i < std::size(cases); ++i) {
    EXPECT_EQ(batch.all()[i].transport_sum_holds, cases[i].holds) << i;
  }
  EXPECT_EQ(counter_of(source, "capture.sums_checked"), 3U);
  source.release(batch);
}

TEST_F(QueueSources, TrustNoSumsOfAPortThatWasNotAskedToLookAtThem) {
  QueueSource source = make(false, false, false);
  rte_mbuf* const buffer = RingPort::buffer_of(frame_bytes());
  buffer->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
  buffer->packet_type = RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_TCP;
  port->put(buffer);
  source.receive(batch);
  ASSERT_EQ(batch.size(), 1U);
  EXPECT_FALSE(batch.all()[0].transport_sum_holds);
  EXPECT_EQ(counter_of(source, "capture.sums_checked"), 0U);
  source.release(batch);
}

TEST_F(QueueSources, PutTagsBackThatThePortTookOff) {
  QueueSource source = make(false);
  const craft::Buffer plain = frame_bytes();
  const craft::Buffer tagged = Frame()
                                   .ethernet()
                                   .vlan({.id = 7})
                                   .ipv4({.source = "10.0.0.1", .target = "10.0.0.2"})
                                   .tcp({.source_port = 1, .target_port = 2})
                                   .payload("bytes")
                                   .bytes();
  rte_mbuf* const one = RingPort::buffer_of(plain);
  one->vlan_tci = 7;
  one->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
  port->put(one);
  rte_mbuf* const two = RingPort::buffer_of(plain);
  two->vlan_tci = 7;
  two->vlan_tci_outer = 9;
  two->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ |
                   RTE_MBUF_F_RX_QINQ_STRIPPED;
  port->put(two);
  rte_mbuf* const shared = RingPort::buffer_of(plain);
  rte_pktmbuf_refcnt_update(shared, 1);
  shared->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
  port->put(shared);
  source.receive(batch);
  ASSERT_EQ(batch.size(), 3U);
  EXPECT_EQ(as_text(batch.all()[0].frame), as_text(tagged));
  EXPECT_EQ(batch.all()[0].wire_bytes, tagged.size());
  EXPECT_EQ(batch.all()[1].frame.size(), plain.size() + 8);
  EXPECT_EQ(batch.all()[1].frame[15], 9) << "the outer one first";
  EXPECT_EQ(batch.all()[1].frame[19], 7);
  EXPECT_EQ(as_text(batch.all()[2].frame), as_text(plain));
  EXPECT_EQ(counter_of(source, "capture.tags_put_back"), 2U);
  EXPECT_EQ(counter_of(source, "capture.tags_lost"), 1U);
  source.release(batch);
  rte_pktmbuf_free(shared);
}

TEST_F(QueueSources, PutJumboFramesTogether) {
  QueueSource source = make(false);
  constexpr size_t pieces = 32;
  constexpr size_t piece_bytes = 2000;
  for (unsigned frame = 0; frame < 4; ++frame) {
    rte_mbuf* const first = RingPort::buffer_of(Buffer(piece_bytes, uint8_t{0}));
    for (size_t piece = 1; piece < pieces; ++piece) {
      const Buffer bytes(piece_bytes, static_cast<uint8_t>(piece));
      ASSERT_EQ(rte_pktmbuf_chain(first, RingPort::buffer_of(bytes)), 0);
    }
    port->put(first);
  }
  source.receive(batch);
  ASSERT_EQ(batch.size(), 4U);
  for (const Packet& packet : batch.all()) {
    ASSERT_EQ(packet.frame.size(), pieces * piece_bytes);
    for (size_t piece = 0; piece < pieces; ++piece) {
      ASSERT_EQ(packet.frame[piece * piece_bytes + piece_bytes - 1], piece);
    }
  }
  EXPECT_EQ(counter_of(source, "capture.too_long"), 0U);
  source.release(batch);
}

}  // namespace
}  // namespace shrike::capture
