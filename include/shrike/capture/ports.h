#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/base/counters.h"
#include "shrike/base/diagnostics.h"
#include "shrike/capture.h"

/// Live capture: network ports, their receive queues, and what became of every packet before a
/// worker saw it. Hides DPDK's ethdev, RSS, mbuf pools and the kernel's sockets.
namespace shrike::capture {

/// One port to receive from.
struct PortOptions {
  /// A PCI address ("0000:3b:00.0"), or a virtual device in DPDK's own words
  /// ("net_af_packet0,iface=eth0,qpairs=2", "net_memif0,socket=…", "net_pcap0,rx_pcap=…").
  std::string device;
  std::string name;             ///< EVE `in_iface`; empty: the device's
  uint16_t mtu = 1500;          ///< bytes of a frame behind its Ethernet header
  uint16_t rx_descriptors = 0;  ///< a queue; 0: what suits the port
  bool promiscuous = true;
  bool multicast = true;
  /// Lets the port check what it can and tag what it strips; the sensor works without it.
  bool checksum_offload = true;
  uint32_t link_wait_ms = 3000;  ///< how long a link may take to come up before the start
};

/// "0000:3b:00.0": a physical device; everything else is made as a virtual one.
[[nodiscard]] bool is_pci_address(std::string_view device) noexcept;
/// What a port is called: its own name, or its device's without arguments.
[[nodiscard]] std::string name_of(const PortOptions& port);

class CardRules;

struct PortsOptions {
  std::vector<PortOptions> ports;
  uint32_t workers = 1;         ///< 1 to 128; a port gets a queue for each, if it can
  uint32_t batch_packets = 64;  ///< packets a receive call gives at most
  uint32_t buffers = 0;         ///< mbufs a worker; 0: four times its queues' descriptors
  std::string bpf_filter = {};  ///< libpcap expression; empty: everything
  /// Asks each port whether it can drop single flows by itself (rte_flow).
  bool card_bypass = true;
  /// Sources can wait() for packets. A port that has no receive interrupts is then an error.
  bool uses_interrupts = false;
};

/// What a port turned out to be.
struct PortFacts {
  std::string device;
  std::string name;
  std::string driver;
  uint16_t queues = 0;
  uint16_t rx_descriptors = 0;
  uint32_t buffer_bytes = 0;
  int numa_node = -1;      ///< -1: not told
  uint32_t link_mbps = 0;  ///< 0: not told
  uint16_t mtu = 0;        ///< longer frames do not come; 0: the driver knows none
  std::string clock;       ///< in words: whose time packets have
  std::string bypass;      ///< in words: whether the card drops flows that are bypassed
  std::string unseen;      ///< in words: what arrives but is not handed on, and not counted either
  bool link_is_up = false;
  /// The port sends all that two hosts say to each other to the queue of the worker that owns them
  /// (model/owner.h): key, hash types and redirection table were read back, and known tuples give
  /// the right queues. Else the workers hand packets over to each other.
  bool is_steered = false;
  std::string steering;  ///< in words: what was found
};

/// What the port and the kernel say they saw and lost. Numbers of packets since the start.
struct PortTotals {
  uint64_t received = 0;  ///< handed to the workers' queues
  uint64_t bytes = 0;
  uint64_t missed = 0;     ///< the queue was full (NIC or kernel ring)
  uint64_t no_buffer = 0;  ///< no mbuf was free
  uint64_t errors = 0;     ///< the port refused them: checksum of the frame, length …
};

/// The packet buffers of one worker.
struct PoolUse {
  uint32_t buffers = 0;
  uint32_t in_use = 0;  ///< those that wait in the port's descriptors, too
};

/// Open ports, started. Workers poll their own source; everything else is for one cold thread.
class Ports {
 public:
  virtual ~Ports() = default;
  /// What worker `index` polls: its queue of every port. Not finished until close. Counters are
  /// the worker's own.
  [[nodiscard]] virtual PacketSource& source(uint32_t index) noexcept = 0;
  /// Called by each worker's thread before its first receive and after its last.
  virtual void enter_thread() noexcept = 0;
  virtual void leave_thread() noexcept = 0;
  [[nodiscard]] virtual const std::vector<PortFacts>& facts() const noexcept = 0;
  /// Every port is steered, so no packet should have to be handed over.
  [[nodiscard]] virtual bool are_steered() const noexcept = 0;
  /// Asks the drivers and the kernel. Also notices links that went down or up.
  /// @return one for each port.
  virtual std::vector<PortTotals> totals() = 0;
  /// One for each worker.
  [[nodiscard]] virtual std::vector<PoolUse> pools() const = 0;
  /// Ports that drop flows by themselves; empty: none can. For the house-keeping thread, as long
  /// as the ports are open.
  [[nodiscard]] virtual std::vector<CardRules*> card_rules() = 0;
  /// Links that changed since the last call and clocks that were set, as lines for the operator.
  /// Also keeps the packets' clocks true to the system's: call it several times a second.
  virtual std::vector<std::string> take_notices() = 0;
};

/// Bytes of mbufs that these ports will want, for PacketMemoryOptions::extra_bytes.
[[nodiscard]] uint64_t buffer_bytes_for(const PortsOptions& options) noexcept;

/// Attaches, configures and starts the ports. Every fault is an error in `diagnostics` with what to
/// do about it, and gives nothing. REQUIRES: start_packet_memory() gave true.
std::unique_ptr<Ports> open_ports(const PortsOptions& options, Diagnostics& diagnostics);

}  // namespace shrike::capture
