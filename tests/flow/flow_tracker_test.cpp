#include <gtest/gtest.h>

#include "talk.h"

namespace shrike::flow::test {
namespace {

FlowOptions with(auto change) {
  FlowOptions options = Talk::small();
  change(options);
  return options;
}

TEST(FlowTracker, BothDirectionsAreOneFlow) {
  Talk talk;
  const Result query = talk.track(talk.udp(true));
  EXPECT_TRUE(query.opened && query.has_flow);
  EXPECT_EQ(query.direction, Direction::to_server);
  EXPECT_FALSE(query.is_established);
  const Result answer = talk.track(talk.udp(false));
  EXPECT_FALSE(answer.opened);
  EXPECT_EQ(answer.slot, query.slot);
  EXPECT_EQ(answer.direction, Direction::to_client);
  EXPECT_TRUE(answer.is_established);
  EXPECT_EQ(answer.flow_state, FlowState::established);
}

struct SplitCase {
  const char* what;
  void (*change)(Datagram&);
  bool is_same;
};
const SplitCase split_cases[] = {
    {"nothing", [](Datagram&) {}, true},
    {"port", [](Datagram& datagram) { ++datagram.source_port; }, false},
    {"address", [](Datagram& datagram) { ++datagram.target.bytes[3]; }, false},
    {"protocol", [](Datagram& datagram) { datagram.protocol = ip_protocol::sctp; }, false},
    {"tunnel", [](Datagram& datagram) { datagram.depth = 1; }, false},
    {"vlan", [](Datagram& datagram) { datagram.vlan_ids[0] = 5; }, false},
    {"version", [](Datagram& datagram) { datagram.ip_version = 6; }, false},
};

TEST(FlowTracker, TellsFlowsApart) {
  for (const SplitCase& test : split_cases) {
    SCOPED_TRACE(test.what);
    Talk talk;
    talk.track(talk.udp(true));
    Datagram other = talk.udp(true);
    test.change(other);
    EXPECT_EQ(talk.track(other).opened, !test.is_same);
  }
  Talk talk(with([](FlowOptions& options) { options.vlan_separates_flows = false; }));
  talk.track(talk.udp(true));
  Datagram other = talk.udp(true);
  other.vlan_ids[0] = 5;
  EXPECT_FALSE(talk.track(other).opened);
}

Datagram icmp(Talk& talk, bool from_client, uint8_t type) {
  Datagram datagram = talk.ip(from_client, ip_protocol::icmp, 0);
  datagram.source_port = datagram.target_port = 0;
  datagram.icmp_type = type;
  return datagram;
}

TEST(FlowTracker, EchoAndItsReplyAreOneFlow) {
  Talk talk;
  const Result request = talk.track(icmp(talk, true, 8));
  const Result reply = talk.track(icmp(talk, false, 0));
  EXPECT_EQ(reply.slot, request.slot);
  EXPECT_EQ(reply.direction, Direction::to_client);
  EXPECT_TRUE(reply.is_established);
  EXPECT_TRUE(talk.track(icmp(talk, true, 13)).opened);
}

TEST(FlowTracker, IcmpErrorsBelongToTheFlowTheySpeakOf) {
  Talk talk;
  const Result query = talk.track(talk.udp(true));
  Datagram error = icmp(talk, false, 3);
  error.source.bytes = {192, 0, 2, 9};  // a router on the way
  error.embedded = {.source = {{10, 0, 0, 1}},
                    .target = {{10, 0, 0, 2}},
                    .source_port = 40000,
                    .target_port = 80,
                    .protocol = ip_protocol::udp,
                    .ip_version = 4};
  const Result tied = talk.track(error);
  EXPECT_TRUE(tied.has_flow);
  EXPECT_EQ(tied.slot, query.slot);
  EXPECT_EQ(tied.direction, Direction::to_client);
  EXPECT_FALSE(tied.is_established);  // an error is no answer

  error.embedded.source_port = 1;
  EXPECT_FALSE(talk.track(error).has_flow);
  EXPECT_FALSE(talk.track(icmp(talk, false, 11)).has_flow);
}

TEST(FlowTracker, DatagramsThatWantNoFlowHaveNone) {
  Talk talk;
  Datagram datagram = talk.udp(true);
  datagram.wants_flow = false;
  EXPECT_FALSE(talk.track(datagram).has_flow);
  EXPECT_EQ(talk.count("flow.none_pkts"), 1u);
}

TEST(FlowTracker, EndsAtTheNextWholeSecond) {
  Talk talk;
  talk.now_ns = 1000 * second_ns + 500'000'000;
  talk.track(talk.udp(true));
  const uint64_t first = talk.number;
  EXPECT_TRUE(talk.expire(1030.9).empty());
  EXPECT_TRUE(talk.ended.empty());
  talk.expire(1031.0);
  ASSERT_EQ(talk.ended.size(), 1u);
  EXPECT_EQ(talk.ended[0].reason, FlowEndReason::timeout);
  EXPECT_EQ(talk.ended[0].clock_ns, 1031 * second_ns);
  EXPECT_EQ(talk.ended[0].last_number, first);
}

TEST(FlowTracker, PacketTimeEndsAFlowEvenBetweenSeconds) {
  Talk talk;
  talk.now_ns = 1000 * second_ns + 500'000'000;
  talk.track(talk.udp(true));
  EXPECT_TRUE(talk.track(talk.udp(true, 30.0)).opened);
  ASSERT_EQ(talk.ended.size(), 1u);
  EXPECT_EQ(talk.ended[0].reason, FlowEndReason::timeout);
}

TEST(FlowTracker, BusyFlowsLive) {
  Talk talk;
  const Result first = talk.track(talk.udp(true));
  for (int i = 0; i < 200; ++i) {
    const Result next = talk.track(talk.udp(true, 29.0));
    EXPECT_EQ(next.slot, first.slot);
    EXPECT_FALSE(next.opened);
  }
}

TEST(FlowTracker, LongTimeoutsOutlastTheWheel) {
  Talk talk(with([](FlowOptions& options) { options.udp.fresh = 5000; }));
  talk.track(talk.udp(true));
  talk.expire(1000 + 4999);
  EXPECT_TRUE(talk.ended.empty());
  talk.expire(1000 + 5000);
  EXPECT_EQ(talk.ended.size(), 1u);
}

TEST(FlowTracker, ClosedSessionsEndSooner) {
  Talk talk;
  talk.shake_hands();
  talk.say({'s', "RA", 1, 1});
  talk.expire(1059);
  EXPECT_TRUE(talk.ended.empty());
  talk.expire(1060);
  ASSERT_EQ(talk.ended.size(), 1u);
  EXPECT_EQ(talk.ended[0].view.state, FlowState::closed);
  EXPECT_EQ(talk.ended[0].view.tcp_state, TcpState::closed);
  EXPECT_EQ(talk.ended[0].tcp_flags[0], 2 | 16);
  EXPECT_EQ(talk.ended[0].tcp_flags[1], 2 | 4 | 16);
}

TEST(FlowTracker, ANewConnectionTakesTheTupleOfAClosedOne) {
  Talk talk;
  talk.shake_hands();
  talk.say({'c', "PA", 1, 1, "old"});
  talk.say({'s', "RA", 1, 1});
  const Result same = talk.say({'c', "S", 0});
  EXPECT_FALSE(same.opened);  // the same SYN once more
  const Result syn = talk.say({'c', "S", 77});
  EXPECT_TRUE(syn.opened);
  EXPECT_EQ(syn.state, TcpState::syn_sent);
  ASSERT_EQ(talk.ended.size(), 1u);
  EXPECT_EQ(talk.ended[0].reason, FlowEndReason::tcp_reuse);
  ASSERT_FALSE(talk.looks.empty());
  EXPECT_EQ(talk.looks[0].chunks, "0:old");
}

TEST(FlowTracker, AnEstablishedConnectionKeepsItsTuple) {
  Talk talk;
  talk.shake_hands();
  EXPECT_FALSE(talk.say({'c', "S", 77}).opened);
}

TEST(FlowTracker, AFullTableGivesUpTheOldest) {
  Talk talk(with([](FlowOptions& options) { options.flows_max = 16; }));
  for (uint16_t i = 0; i < 16; ++i) {
    Datagram datagram = talk.udp(true, 0.5);
    datagram.source_port = i;
    EXPECT_TRUE(talk.track(datagram).opened);
  }
  Datagram busy = talk.udp(true, 0.5);
  busy.source_port = 0;
  talk.track(busy);  // now the second one is the oldest
  Datagram surplus = talk.udp(true, 0.5);
  surplus.source_port = 100;
  EXPECT_TRUE(talk.track(surplus).opened);
  ASSERT_EQ(talk.ended.size(), 1u);
  EXPECT_EQ(talk.ended[0].reason, FlowEndReason::forced);
  EXPECT_EQ(talk.ended[0].view.client_port, 1);
  EXPECT_EQ(talk.count("flow.get_used"), 1u);
  EXPECT_EQ(talk.count("flow.active"), 16u);
}

TEST(FlowTracker, BypassedFlowsCostALookup) {
  Talk talk;
  talk.shake_hands();
  talk.say({'c', "PA", 1, 1, "hello"});
  const Result last = talk.say({'s', "A", 1, 6});
  talk.tracker.set_verdict(FlowId(last.slot, Direction::to_server), FlowVerdict::bypass);
  const Result result = talk.say({'c', "PA", 6, 1, "world"});
  EXPECT_EQ(result.verdict, FlowVerdict::bypass);
  EXPECT_EQ(result.flow_state, FlowState::bypassed);
  EXPECT_FALSE(result.stream_added);
  EXPECT_EQ(talk.count("flow_bypassed.local_pkts"), 1u);
  EXPECT_TRUE(talk.finish().empty());  // no last look
  talk.expect_sums_to_close();
}

TEST(FlowTracker, AVerdictForAFlowThatEndedIsForgotten) {
  Talk talk;
  const Result first = talk.track(talk.udp(true));
  talk.expire(2000);
  talk.tracker.set_verdict(FlowId(first.slot, Direction::to_server), FlowVerdict::drop);
  talk.now_ns = 2000 * second_ns;
  EXPECT_EQ(talk.track(talk.udp(true)).verdict, FlowVerdict::inspect);
}

struct PolicyCase {
  ExceptionPolicy policy;
  FlowVerdict first;
  FlowVerdict second;
};
const PolicyCase policy_cases[] = {
    {ExceptionPolicy::ignore, FlowVerdict::inspect, FlowVerdict::inspect},
    {ExceptionPolicy::bypass, FlowVerdict::bypass, FlowVerdict::bypass},
    {ExceptionPolicy::pass_flow, FlowVerdict::pass, FlowVerdict::pass},
    {ExceptionPolicy::drop_flow, FlowVerdict::drop, FlowVerdict::drop},
    {ExceptionPolicy::reject, FlowVerdict::reject, FlowVerdict::reject},
    {ExceptionPolicy::pass_packet, FlowVerdict::pass, FlowVerdict::pass},
};

TEST(FlowTracker, MidstreamPolicyDecides) {
  for (const PolicyCase& test : policy_cases) {
    SCOPED_TRACE(static_cast<int>(test.policy));
    Talk talk(with([&](FlowOptions& options) { options.midstream_policy = test.policy; }));
    EXPECT_EQ(talk.say({'c', "PA", 5, 5, "x"}).verdict, test.first);
    EXPECT_EQ(talk.say({'c', "PA", 6, 5, "y"}).verdict, test.second);
  }
}

TEST(FlowTracker, TurnsALastLookWhoseBytesTellTheServer) {
  Talk talk(with([](FlowOptions& options) { options.midstream = true; }));
  const Datagram answer = talk.tcp({'c', "PA", 5, 5, "HTTP/1.1 200 OK"});
  ASSERT_EQ(talk.tracker.track({&answer, 1}, talk.out), 1U);
  ASSERT_TRUE(talk.tracker.finish(talk.out));
  ASSERT_GE(talk.out.size(), 1U);
  Tracked& look = talk.out.at(0);
  ASSERT_TRUE(look.flow.stream_end);
  EXPECT_EQ(look.flow.id.direction(), Direction::to_server);
  const FlowView before = look.flow;
  talk.tracker.resume({.swap_sides = true}, talk.out, look);
  EXPECT_EQ(look.flow.id.slot(), before.id.slot());
  EXPECT_EQ(look.flow.id.direction(), Direction::to_client);
  EXPECT_EQ(look.flow.client_port, before.server_port);
  EXPECT_EQ(look.flow.server, before.client);
  EXPECT_EQ(look.flow.packets[1], before.packets[0]);
}

TEST(FlowTracker, TurnsADatagramAsItWasCounted) {
  Talk talk;
  const Datagram datagrams[] = {talk.udp(true), talk.udp(true)};
  ASSERT_EQ(talk.tracker.track(datagrams, talk.out), 2U);
  Tracked& first = talk.out.at(0);
  talk.tracker.resume({.swap_sides = true}, talk.out, first);
  EXPECT_EQ(first.flow.id.direction(), Direction::to_client);
  EXPECT_TRUE(first.flow.opened);
  EXPECT_EQ(first.flow.packets, (std::array<uint32_t, 2>{0, 1}));  // not the second one too
}

TEST(FlowTracker, EndsInTheOrderOfTheLastDatagram) {
  Talk talk;
  for (uint16_t i = 0; i < 10; ++i) {
    Datagram datagram = talk.udp(true);
    datagram.source_port = static_cast<uint16_t>(50 - i);
    talk.track(datagram);
  }
  Datagram again = talk.udp(true);
  again.source_port = 50;
  talk.track(again);
  talk.finish();
  ASSERT_EQ(talk.ended.size(), 10u);
  EXPECT_EQ(talk.ended[0].view.client_port, 49);
  EXPECT_EQ(talk.ended[9].view.client_port, 50);
  EXPECT_EQ(talk.ended[9].reason, FlowEndReason::shutdown);
  EXPECT_EQ(talk.ended[9].clock_ns, UINT64_MAX);
}

TEST(FlowTracker, ManyEndsComeInSeveralCalls) {
  Talk talk(with([](FlowOptions& options) { options.flows_max = 4096; }));
  for (uint16_t i = 0; i < 3000; ++i) {
    Datagram datagram = talk.udp(true);
    datagram.source_port = static_cast<uint16_t>(1000 + i);
    talk.track(datagram);
  }
  Datagram late = talk.udp(true, 100.0);
  EXPECT_TRUE(talk.track(late).opened);
  EXPECT_EQ(talk.ended.size(), 3000u);
  talk.finish();
  EXPECT_EQ(talk.ended.size(), 1u);
  EXPECT_EQ(talk.count("flow.active"), 0u);
}

TEST(FlowTracker, AfterFinishAllIsNew) {
  Talk talk;
  talk.track(talk.udp(true));
  talk.finish();
  talk.now_ns = 5 * second_ns;  // another capture, an earlier time
  const Result result = talk.track(talk.udp(true));
  EXPECT_TRUE(result.opened);
  EXPECT_EQ(result.slot, 0u);
  EXPECT_TRUE(talk.ended.empty());
}

// One batch or many: the same flows, states and bytes.
TEST(FlowTracker, BatchesDoNotMatter) {
  auto transcript = [](size_t batch) {
    Talk talk(with([](FlowOptions& options) { options.chunk_bytes = {100, 100}; }));
    const std::string payload(60, 'p');
    std::vector<Datagram> datagrams;
    for (uint32_t i = 0; i < 400; ++i) {
      talk.client_port = static_cast<uint16_t>(1000 + i % 7);
      const uint32_t turn = i / 7;
      Segment segment{'c', "S", 0};
      if (turn == 1) {
        segment = {'s', "SA", 0, 1};
      } else if (turn % 5 == 4) {
        segment = {'s', "A", 1, 1 + (turn - 2) * 60};
      } else if (turn > 1) {
        segment = {'c', "PA", 1 + (turn - 2) * 60, 1, payload};
      }
      segment.after_seconds = i % 50 == 49 ? 200 : 0.01;
      datagrams.push_back(talk.tcp(segment));
    }
    std::string text;
    auto note = [&](const TrackedBatch& out) {
      for (const Tracked& tracked : out.all()) {
        text += std::to_string(tracked.datagram->number) + "/" +
                std::to_string(tracked.flow.id.slot()) + "/" + std::to_string(tracked.flow.eve_id) +
                "/" + std::to_string(static_cast<int>(tracked.flow.tcp_state)) +
                (tracked.flow.stream_end ? "e" : "");
        for (const Chunk& chunk : out.chunks_of(tracked)) {
          text += "," + std::to_string(chunk.offset) + "+" + std::to_string(chunk.bytes.size());
        }
        text += "\n";
      }
    };
    for (std::span<const Datagram> rest = datagrams; !rest.empty();) {
      const auto group = rest.first(std::min(batch, rest.size()));
      const size_t taken = talk.tracker.track(group, talk.out);
      note(talk.out);
      rest = rest.subspan(taken);
    }
    while (talk.tracker.finish(talk.out)) {
      note(talk.out);
    }
    return text;
  };
  const std::string whole = transcript(400);
  EXPECT_NE(whole.find("e,"), std::string::npos);
  // Slots of flows that ended in a call rest until the next: all else is equal.
  auto without_slots = [](std::string text) {
    std::string out;
    for (size_t at = 0; at < text.size();) {
      const size_t first = text.find('/', at);
      const size_t second = text.find('/', first + 1);
      const size_t end = text.find('\n', second);
      out += text.substr(at, first - at) + text.substr(second, end + 1 - second);
      at = end + 1;
    }
    return out;
  };
  for (const size_t batch : {1u, 7u, 64u}) {
    SCOPED_TRACE(batch);
    EXPECT_EQ(without_slots(transcript(batch)), without_slots(whole));
  }
}

}  // namespace
}  // namespace shrike::flow::test
