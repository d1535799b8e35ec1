#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>

#include "copies.h"
#include "frames.h"
#include "rate.h"
#include "report.h"
#include "shrike/craft.h"
#include "split.h"
#include "spread.h"

namespace shrike::generate {
namespace {

namespace fs = std::filesystem;
using craft::Buffer;
using craft::Frame;

struct RateCase {
  const char* text;
  std::optional<Rate> rate;
};

const RateCase rate_cases[] = {
    {"max", Rate{}},
    {"1", Rate{Rate::Unit::frames, 1}},
    {"50000pps", Rate{Rate::Unit::frames, 50'000}},
    {"1.5Mpps", Rate{Rate::Unit::frames, 1'500'000}},
    {"200kbit/s", Rate{Rate::Unit::bits, 200'000}},
    {"2.5Gbit", Rate{Rate::Unit::bits, 2'500'000'000}},
    {"10Gbps", Rate{Rate::Unit::bits, 10'000'000'000}},
    {"", {}},
    {"0", {}},
    {"0.4pps", {}},
    {"pps", {}},
    {"1.2.3pps", {}},
    {"-1", {}},
    {"1e3", {}},
    {"1kk", {}},
    {"99999G", {}},
    {"5 pps", {}},
};

TEST(Rate, GivesFramesOrBitsOrNothing) {
  for (const RateCase& test : rate_cases) {
    SCOPED_TRACE(test.text);
    EXPECT_EQ(parse_rate(test.text), test.rate);
  }
}

constexpr uint64_t hz = 1'000'000'000;

/// Frames that go within some seconds, where each takes no time and the sender wakes in time.
uint64_t frames_within(const Rate& rate, uint64_t frame_bytes, uint64_t seconds) {
  uint64_t now = 12'345;
  const uint64_t end = now + seconds * hz;
  Pacer pacer(rate, hz, now);
  uint64_t count = 0;
  for (;; ++count) {
    now += pacer.ticks_to_wait(now);
    if (now >= end) {
      return count;
    }
    EXPECT_EQ(pacer.ticks_to_wait(now), 0U);
    pacer.count(frame_bytes);
  }
}

TEST(Pacer, KeepsTheRateOverTime) {
  EXPECT_NEAR(static_cast<double>(frames_within({Rate::Unit::frames, 3}, 60, 7)), 21, 1);
  EXPECT_NEAR(static_cast<double>(frames_within({Rate::Unit::frames, 70'001}, 60, 3)), 210'003, 1);
  EXPECT_NEAR(static_cast<double>(frames_within({Rate::Unit::bits, 100'000'000}, 1250, 2)), 20'000,
              1);
}

TEST(Pacer, NeverWaitsWithoutALimit) {
  Pacer pacer({}, hz, 5);
  for (int count = 0; count < 100; ++count) {
    pacer.count(1500);
    EXPECT_EQ(pacer.ticks_to_wait(5), 0U);
  }
}

TEST(Pacer, CatchesUpATenthOfASecondAtMost) {
  Pacer pacer({Rate::Unit::frames, 1000}, hz, 0);
  const uint64_t after_stall = 60 * hz;
  uint64_t burst = 0;
  for (; pacer.ticks_to_wait(after_stall) == 0; ++burst) {
    pacer.count(60);
  }
  EXPECT_NEAR(static_cast<double>(burst), 101, 1);
}

Buffer ip4(const char* source, const char* target) {
  return Frame().ethernet().ipv4({.source = source, .target = target}).tcp().bytes();
}

struct PairCase {
  const char* what;
  Frame there;
  Frame back;
};

const PairCase pair_cases[] = {
    {"tcp", Frame().ethernet().ipv4({.source = "10.0.0.1", .target = "10.0.0.2"}).tcp(),
     Frame().ethernet().ipv4({.source = "10.0.0.2", .target = "10.0.0.1"}).udp()},
    {"tagged",
     Frame().ethernet().qinq(5, 6).ipv4({.source = "1.2.3.4", .target = "80.1.2.3"}).tcp(),
     Frame().ethernet().ipv4({.source = "80.1.2.3", .target = "1.2.3.4"}).tcp()},
    {"ipv6", Frame().ethernet().ipv6({.source = "2001:db8::5", .target = "fe80::7:1"}).tcp(),
     Frame().ethernet().ipv6({.source = "fe80::7:1", .target = "2001:db8::5"}).udp()},
};

TEST(QueueChooser, KeepsOrSplitsTheDirections) {
  for (const uint32_t queues : {2U, 3U, 4U, 8U}) {
    QueueChooser symmetric(Spread::symmetric, queues);
    QueueChooser asymmetric(Spread::asymmetric, queues);
    for (const PairCase& test : pair_cases) {
      SCOPED_TRACE(testing::Message() << test.what << ", " << queues << " queues");
      const Buffer there = test.there.bytes();
      const Buffer back = test.back.bytes();
      EXPECT_EQ(symmetric.queue_of(there), symmetric.queue_of(back));
      EXPECT_NE(asymmetric.queue_of(there), asymmetric.queue_of(back));
      EXPECT_LT(asymmetric.queue_of(there), queues);
      EXPECT_LT(asymmetric.queue_of(back), queues);
    }
  }
}

TEST(QueueChooser, AgreesWithTheOwnerOfTheDatagram) {
  Datagram datagram;
  datagram.source.bytes = {10, 1, 2, 3};
  datagram.target.bytes = {203, 0, 113, 9};
  const Buffer frame = ip4("10.1.2.3", "203.0.113.9");
  for (uint32_t queues = 1; queues <= 16; ++queues) {
    EXPECT_EQ(QueueChooser(Spread::symmetric, queues).queue_of(frame),
              OwnerTable(queues).owner_of(datagram));
  }
}

TEST(QueueChooser, GivesFramesWithoutAddressesToTheFirstQueue) {
  QueueChooser chooser(Spread::asymmetric, 7);
  EXPECT_EQ(chooser.queue_of(Frame().ethernet().arp().bytes()), 0U);
  Buffer cut = ip4("10.0.0.9", "10.0.0.2");
  for (; !cut.empty(); cut.pop_back()) {
    const uint32_t queue = chooser.queue_of(cut);
    EXPECT_TRUE(cut.size() >= 34 || queue == 0) << cut.size();
  }
}

craft::Address address_at(Bytes frame, size_t at) {
  IpAddress address;
  std::copy_n(frame.begin() + static_cast<ptrdiff_t>(at), 4, address.bytes.begin());
  return {address, 4};
}

TEST(FlowCopies, HaveAddressesOfTheirOwnAndRightChecksums) {
  FlowCopies copies(3000);
  const Buffer frame = Frame().ethernet().ipv4().tcp().payload("odd").bytes();
  std::set<std::pair<IpAddress, IpAddress>> pairs;
  for (uint32_t index = 0; index < copies.count(); ++index) {
    const Bytes copy = copies.copy(frame, index);
    const craft::Address source = address_at(copy, 26);
    const craft::Address target = address_at(copy, 30);
    EXPECT_TRUE(pairs.emplace(source.value, target.value).second) << index;
    const Buffer built =
        Frame().ethernet().ipv4({.source = source, .target = target}).tcp().payload("odd").bytes();
    EXPECT_TRUE(std::equal(copy.begin(), copy.end(), built.begin(), built.end())) << index;
  }
  const Bytes first = copies.copy(frame, 0);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), frame.begin(), frame.end()));
}

TEST(FlowCopies, HaveOtherAddressesInEachRound) {
  FlowCopies copies(3);
  const Buffer frame = ip4("10.0.0.1", "10.0.0.2");
  std::set<std::string> seen;
  for (uint64_t round = 0; round < 100; ++round) {
    copies.begin_round(round);
    for (uint32_t index = 0; index < copies.count(); ++index) {
      const Bytes copy = copies.copy(frame, index);
      EXPECT_TRUE(seen.emplace(copy.begin(), copy.end()).second) << round;
      EXPECT_EQ(std::equal(copy.begin(), copy.end(), frame.begin(), frame.end()),
                round == 0 && index == 0);
    }
  }
}

TEST(FlowCopies, SpreadOverAllQueues) {
  FlowCopies copies(400);
  QueueChooser chooser(Spread::symmetric, 4);
  const Buffer frame = ip4("10.0.0.1", "10.0.0.2");
  std::array<uint32_t, 4> counts{};
  for (uint32_t index = 0; index < copies.count(); ++index) {
    ++counts[chooser.queue_of(copies.copy(frame, index))];
  }
  for (const uint32_t count : counts) {
    EXPECT_GT(count, 50U);
  }
}

class Captures : public testing::Test {
 protected:
  Captures() : folder_(fs::path(testing::TempDir()) / "shrike_generate_test") {
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "deeper");
  }
  ~Captures() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::vector<craft::TimedFrame>& frames) {
    const std::string path = (folder_ / name).string();
    EXPECT_TRUE(craft::write_pcap(path, frames));
    return path;
  }

  fs::path folder_;
};

TEST_F(Captures, AreReadByNameAndAsEthernet) {
  const Frame inner = Frame().ipv4().udp().payload("x");
  write("b.pcap", {Frame().ethernet().arp().at(5)});
  write("a.pcap", {Frame(inner).at(7)});
  write("deeper/c.pcap", {Frame().ppp().ipv4().udp().at(9)});
  std::ofstream(folder_ / "notes.txt") << "no capture";
  FrameList frames;
  Diagnostics diagnostics;
  read_captures({folder_.string()}, frames, diagnostics);
  EXPECT_EQ(diagnostics.text(), "");
  ASSERT_EQ(frames.size(), 2U);
  const Buffer expected =
      Frame()
          .ethernet({.source = "02:00:00:00:00:01", .target = "02:00:00:00:00:02"})
          .append(inner)
          .bytes();
  const Bytes raw = frames.frame(0).bytes;
  EXPECT_EQ(Buffer(raw.begin() + 12, raw.end()), Buffer(expected.begin() + 12, expected.end()));
  EXPECT_EQ(frames.frame(0).time_ns, 7U);
  EXPECT_EQ(frames.frame(1).time_ns, 5U);
  EXPECT_EQ(frames.longest_bytes(), raw.size());
  EXPECT_EQ(frames.unsendable(), 1U);
}

TEST_F(Captures, ThatAreNoneAreErrorsWhereNamed) {
  const std::string path = (folder_ / "notes.txt").string();
  std::ofstream(path) << "no capture";
  FrameList frames;
  Diagnostics diagnostics;
  read_captures({path, "/nowhere.pcap"}, frames, diagnostics);
  EXPECT_EQ(diagnostics.errors(), 2U);
  EXPECT_EQ(frames.size(), 0U);
}

TEST_F(Captures, AreSplitByQueueWithTheirTimes) {
  FrameList frames;
  forge({.kind = Forgery::http, .conversations = 50}, frames);
  const std::string prefix = (folder_ / "part").string();
  std::vector<QueueTotals> totals;
  Diagnostics diagnostics;
  ASSERT_TRUE(split(frames, {.prefix = prefix, .queues = 3, .copies = 2}, totals, diagnostics));
  QueueChooser chooser(Spread::symmetric, 3);
  std::multiset<uint64_t> times;
  for (uint32_t queue = 0; queue < 3; ++queue) {
    FrameList part;
    read_captures({prefix + "." + std::to_string(queue) + ".pcap"}, part, diagnostics);
    EXPECT_EQ(part.size(), totals[queue].frames);
    EXPECT_GT(part.size(), 0U);
    for (size_t index = 0; index < part.size(); ++index) {
      EXPECT_EQ(chooser.queue_of(part.frame(index).bytes), queue);
      times.insert(part.frame(index).time_ns);
    }
  }
  EXPECT_EQ(diagnostics.text(), "");
  EXPECT_EQ(times.size(), 2 * frames.size());
  for (size_t index = 0; index < frames.size(); ++index) {
    EXPECT_GE(times.count(frames.frame(index).time_ns), 2U);
  }
}

TEST(Forge, MakesFramesOfTheSizeAsked) {
  for (const uint32_t bytes : {60U, 64U, 1514U}) {
    for (const Forgery kind : {Forgery::tcp, Forgery::udp}) {
      FrameList frames;
      forge({.kind = kind, .conversations = 3, .frame_bytes = bytes, .exchanges = 5}, frames);
      size_t of_that_size = 0;
      for (size_t index = 0; index < frames.size(); ++index) {
        of_that_size += frames.frame(index).bytes.size() == bytes ? 1 : 0;
      }
      EXPECT_EQ(of_that_size, 30U) << bytes;
      EXPECT_EQ(frames.longest_bytes(), bytes);
    }
  }
}

TEST(Report, WritesOneLineOfJson) {
  const Summary summary{.ending = "done",
                        .seconds = 0.5,
                        .rounds = 2,
                        .too_long = 1,
                        .unsendable = 4,
                        .queues = {{.frames = 3, .bytes = 300, .refused = 1}, {.frames = 1}},
                        .driver = {.frames = 4, .bytes = 300, .errors = 0}};
  EXPECT_EQ(to_json(summary),
            R"({"ending":"done","packets":4,"bytes":300,"refused":1,"seconds":0.500000,)"
            R"("packets_per_second":8,"bits_per_second":4800,"rounds":2,"too_long":1,)"
            R"("unsendable":4,"queues":[{"packets":3,"bytes":300,"refused":1},)"
            R"({"packets":1,"bytes":0,"refused":0}],)"
            R"("driver":{"packets":4,"bytes":300,"errors":0}})");
}

}  // namespace
}  // namespace shrike::generate
