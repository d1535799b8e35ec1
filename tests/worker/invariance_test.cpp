#include <gtest/gtest.h>

#include "walk.h"

namespace shrike {
namespace {

using craft::Conversation;
using craft::Frame;
using craft::Side;
using craft::TimedFrame;

constexpr const char* rules = R"(
alert tcp any any -> any any (msg:"stream"; flow:established,to_server; content:"attack"; \
  content:"now"; distance:1; within:4; flowbits:set,seen; sid:1;)
alert tcp any any -> any any (msg:"answer"; flow:established,to_client; flowbits:isset,seen; \
  content:"granted"; sid:2;)
alert udp any any -> any 53 (msg:"udp"; content:"evil"; \
  threshold:type limit, track by_src, count 2, seconds 60; sid:3;)
alert icmp any any -> any any (msg:"ping"; itype:8; sid:4;)
alert ip 10.0.7.0/24 any -> any any (msg:"list"; sid:5;)
alert tcp any any -> any any (msg:"syn"; flags:S; \
  threshold:type both, track by_dst, count 1, seconds 60; sid:6;)
alert udp any any -> any any (msg:"rebuilt"; content:"fragmented-evil"; sid:7;)
alert udp any any -> any any (msg:"tunnelled"; content:"inner-evil"; sid:8;)
alert tcp any any -> any any (msg:"host bit"; flow:established,to_server; content:"login"; \
  xbits:set,logged,track ip_src,expire 60; noalert; sid:9;)
alert udp any any -> any any (msg:"after login"; content:"evil"; \
  xbits:isset,logged,track ip_src; sid:10;)
)";

std::string host(const char* net, unsigned i) {
  return fmt::format("10.0.{}.{}", net, i % 250 + 1);
}

std::vector<TimedFrame> tcp_flow(unsigned i, size_t segment_bytes) {
  const std::string client = host("1", i);
  const std::string server = host("2", i);
  const uint64_t start = 1'700'000'000'000'000'000 + i * 3'000'000ULL;
  Conversation flow({.client = client.c_str(),
                     .server = server.c_str(),
                     .client_port = static_cast<uint16_t>(20000 + i),
                     .segment_bytes_max = segment_bytes,
                     .start_ns = start});
  flow.handshake();
  flow.client(fmt::format("login {} then attack now{}", i, std::string(i * 37 % 5000, 'x')));
  flow.server(fmt::format("{}granted", std::string(i * 91 % 4000, 'y')));
  i % 3 == 0 ? flow.reset() : flow.close();
  return flow.frames();
}

std::vector<TimedFrame> datagram_flow(unsigned i) {
  const std::string source = host(i % 2 == 0 ? "1" : "7", i / 4);
  Conversation flow({.client = source.c_str(),
                     .server = "10.0.3.3",
                     .client_port = static_cast<uint16_t>(30000 + i),
                     .server_port = 53,
                     .is_udp = true,
                     .start_ns = 1'700'000'000'000'500'000 + i * 2'500'000ULL});
  flow.client("evil query").server("fine answer");
  std::vector<TimedFrame> frames = flow.frames();
  const uint64_t at = frames.back().time_ns + 1000;
  frames.push_back(Frame()
                       .ethernet()
                       .ipv4({.source = source.c_str(), .target = "10.0.4.4"})
                       .icmp()
                       .payload("ping")
                       .at(at));
  const Frame whole =
      Frame()
          .ethernet()
          .ipv4({.source = source.c_str(), .target = "10.0.5.5", .id = static_cast<uint16_t>(i)})
          .udp()
          .payload(std::string(700, 'f') + "fragmented-evil");
  for (const craft::Buffer& piece : craft::fragment(whole, 256)) {
    frames.push_back({piece, at + 2000});
  }
  frames.push_back(Frame()
                       .ethernet()
                       .ipv4({.source = "192.0.2.1", .target = "192.0.2.2"})
                       .gre()
                       .ipv4({.source = source.c_str(), .target = "10.0.6.6"})
                       .udp()
                       .payload("inner-evil")
                       .at(at + 3000));
  return frames;
}

std::vector<TimedFrame> traffic(size_t segment_bytes) {
  std::vector<std::vector<TimedFrame>> parts;
  for (unsigned i = 0; i < 60; ++i) {
    parts.push_back(tcp_flow(i, segment_bytes));
    parts.push_back(datagram_flow(i));
  }
  return craft::merge(parts);
}

TEST(Invariance, NeitherBatchNorWorkersChangeAByte) {
  const std::vector<TimedFrame> frames = traffic(1460);
  const test::WalkResult expected = test::walk(frames, rules, {});
  EXPECT_EQ(expected.faults, "");
  EXPECT_GT(expected.alerts.size(), 300U);
  for (const unsigned sid : {1, 2, 3, 4, 5, 6, 7, 8, 10}) {
    EXPECT_NE(expected.eve.find(fmt::format("\"signature_id\":{},", sid)), std::string::npos)
        << sid;
  }
  for (const unsigned workers : {1U, 2U, 4U}) {
    for (const uint32_t batch_packets : {1U, 7U, 64U}) {
      SCOPED_TRACE(fmt::format("{} workers, batches of {}", workers, batch_packets));
      const test::WalkResult result =
          test::walk(frames, rules, {.workers = workers, .batch_packets = batch_packets});
      EXPECT_EQ(result.eve, expected.eve);
    }
  }
}

/// The alerts but those of sid 10: more segments take more time, and it asks what came before.
std::vector<std::string> timeless_alerts(size_t segment_bytes) {
  std::vector<std::string> alerts = test::walk(traffic(segment_bytes), rules, {}).alerts;
  std::erase_if(alerts, [](const std::string& alert) { return alert.starts_with("10 "); });
  return alerts;
}

TEST(Invariance, SegmentationDoesNotChangeTheAlerts) {
  const std::vector<std::string> expected = timeless_alerts(1460);
  EXPECT_GT(expected.size(), 300U);
  for (const size_t segment_bytes : {1, 7, 100}) {
    SCOPED_TRACE(segment_bytes);
    EXPECT_EQ(timeless_alerts(segment_bytes), expected);
  }
}

TEST(Invariance, ReorderingAndRepetitionDoNotChangeTheAlerts) {
  const auto alerts = [](bool is_disturbed) {
    Conversation flow({.segment_bytes_max = 3});
    flow.handshake();
    flow.client("GET /attack now please\r\n");
    if (is_disturbed) {
      flow.repeat_last();
    }
    const size_t first = flow.frames().size();
    flow.server("access granted to you");
    if (is_disturbed) {
      flow.shuffle(first, 42);
    }
    flow.close();
    return test::walk(flow.frames(), rules, {}).alerts;
  };
  EXPECT_EQ(alerts(true), alerts(false));
  EXPECT_EQ(alerts(false).size(), 3U);
}

}  // namespace
}  // namespace shrike
