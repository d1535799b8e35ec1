#pragma once
#include <memory>
#include <vector>

#include "packet_filter.h"
#include "shrike/capture.h"

struct rte_mbuf;

namespace shrike::capture {

enum class QueueCounter : uint8_t {
  packets,
  bytes,
  wire_bytes,
  filtered,
  too_long,
  polls,
  empty_polls,
  count_,
};

/// One receive queue of a port.
struct Queue {
  uint16_t port = 0;
  uint16_t queue = 0;
  uint32_t port_index = 0;  ///< Packet::capture_index
  bool plays_file = false;  ///< nothing is lost that is not fetched in time
};

/// Where drivers put a packet's own time, as looked up once all ports are configured.
struct TimeStampPlace {
  int offset = -1;    ///< in the mbuf; -1: no port gives time stamps
  uint64_t flag = 0;  ///< set in ol_flags where the field is filled
  uint64_t nanoseconds_a_unit = 0;
};

/// What one worker polls: its queues, in turn. Packets that came in several mbufs are put together
/// in memory of the source, so a frame is contiguous always.
class QueueSource final : public PacketSource {
 public:
  QueueSource(std::vector<Queue> queues, const TimeStampPlace& time_stamps,
              std::unique_ptr<PacketFilter> filter, uint32_t batch_packets);
  ~QueueSource() override;

  void receive(PacketBatch& batch) noexcept override;
  /// Any order, also from another thread than the one that received.
  void release(PacketBatch& batch) noexcept override;
  [[nodiscard]] bool is_finished() const noexcept override { return false; }
  [[nodiscard]] const std::vector<CaptureInfo>& captures() const noexcept override {
    return captures_;
  }
  [[nodiscard]] const Diagnostics& faults() const noexcept override { return faults_; }
  [[nodiscard]] CounterView counters() const noexcept override;
  [[nodiscard]] bool has_backlog() const noexcept override;

  /// Names a port's captures() entry. Before the first receive.
  void name_port(const std::string& name) { captures_.push_back({.path = name}); }

 private:
  void take(rte_mbuf* buffer, const Queue& queue, uint64_t now_ns, PacketBatch& batch) noexcept;
  [[nodiscard]] Bytes frame_of(rte_mbuf* buffer) noexcept;
  [[nodiscard]] uint64_t time_of(const rte_mbuf* buffer, uint64_t now_ns) noexcept;

  const std::vector<Queue> queues_;
  const TimeStampPlace time_stamps_;
  const std::unique_ptr<PacketFilter> filter_;
  const uint32_t batch_packets_;
  size_t next_queue_ = 0;
  uint32_t taken_ = 0;     ///< by the last receive, what the filter held back included
  size_t last_queue_ = 0;  ///< that gave the end of it
  uint64_t number_ = 0;
  uint64_t clock_ns_ = 0;
  /// Frames of this batch that came in several mbufs.
  std::unique_ptr<uint8_t[]> whole_frames_;
  size_t whole_bytes_ = 0;
  bool has_stamps_ = false;  ///< of the batch at hand: some packets brought their own time
  std::vector<CaptureInfo> captures_;
  Diagnostics faults_;
  Counters<QueueCounter> counters_;
};

}  // namespace shrike::capture
