#pragma once
#include <optional>
#include <string>
#include <vector>

#include "doctor_drivers.h"
#include "doctor_machine.h"

namespace shrike::doctor {

/// A network card on the PCI bus.
struct Nic {
  std::string address;  ///< "0000:03:00.0"
  uint16_t vendor = 0;
  uint16_t device = 0;
  std::string kernel_driver;            ///< what it is bound to; empty: nothing
  int node = -1;                        ///< NUMA node; -1: the machine has none or does not say
  std::string iommu_group;              ///< empty: none
  std::vector<std::string> interfaces;  ///< the kernel's names for it
  std::optional<PollModeDriver> poll_mode;

  /// Bound to what lets a program drive it.
  [[nodiscard]] bool is_let_go() const;
};

/// All NICs, by address.
[[nodiscard]] std::vector<Nic> find_nics(const Machine& machine);

/// Whether a NIC counts for this request: named, or nothing was named.
[[nodiscard]] bool is_meant(const Request& request, const Nic& nic);

/// Whether the machine is a guest of another.
[[nodiscard]] bool is_virtual(const Machine& machine);

/// Whether VFIO hands NICs out without an IOMMU, too.
[[nodiscard]] bool is_unsafe_vfio_on(const Machine& machine);

}  // namespace shrike::doctor
