#include "shrike/capture/ports.h"

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "packet_memory.h"
#include "port.h"
#include "queue_source.h"
#include "shrike/base/check.h"

namespace shrike::capture {

namespace {

/// mbufs that a thread keeps at hand; DPDK's own upper bound is 512.
constexpr unsigned pool_cache = 256;
constexpr uint32_t mbuf_overhead_bytes = 512;  // mbuf, headroom, pool header, alignment

uint32_t descriptors_a_worker(const PortsOptions& options) {
  uint32_t descriptors = 0;
  for (const PortOptions& port : options.ports) {
    descriptors += descriptors_of(port);
  }
  return descriptors;
}

/// mbufs of one worker: those in the descriptors of its queues, and as many again for batches
/// under way and for the cache.
uint32_t buffers_a_worker(const PortsOptions& options) {
  return options.buffers != 0 ? options.buffers
                              : std::max<uint32_t>(4 * descriptors_a_worker(options), 4096);
}

/// Drivers refill all free descriptors at once or none: where the pool does not hold as many beside
/// those under way, a queue that ran empty stays so.
bool check_buffers(const PortsOptions& options, Diagnostics& diagnostics) {
  const uint32_t descriptors = descriptors_a_worker(options);
  const uint32_t least = 2 * descriptors;
  if (buffers_a_worker(options) < least) {
    diagnostics.error({}, "port-memory",
                      "{} packet buffers a worker are too few for {} receive descriptors; write at "
                      "least {} in shrike.live.buffers, or 0",
                      options.buffers, descriptors, least);
    return false;
  }
  return true;
}

uint32_t room_of_buffers(const PortsOptions& options) {
  uint32_t bytes = 0;
  for (const PortOptions& port : options.ports) {
    bytes = std::max(bytes, buffer_bytes_of(port));
  }
  return std::min<uint32_t>(bytes, UINT16_MAX - RTE_PKTMBUF_HEADROOM);
}

/// What to say of a port's clock.
std::string clock_text(const PacketTimes& times, double ns_a_tick) {
  if (times.stamps_of_files) {
    return "the file's times";
  }
  if (ns_a_tick != 0) {
    return fmt::format("its own, {:.3f} ns a tick, kept true to the system's", ns_a_tick);
  }
  return times.ticks == TickSource::tsc ? "the system's, by the time stamp counter"
                                        : "the system's";
}

class DpdkPorts final : public Ports {
 public:
  explicit DpdkPorts(const PortsOptions& options) : options_(options) {}
  ~DpdkPorts() override;

  bool open(Diagnostics& diagnostics);

  PacketSource& source(uint32_t index) noexcept override { return *sources_[index]; }
  void enter_thread() noexcept override { rte_thread_register(); }
  void leave_thread() noexcept override { rte_thread_unregister(); }
  const std::vector<PortFacts>& facts() const noexcept override { return facts_; }
  bool are_steered() const noexcept override;
  std::vector<PortTotals> totals() override;
  std::vector<PoolUse> pools() const override;
  std::vector<CardRules*> card_rules() override;
  std::vector<std::string> take_notices() override;

 private:
  PacketTimes find_times();
  [[nodiscard]] int memory_node() const noexcept;
  bool make_pools(Diagnostics& diagnostics);
  bool make_sources(Diagnostics& diagnostics);

  const PortsOptions options_;
  std::vector<std::unique_ptr<Port>> ports_;
  WorkerPools pools_;
  std::unique_ptr<PortClocks> clocks_;
  std::vector<const SharedLine*> lines_;  ///< of each port that stamps packets; null: of others
  std::vector<std::unique_ptr<QueueSource>> sources_;
  std::vector<PortFacts> facts_;
};

DpdkPorts::~DpdkPorts() {
  sources_.clear();
  ports_.clear();
  for (rte_mempool* const pool : pools_) {
    rte_mempool_free(pool);
  }
}

/// Of the first port that has one: there its packets are nearest to it.
int DpdkPorts::memory_node() const noexcept {
  for (const std::unique_ptr<Port>& port : ports_) {
    if (port->facts().numa_node >= 0) {
      return port->facts().numa_node;
    }
  }
  return SOCKET_ID_ANY;
}

bool DpdkPorts::make_pools(Diagnostics& diagnostics) {
  // One less than a power of two suits the ring below a pool.
  const uint32_t buffers = std::bit_ceil(buffers_a_worker(options_) + 1) - 1;
  const auto room = static_cast<uint16_t>(room_of_buffers(options_) + RTE_PKTMBUF_HEADROOM);
  for (uint32_t worker = 0; worker < options_.workers; ++worker) {
    const std::string name = fmt::format("shrike_worker_{}", worker);
    rte_mempool* pool =
        rte_pktmbuf_pool_create(name.c_str(), buffers, pool_cache, 0, room, memory_node());
    if (pool == nullptr) {
      pool = rte_pktmbuf_pool_create(name.c_str(), buffers, pool_cache, 0, room, SOCKET_ID_ANY);
    }
    if (pool == nullptr) {
      diagnostics.error({}, "port-memory",
                        "no room for {} packet buffers of {} bytes: {}; fewer workers or "
                        "descriptors, or more huge pages (shrike doctor)",
                        buffers, room, rte_strerror(rte_errno));
      return false;
    }
    pools_.push_back(pool);
  }
  return true;
}

/// Where all ports play files, packets have the times of these; a mix of those with live ones would
/// be out of order by years.
PacketTimes DpdkPorts::find_times() {
  clocks_ = std::make_unique<PortClocks>();
  PacketTimes times{.system = &clocks_->system(), .ticks = clocks_->system_ticks()};
  const bool all_are_files = std::all_of(ports_.begin(), ports_.end(), [](const auto& port) {
    return port->facts().driver == "net_pcap";
  });
  for (const std::unique_ptr<Port>& port : ports_) {
    const bool is_followed = port->stamps_packets() && !all_are_files;
    lines_.push_back(is_followed ? clocks_->follow(port->number(), port->facts().name) : nullptr);
  }
  const bool has_stamps = all_are_files || std::any_of(lines_.begin(), lines_.end(),
                                                       [](auto line) { return line != nullptr; });
  if (has_stamps &&
      rte_mbuf_dyn_rx_timestamp_register(&times.stamp_offset, &times.stamp_flag) == 0) {
    times.stamps_of_files = all_are_files;
  }
  for (size_t i = 0; i < ports_.size(); ++i) {
    ports_[i]->tell_clock(clock_text(times, clocks_->ns_a_tick(lines_[i])));
    facts_[i] = ports_[i]->facts();
  }
  return times;
}

/// Queue q of every port belongs to worker q, or where there are more queues than workers, to them
/// in turn.
bool DpdkPorts::make_sources(Diagnostics& diagnostics) {
  const PacketTimes times = find_times();
  for (uint32_t worker = 0; worker < options_.workers; ++worker) {
    std::vector<Queue> queues;
    for (uint32_t index = 0; index < ports_.size(); ++index) {
      for (uint32_t queue = worker; queue < facts_[index].queues; queue += options_.workers) {
        const PortFacts& facts = facts_[index];
        queues.push_back({.port = ports_[index]->number(),
                          .queue = static_cast<uint16_t>(queue),
                          .port_index = index,
                          .plays_file = facts.driver == "net_pcap" &&
                                        facts.device.find("rx_pcap=") != std::string::npos,
                          .checks_sums = ports_[index]->checks_sums(),
                          .clock = lines_[index]});
      }
    }
    std::unique_ptr<PacketFilter> filter;
    if (!options_.bpf_filter.empty()) {
      filter = std::make_unique<PacketFilter>(options_.bpf_filter);
      if (!filter->check_expression(diagnostics)) {
        return false;
      }
    }
    sources_.push_back(
        std::make_unique<QueueSource>(queues, times, std::move(filter), options_.batch_packets));
    if (options_.uses_interrupts) {
      sources_.back()->use_interrupts();
    }
    for (const PortFacts& port : facts_) {
      sources_.back()->name_port(port.name);
    }
  }
  return true;
}

bool DpdkPorts::open(Diagnostics& diagnostics) {
  bool is_fine = true;
  for (const PortOptions& port : options_.ports) {
    ports_.push_back(std::make_unique<Port>(port, options_));
    is_fine &= ports_.back()->attach(diagnostics);
  }
  if (!is_fine || !make_pools(diagnostics)) {
    return false;
  }
  for (const std::unique_ptr<Port>& port : ports_) {
    is_fine &= port->start(pools_, diagnostics);
    facts_.push_back(port->facts());
  }
  return is_fine && make_sources(diagnostics);
}

bool DpdkPorts::are_steered() const noexcept {
  return std::all_of(facts_.begin(), facts_.end(),
                     [](const PortFacts& port) { return port.is_steered; });
}

std::vector<PortTotals> DpdkPorts::totals() {
  std::vector<PortTotals> all;
  for (const std::unique_ptr<Port>& port : ports_) {
    all.push_back(port->totals());
  }
  return all;
}

std::vector<PoolUse> DpdkPorts::pools() const {
  std::vector<PoolUse> all;
  for (const rte_mempool* const pool : pools_) {
    all.push_back({pool->size, rte_mempool_in_use_count(pool)});
  }
  return all;
}

std::vector<CardRules*> DpdkPorts::card_rules() {
  std::vector<CardRules*> rules;
  for (const std::unique_ptr<Port>& port : ports_) {
    if (port->card_rules() != nullptr) {
      rules.push_back(port->card_rules());
    }
  }
  return rules;
}

std::vector<std::string> DpdkPorts::take_notices() {
  std::vector<std::string> notices = clocks_->keep();
  for (size_t i = 0; i < ports_.size(); ++i) {
    if (std::string notice = ports_[i]->take_link_notice(); !notice.empty()) {
      notices.push_back(std::move(notice));
      facts_[i] = ports_[i]->facts();
    }
  }
  return notices;
}

}  // namespace

uint64_t buffer_bytes_for(const PortsOptions& options) noexcept {
  const uint64_t buffers = std::bit_ceil(buffers_a_worker(options) + 1);
  // Without huge pages a pool puts no mbuf across two pages.
  constexpr uint64_t page_bytes = 4096;
  const uint64_t bytes =
      (room_of_buffers(options) + mbuf_overhead_bytes + page_bytes - 1) / page_bytes * page_bytes;
  constexpr uint64_t port_bytes = uint64_t{32} << 20;  // rings and state of a driver
  return options.workers * buffers * bytes + options.ports.size() * port_bytes;
}

std::unique_ptr<Ports> open_ports(const PortsOptions& options, Diagnostics& diagnostics) {
  check(packet_pool() != nullptr, "start_packet_memory comes before open_ports");
  if (options.ports.empty() || options.workers == 0 || options.batch_packets == 0 ||
      options.batch_packets > limits::batch_packets_max) {
    diagnostics.error({}, "port", "no port to receive from, or no worker; name one with -i");
    return nullptr;
  }
  if (!check_buffers(options, diagnostics)) {
    return nullptr;
  }
  auto ports = std::make_unique<DpdkPorts>(options);
  if (!ports->open(diagnostics)) {
    return nullptr;
  }
  return ports;
}

}  // namespace shrike::capture
