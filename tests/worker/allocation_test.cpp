#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <optional>

#include "memory_source.h"
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
}

void* malloc(size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(memory, bytes);
}
}

namespace shrike {
namespace {

using craft::Conversation;
using craft::Frame;
using craft::TimedFrame;

constexpr const char* rules = R"(
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

TEST(Allocation, NoneOnThePacketPathAfterWarmUp) {
  Diagnostics diagnostics;
  rule::Report report;
  const std::optional<RuleSet> compiled =
      rule::compile({{"test.rules", rules}}, rule::Options{}, diagnostics, report);
  ASSERT_TRUE(compiled) << diagnostics.text();
  ASSERT_EQ(diagnostics.text(), "");

  RecordRing ring(1 << 22);
  const auto drain = [&ring] {
    while (ring.front().data() != nullptr) {
      ring.pop();
    }
  };
  constexpr uint32_t rounds = 400;
  test::MemorySource source(traffic(), 64, rounds);
  worker::Worker worker({}, source, ring, drain);
  RuleCosts costs(compiled->generation(), compiled->infos().size());
  worker.use_costs(&costs);  // sampled as a sensor does
  uint64_t packets = 0;
  while (packets < 50'000) {  // warm-up
    packets += worker.run_once(*compiled);
    drain();
  }
  const uint64_t before = allocations.load();
  uint64_t counted = 0;
  while (counted < 1'000'000 && !source.is_finished()) {
    counted += worker.run_once(*compiled);
    drain();
  }
  EXPECT_EQ(allocations.load() - before, 0U);
  EXPECT_EQ(counted / 1'000'000, 1U);
  EXPECT_GT(costs.inspection().batches_sampled, 0U);
}

}  // namespace
}  // namespace shrike
