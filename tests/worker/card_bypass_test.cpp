#include "worker/card_bypass.h"

#include <gtest/gtest.h>

#include <map>

#include "shrike/craft.h"
#include "shrike/decode.h"

namespace shrike::worker {
namespace {

using capture::CardRules;
using capture::CardTuple;
using craft::Frame;

constexpr uint64_t second_ns = 1'000'000'000;
constexpr uint64_t start_ns = 1'700'000'000 * second_ns;

/// A network card that takes so many rules, and drops what the test says.
class FakeCard final : public CardRules {
 public:
  struct Installed {
    CardTuple tuple;
    uint64_t packets = 0;
    uint64_t bytes = 0;
  };

  Rule install(const CardTuple& tuple) noexcept override {
    if (rules.size() >= rules_max) {
      return nullptr;
    }
    auto* const rule = new Installed{tuple};
    rules[rule] = tuple.source_port;
    return rule;
  }
  void remove(Rule rule) noexcept override {
    EXPECT_EQ(rules.erase(rule), 1U) << "removed once";
    delete static_cast<Installed*>(rule);
  }
  bool count(Rule rule, uint64_t& packets, uint64_t& bytes) noexcept override {
    const auto& installed = *static_cast<Installed*>(rule);
    packets = installed.packets;
    bytes = installed.bytes;
    return counts;
  }

  /// Packets of one direction pass, by its source port. @return whether the card has them.
  bool drop(uint16_t source_port, uint64_t packets, uint64_t bytes) {
    for (const auto& [rule, port] : rules) {
      if (port == source_port) {
        static_cast<Installed*>(rule)->packets += packets;
        static_cast<Installed*>(rule)->bytes += bytes;
        return true;
      }
    }
    return false;
  }
  ~FakeCard() override { EXPECT_TRUE(rules.empty()) << "every rule is taken out in the end"; }

  size_t rules_max = 1000;
  bool counts = true;
  std::map<Rule, uint16_t> rules;
};

uint64_t value_of(const CounterView& view, std::string_view name) {
  for (size_t i = 0; i < view.size(); ++i) {
    if (view.rows[i].name == name) {
      return view.value(i);
    }
  }
  ADD_FAILURE() << "no counter is called " << name;
  return 0;
}

/// A flow table in front of a desk, as a worker has them. Flows are UDP from a client port on.
class Worker {
 public:
  explicit Worker(uint32_t flows_max = 64) : desk(flows_max), flows_({.flows_max = 256}) {}

  Frame frame(uint16_t client_port, bool is_answer = false) const {
    Frame made;
    made.ethernet();
    if (vlan != 0) {
      made.vlan({.id = vlan});
    }
    return made
        .ipv4({.source = is_answer ? "10.0.0.2" : "10.0.0.1",
               .target = is_answer ? "10.0.0.1" : "10.0.0.2"})
        .udp({.source_port = is_answer ? uint16_t{53} : client_port,
              .target_port = is_answer ? client_port : uint16_t{53}})
        .payload("bytes");
  }

  /// A datagram comes, and its flow is bypassed from then on.
  void pass(uint16_t client_port) { pass(frame(client_port)); }
  void pass(const Frame& made) {
    const craft::Buffer bytes = made.bytes();
    const Packet packet{.frame = bytes,
                        .time_ns = now_ns,
                        .clock_ns = now_ns,
                        .number = ++number_,
                        .wire_bytes = static_cast<uint32_t>(bytes.size())};
    decoder_.decode({&packet, 1}, datagrams_);
    flows_.track(datagrams_.all(), tracked_);
    for (size_t i = 0; i < tracked_.size(); ++i) {
      desk.want(tracked_.at(i));
      flows_.set_verdict(tracked_.at(i).flow.id, FlowVerdict::bypass);
    }
    take_ends();
    datagrams_.clear();
    decoder_.release();
  }
  void rest(uint64_t seconds) {
    now_ns += seconds * second_ns;
    desk.take_reports(flows_, now_ns);
    flows_.expire(now_ns, tracked_);
    take_ends();
  }

  BypassDesk desk;
  std::vector<FlowEnd> ends;
  uint64_t now_ns = start_ns;
  uint16_t vlan = 0;

 private:
  void take_ends() {
    for (FlowEnd end : flows_.ends()) {
      desk.end(end);
      ends.push_back(end);
    }
  }

  decode::Decoder decoder_{decode::DecoderOptions{}};
  flow::FlowTracker flows_;
  DatagramBatch datagrams_;
  TrackedBatch tracked_;
  uint64_t number_ = 0;
};

class CardBypasses : public testing::Test {
 protected:
  /// One second of everything, `seconds` times.
  void live(unsigned seconds) {
    for (unsigned i = 0; i < seconds; ++i) {
      bypass.keep(worker.now_ns);
      worker.rest(1);
    }
  }
  uint64_t counted(std::string_view name) { return value_of(bypass.counters(), name); }

  FakeCard card;
  Worker worker;
  CardBypassOptions options{.flows_max = 4, .installs_a_second = 100};
  CardBypass bypass{{&card}, {&worker.desk}, options};
};

TEST_F(CardBypasses, InstallBothDirectionsOfAFlowThatGoesOn) {
  worker.pass(1000);
  live(1);
  EXPECT_TRUE(card.rules.empty()) << "a flow that has ended already costs no rule";
  worker.pass(1000);
  live(1);
  ASSERT_EQ(card.rules.size(), 2U);
  EXPECT_TRUE(card.drop(1000, 0, 0) && card.drop(53, 0, 0));
  EXPECT_EQ(counted("nic_bypass.installed"), 1U);
  worker.pass(1000);  // under way when the rule came
  live(1);
  EXPECT_EQ(counted("nic_bypass.installed"), 1U);
  EXPECT_EQ(counted("nic_bypass.flows"), 1U);
}

TEST_F(CardBypasses, AFlowLivesAsLongAsTheCardDropsOfIt) {
  worker.pass(1000);
  worker.pass(1000);
  live(1);
  for (unsigned i = 0; i < 60; ++i) {  // five minutes, where silence for 100 s ends a flow
    ASSERT_TRUE(card.drop(1000, 10, 1000));
    ASSERT_TRUE(card.drop(53, 1, 60));
    live(5);
  }
  EXPECT_TRUE(worker.ends.empty());
  live(110);
  ASSERT_EQ(worker.ends.size(), 1U);
  live(1);
  EXPECT_TRUE(card.rules.empty()) << "its rules go with it";
  const FlowEnd& end = worker.ends.front();
  EXPECT_TRUE(end.is_in_card);
  EXPECT_EQ(end.view.state, FlowState::bypassed);
  EXPECT_EQ(end.card_packets, (std::array<uint64_t, 2>{600, 60}));
  EXPECT_EQ(end.card_bytes, (std::array<uint64_t, 2>{60'000, 3'600}));
  EXPECT_EQ(end.view.packets[0], 602U);
  EXPECT_EQ(counted("flow_bypassed.pkts"), 660U);
  EXPECT_EQ(counted("flow_bypassed.bytes"), 63'600U);
  EXPECT_EQ(counted("flow_bypassed.closed"), 1U);
  EXPECT_EQ(counted("nic_bypass.flows"), 0U);
}

TEST_F(CardBypasses, ACardThatDoesNotCountKeepsNoFlowAlive) {
  card.counts = false;
  worker.pass(1000);
  worker.pass(1000);
  live(1);
  card.drop(1000, 10, 1000);
  live(110);
  ASSERT_EQ(worker.ends.size(), 1U);
  EXPECT_TRUE(worker.ends.front().is_in_card);
  EXPECT_EQ(worker.ends.front().card_packets[0], 0U);
  EXPECT_TRUE(card.rules.empty());
}

TEST_F(CardBypasses, WhatTheCardRefusesComesOn) {
  card.rules_max = 0;
  worker.pass(1000);
  worker.pass(1000);
  live(1);
  EXPECT_EQ(counted("nic_bypass.refused"), 1U);
  worker.pass(1000);
  live(5);
  EXPECT_EQ(counted("nic_bypass.refused"), 1U) << "not asked for with every packet";
  card.rules_max = 1;  // one direction is better than none
  worker.pass(1000);
  live(1);
  EXPECT_EQ(counted("nic_bypass.installed"), 1U);
  EXPECT_EQ(card.rules.size(), 1U);
  live(110);
  ASSERT_EQ(worker.ends.size(), 1U);
  EXPECT_TRUE(card.rules.empty());
}

TEST_F(CardBypasses, ARefusedFlowIsBypassedLocally) {
  card.rules_max = 0;
  worker.pass(1000);
  worker.pass(1000);
  live(110);
  ASSERT_EQ(worker.ends.size(), 1U);
  EXPECT_FALSE(worker.ends.front().is_in_card);
  EXPECT_EQ(counted("flow_bypassed.closed"), 0U);
}

TEST_F(CardBypasses, AFullTableGivesUpWhatIsSilent) {
  for (const uint16_t port : {1000, 1001, 1002, 1003, 1004}) {
    worker.pass(port);
    worker.pass(port);
  }
  live(1);
  EXPECT_EQ(counted("nic_bypass.installed"), 4U);
  EXPECT_EQ(counted("nic_bypass.full"), 1U) << "nobody is silent yet";
  for (unsigned i = 0; i < 12; ++i) {
    for (const uint16_t port : {1000, 1001, 1003}) {
      ASSERT_TRUE(card.drop(port, 1, 100));
    }
    live(1);
  }
  worker.pass(1004);
  live(1);
  EXPECT_EQ(counted("nic_bypass.evicted"), 1U);
  EXPECT_FALSE(card.drop(1002, 0, 0));
  EXPECT_TRUE(card.drop(1004, 0, 0));
  EXPECT_EQ(card.rules.size(), 8U);
  live(5);
  worker.pass(1002);  // the one that was given up may be asked for again
  live(1);
  EXPECT_EQ(counted("nic_bypass.full"), 2U);
}

TEST_F(CardBypasses, RulesASecondAreBounded) {
  CardBypassOptions slow = options;
  slow.installs_a_second = 2;
  Worker other;
  CardBypass slowly{{&card}, {&other.desk}, slow};
  for (const uint16_t port : {1000, 1001, 1002}) {
    other.pass(port);
    other.pass(port);
  }
  slowly.keep(other.now_ns);
  EXPECT_EQ(value_of(slowly.counters(), "nic_bypass.installed"), 2U);
  EXPECT_EQ(value_of(slowly.counters(), "nic_bypass.throttled"), 1U);
  other.rest(1);
  other.rest(5);
  other.pass(1002);
  slowly.keep(other.now_ns);
  EXPECT_EQ(value_of(slowly.counters(), "nic_bypass.installed"), 3U);
}

TEST_F(CardBypasses, TuplesSayTheTag) {
  worker.vlan = 7;
  worker.pass(1000);
  worker.pass(1000);
  live(1);
  ASSERT_EQ(card.rules.size(), 2U);
  const auto& tuple = static_cast<FakeCard::Installed*>(card.rules.begin()->first)->tuple;
  EXPECT_TRUE(tuple.has_vlan);
  EXPECT_EQ(tuple.vlan_id, 7);
  EXPECT_EQ(tuple.protocol, ip_protocol::udp);
}

TEST_F(CardBypasses, WhatACardCannotTellIsNotAskedFor) {
  const auto twice = [&](const Frame& frame) {
    worker.pass(frame);
    worker.pass(frame);
    worker.pass(frame);
  };
  twice(Frame()
            .ethernet()
            .ipv4({.source = "192.0.2.1", .target = "192.0.2.2"})
            .gre()
            .ipv4({.source = "10.0.0.1", .target = "10.0.0.2"})
            .udp({.source_port = 1, .target_port = 2})
            .payload("inside"));
  twice(Frame()
            .ethernet()
            .vlan({.id = 1})
            .vlan({.id = 2})
            .ipv4({.source = "10.0.0.1", .target = "10.0.0.2"})
            .udp({.source_port = 1, .target_port = 2})
            .payload("two tags"));
  live(1);
  EXPECT_TRUE(card.rules.empty());
  EXPECT_EQ(value_of(worker.desk.counters(), "nic_bypass.wishes"), 0U);
}

TEST(BypassDesks, RememberAsManyFlowsAsTheyAreMadeForAndEndsAlwaysFindRoom) {
  Worker worker(8);
  // Nobody listens, and flows come and go by the hundred: no wish may crowd out an end.
  for (unsigned round = 0; round < 50; ++round) {
    for (uint16_t port = 1000; port < 1040; ++port) {
      worker.pass(port);
      worker.pass(port);
    }
    worker.rest(200);
  }
  BypassWish wish;
  size_t installs = 0;
  size_t ends = 0;
  while (worker.desk.next_wish(wish)) {
    (wish.kind == BypassWish::Kind::install ? installs : ends) += 1;
  }
  EXPECT_EQ(installs, value_of(worker.desk.counters(), "nic_bypass.wishes"));
  EXPECT_EQ(ends, installs) << "every flow that was asked for is ended";
  EXPECT_GT(value_of(worker.desk.counters(), "nic_bypass.not_asked"), 0U);
}

TEST(BypassDesks, AskForSoManyFlowsASecondAtMost) {
  Worker worker(4096);
  for (uint16_t port = 1000; port < 4000; ++port) {
    worker.pass(port);
    worker.pass(port);
  }
  EXPECT_LE(value_of(worker.desk.counters(), "nic_bypass.wishes"), 2000U);
}

}  // namespace
}  // namespace shrike::worker
