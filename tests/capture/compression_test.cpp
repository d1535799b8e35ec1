#include "capture_support.h"

namespace shrike::capture {
namespace {

/// Frames that do not compress to nothing, so that a file has some length to be cut at.
std::vector<TimedFrame> noisy_frames(size_t count) {
  std::vector<TimedFrame> frames;
  uint64_t state = 1;
  for (size_t index = 0; index < count; ++index) {
    Buffer bytes;
    for (size_t at = 0; at < 100 + index % 900; ++at) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      bytes.push_back(static_cast<uint8_t>(state >> 56));
    }
    frames.push_back({.bytes = bytes, .time_ns = index});
  }
  return frames;
}

struct CompressionCase {
  const char* name;
  Buffer (*pack)(Bytes);
};
const CompressionCase compression_cases[] = {{"gzip", to_gzip}, {"zstd", to_zstd}};

std::vector<std::string> plain_frames(const std::vector<TimedFrame>& frames) {
  std::vector<std::string> texts;
  for (const TimedFrame& frame : frames) {
    texts.emplace_back(as_text(frame.bytes));
  }
  return texts;
}

class Compression : public testing::Test {
 protected:
  static std::unique_ptr<PacketSource> open(const std::string& path) {
    EXPECT_TRUE(has_packet_memory());
    Diagnostics diagnostics;
    auto source = open_files({.paths = {path}}, diagnostics);
    EXPECT_EQ(diagnostics.text(), "");
    return source;
  }
  TemporaryFolder folder_;
};

TEST_F(Compression, ReadsCompressedCapturesFromFilesAndMemory) {
  const std::vector<TimedFrame> frames = noisy_frames(3000);
  for (const CompressionCase& test : compression_cases) {
    SCOPED_TRACE(test.name);
    const Buffer packed = test.pack(to_pcap(frames));
    EXPECT_EQ(frames_of(read_memory(packed).packets), plain_frames(frames));
    const auto source = open(folder_.write("x.pcap", packed));
    EXPECT_EQ(frames_of(read_all(*source)), plain_frames(frames));
    EXPECT_EQ(source->faults().text(), "");
    EXPECT_EQ(source->captures().at(0).bytes, packed.size());
    EXPECT_EQ(source->captures().at(0).file_bytes, packed.size());
    EXPECT_EQ(source->captures().at(0).packets, frames.size());
  }
}

TEST_F(Compression, ReadsSeveralMembersInARow) {
  const std::vector<TimedFrame> frames = noisy_frames(200);
  const Buffer plain = to_pcap(frames);
  for (const CompressionCase& test : compression_cases) {
    SCOPED_TRACE(test.name);
    Buffer packed = test.pack(Bytes(plain).first(7'777));
    const Buffer rest = test.pack(Bytes(plain).subspan(7'777));
    packed.insert(packed.end(), rest.begin(), rest.end());
    EXPECT_EQ(frames_of(read_memory(packed).packets), plain_frames(frames));
  }
}

TEST_F(Compression, ReadsACutFileAsFarAsItGoes) {
  const std::vector<TimedFrame> frames = noisy_frames(1000);
  for (const CompressionCase& test : compression_cases) {
    SCOPED_TRACE(test.name);
    Buffer packed = test.pack(to_pcap(frames));
    packed.resize(packed.size() / 2);
    const std::string path = folder_.write("x.pcap", packed);
    const auto source = open(path);
    const std::vector<SeenPacket> seen = read_all(*source);
    // zstd gives whole blocks of 128 KiB only.
    EXPECT_GT(seen.size(), frames.size() / 4);
    EXPECT_LT(seen.size(), frames.size());
    EXPECT_EQ(source->faults().text(),
              fmt::format("{}: error[capture-read]: {} data are broken at byte {} of the "
                          "compressed file: they end too early",
                          path, test.name, packed.size()));
    EXPECT_EQ(read_memory(packed).packets.size(), seen.size());
  }
}

TEST_F(Compression, SaysWhereDataAreDamaged) {
  const std::vector<TimedFrame> frames = noisy_frames(1000);
  for (const CompressionCase& test : compression_cases) {
    SCOPED_TRACE(test.name);
    Buffer packed = test.pack(to_pcap(frames));
    packed.insert(packed.end(), {'j', 'u', 'n', 'k', '!', '!', '!', '!', '!', '!'});
    const MemoryRun run = read_memory(packed);
    EXPECT_EQ(run.packets.size(), frames.size());
    EXPECT_NE(run.faults.find(fmt::format("{} data are broken at byte ", test.name)),
              std::string::npos)
        << run.faults;
  }
}

TEST_F(Compression, StopsAtTheLimitForMemory) {
  const std::vector<TimedFrame> frames = noisy_frames(100);
  const MemoryRun run = read_memory(to_gzip(to_pcap(frames)), {.decompressed_bytes_max = 5'000});
  EXPECT_GT(run.packets.size(), 10U);
  EXPECT_LT(run.packets.size(), 100U);
  EXPECT_NE(run.faults.find("x.pcap: error[capture-size]: was read up to byte 5000 of its "
                            "decompressed data, the limit that is set"),
            std::string::npos)
      << run.faults;
}

}  // namespace
}  // namespace shrike::capture
