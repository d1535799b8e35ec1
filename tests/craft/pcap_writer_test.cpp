#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "shrike/craft.h"

namespace shrike::craft {
namespace {

std::string hex(Bytes bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

Buffer content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return {text.begin(), text.end()};
}

TEST(PcapWriter, WritesTheFormat) {
  const std::vector<TimedFrame> frames{
      {.bytes = {1, 2, 3}, .time_ns = 2'000'000'007, .wire_bytes = 9}};
  EXPECT_EQ(hex(to_pcap(frames, {.link_type = LinkType::raw_ip, .snap_bytes = 2})),
            "4d3cb2a1"
            "02000400"
            "00000000"
            "00000000"
            "02000000"
            "65000000"
            "02000000"
            "07000000"
            "02000000"
            "09000000"
            "0102");
  EXPECT_EQ(hex(to_pcap(frames, {.has_nanoseconds = false, .is_big_endian = true})),
            "a1b2c3d4"
            "00020004"
            "00000000"
            "00000000"
            "00040000"
            "00000001"
            "00000002"
            "00000000"
            "00000003"
            "00000009"
            "010203");
}

TEST(PcapWriter, WritesFilesFrameByFrame) {
  const std::string path =
      (std::filesystem::temp_directory_path() / "shrike_pcap_writer_test.pcap").string();
  const std::vector<TimedFrame> frames(
      2000, Frame().ethernet().ipv4().udp().payload(std::string(1000, 'x')).at(5));
  ASSERT_TRUE(write_pcap(path, frames));
  EXPECT_EQ(content_of(path), to_pcap(frames));
  PcapWriter writer(path, {});
  for (const TimedFrame& frame : frames) {
    writer.write(frame.bytes, frame.time_ns);
  }
  EXPECT_EQ(writer.bytes(), to_pcap(frames).size());
  EXPECT_TRUE(writer.finish());
  EXPECT_EQ(content_of(path), to_pcap(frames));
  std::filesystem::remove(path);
}

TEST(PcapWriter, SaysWhatCouldNotBeWritten) {
  EXPECT_FALSE(write_pcap("/nonexistent/folder/x.pcap", {}));
  const std::vector<TimedFrame> frames(5000, TimedFrame{.bytes = Buffer(1000)});
  EXPECT_FALSE(write_pcap("/dev/full", frames));
}

}  // namespace
}  // namespace shrike::craft
