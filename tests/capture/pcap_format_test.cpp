#include "capture_support.h"

namespace shrike::capture {
namespace {

constexpr uint64_t second_ns = 1'000'000'000;

TEST(PcapFormat, ReadsEveryByteOrderAndResolution) {
  const std::vector<TimedFrame> frames{
      text_frame("first", 5 * second_ns + 123'456'789),
      text_frame("", 6 * second_ns),
      text_frame("third", 4'000'000'000 * second_ns + 999'999'999),
  };
  for (const bool has_nanoseconds : {false, true}) {
    for (const bool is_big_endian : {false, true}) {
      SCOPED_TRACE(testing::Message() << has_nanoseconds << is_big_endian);
      const Buffer file = to_pcap(frames, {has_nanoseconds, is_big_endian});
      const MemoryRun run = read_memory(file);
      EXPECT_EQ(run.faults, "");
      ASSERT_EQ(frames_of(run.packets), (std::vector<std::string>{"first", "", "third"}));
      const uint64_t unit_ns = has_nanoseconds ? 1 : 1000;
      for (size_t index = 0; index < frames.size(); ++index) {
        EXPECT_EQ(run.packets[index].time_ns, frames[index].time_ns / unit_ns * unit_ns);
        EXPECT_EQ(run.packets[index].number, index + 1);
        EXPECT_EQ(run.packets[index].link_type, LinkType::ethernet);
        EXPECT_FALSE(run.packets[index].has_buffer);
      }
    }
  }
}

TEST(PcapFormat, KeepsTheClockFromRunningBackwards) {
  const MemoryRun run = read_memory(
      to_pcap(std::vector{text_frame("a", 20), text_frame("b", 10), text_frame("c", 30)}));
  ASSERT_EQ(run.packets.size(), 3U);
  EXPECT_EQ(run.packets[1].time_ns, 10U);
  EXPECT_EQ(run.packets[1].clock_ns, 20U);
  EXPECT_EQ(run.packets[2].clock_ns, 30U);
}

TEST(PcapFormat, KeepsTheWireLengthOfCutFrames) {
  TimedFrame frame = text_frame("abcdefgh");
  frame.wire_bytes = 1500;
  const MemoryRun run = read_memory(to_pcap(std::vector{frame}, {.snap_bytes = 4}));
  ASSERT_EQ(run.packets.size(), 1U);
  EXPECT_EQ(run.packets[0].frame, "abcd");
  EXPECT_EQ(run.packets[0].wire_bytes, 1500U);
}

TEST(PcapFormat, DropsWhatIsAboveTheFilesOwnSnapLength) {
  Buffer file = to_pcap(std::vector{text_frame("abcdefgh"), text_frame("ij")});
  file[16] = 3;  // snap length, little endian
  file[17] = file[18] = file[19] = 0;
  EXPECT_EQ(frames_of(read_memory(file).packets), (std::vector<std::string>{"abc", "ij"}));
}

struct LinkCase {
  uint8_t number;
  LinkType link_type;
};
const LinkCase link_cases[] = {
    {0, LinkType::null},         {1, LinkType::ethernet},
    {9, LinkType::ppp},          {12, LinkType::raw_ip},
    {14, LinkType::raw_ip},      {101, LinkType::raw_ip},
    {104, LinkType::cisco_hdlc}, {108, LinkType::null},
    {113, LinkType::linux_sll},  {127, LinkType::ieee80211_radiotap},
    {228, LinkType::raw_ip},     {229, LinkType::raw_ip},
};

TEST(PcapFormat, MapsLinkTypes) {
  for (const LinkCase& test : link_cases) {
    SCOPED_TRACE(static_cast<int>(test.number));
    Buffer file = to_pcap(std::vector{text_frame("x")});
    file[20] = test.number;
    const MemoryRun run = read_memory(file);
    ASSERT_EQ(run.packets.size(), 1U);
    EXPECT_EQ(run.packets[0].link_type, test.link_type);
    EXPECT_EQ(run.faults, "");
  }
}

TEST(PcapFormat, IgnoresTheCheckSequenceBitsOfTheLinkType) {
  Buffer file = to_pcap(std::vector{text_frame("x")});
  file[23] = 0x24;  // four bytes of check sequence
  EXPECT_EQ(read_memory(file).packets.at(0).link_type, LinkType::ethernet);
}

TEST(PcapFormat, SaysOnceThatALinkTypeIsNotDecoded) {
  Buffer file = to_pcap(std::vector{text_frame("x"), text_frame("y")});
  file[20] = 105;
  const MemoryRun run = read_memory(file);
  EXPECT_EQ(run.packets.size(), 2U);
  EXPECT_EQ(run.faults,
            "x.pcap: warning[capture-link]: has frames of link type 105, which are counted and "
            "not decoded");
}

TEST(PcapFormat, ReadsTheModifiedFormat) {
  Buffer file = to_pcap(std::vector{text_frame("abc")}, {.has_nanoseconds = false});
  file[0] = 0x34;
  file[1] = 0xcd;
  const Buffer extra(8, 7);
  file.insert(file.begin() + 24 + 16, extra.begin(), extra.end());
  EXPECT_EQ(frames_of(read_memory(file).packets), std::vector<std::string>{"abc"});
}

TEST(PcapFormat, ReadsTheExchangedLengthsOfOldVersions) {
  TimedFrame frame = text_frame("abc");
  frame.wire_bytes = 60;
  Buffer file = to_pcap(std::vector{frame}, {.has_nanoseconds = false});
  std::swap_ranges(file.begin() + 32, file.begin() + 36, file.begin() + 36);
  for (const uint8_t minor : {2, 3}) {
    file[6] = minor;
    const MemoryRun run = read_memory(file);
    ASSERT_EQ(frames_of(run.packets), std::vector<std::string>{"abc"});
    EXPECT_EQ(run.packets[0].wire_bytes, 60U);
  }
}

TEST(PcapFormat, ReadsACutFileAsFarAsItGoes) {
  const Buffer file = to_pcap(std::vector{text_frame("one"), text_frame("three")});
  for (size_t kept = 24; kept <= file.size(); ++kept) {
    SCOPED_TRACE(kept);
    const MemoryRun run = read_memory(Bytes(file).first(kept));
    constexpr size_t second = 24 + 16 + 3;
    EXPECT_EQ(run.packets.size(), kept < second ? 0U : kept < file.size() ? 1U : 2U);
    const bool is_whole = kept == 24 || kept == second || kept == file.size();
    const size_t begin = kept < second ? 24 : second;
    EXPECT_EQ(run.faults,
              is_whole ? ""
                       : fmt::format("x.pcap: error[capture-truncated]: the packet record at byte "
                                     "{} is cut off: {} bytes of it are there",
                                     begin, kept - begin));
  }
}

TEST(PcapFormat, StopsAtARecordThatCannotBe) {
  Buffer file = to_pcap(std::vector{text_frame("one"), text_frame("two")});
  file[24 + 16 + 3 + 8 + 2] = 5;  // 5 * 65536 + 3 captured bytes
  const MemoryRun run = read_memory(file);
  EXPECT_EQ(run.packets.size(), 1U);
  EXPECT_EQ(run.faults,
            "x.pcap: error[capture-record]: the packet record at byte 43 claims 327683 captured "
            "bytes, the limit is 262144; nothing behind it was read");
}

TEST(PcapFormat, SaysWhatIsNoCapture) {
  EXPECT_EQ(read_memory(as_bytes("")).faults,
            "x.pcap: error[capture-format]: is empty, not a capture");
  const char* const other =
      "x.pcap: error[capture-format]: is no capture: neither pcap nor pcapng, plain, gzip or zstd";
  EXPECT_EQ(read_memory(as_bytes("a")).faults, other);
  EXPECT_EQ(read_memory(as_bytes("alert tcp any any -> any any")).faults, other);
  EXPECT_EQ(read_memory(Bytes(to_pcap({})).first(20)).faults,
            "x.pcap: error[capture-truncated]: the file ends inside its header, after 20 bytes");
}

}  // namespace
}  // namespace shrike::capture
