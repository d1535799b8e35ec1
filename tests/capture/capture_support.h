#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/capture.h"
#include "shrike/craft.h"

namespace shrike::capture {

using craft::Buffer;
using craft::TimedFrame;
using craft::to_pcap;

/// A packet that outlives its batch.
struct SeenPacket {
  std::string frame;
  uint64_t time_ns = 0;
  uint64_t clock_ns = 0;
  uint64_t number = 0;
  uint32_t wire_bytes = 0;
  uint32_t capture_index = 0;
  LinkType link_type = LinkType::unknown;
  bool has_buffer = false;
};

/// Everything a source gives, released batch by batch.
inline std::vector<SeenPacket> read_all(PacketSource& source) {
  std::vector<SeenPacket> seen;
  const auto batch = std::make_unique<PacketBatch>();
  while (!source.is_finished()) {
    source.receive(*batch);
    for (const Packet& packet : batch->all()) {
      seen.push_back({std::string(as_text(packet.frame)), packet.time_ns, packet.clock_ns,
                      packet.number, packet.wire_bytes, packet.capture_index, packet.link_type,
                      packet.buffer != nullptr});
    }
    source.release(*batch);
  }
  return seen;
}

struct MemoryRun {
  std::vector<SeenPacket> packets;
  std::string faults;
};
inline MemoryRun read_memory(Bytes capture, const MemorySourceOptions& options = {}) {
  Diagnostics diagnostics;
  const auto source = open_memory("x.pcap", capture, options, diagnostics);
  EXPECT_EQ(diagnostics.text(), "");
  MemoryRun run;
  if (source != nullptr) {
    run.packets = read_all(*source);
    run.faults = source->faults().text();
  }
  return run;
}

inline uint64_t counter_of(const PacketSource& source, std::string_view name) {
  const CounterView view = source.counters();
  for (size_t index = 0; index < view.rows.size(); ++index) {
    if (view.rows[index].name == name) {
      return view.values[index];
    }
  }
  ADD_FAILURE() << "no counter is called " << name;
  return 0;
}

inline TimedFrame text_frame(std::string_view text, uint64_t time_ns = 0) {
  return {.bytes = Buffer(text.begin(), text.end()), .time_ns = time_ns};
}

inline std::vector<std::string> frames_of(const std::vector<SeenPacket>& packets) {
  std::vector<std::string> frames;
  for (const SeenPacket& packet : packets) {
    frames.push_back(packet.frame);
  }
  return frames;
}

/// A folder that goes with its test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] std::string path(std::string_view name = "") const {
    return name.empty() ? path_.string() : (path_ / name).string();
  }
  /// Makes folders on the way. @return the whole path.
  std::string write(std::string_view name, Bytes content) const;

 private:
  std::filesystem::path path_;
};

Buffer to_gzip(Bytes plain);
Buffer to_zstd(Bytes plain);

/// Starts DPDK with a small pool, for the first test that needs it; EAL starts once a process.
bool has_packet_memory();
inline constexpr uint32_t pool_buffers = 512;

}  // namespace shrike::capture
