#include "packet_memory.h"

#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "shrike/capture.h"
#include "shrike/capture/memory.h"

namespace shrike::capture {

namespace {

/// DPDK's EAL is one a process, and cannot start twice: so is this.
struct Memory {
  bool was_tried = false;
  rte_mempool* pool = nullptr;
};
Memory& memory() {
  static Memory instance;
  return instance;
}

constexpr size_t mebibyte = size_t{1} << 20;
/// EAL's own needs and the fragmentation of its heap.
constexpr size_t spare_bytes = 24 * mebibyte;

/// Whether this user may have that much of huge pages right now. Asked of the kernel itself: EAL
/// cannot be started a second time after it failed.
bool has_huge_pages(size_t bytes) {
  void* const trial =
      mmap(nullptr, (bytes + 2 * mebibyte - 1) & ~(2 * mebibyte - 1), PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  if (trial == MAP_FAILED) {
    return false;
  }
  munmap(trial, (bytes + 2 * mebibyte - 1) & ~(2 * mebibyte - 1));
  return true;
}

/// EAL pins the calling thread to a core, and threads started later would inherit that.
class AffinityKeeper {
 public:
  AffinityKeeper() {
    CPU_ZERO(&set_);
    is_known_ = pthread_getaffinity_np(pthread_self(), sizeof set_, &set_) == 0;
  }
  ~AffinityKeeper() {
    if (is_known_) {
      pthread_setaffinity_np(pthread_self(), sizeof set_, &set_);
    }
  }
  AffinityKeeper(const AffinityKeeper&) = delete;
  AffinityKeeper& operator=(const AffinityKeeper&) = delete;

  [[nodiscard]] int first_core() const {
    int core = 0;
    while (core < CPU_SETSIZE && !CPU_ISSET(core, &set_)) {
      ++core;
    }
    return core == CPU_SETSIZE ? 0 : core;
  }

 private:
  cpu_set_t set_;
  bool is_known_ = false;
};

/// Takes EAL's log lines off the terminal, and keeps them for a message where the start fails.
class LogCatcher {
 public:
  LogCatcher() : stream_(open_memstream(&text_, &bytes_)) { rte_openlog_stream(stream_); }
  ~LogCatcher() {
    // Later lines go nowhere: what matters to us comes back as an error number.
    static std::FILE* const nowhere = std::fopen("/dev/null", "we");
    rte_openlog_stream(nowhere);
    std::fclose(stream_);
    std::free(text_);
  }
  LogCatcher(const LogCatcher&) = delete;
  LogCatcher& operator=(const LogCatcher&) = delete;

  [[nodiscard]] std::string last_line() const {
    std::fflush(stream_);
    std::string text(text_, bytes_);
    while (!text.empty() && text.back() == '\n') {
      text.pop_back();
    }
    return text.substr(text.rfind('\n') + 1);
  }

 private:
  char* text_ = nullptr;
  size_t bytes_ = 0;
  std::FILE* stream_;
};

/// Without physical devices none is probed: DPDK would take hold of the machine's own.
void add_devices(const PacketMemoryOptions& options, std::vector<std::string>& arguments) {
  if (options.pci_addresses.empty()) {
    arguments.emplace_back("--no-pci");
    arguments.emplace_back("--iova-mode=va");
  }
  for (const std::string& address : options.pci_addresses) {
    arguments.emplace_back("-a");
    arguments.push_back(address);
  }
  if (options.telemetry) {
    arguments.push_back(fmt::format("--file-prefix=shrike-{}", getpid()));
  } else {
    arguments.emplace_back("--no-telemetry");
  }
  arguments.insert(arguments.end(), options.eal_arguments.begin(), options.eal_arguments.end());
}

std::vector<std::string> eal_arguments(const PacketMemoryOptions& options, int core) {
  std::vector<std::string> arguments{"shrike", "--lcores", fmt::format("0@{}", core)};
  add_devices(options, arguments);
  const size_t bytes = memory_bytes_for(options);
  if (!options.force_ordinary_pages && has_huge_pages(bytes)) {
    arguments.emplace_back("--in-memory");
  } else {
    arguments.emplace_back("--no-huge");
    arguments.emplace_back("--no-shconf");
    arguments.emplace_back("-m");
    arguments.emplace_back(std::to_string((bytes + mebibyte - 1) / mebibyte));
  }
  return arguments;
}

bool start_eal(const PacketMemoryOptions& options, Diagnostics& diagnostics) {
  const AffinityKeeper affinity;
  std::optional<LogCatcher> log;
  if (!options.shows_log) {
    log.emplace();
  }
  std::vector<std::string> arguments = eal_arguments(options, affinity.first_core());
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  if (rte_eal_init(static_cast<int>(arguments.size()), pointers.data()) >= 0) {
    return true;
  }
  diagnostics.error({}, "packet-memory", "DPDK's environment does not start: {} ({})",
                    rte_strerror(rte_errno), log ? log->last_line() : "its log says why");
  return false;
}

}  // namespace

uint64_t memory_bytes_for(const PacketMemoryOptions& options) noexcept {
  constexpr uint64_t buffer_overhead_bytes = 512;  // mbuf, headroom, pool header, alignment
  return options.buffers * (options.buffer_bytes + buffer_overhead_bytes) + long_frame_bytes_max +
         spare_bytes + options.extra_bytes;
}

rte_mempool* packet_pool() noexcept {
  return memory().pool;
}

bool start_packet_memory(const PacketMemoryOptions& options, Diagnostics& diagnostics) {
  Memory& state = memory();
  if (state.was_tried) {
    if (state.pool == nullptr) {
      diagnostics.error({}, "packet-memory",
                        "DPDK's environment failed before and starts once a process only");
    }
    return state.pool != nullptr;
  }
  constexpr uint32_t buffer_bytes_max = UINT16_MAX - RTE_PKTMBUF_HEADROOM;
  if (options.buffers < limits::batch_packets_max || options.buffer_bytes < 64 ||
      options.buffer_bytes > buffer_bytes_max) {
    diagnostics.error({}, "packet-memory",
                      "{} buffers of {} bytes are out of range; at least {} buffers of 64 to {} "
                      "bytes",
                      options.buffers, options.buffer_bytes, limits::batch_packets_max,
                      buffer_bytes_max);
    return false;
  }
  state.was_tried = true;
  if (!start_eal(options, diagnostics)) {
    return false;
  }
  // No per-core cache: every source keeps a stack of its own, see FrameBuffers.
  state.pool = rte_pktmbuf_pool_create(
      "shrike_packets", options.buffers, 0, 0,
      static_cast<uint16_t>(options.buffer_bytes + RTE_PKTMBUF_HEADROOM), SOCKET_ID_ANY);
  if (state.pool == nullptr) {
    diagnostics.error({}, "packet-memory", "no room for {} packet buffers of {} bytes: {}",
                      options.buffers, options.buffer_bytes, rte_strerror(rte_errno));
  }
  return state.pool != nullptr;
}

}  // namespace shrike::capture
