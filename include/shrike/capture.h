#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/base/bytes.h"
#include "shrike/base/counters.h"
#include "shrike/base/diagnostics.h"
#include "shrike/model/packet.h"

/// Where packets come from. Hides EAL, mbufs, file formats and compression.
namespace shrike::capture {

/// The memory that packets travel in: mbufs of a pool.
struct PacketMemoryOptions {
  uint32_t buffers = 8192;  ///< mbufs of the pool: batches in flight times batch size
  /// Data room of one mbuf. Longer frames, up to 262144 bytes, take a block of their own and are
  /// contiguous just the same.
  uint32_t buffer_bytes = 2048;
  bool force_ordinary_pages = false;
  // Live only.
  uint64_t extra_bytes = 0;                ///< for the pools of ports (buffer_bytes_for)
  std::vector<std::string> pci_addresses;  ///< the only physical devices that DPDK may touch
  std::vector<std::string> eal_arguments;  ///< further words for EAL, as the operator wrote them
  bool telemetry = false;                  ///< DPDK's own telemetry socket
  bool shows_log = false;                  ///< DPDK's log goes to the standard error
};

/// Starts DPDK's EAL and makes the pool, without ports or root: huge pages where there are some,
/// else ordinary memory. Call before any source is opened, from any one thread, whose affinity is
/// kept. It takes some 150 ms, most of it waiting, so it may well run beside the rules' compiler.
/// Once a process: a second call says what the first one gave and ignores its options. EAL's own
/// log is silent, unless it is asked for.
/// @return false where the memory is not there, with an error in `diagnostics`.
bool start_packet_memory(const PacketMemoryOptions& options, Diagnostics& diagnostics);

/// One capture that was opened.
struct CaptureInfo {
  std::string path;         ///< as given or found; "-" for standard input
  uint64_t packets = 0;     ///< read so far
  uint64_t bytes = 0;       ///< bytes of the file consumed so far, as stored (compressed)
  uint64_t file_bytes = 0;  ///< size of the file, 0 where not known
};

/// A source of packets for one thread. The one virtual seam of the walk: once a batch.
class PacketSource {
 public:
  virtual ~PacketSource() = default;
  /// Fills `batch` with the next packets, never of two captures at once; an empty batch means
  /// nothing now (see is_finished). The packets stay valid until `release`.
  virtual void receive(PacketBatch& batch) noexcept = 0;
  /// Gives the packets' memory back. Several batches may be out; any order, same thread.
  virtual void release(PacketBatch& batch) noexcept = 0;
  /// Sleeps until the port says that packets came, for `timeout_ms` at most; the thread that
  /// receives. @return false where it cannot, and then it did not sleep.
  virtual bool wait([[maybe_unused]] int timeout_ms) noexcept { return false; }
  /// Nothing more will come. An empty batch before that means: no buffer is free until something
  /// is released, or a pipe has nothing now (waited for 100 ms at most, so a stop is felt).
  [[nodiscard]] virtual bool is_finished() const noexcept = 0;
  [[nodiscard]] virtual const std::vector<CaptureInfo>& captures() const noexcept = 0;
  /// What was broken in the input (file and offset), as far as read; empty where all is well.
  /// Errors where packets were lost, warnings where a whole capture has a link type that nothing
  /// decodes.
  [[nodiscard]] virtual const Diagnostics& faults() const noexcept = 0;
  [[nodiscard]] virtual CounterView counters() const noexcept = 0;
  /// Live: at least another full batch waits behind the last one, as the driver says or, where it
  /// does not, because the last one was full. Captures wait for whoever reads them: never.
  [[nodiscard]] virtual bool has_backlog() const noexcept { return false; }
};

struct FileSourceOptions {
  std::vector<std::string> paths;  ///< files, directories (by name order), "-" for standard input
  bool recursive = false;          ///< descend into directories
  bool per_file = false;           ///< packet numbers and the clock start again with each capture
  std::string bpf_filter = {};     ///< libpcap expression; empty: everything
  /// Packets a receive call gives at most: 1 to limits::batch_packets_max.
  uint32_t batch_packets = 64;
  /// Times limits::batch_packets_max: the mbufs that the source may hold.
  uint32_t batches_in_flight_max = 16;
};

/// Opens pcap and pcapng captures, plain, gzip or zstd. Missing paths, named files that are no
/// captures, a bad filter and options out of range are errors in `diagnostics` and give nothing;
/// other files in a folder are a note; a file that turns out broken is read as far as it goes, see
/// faults(). Packets are numbered from 1 over all captures (with per_file: over each), not counting
/// those that the filter holds back. REQUIRES: start_packet_memory() gave true.
std::unique_ptr<PacketSource> open_files(const FileSourceOptions& options,
                                         Diagnostics& diagnostics);

struct MemorySourceOptions {
  /// Reads the capture so many times, as one long capture: each round begins `repeat_gap_ns`
  /// after the end of the one before.
  uint32_t repeats = 1;
  uint64_t repeat_gap_ns = 1'000'000'000;
  /// Copies frames into mbufs as open_files does, which needs start_packet_memory(). Else they
  /// borrow from the capture itself, Packet::buffer is null, and nothing needs DPDK.
  bool uses_packet_memory = false;
  std::string bpf_filter = {};
  uint32_t batch_packets = 64;
  uint32_t batches_in_flight_max = 16;
  uint64_t decompressed_bytes_max = uint64_t{1} << 30;  ///< of a gzip or zstd capture
};

/// Opens a capture of any of open_files' formats that is held in memory: for benches, fuzzers and
/// tests. Bytes that are no capture give a source that is finished at once and says so in faults().
/// @param name     stands in captures() and faults().
/// @param capture  outlives the source.
std::unique_ptr<PacketSource> open_memory(std::string_view name, Bytes capture,
                                          const MemorySourceOptions& options,
                                          Diagnostics& diagnostics);

}  // namespace shrike::capture
