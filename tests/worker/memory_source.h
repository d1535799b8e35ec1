#pragma once
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "shrike/capture.h"
#include "shrike/craft.h"

namespace shrike::test {

/// Crafted frames as a packet source, in batches of any size, without EAL or files. Played in
/// several rounds, an hour of packet time passes between them: flows are new in each.
class MemorySource final : public capture::PacketSource {
 public:
  MemorySource(std::vector<craft::TimedFrame> frames, uint32_t batch_packets, uint32_t rounds = 1)
      : frames_(std::move(frames)),
        packets_(craft::to_packets(frames_)),
        batch_packets_(batch_packets),
        rounds_(rounds),
        captures_{{"crafted.pcap", 0, 0, 0}} {}

  void receive(PacketBatch& batch) noexcept override {
    batch.clear();
    while (batch.size() < batch_packets_ && !is_finished()) {
      Packet packet = packets_[next_++];
      packet.number += number_before_;
      packet.time_ns += time_shift_ns_;
      packet.clock_ns += time_shift_ns_;
      batch.push(packet);
      if (next_ == packets_.size()) {
        next_ = 0;
        --rounds_;
        number_before_ += packets_.size();
        time_shift_ns_ += packets_.back().clock_ns - packets_.front().clock_ns + pause_ns;
      }
      ++captures_.front().packets;
    }
  }
  void release(PacketBatch& batch) noexcept override { batch.clear(); }
  [[nodiscard]] bool is_finished() const noexcept override {
    return rounds_ == 0 || packets_.empty();
  }
  [[nodiscard]] const std::vector<capture::CaptureInfo>& captures() const noexcept override {
    return captures_;
  }
  [[nodiscard]] const Diagnostics& faults() const noexcept override { return faults_; }
  [[nodiscard]] CounterView counters() const noexcept override { return {}; }

 private:
  static constexpr uint64_t pause_ns = 3600 * 1'000'000'000ULL;

  std::vector<craft::TimedFrame> frames_;
  std::vector<Packet> packets_;
  uint32_t batch_packets_;
  uint32_t rounds_;
  size_t next_ = 0;
  uint64_t number_before_ = 0;
  uint64_t time_shift_ns_ = 0;
  std::vector<capture::CaptureInfo> captures_;
  Diagnostics faults_;
};

}  // namespace shrike::test
