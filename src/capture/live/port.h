#pragma once
#include <rte_ethdev.h>

#include <memory>
#include <string>
#include <vector>

#include "kernel_drops.h"
#include "shrike/capture/card_rules.h"
#include "shrike/capture/ports.h"

struct rte_mempool;

namespace shrike::capture {

/// mbufs of one worker, for its queues.
using WorkerPools = std::vector<rte_mempool*>;

/// One DPDK port, from attaching to closing. Cold: workers poll its queues by number.
class Port {
 public:
  Port(const PortOptions& options, const PortsOptions& all);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  /// Finds the device, and what it offers. @return false with an error in `diagnostics`.
  bool attach(Diagnostics& diagnostics);
  /// Sets queues up and starts. REQUIRES: attach() gave true.
  bool start(const WorkerPools& pools, Diagnostics& diagnostics);

  [[nodiscard]] uint16_t number() const noexcept { return number_; }
  [[nodiscard]] const PortFacts& facts() const noexcept { return facts_; }
  [[nodiscard]] PortTotals totals() noexcept;
  /// It was asked to stamp packets with its own clock, which can be read.
  [[nodiscard]] bool stamps_packets() const noexcept {
    return (conf_.rxmode.offloads & RTE_ETH_RX_OFFLOAD_TIMESTAMP) != 0;
  }
  /// It was asked to look at the checksums of TCP and UDP, and took it on.
  [[nodiscard]] bool checks_sums() const noexcept {
    constexpr uint64_t both = RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
    return (conf_.rxmode.offloads & both) == both;
  }
  void tell_clock(std::string words) { facts_.clock = std::move(words); }
  /// Null where it drops no flows by itself. Valid as long as this.
  [[nodiscard]] CardRules* card_rules() noexcept { return rules_.get(); }
  /// A line for the operator where the link went down or up since the last call.
  [[nodiscard]] std::string take_link_notice();

 private:
  bool fail(Diagnostics& diagnostics, std::string_view what, int error) const;
  void choose_sizes() noexcept;
  [[nodiscard]] uint64_t wanted_offloads() const noexcept;
  bool configure(Diagnostics& diagnostics);
  bool set_up_queues(const WorkerPools& pools, Diagnostics& diagnostics);
  void set_up_receive_modes() noexcept;
  void tell_mtu(Diagnostics& diagnostics);
  bool check_interrupts(Diagnostics& diagnostics) const;
  void probe_rules();
  void wait_for_link() noexcept;
  void read_link() noexcept;

  const PortOptions options_;
  const uint32_t workers_;
  const bool card_bypass_;
  const bool uses_interrupts_;
  KernelDrops kernel_drops_;
  uint16_t number_ = RTE_MAX_ETHPORTS;
  bool is_attached_ = false;
  bool is_started_ = false;
  bool uses_kernel_ring_ = false;
  rte_eth_dev_info info_{};
  rte_eth_conf conf_{};
  PortFacts facts_;
  std::unique_ptr<CardRules> rules_;
};

/// Data room of the mbufs that a frame of this size fits in whole, Ethernet header, tags and
/// headroom left out.
[[nodiscard]] uint32_t buffer_bytes_of(const PortOptions& options) noexcept;
/// Receive descriptors of a queue, before the port's own limits.
[[nodiscard]] uint16_t descriptors_of(const PortOptions& options) noexcept;

}  // namespace shrike::capture
