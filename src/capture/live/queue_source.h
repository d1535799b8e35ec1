#pragma once
#include <memory>
#include <vector>

#include "packet_filter.h"
#include "port_clocks.h"
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
  sums_checked,
  tags_put_back,
  tags_lost,
  stamped,
  stamps_refused,
  times_held,
  clock_set_forward,
  clock_set_back,
  waits,
  count_,
};

/// One receive queue of a port.
struct Queue {
  uint16_t port = 0;
  uint16_t queue = 0;
  uint32_t port_index = 0;   ///< Packet::capture_index
  bool plays_file = false;   ///< nothing is lost that is not fetched in time
  bool checks_sums = false;  ///< the port was asked to look at checksums, and took it on
  /// What the port's time stamps are ticks of; null: they are not used.
  const SharedLine* clock = nullptr;
};

/// Where packets have their times from.
struct PacketTimes {
  const SharedLine* system = nullptr;  ///< the machine's own clock
  TickSource ticks = TickSource::steady_clock;
  int stamp_offset = -1;         ///< of a packet's own time in its mbuf; -1: no port gives any
  uint64_t stamp_flag = 0;       ///< set in ol_flags where that field is filled
  bool stamps_of_files = false;  ///< they are us since the epoch, and as the file has them
};

/// What one worker polls: its queues, in turn. Packets that came in several mbufs are put together
/// in memory of the source, so a frame is contiguous always. Tags that the port took off are put
/// back. Within a queue time does not run backwards, unless the system's clock was set back.
class QueueSource final : public PacketSource {
 public:
  QueueSource(const std::vector<Queue>& queues, const PacketTimes& times,
              std::unique_ptr<PacketFilter> filter, uint32_t batch_packets);
  ~QueueSource() override;

  void receive(PacketBatch& batch) noexcept override;
  /// Works once use_interrupts() was called.
  bool wait(int timeout_ms) noexcept override;
  /// Any order, also from another thread than the one that received.
  void release(PacketBatch& batch) noexcept override;
  [[nodiscard]] bool is_finished() const noexcept override { return false; }
  [[nodiscard]] const std::vector<CaptureInfo>& captures() const noexcept override {
    return captures_;
  }
  [[nodiscard]] const Diagnostics& faults() const noexcept override { return faults_; }
  [[nodiscard]] CounterView counters() const noexcept override;
  [[nodiscard]] bool has_backlog() const noexcept override;

  /// The ports were configured for it. Before the first receive.
  void use_interrupts() noexcept { interrupts_ = Interrupts::wanted; }
  /// Names a port's captures() entry. Before the first receive.
  void name_port(const std::string& name) { captures_.push_back({.path = name}); }

 private:
  /// A queue, and the time as it stands there.
  struct Lane {
    Queue queue;
    ClockLine line{};
    uint32_t line_version = 0;
    uint64_t last_ns = 0;
  };

  enum class Interrupts : uint8_t { none, wanted, ready };

  [[nodiscard]] bool set_up_interrupts() noexcept;
  [[nodiscard]] bool has_packets() const noexcept;
  void take(rte_mbuf* buffer, Lane& lane, uint64_t now_ns, PacketBatch& batch) noexcept;
  [[nodiscard]] Bytes frame_of(rte_mbuf* buffer) noexcept;
  [[nodiscard]] rte_mbuf* with_tags(rte_mbuf* buffer) noexcept;
  [[nodiscard]] uint64_t now_ns() noexcept;
  [[nodiscard]] uint64_t time_of(const rte_mbuf* buffer, Lane& lane, uint64_t now_ns) noexcept;
  [[nodiscard]] uint64_t stamp_of(const rte_mbuf* buffer, const Lane& lane,
                                  uint64_t now_ns) noexcept;

  std::vector<Lane> lanes_;
  const PacketTimes times_;
  ClockLine line_{};  ///< the machine's own clock
  uint32_t line_version_ = 0;
  const std::unique_ptr<PacketFilter> filter_;
  const uint32_t batch_packets_;
  Interrupts interrupts_ = Interrupts::none;
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
