#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "capture_support.h"

namespace shrike::capture {
namespace {

std::vector<TimedFrame> numbered(std::string_view prefix, size_t count, uint64_t begin_ns = 0) {
  std::vector<TimedFrame> frames;
  for (size_t index = 0; index < count; ++index) {
    frames.push_back(text_frame(fmt::format("{}{}", prefix, index), begin_ns + index));
  }
  return frames;
}

class FileSource : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(has_packet_memory()); }

  std::unique_ptr<PacketSource> open(const FileSourceOptions& options) {
    Diagnostics diagnostics;
    auto source = open_files(options, diagnostics);
    said_ = diagnostics.text();
    return source;
  }

  TemporaryFolder folder_;
  std::string said_;
};

TEST(PacketMemory, KeepsTheThreadsAffinity) {
  cpu_set_t before;
  cpu_set_t after;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  ASSERT_TRUE(has_packet_memory());
  ASSERT_EQ(sched_getaffinity(0, sizeof after, &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
  EXPECT_TRUE(has_packet_memory()) << "a second start says what the first one gave";
}

TEST_F(FileSource, HandsOutFramesInMbufs) {
  const std::vector<TimedFrame> frames = numbered("frame ", 1000);
  const std::string path = folder_.write("x.pcap", to_pcap(frames));
  const auto source = open({.paths = {path}});
  ASSERT_NE(source, nullptr) << said_;
  const std::vector<SeenPacket> seen = read_all(*source);
  ASSERT_EQ(seen.size(), frames.size());
  uint64_t bytes = 0;
  for (size_t index = 0; index < seen.size(); ++index) {
    EXPECT_EQ(seen[index].frame, as_text(frames[index].bytes));
    EXPECT_EQ(seen[index].number, index + 1);
    EXPECT_TRUE(seen[index].has_buffer);
    bytes += seen[index].frame.size();
  }
  EXPECT_EQ(counter_of(*source, "capture.packets"), frames.size());
  EXPECT_EQ(counter_of(*source, "capture.bytes"), bytes);
  EXPECT_EQ(counter_of(*source, "capture.wire_bytes"), bytes);
  EXPECT_EQ(source->captures().at(0).bytes, std::filesystem::file_size(path));
}

TEST_F(FileSource, KeepsLongFramesContiguous) {
  std::vector<TimedFrame> frames;
  for (const size_t bytes : {0UL, 2'047UL, 2'048UL, 2'049UL, 9'000UL, 65'535UL, 65'536UL, 131'071UL,
                             200'000UL, 262'144UL}) {
    Buffer content(bytes);
    for (size_t at = 0; at < bytes; ++at) {
      content[at] = static_cast<uint8_t>(at * 7 + at / 251);
    }
    frames.push_back({.bytes = content});
  }
  const std::string path = folder_.write("x.pcap", to_pcap(frames));
  for (int round = 0; round < 200; ++round) {  // what is not given back would run out
    const auto source = open({.paths = {path}, .batches_in_flight_max = 1});
    ASSERT_NE(source, nullptr);
    const std::vector<SeenPacket> seen = read_all(*source);
    ASSERT_EQ(seen.size(), frames.size());
    for (size_t index = 0; index < seen.size(); ++index) {
      ASSERT_TRUE(seen[index].frame == as_text(frames[index].bytes)) << index;
    }
    EXPECT_EQ(source->faults().text(), "");
  }
}

TEST_F(FileSource, WaitsForMemoryOfLongFrames) {
  const std::vector<TimedFrame> frames(150, TimedFrame{.bytes = Buffer(262'144, 'x')});
  const std::string path = folder_.write("x.pcap", to_pcap(frames));
  const auto source = open({.paths = {path}});
  ASSERT_NE(source, nullptr);
  const auto held = std::make_unique<PacketBatch>();
  const auto batch = std::make_unique<PacketBatch>();
  source->receive(*held);
  EXPECT_EQ(held->size(), 64U) << "16 MiB is what all long frames may take";
  source->receive(*batch);
  EXPECT_EQ(batch->size(), 0U);
  EXPECT_FALSE(source->is_finished());
  EXPECT_EQ(counter_of(*source, "capture.no_buffer"), 1U);
  source->release(*held);
  EXPECT_EQ(read_all(*source).size(), frames.size() - 64);
}

TEST_F(FileSource, WaitsUntilBatchesAreReleased) {
  const std::string path = folder_.write("x.pcap", to_pcap(numbered("f", 200)));
  const auto source = open({.paths = {path}, .batch_packets = 32, .batches_in_flight_max = 2});
  ASSERT_NE(source, nullptr);
  std::vector<std::unique_ptr<PacketBatch>> out;
  size_t held = 0;
  do {
    out.push_back(std::make_unique<PacketBatch>());
    source->receive(*out.back());
    held += out.back()->size();
  } while (out.back()->size() != 0);
  EXPECT_EQ(held, 2 * limits::batch_packets_max);
  EXPECT_FALSE(source->is_finished());
  EXPECT_EQ(as_text(out[1]->all()[0].frame), "f32") << "held frames stay as they are";
  size_t read = held;
  for (const size_t first : {2U, 0U, 1U, 3U}) {  // any order
    source->release(*out[first]);
    EXPECT_EQ(out[first]->size(), 0U);
  }
  for (const SeenPacket& packet : read_all(*source)) {
    EXPECT_EQ(packet.number, ++read);
  }
  EXPECT_EQ(read, 200U);
}

TEST_F(FileSource, SharesThePoolAndWaitsForItsShare) {
  const std::string path = folder_.write("x.pcap", to_pcap(numbered("f", 2 * pool_buffers)));
  const auto greedy = open({.paths = {path}, .batches_in_flight_max = 100});
  const auto other = open({.paths = {path}});
  ASSERT_TRUE(greedy != nullptr && other != nullptr);
  std::vector<std::unique_ptr<PacketBatch>> out;
  do {
    out.push_back(std::make_unique<PacketBatch>());
    greedy->receive(*out.back());
  } while (out.back()->size() != 0);
  const auto batch = std::make_unique<PacketBatch>();
  other->receive(*batch);
  EXPECT_EQ(batch->size(), 0U);
  EXPECT_FALSE(other->is_finished());
  for (const auto& each : out) {
    greedy->release(*each);
  }
  EXPECT_EQ(read_all(*greedy).size() + pool_buffers, 2 * pool_buffers);
}

TEST_F(FileSource, GivesBatchesOfTheSizeAskedFor) {
  const std::string path = folder_.write("x.pcap", to_pcap(numbered("f", 10)));
  for (const uint32_t wanted : {1U, 3U, 7U, 64U}) {
    const auto source = open({.paths = {path}, .batch_packets = wanted});
    ASSERT_NE(source, nullptr);
    const auto batch = std::make_unique<PacketBatch>();
    source->receive(*batch);
    EXPECT_EQ(batch->size(), std::min(wanted, 10U));
    source->release(*batch);
  }
}

TEST_F(FileSource, NeverMixesCapturesInABatch) {
  const std::string first = folder_.write("1.pcap", to_pcap(numbered("a", 3, 100)));
  const std::string second = folder_.write("2.pcap", to_pcap({}));
  const std::string third = folder_.write("3.pcap", to_pcap(numbered("b", 2, 50)));
  for (const bool per_file : {false, true}) {
    SCOPED_TRACE(per_file);
    const auto source = open({.paths = {first, second, third}, .per_file = per_file});
    ASSERT_NE(source, nullptr) << said_;
    const auto batch = std::make_unique<PacketBatch>();
    source->receive(*batch);
    ASSERT_EQ(batch->size(), 3U);
    EXPECT_EQ(batch->all()[2].capture_index, 0U);
    source->release(*batch);
    source->receive(*batch);
    ASSERT_EQ(batch->size(), 2U);
    const Packet& packet = batch->all()[0];
    EXPECT_EQ(packet.capture_index, 2U);
    EXPECT_EQ(packet.time_ns, 50U);
    EXPECT_EQ(packet.number, per_file ? 1U : 4U);
    EXPECT_EQ(packet.clock_ns, per_file ? 50U : 102U);
    source->release(*batch);
    EXPECT_TRUE(read_all(*source).empty());
    ASSERT_EQ(source->captures().size(), 3U);
    EXPECT_EQ(source->captures()[0].packets, 3U);
    EXPECT_EQ(source->captures()[1].packets, 0U);
    EXPECT_EQ(source->captures()[2].packets, 2U);
    EXPECT_EQ(source->captures()[2].path, third);
  }
}

TEST_F(FileSource, ReadsAFolderByName) {
  folder_.write("b.pcap", to_pcap(numbered("b", 1)));
  folder_.write("a.dump", to_pcap(numbered("a", 1)));
  folder_.write("c/d.cap", to_gzip(to_pcap(numbered("d", 1))));
  folder_.write("README", as_bytes("nothing to see"));
  folder_.write("empty", {});
  const auto flat = open({.paths = {folder_.path()}});
  ASSERT_NE(flat, nullptr) << said_;
  EXPECT_EQ(said_, fmt::format("{0}: note[capture-skipped]: 2 files are no capture: README, empty\n"
                               "{0}: note[capture-folders]: 1 folder was not entered",
                               folder_.path()));
  EXPECT_EQ(frames_of(read_all(*flat)), (std::vector<std::string>{"a0", "b0"}));
  const auto deep = open({.paths = {folder_.path()}, .recursive = true});
  ASSERT_NE(deep, nullptr) << said_;
  EXPECT_EQ(frames_of(read_all(*deep)), (std::vector<std::string>{"a0", "b0", "d0"}));
}

TEST_F(FileSource, NamesSomeOfManyFilesThatAreNoCapture) {
  folder_.write("x.pcap", to_pcap(numbered("x", 1)));
  for (const char* const name : {"1", "2", "3", "4", "5", "6", "7"}) {
    folder_.write(name, as_bytes("text that is no capture"));
  }
  ASSERT_NE(open({.paths = {folder_.path()}}), nullptr);
  EXPECT_EQ(said_, folder_.path() +
                       ": note[capture-skipped]: 7 files are no capture: 1, 2, 3, 4, "
                       "5 and 2 more");
}

TEST_F(FileSource, RefusesWhatIsNoCapture) {
  folder_.write("only/notes.txt", as_bytes("not a capture"));
  const std::string cut = folder_.write("cut.pcap", Bytes(to_pcap({})).first(9));
  const std::string text = folder_.path("only/notes.txt");
  const std::string gone = folder_.path("gone.pcap");
  EXPECT_EQ(open({.paths = {gone, text, folder_.path("only"), cut}}), nullptr);
  EXPECT_EQ(
      said_,
      fmt::format(
          "{0}: error[capture-missing]: there is no such file or folder\n"
          "{1}: error[capture-format]: is no capture: neither pcap nor pcapng, plain, gzip or "
          "zstd\n"
          "{2}: note[capture-skipped]: 1 file is no capture: notes.txt\n"
          "{2}: error[capture-none]: the folder holds no capture\n"
          "{3}: error[capture-truncated]: the file ends inside its header, after 9 bytes",
          gone, text, folder_.path("only"), cut));
  EXPECT_EQ(open({}), nullptr);
  EXPECT_EQ(said_, "error[capture-none]: no capture is named");
}

TEST_F(FileSource, RefusesOptionsOutOfRange) {
  const std::string path = folder_.write("x.pcap", to_pcap({}));
  EXPECT_EQ(open({.paths = {path}, .batch_packets = 65}), nullptr);
  EXPECT_EQ(said_, "error[capture-option]: batches of 65 packets are out of range, 1 to 64");
  EXPECT_EQ(open({.paths = {path}, .batches_in_flight_max = 0}), nullptr);
  EXPECT_EQ(said_, "error[capture-option]: 0 batches in flight are out of range, 1 to 65536");
}

TEST_F(FileSource, GoesOnBehindABrokenCapture) {
  Buffer cut = to_pcap(numbered("a", 2));
  cut.pop_back();
  const std::string first = folder_.write("1.pcap", cut);
  const std::string second = folder_.write("2.pcap", to_pcap(numbered("b", 1)));
  const auto source = open({.paths = {first, second}});
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(frames_of(read_all(*source)), (std::vector<std::string>{"a0", "b0"}));
  EXPECT_EQ(source->faults().text(),
            first +
                ": error[capture-truncated]: the packet record at byte 42 is cut off: 17 bytes "
                "of it are there");
  EXPECT_EQ(counter_of(*source, "capture.faults"), 1U);
}

TEST_F(FileSource, SaysThatAFileVanished) {
  const std::string path = folder_.write("x.pcap", to_pcap(numbered("a", 2)));
  const auto source = open({.paths = {path}});
  ASSERT_NE(source, nullptr);
  std::filesystem::remove(path);
  EXPECT_TRUE(read_all(*source).empty());
  EXPECT_EQ(source->faults().text(),
            path + ": error[capture-read]: cannot be read at byte 0: No such file or directory");
}

TEST_F(FileSource, ReadsAPipeAsItFills) {
  const std::string path = folder_.path("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const Buffer file = to_pcap(numbered("f", 100));
  std::thread writer([&] {
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(file.data()), 700);
    out.flush();
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
    out.write(reinterpret_cast<const char*>(file.data()) + 700,
              static_cast<std::streamsize>(file.size() - 700));
  });
  const auto source = open({.paths = {path}});
  ASSERT_NE(source, nullptr) << said_;
  const auto batch = std::make_unique<PacketBatch>();
  size_t empty_batches = 0;
  size_t packets = 0;
  while (!source->is_finished()) {
    source->receive(*batch);
    packets += batch->size();
    empty_batches += batch->size() == 0 && !source->is_finished() ? 1 : 0;
    source->release(*batch);
  }
  writer.join();
  EXPECT_EQ(packets, 100U);
  EXPECT_GE(empty_batches, 1U) << "a stop would be felt while nothing comes";
  EXPECT_EQ(source->faults().text(), "");
}

TEST_F(FileSource, ReadsStandardInput) {
  const Buffer file = to_zstd(to_pcap(numbered("f", 5)));
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], file.data(), file.size()), static_cast<ssize_t>(file.size()));
  close(ends[1]);
  const int kept = dup(STDIN_FILENO);
  dup2(ends[0], STDIN_FILENO);
  const auto source = open({.paths = {"-"}});
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(read_all(*source).size(), 5U);
  EXPECT_EQ(source->captures().at(0).path, "-");
  dup2(kept, STDIN_FILENO);
  close(kept);
  close(ends[0]);
}

}  // namespace
}  // namespace shrike::capture
