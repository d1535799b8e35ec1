#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace shrike::doctor {

/// How a NIC comes to its poll-mode driver.
enum class Binding : uint8_t {
  user,    ///< the kernel lets go of it: bound to vfio-pci (or uio_pci_generic)
  kernel,  ///< the kernel's driver stays beside DPDK's (Mellanox)
};

struct PollModeDriver {
  std::string_view name;  ///< as DPDK calls it: "net_ixgbe"; static
  Binding binding = Binding::user;
};

/// The driver of DPDK 22.11 for a PCI device, if it has one.
[[nodiscard]] std::optional<PollModeDriver> find_driver(uint16_t vendor, uint16_t device) noexcept;

}  // namespace shrike::doctor
