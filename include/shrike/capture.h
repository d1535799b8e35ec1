#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/base/counters.h"
#include "shrike/base/diagnostics.h"
#include "shrike/model/packet.h"

/// Where packets come from. Hides EAL, mbufs, file formats and compression.
namespace shrike::capture {

/// Starts DPDK's EAL once a process, without ports or root: huge pages where there are some, else
/// ordinary memory. Call before any source is opened.
struct PacketMemoryOptions {
  uint32_t buffers = 8192;       ///< mbufs of the pool: batches in flight times batch size
  uint32_t buffer_bytes = 2048;  ///< data room of one mbuf; longer frames chain or take a big one
  bool force_ordinary_pages = false;
};
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
  [[nodiscard]] virtual bool is_finished() const noexcept = 0;
  [[nodiscard]] virtual const std::vector<CaptureInfo>& captures() const noexcept = 0;
  /// What was broken in the input (file and offset), said once at the end; empty where all is well.
  [[nodiscard]] virtual const Diagnostics& faults() const noexcept = 0;
  [[nodiscard]] virtual CounterView counters() const noexcept = 0;
};

struct FileSourceOptions {
  std::vector<std::string> paths;  ///< files, directories (by name order), "-" for standard input
  bool recursive = false;          ///< descend into directories
  bool per_file = false;           ///< packet numbers and the clock start again with each capture
  std::string bpf_filter;          ///< libpcap expression; empty: everything
  uint32_t batches_in_flight_max = 16;
};

/// Opens pcap and pcapng captures, plain, gzip or zstd. Missing paths and a bad filter are
/// errors in `diagnostics` and give nothing; a file that turns out broken is read as far as it
/// goes.
std::unique_ptr<PacketSource> open_files(const FileSourceOptions& options,
                                         Diagnostics& diagnostics);

}  // namespace shrike::capture
