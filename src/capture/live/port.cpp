#include "port.h"

#include <fmt/format.h>
#include <rte_dev.h>
#include <rte_errno.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <thread>

#include "flow_rules.h"
#include "port_clocks.h"
#include "port_rss.h"

namespace shrike::capture {

namespace {

constexpr uint16_t usual_descriptors = 1024;
/// Ethernet header, VLAN tags, the frame check sequence, and what virtual devices put before it.
constexpr uint32_t frame_overhead_bytes = 64;
constexpr uint32_t smallest_buffer_bytes = 2048;

std::string_view name_of_device(std::string_view device) {
  return device.substr(0, device.find(','));
}

/// The nearest that the port takes; drivers say it as frame length, or as MTU, or both.
uint32_t mtu_within(const rte_eth_dev_info& info, uint32_t mtu) {
  constexpr uint32_t header_and_check_bytes = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
  if (info.max_rx_pktlen > header_and_check_bytes) {
    mtu = std::min(mtu, info.max_rx_pktlen - header_and_check_bytes);
  }
  if (info.max_mtu != 0) {
    mtu = std::min<uint32_t>(mtu, info.max_mtu);
  }
  return std::max<uint32_t>(mtu, info.min_mtu);
}

/// virtio counts descriptors that it could not refill, at each attempt; the packets wait outside.
bool counts_refills(std::string_view driver) {
  return driver == "net_virtio" || driver == "net_virtio_user";
}

/// What the operator can do about the usual errors of a driver.
std::string_view advice_for(int error) {
  switch (error) {
    case EPERM:
    case EACCES:
      return "; this needs root, or the capabilities that `shrike doctor` names";
    case ENOMEM:
      return "; fewer workers or descriptors, or more huge pages";
    case ENODEV:
    case ENOENT:
      return "; is it there, bound to vfio-pci where it is a PCI device, and spelled as DPDK "
             "wants?";
    default:
      return "";
  }
}

}  // namespace

uint32_t buffer_bytes_of(const PortOptions& options) noexcept {
  return std::max(smallest_buffer_bytes, options.mtu + frame_overhead_bytes);
}

uint16_t descriptors_of(const PortOptions& options) noexcept {
  return options.rx_descriptors != 0 ? options.rx_descriptors : usual_descriptors;
}

bool is_pci_address(std::string_view device) noexcept {
  return !device.empty() && std::isxdigit(static_cast<unsigned char>(device.front())) != 0 &&
         device.find(':') != std::string_view::npos && device.find(',') == std::string_view::npos;
}

std::string name_of(const PortOptions& port) {
  return port.name.empty() ? std::string(name_of_device(port.device)) : port.name;
}

Port::Port(const PortOptions& options, const PortsOptions& all)
    : options_(options),
      workers_(all.workers),
      card_bypass_(all.card_bypass),
      uses_interrupts_(all.uses_interrupts) {
  facts_.device = options.device;
  facts_.name = name_of(options);
}

Port::~Port() {
  rules_.reset();
  if (is_started_) {
    rte_eth_dev_stop(number_);
  }
  if (is_attached_) {
    rte_eth_dev_close(number_);
  }
}

bool Port::fail(Diagnostics& diagnostics, std::string_view what, int error) const {
  error = error < 0 ? -error : error;
  diagnostics.error({}, "port", "{}: {}: {}{}", facts_.name, what, rte_strerror(error),
                    advice_for(error));
  return false;
}

bool Port::attach(Diagnostics& diagnostics) {
  if (!is_pci_address(options_.device)) {
    const std::string name(name_of_device(options_.device));
    const size_t comma = options_.device.find(',');
    const std::string arguments =
        comma == std::string::npos ? std::string() : options_.device.substr(comma + 1);
    if (const int error = rte_eal_hotplug_add("vdev", name.c_str(), arguments.c_str());
        error != 0) {
      return fail(diagnostics, "the virtual device cannot be made", error);
    }
  }
  const std::string name(name_of_device(options_.device));
  if (const int error = rte_eth_dev_get_port_by_name(name.c_str(), &number_); error != 0) {
    return fail(diagnostics, "DPDK has no such port", error);
  }
  is_attached_ = true;
  kernel_drops_.adopt_new_sockets();
  if (const int error = rte_eth_dev_info_get(number_, &info_); error != 0) {
    return fail(diagnostics, "the driver does not describe it", error);
  }
  facts_.driver = info_.driver_name;
  facts_.numa_node = rte_eth_dev_socket_id(number_);
  choose_sizes();
  return true;
}

/// A virtual device has the queues that its arguments made; a network card takes one a worker.
void Port::choose_sizes() noexcept {
  const bool is_virtual = !is_pci_address(options_.device);
  uses_kernel_ring_ = std::strcmp(info_.driver_name, "net_af_packet") == 0;
  const bool has_fixed_queues = uses_kernel_ring_ ||
                                std::strcmp(info_.driver_name, "net_pcap") == 0 ||
                                std::strcmp(info_.driver_name, "net_ring") == 0;
  const auto wanted = static_cast<uint16_t>(workers_);
  facts_.queues =
      is_virtual && has_fixed_queues ? info_.max_rx_queues : std::min(wanted, info_.max_rx_queues);
  facts_.rx_descriptors = descriptors_of(options_);
  facts_.buffer_bytes = buffer_bytes_of(options_);
  if (uses_kernel_ring_) {  // its driver asks for PACKET_FANOUT_FLAG_DEFRAG, packet(7)
    facts_.unseen =
        "the kernel puts IPv4 fragments together first; those whose rest is missing do not come";
  }
}

/// Not taking VLAN tags off: the decoder wants them, and rules and records say what they are.
uint64_t Port::wanted_offloads() const noexcept {
  uint64_t wanted = RTE_ETH_RX_OFFLOAD_RSS_HASH;
  if (options_.checksum_offload) {
    wanted |= RTE_ETH_RX_OFFLOAD_CHECKSUM;
  }
  // Ticks of a clock that nobody can read say nothing, and cost a slower way of receiving.
  if (PortClocks::is_readable(number_)) {
    wanted |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
  }
  // Frames come in pieces only where one buffer does not hold the longest of them.
  if (frame_overhead_bytes + mtu_within(info_, options_.mtu) > facts_.buffer_bytes) {
    wanted |= RTE_ETH_RX_OFFLOAD_SCATTER;
  }
  return wanted;
}

bool Port::configure(Diagnostics& diagnostics) {
  conf_ = {};
  conf_.intr_conf.rxq = uses_interrupts_ ? 1 : 0;
  conf_.rxmode.offloads = wanted_offloads() & info_.rx_offload_capa;
  conf_.rxmode.mtu = mtu_within(info_, options_.mtu);
  // Some drivers want as many send queues as receive queues, though nothing is sent.
  const auto send_queues = std::min(facts_.queues, info_.max_tx_queues);
  PortRss::request(info_, facts_.queues, true, conf_);
  int error = rte_eth_dev_configure(number_, facts_.queues, send_queues, &conf_);
  if (error != 0) {
    PortRss::request(info_, facts_.queues, false, conf_);
    conf_.rxmode.offloads &= ~uint64_t{RTE_ETH_RX_OFFLOAD_RSS_HASH};
    error = rte_eth_dev_configure(number_, facts_.queues, send_queues, &conf_);
  }
  return error == 0 ||
         fail(diagnostics, fmt::format("{} queues cannot be had", facts_.queues), error);
}

bool Port::set_up_queues(const WorkerPools& pools, Diagnostics& diagnostics) {
  uint16_t send_descriptors = 64;
  rte_eth_dev_adjust_nb_rx_tx_desc(number_, &facts_.rx_descriptors, &send_descriptors);
  for (uint16_t queue = 0; queue < facts_.queues; ++queue) {
    const int error = rte_eth_rx_queue_setup(number_, queue, facts_.rx_descriptors,
                                             static_cast<unsigned>(SOCKET_ID_ANY), nullptr,
                                             pools[queue % pools.size()]);
    if (error != 0) {
      return fail(diagnostics, fmt::format("receive queue {} cannot be set up", queue), error);
    }
  }
  const auto send_queues = std::min(facts_.queues, info_.max_tx_queues);
  for (uint16_t queue = 0; queue < send_queues; ++queue) {
    const int error = rte_eth_tx_queue_setup(number_, queue, send_descriptors,
                                             static_cast<unsigned>(SOCKET_ID_ANY), nullptr);
    if (error != 0) {
      return fail(diagnostics, fmt::format("send queue {} cannot be set up", queue), error);
    }
  }
  return true;
}

bool Port::start(const WorkerPools& pools, Diagnostics& diagnostics) {
  if (!configure(diagnostics) || !set_up_queues(pools, diagnostics)) {
    return false;
  }
  if (const int error = rte_eth_dev_start(number_); error != 0) {
    return fail(diagnostics, "it does not start", error);
  }
  is_started_ = true;
  set_up_receive_modes();
  facts_.is_steered = PortRss::check(number_, info_, facts_.queues, workers_, facts_.steering);
  if (uses_interrupts_ && !check_interrupts(diagnostics)) {
    return false;
  }
  tell_mtu(diagnostics);
  probe_rules();
  wait_for_link();
  return true;
}

bool Port::check_interrupts(Diagnostics& diagnostics) const {
  for (uint16_t queue = 0; queue < facts_.queues; ++queue) {
    if (const int error = rte_eth_dev_rx_intr_enable(number_, queue); error != 0) {
      diagnostics.error({}, "port-interrupts",
                        "{}: the driver {} has no receive interrupts ({}); write idle: sleep",
                        facts_.name, facts_.driver, rte_strerror(-error));
      return false;
    }
    rte_eth_dev_rx_intr_disable(number_, queue);
  }
  return true;
}

void Port::tell_mtu(Diagnostics& diagnostics) {
  if (rte_eth_dev_get_mtu(number_, &facts_.mtu) != 0) {
    facts_.mtu = 0;
  }
  const uint32_t highest = mtu_within(info_, options_.mtu);
  if (highest < options_.mtu) {
    diagnostics.warning({}, "port-mtu",
                        "{}: the port takes an MTU of {} at most, so longer frames do not come; "
                        "write mtu: {}",
                        facts_.name, highest, highest);
  }
}

void Port::probe_rules() {
  if (!card_bypass_) {
    facts_.bypass = "not asked to, as configured";
    return;
  }
  rules_ = FlowRules::probe(number_, facts_.bypass);
}

/// Drivers without these modes receive everything anyway.
void Port::set_up_receive_modes() noexcept {
  if (options_.promiscuous) {
    rte_eth_promiscuous_enable(number_);
  }
  if (options_.multicast) {
    rte_eth_allmulticast_enable(number_);
  }
}

void Port::read_link() noexcept {
  rte_eth_link link{};
  if (rte_eth_link_get_nowait(number_, &link) == 0) {
    facts_.link_is_up = link.link_status == RTE_ETH_LINK_UP;
    facts_.link_mbps = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
  }
}

void Port::wait_for_link() noexcept {
  constexpr std::chrono::milliseconds step{50};
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.link_wait_ms);
  for (read_link(); !facts_.link_is_up && std::chrono::steady_clock::now() < end; read_link()) {
    std::this_thread::sleep_for(step);
  }
}

std::string Port::take_link_notice() {
  const bool was_up = facts_.link_is_up;
  read_link();
  if (was_up == facts_.link_is_up) {
    return {};
  }
  return fmt::format("port {}: link is {}", facts_.name, facts_.link_is_up ? "up" : "down");
}

PortTotals Port::totals() noexcept {
  rte_eth_stats stats{};
  if (rte_eth_stats_get(number_, &stats) != 0) {
    return {};
  }
  const uint64_t kernel_drops = uses_kernel_ring_ ? kernel_drops_.read() : 0;
  return {.received = stats.ipackets,
          .bytes = stats.ibytes,
          .missed = stats.imissed + kernel_drops,
          .no_buffer = counts_refills(facts_.driver) ? 0 : stats.rx_nombuf,
          .errors = stats.ierrors};
}

}  // namespace shrike::capture
