#include "port.h"

#include <fmt/format.h>
#include <pthread.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <sched.h>

#include <algorithm>

#include "shrike/capture.h"
#include "shrike/capture/ports.h"
#include "shrike/model/limits.h"

namespace shrike::generate {

namespace {

/// Of one buffer, where longer frames may take a chain of them.
constexpr uint32_t chained_buffer_bytes = 2048;
/// Of one buffer with headroom: DPDK counts it in 16 bits.
constexpr uint32_t buffer_bytes_max = UINT16_MAX - RTE_PKTMBUF_HEADROOM;
/// What DPDK's drivers for software ports take at most (RTE_ETH_PCAP_SNAPLEN is near it).
constexpr uint32_t software_frame_bytes_max = 65535;

/// Onto one core, where the operator names one: DPDK's threads and memory follow.
bool pin_to(int core, Diagnostics& diagnostics) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  const int fault = core < 0 ? 0 : pthread_setaffinity_np(pthread_self(), sizeof set, &set);
  if (fault != 0) {
    diagnostics.error({}, "core", "this process may not run on core {}: {}", core,
                      rte_strerror(fault));
  }
  return fault == 0;
}

/// Starts DPDK with the one port. The frames' own pool is made once the port is known; capture's is
/// as small as can be.
bool start_memory(const PortOptions& options, Diagnostics& diagnostics) {
  capture::PacketMemoryOptions memory{.buffers = limits::batch_packets_max};
  memory.extra_bytes = uint64_t{options.memory_megabytes} << 20;
  memory.shows_log = options.is_verbose;
  const bool is_pci = capture::is_pci_address(options.name.substr(0, options.name.find(',')));
  if (is_pci) {
    memory.pci_addresses.push_back(options.name);
  } else {
    memory.eal_arguments = {"--vdev", options.name};
  }
  memory.force_ordinary_pages = !is_pci && !options.uses_huge_pages;
  if (!options.file_prefix.empty()) {
    memory.eal_arguments.insert(memory.eal_arguments.end(), {"--file-prefix", options.file_prefix});
  }
  if (!capture::start_packet_memory(memory, diagnostics)) {
    return false;
  }
  if (rte_eth_dev_count_avail() != 1) {
    diagnostics.error({}, "port-start", "{} gives {} ports, not one; -v shows why", options.name,
                      rte_eth_dev_count_avail());
    return false;
  }
  return true;
}

rte_mbuf* as_mbuf(void* buffer) {
  return static_cast<rte_mbuf*>(buffer);
}

/// Fills buffers of a pool with a frame. @return null where there are not enough of them.
rte_mbuf* copy_to_chain(rte_mempool* pool, Bytes frame) {
  rte_mbuf* const first = rte_pktmbuf_alloc(pool);
  if (first == nullptr) {
    return nullptr;
  }
  rte_mbuf* last = first;
  for (Bytes rest = frame;;) {
    const size_t room = rte_pktmbuf_tailroom(last);
    const Bytes piece = rest.first(std::min(rest.size(), room));
    std::copy(piece.begin(), piece.end(), rte_pktmbuf_mtod(last, uint8_t*));
    last->data_len = static_cast<uint16_t>(piece.size());
    rest = rest.subspan(piece.size());
    if (rest.empty()) {
      break;
    }
    last->next = rte_pktmbuf_alloc(pool);
    if (last->next == nullptr) {
      rte_pktmbuf_free(first);
      return nullptr;
    }
    last = last->next;
    ++first->nb_segs;
  }
  first->pkt_len = static_cast<uint32_t>(frame.size());
  return first;
}

}  // namespace

std::unique_ptr<Port> Port::open(const PortOptions& options, Diagnostics& diagnostics) {
  if (!pin_to(options.core, diagnostics) || !start_memory(options, diagnostics)) {
    return nullptr;
  }
  uint16_t id = 0;
  RTE_ETH_FOREACH_DEV(id) {
    break;
  }
  std::unique_ptr<Port> port(new Port(id, options.queues));
  if (!port->start(options, diagnostics)) {
    return nullptr;
  }
  return port;
}

Port::Port(uint16_t id, uint32_t queues) : id_(id), bursts_(queues), totals_(queues) {}

Port::~Port() {
  close();
}

void Port::close() {
  if (!is_open_) {
    return;
  }
  is_open_ = false;
  for (Burst& burst : bursts_) {
    for (; burst.count > 0; --burst.count) {
      rte_pktmbuf_free(as_mbuf(burst.buffers[burst.count - 1]));
    }
  }
  rte_eth_dev_stop(id_);
  rte_eth_dev_close(id_);
  rte_eal_cleanup();
}

bool Port::start(const PortOptions& options, Diagnostics& diagnostics) {
  if (!configure(options, diagnostics) || !make_pool(options, diagnostics) ||
      !set_up_queues(options, diagnostics)) {
    return false;
  }
  const int fault = rte_eth_dev_start(id_);
  if (fault != 0) {
    diagnostics.error({}, "port-start", "{} does not start: {}", options.name,
                      rte_strerror(-fault));
  }
  return fault == 0;
}

bool Port::configure(const PortOptions& options, Diagnostics& diagnostics) {
  rte_eth_dev_info info{};
  int fault = rte_eth_dev_info_get(id_, &info);
  if (fault == 0 && info.max_tx_queues < options.queues) {
    diagnostics.error({}, "port-queues",
                      "{} has {} queues, not {}; many virtual ports take queues=N in their "
                      "argument",
                      options.name, info.max_tx_queues, options.queues);
    return false;
  }
  // Some drivers make pairs of queues only: the receiving half stays unused.
  receive_queues_ = static_cast<uint16_t>(std::min<uint32_t>(info.max_rx_queues, options.queues));
  rte_eth_conf conf{};
  takes_chains_ = (info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
  conf.txmode.offloads = takes_chains_ ? RTE_ETH_TX_OFFLOAD_MULTI_SEGS : 0;
  if (fault == 0) {
    fault =
        rte_eth_dev_configure(id_, receive_queues_, static_cast<uint16_t>(options.queues), &conf);
  }
  if (fault != 0) {
    diagnostics.error({}, "port-start", "{} cannot be configured: {}", options.name,
                      rte_strerror(-fault));
    return false;
  }
  const uint32_t limit =
      options.frame_bytes_max != 0 ? options.frame_bytes_max : info.max_rx_pktlen;
  frame_bytes_max_ =
      limit == 0 ? software_frame_bytes_max : std::min(limit, software_frame_bytes_max);
  return true;
}

bool Port::make_pool(const PortOptions& options, Diagnostics& diagnostics) {
  segment_bytes_max_ = takes_chains_ ? chained_buffer_bytes
                                     : std::clamp(options.longest_frame_bytes, chained_buffer_bytes,
                                                  buffer_bytes_max);
  // A full ring of every queue in both directions, a burst of each, and chains on top; half of the
  // memory at most. With less than the rings could hold the port gives buffers back in time.
  const uint32_t wanted = 2 * options.queues * (options.descriptors + 2 * burst_frames) + 4096;
  const auto affordable = static_cast<uint32_t>((uint64_t{options.memory_megabytes} << 19) /
                                                (segment_bytes_max_ + 512));
  const uint32_t buffers = std::min(wanted, affordable);
  pool_ = rte_pktmbuf_pool_create("generate", buffers, 256, 0,
                                  static_cast<uint16_t>(segment_bytes_max_ + RTE_PKTMBUF_HEADROOM),
                                  SOCKET_ID_ANY);
  if (pool_ == nullptr) {
    diagnostics.error({}, "port-memory", "no room for {} buffers of {} bytes: {}", buffers,
                      segment_bytes_max_, rte_strerror(rte_errno));
  }
  return pool_ != nullptr;
}

bool Port::set_up_queues(const PortOptions& options, Diagnostics& diagnostics) {
  auto receive = static_cast<uint16_t>(options.descriptors);
  auto send = static_cast<uint16_t>(options.descriptors);
  rte_eth_dev_adjust_nb_rx_tx_desc(id_, &receive, &send);
  int fault = 0;
  for (uint16_t queue = 0; queue < receive_queues_ && fault == 0; ++queue) {
    fault = rte_eth_rx_queue_setup(id_, queue, receive, SOCKET_ID_ANY, nullptr,
                                   static_cast<rte_mempool*>(pool_));
  }
  for (uint16_t queue = 0; queue < bursts_.size() && fault == 0; ++queue) {
    fault = rte_eth_tx_queue_setup(id_, queue, send, SOCKET_ID_ANY, nullptr);
  }
  if (fault != 0) {
    diagnostics.error({}, "port-start", "{}: a queue cannot be set up: {}", options.name,
                      rte_strerror(-fault));
  }
  return fault == 0;
}

bool Port::is_up() const {
  rte_eth_link link{};
  return rte_eth_link_get_nowait(id_, &link) != 0 || link.link_status == RTE_ETH_LINK_UP;
}

Port::Outcome Port::put(uint32_t queue, Bytes frame) {
  Burst& burst = bursts_[queue];
  if (burst.count == burst_frames) {
    return Outcome::is_full;
  }
  if (frame.size() > frame_bytes_max_ || (frame.size() > segment_bytes_max_ && !takes_chains_)) {
    return Outcome::too_long;
  }
  rte_mbuf* const buffer = copy_to_chain(static_cast<rte_mempool*>(pool_), frame);
  if (buffer == nullptr) {
    return Outcome::no_buffer;
  }
  burst.buffers[burst.count] = buffer;
  burst.bytes[burst.count] = static_cast<uint32_t>(frame.size());
  ++burst.count;
  return Outcome::taken;
}

uint32_t Port::flush(uint32_t queue) {
  Burst& burst = bursts_[queue];
  if (burst.count == 0) {
    return 0;
  }
  rte_mbuf* buffers[burst_frames];
  std::transform(burst.buffers, burst.buffers + burst.count, buffers, as_mbuf);
  const uint32_t taken = rte_eth_tx_burst(id_, static_cast<uint16_t>(queue), buffers,
                                          static_cast<uint16_t>(burst.count));
  QueueTotals& totals = totals_[queue];
  totals.frames += taken;
  for (uint32_t index = 0; index < taken; ++index) {
    totals.bytes += burst.bytes[index];
  }
  std::copy(burst.buffers + taken, burst.buffers + burst.count, burst.buffers);
  std::copy(burst.bytes + taken, burst.bytes + burst.count, burst.bytes);
  burst.count -= taken;
  return taken;
}

void Port::refuse_rest(uint32_t queue) {
  Burst& burst = bursts_[queue];
  totals_[queue].refused += burst.count;
  for (; burst.count > 0; --burst.count) {
    rte_pktmbuf_free(as_mbuf(burst.buffers[burst.count - 1]));
  }
}

DriverTotals Port::driver_totals() const {
  rte_eth_stats stats{};
  rte_eth_stats_get(id_, &stats);
  return {.frames = stats.opackets, .bytes = stats.obytes, .errors = stats.oerrors};
}

uint64_t Port::now_ticks() {
  return rte_rdtsc();
}

uint64_t Port::ticks_per_second() {
  return rte_get_tsc_hz();
}

}  // namespace shrike::generate
