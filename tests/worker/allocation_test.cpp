#include <execinfo.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <optional>

#include "application_traffic.h"
#include "memory_source.h"
#include "shrike/model/rule_costs.h"
#include "shrike/rule.h"
#include "worker/worker.h"

// glibc's own allocator under another name: the functions below stand in for malloc in the whole
// process, Hyperscan and PCRE2 included.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);

namespace {
std::atomic<uint64_t> allocations{0};
std::atomic<bool> is_counting{false};

/// Who it was is shown of the first few: the number alone says too little.
void count_one() {
  constexpr uint64_t shown_max = 5;
  constexpr int frames_max = 24;
  if (is_counting.load(std::memory_order_relaxed) && allocations.fetch_add(1) < shown_max) {
    void* frames[frames_max];
    backtrace_symbols_fd(frames, backtrace(frames, frames_max), STDERR_FILENO);
    static_cast<void>(write(STDERR_FILENO, "\n", 1));
  }
}
}  // namespace

void* malloc(size_t bytes) {
  count_one();
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  count_one();
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, size_t bytes) {
  count_one();
  return __libc_realloc(memory, bytes);
}
}

namespace shrike {
namespace {

using craft::Conversation;
using craft::Frame;
using craft::TimedFrame;

constexpr const char* packet_rules = R"(
alert tcp any any -> any any (msg:"stream"; flow:established; content:"attack"; \
  pcre:"/a+t+ack\s*now/"; flowbits:set,a; sid:1;)
alert udp any any -> any any (msg:"udp"; content:"evil"; byte_test:1,>,1,0,relative; sid:2;)
alert ip 10.0.0.0/28 any -> any any (msg:"list"; sid:3;)
alert tcp any any -> any any (msg:"syn"; flags:S; sid:4;)
)";

/// A few hundred flows, fragments and tunnels; played again and again it is a long capture.
std::vector<TimedFrame> traffic() {
  std::vector<std::vector<TimedFrame>> parts;
  for (unsigned i = 0; i < 200; ++i) {
    Conversation flow({.client_port = static_cast<uint16_t>(20000 + i),
                       .start_ns = 1'700'000'000'000'000'000 + i * 1'000'000ULL});
    flow.handshake().client("attack  now " + std::string(3000, 'z')).server(std::string(9000, 'r'));
    flow.shuffle(4, i);
    parts.push_back(flow.close().frames());
    Conversation query({.client_port = static_cast<uint16_t>(40000 + i), .is_udp = true});
    parts.push_back(query.client("evil one").server("answer").frames());
  }
  const Frame whole = Frame().ethernet().ipv4().udp().payload(std::string(2000, 'f') + "evil one");
  std::vector<TimedFrame> pieces;
  for (const craft::Buffer& piece : craft::fragment(whole, 512)) {
    pieces.push_back({piece, 1'700'000'000'100'000'000});
  }
  parts.push_back(pieces);
  return craft::merge(parts);
}

/// Packets of a long capture and what the engines are to do with them.
struct Case {
  const char* name;
  std::vector<TimedFrame> (*traffic)();
  const char* rules;
  worker::EngineOptions engines;
  uint64_t packets;
};
void PrintTo(const Case& each, std::ostream* out) {
  *out << each.name;
}

std::vector<TimedFrame> talks() {
  return test::application_traffic(40);
}

/// Alerts alone, as the program writes them where nobody asks for more.
worker::EngineOptions alerts_only() {
  worker::EngineOptions options;
  options.records.alert_transactions = true;
  return options;
}

/// Every record there is, with all that a record can carry.
worker::EngineOptions all_records() {
  worker::EngineOptions options;
  options.records = {.packet_payload = true,
                     .frame = true,
                     .alert_transactions = true,
                     .transactions = {},
                     .files = true,
                     .stored_files = true,
                     .anomalies = {.decode = true, .stream = true, .application = true},
                     .flow_ends = true};
  options.records.transactions.set();
  options.protocols.file_digests = {true, true, true};
  options.protocols.file_storing = protocol::FileStoring::all;
  return options;
}

class Allocation : public testing::TestWithParam<Case> {};

/// Plays the packets until `packets` came, from rings that are emptied. @return those that came.
uint64_t play(worker::Worker& worker, const RuleSet& rules, RecordRing& ring, uint64_t packets) {
  uint64_t played = 0;
  for (uint64_t received = 1; played < packets && received != 0; played += received) {
    received = worker.run_once(rules);
    while (ring.front().data() != nullptr) {
      ring.pop();
    }
  }
  return played;
}

TEST_P(Allocation, NoneOnThePacketPathAfterWarmUp) {
  Diagnostics diagnostics;
  rule::Report report;
  const std::optional<RuleSet> compiled =
      rule::compile({{"test.rules", GetParam().rules}}, rule::Options{}, diagnostics, report);
  ASSERT_TRUE(compiled) << diagnostics.text();
  ASSERT_EQ(diagnostics.text(), "");

  RecordRing ring(1 << 24);
  test::MemorySource source(GetParam().traffic(), 64, UINT32_MAX);
  worker::Worker worker(GetParam().engines, source, ring, [&ring] {
    while (ring.front().data() != nullptr) {
      ring.pop();
    }
  });
  RuleCosts costs(compiled->generation(), compiled->infos().size());
  worker.use_costs(&costs);                // sampled as a sensor does
  play(worker, *compiled, ring, 100'000);  // warm-up
  void* frames[1];
  backtrace(frames, 1);  // loads what it needs before it is counted
  allocations = 0;
  is_counting = true;
  const uint64_t played = play(worker, *compiled, ring, GetParam().packets);
  is_counting = false;
  EXPECT_EQ(allocations.load(), 0U);
  EXPECT_GE(played, GetParam().packets);
  EXPECT_GT(costs.inspection().batches_sampled, 0U);
}

INSTANTIATE_TEST_SUITE_P(Walk, Allocation,
                         testing::Values(Case{"packets", traffic, packet_rules, {}, 1'000'000},
                                         Case{"application_alerts", talks, test::application_rules,
                                              alerts_only(), 300'000},
                                         Case{"application_all_records", talks,
                                              test::application_rules, all_records(), 300'000}),
                         [](const testing::TestParamInfo<Case>& param) {
                           return param.param.name;
                         });

}  // namespace
}  // namespace shrike
