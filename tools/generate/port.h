#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "report.h"
#include "shrike/base/bytes.h"
#include "shrike/base/diagnostics.h"

namespace shrike::generate {

struct PortOptions {
  /// A PCI address ("0000:01:00.0") or a virtual device by DPDK's argument string
  /// ("net_memif0,socket=/run/x,role=server").
  std::string name;
  uint32_t queues = 1;
  uint32_t descriptors = 1024;  ///< of a queue; the port may take fewer
  /// Longer frames are left out. 0: as the port says, where it says anything.
  uint32_t frame_bytes_max = 0;
  uint32_t longest_frame_bytes = 1514;  ///< of those that will come: sizes the buffers
  uint32_t memory_megabytes = 1024;     ///< of ordinary pages; huge pages come as they are needed
  bool uses_huge_pages = false;         ///< always so with a PCI device, which can do no other
  int core = -1;                        ///< pins the caller to it; -1: leaves it where it is
  std::string file_prefix;              ///< of DPDK's files, where it keeps any
  bool is_verbose = false;              ///< DPDK's log goes to the standard error
};

/// A DPDK port to send on, and the process's only one: EAL starts once. One thread.
/// The one file here that knows DPDK.
class Port {
 public:
  enum class Outcome : uint8_t {
    taken,
    is_full,   ///< the queue's burst has to be flushed first
    too_long,  ///< for the port, or for one buffer where the port takes no chains
    no_buffer  ///< the port holds them all
  };

  static constexpr uint32_t burst_frames = 32;

  /// Starts EAL and the port. @return null where that fails, with an error in `diagnostics`.
  static std::unique_ptr<Port> open(const PortOptions& options, Diagnostics& diagnostics);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  /// Whether the other side is there. Ports that cannot know say yes.
  [[nodiscard]] bool is_up() const;
  /// Copies a frame to the end of a queue's burst.
  Outcome put(uint32_t queue, Bytes frame);
  /// Offers a queue's burst to the port, once. What it does not take stays in the burst.
  /// @return how many it took.
  uint32_t flush(uint32_t queue);
  /// Counts what is left of a burst as refused, and forgets it.
  void refuse_rest(uint32_t queue);
  [[nodiscard]] uint32_t pending(uint32_t queue) const { return bursts_[queue].count; }

  [[nodiscard]] const std::vector<QueueTotals>& totals() const { return totals_; }
  [[nodiscard]] DriverTotals driver_totals() const;
  /// Sends nothing any more; the peer sees the link go down.
  void close();

  /// The processor's time stamp counter.
  [[nodiscard]] static uint64_t now_ticks();
  [[nodiscard]] static uint64_t ticks_per_second();

 private:
  /// Frames on their way to a queue; buffers are rte_mbuf*.
  struct Burst {
    uint32_t count = 0;
    void* buffers[burst_frames] = {};
    uint32_t bytes[burst_frames] = {};
  };

  Port(uint16_t id, uint32_t queues);
  bool start(const PortOptions& options, Diagnostics& diagnostics);
  bool configure(const PortOptions& options, Diagnostics& diagnostics);
  bool make_pool(const PortOptions& options, Diagnostics& diagnostics);
  bool set_up_queues(const PortOptions& options, Diagnostics& diagnostics);

  uint16_t id_;
  uint16_t receive_queues_ = 0;
  void* pool_ = nullptr;  ///< rte_mempool*
  uint32_t frame_bytes_max_ = 0;
  uint32_t segment_bytes_max_ = 0;  ///< of one buffer
  bool takes_chains_ = false;
  bool is_open_ = true;
  std::vector<Burst> bursts_;
  std::vector<QueueTotals> totals_;
};

}  // namespace shrike::generate
