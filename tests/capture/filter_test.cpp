#include "capture_support.h"

namespace shrike::capture {
namespace {

using craft::Frame;

std::vector<TimedFrame> tcp_and_udp(bool has_ethernet) {
  const Frame link = has_ethernet ? Frame().ethernet() : Frame();
  return {
      Frame(link).ipv4().tcp({.target_port = 80}).at(1),
      Frame(link).ipv4().udp({.target_port = 53}).payload("query").at(2),
      Frame(link).ipv6().tcp({.target_port = 80}).at(3),
      Frame(link).ipv4({.source = "192.0.2.9"}).tcp({.target_port = 25}).at(4),
  };
}

struct FilterCase {
  const char* expression;
  bool has_ethernet;
  std::vector<uint64_t> times;
};
const FilterCase filter_cases[] = {
    {"", true, {1, 2, 3, 4}},
    {"tcp", true, {1, 3, 4}},
    {"tcp port 80", true, {1, 3}},
    {"tcp port 80", false, {1, 3}},
    {"host 192.0.2.9", false, {4}},
    {"ip6", false, {3}},
    {"ether host 02:00:00:00:00:01 and udp", true, {2}},
    {"greater 2000", true, {}},
};

TEST(Filter, HoldsBackAndCounts) {
  for (const FilterCase& test : filter_cases) {
    SCOPED_TRACE(test.expression);
    const Buffer file = to_pcap(tcp_and_udp(test.has_ethernet));
    Diagnostics diagnostics;
    const auto source = open_memory("x.pcap", file, {.bpf_filter = test.expression}, diagnostics);
    ASSERT_NE(source, nullptr) << diagnostics.text();
    std::vector<uint64_t> times;
    for (const SeenPacket& packet : read_all(*source)) {
      times.push_back(packet.time_ns);
      EXPECT_EQ(packet.number, times.size()) << "what is held back is not numbered";
    }
    EXPECT_EQ(times, test.times);
    EXPECT_EQ(counter_of(*source, "capture.filtered"), 4 - times.size());
    EXPECT_EQ(source->faults().text(), "");
  }
}

TEST(Filter, LooksAtTheWireLength) {
  TimedFrame frame = Frame().ethernet().ipv4().udp().payload("short").at(1);
  frame.wire_bytes = 1500;
  EXPECT_EQ(read_memory(to_pcap(std::vector{frame}), {.bpf_filter = "greater 1000"}).packets.size(),
            1U);
}

TEST(Filter, IsRefusedWhereItIsWrong) {
  Diagnostics diagnostics;
  EXPECT_EQ(open_memory("x", {}, {.bpf_filter = "tcp prot 80"}, diagnostics), nullptr);
  EXPECT_EQ(diagnostics.text(),
            "error[capture-filter]: 'tcp prot 80' is no packet filter: can't parse filter "
            "expression: syntax error");
}

TEST(Filter, LetsNothingPassWhereItDoesNotFitTheLinkType) {
  const MemoryRun run =
      read_memory(to_pcap(tcp_and_udp(false)), {.bpf_filter = "ether host 02:00:00:00:00:01"});
  EXPECT_TRUE(run.packets.empty());
  EXPECT_EQ(run.faults,
            "x.pcap: error[capture-filter]: the packet filter does not fit link type 101, so none "
            "of its packets pass: ethernet addresses supported only on ethernet/FDDI/token "
            "ring/802.11/ATM LANE/Fibre Channel");
}

TEST(MemorySource, RepeatsACaptureAsOneLongOne) {
  const Buffer file = to_pcap(std::vector{text_frame("a", 1'000), text_frame("b", 3'000)});
  const MemoryRun run = read_memory(file, {.repeats = 3, .repeat_gap_ns = 10});
  ASSERT_EQ(run.packets.size(), 6U);
  const std::vector<uint64_t> times{1'000, 3'000, 3'010, 5'010, 5'020, 7'020};
  for (size_t index = 0; index < times.size(); ++index) {
    EXPECT_EQ(run.packets[index].time_ns, times[index]);
    EXPECT_EQ(run.packets[index].clock_ns, times[index]);
    EXPECT_EQ(run.packets[index].number, index + 1);
    EXPECT_EQ(run.packets[index].capture_index, 0U);
  }
}

TEST(MemorySource, CopiesIntoMbufsWhereAsked) {
  ASSERT_TRUE(has_packet_memory());
  const Buffer file = to_pcap(std::vector{text_frame("a"), text_frame("b")});
  const MemoryRun run = read_memory(file, {.repeats = 2, .uses_packet_memory = true});
  EXPECT_EQ(frames_of(run.packets), (std::vector<std::string>{"a", "b", "a", "b"}));
  EXPECT_TRUE(run.packets[3].has_buffer);
}

TEST(MemorySource, EndsWhereNothingRepeats) {
  EXPECT_TRUE(read_memory(to_pcap({}), {.repeats = 1000}).packets.empty());
}

}  // namespace
}  // namespace shrike::capture
