#include "doctor_nics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace shrike::doctor {

namespace {

/// Class 02 of PCI is networking: Ethernet, InfiniBand and others.
constexpr uint32_t class_network = 0x02;

uint32_t hexadecimal(const Machine& machine, const std::string& path) {
  const auto text = machine.text(path);
  return text ? static_cast<uint32_t>(std::strtoul(text->c_str(), nullptr, 16)) : 0;
}

/// A virtio NIC keeps its interfaces one folder further down.
std::vector<std::string> interfaces_of(const Machine& machine, const std::string& folder) {
  std::vector<std::string> names = machine.names(folder + "/net");
  for (const std::string& entry : machine.names(folder)) {
    if (entry.starts_with("virtio")) {
      const auto more = machine.names(fmt::format("{}/{}/net", folder, entry));
      names.insert(names.end(), more.begin(), more.end());
    }
  }
  return names;
}

}  // namespace

bool Nic::is_let_go() const {
  return kernel_driver == "vfio-pci" || kernel_driver == "uio_pci_generic" ||
         kernel_driver == "igb_uio";
}

std::vector<Nic> find_nics(const Machine& machine) {
  std::vector<Nic> nics;
  for (const std::string& address : machine.names("/sys/bus/pci/devices")) {
    const std::string folder = "/sys/bus/pci/devices/" + address;
    if (hexadecimal(machine, folder + "/class") >> 16 != class_network) {
      continue;
    }
    Nic nic;
    nic.address = address;
    nic.vendor = static_cast<uint16_t>(hexadecimal(machine, folder + "/vendor"));
    nic.device = static_cast<uint16_t>(hexadecimal(machine, folder + "/device"));
    nic.kernel_driver = machine.link_name(folder + "/driver");
    nic.node = static_cast<int>(machine.number(folder + "/numa_node").value_or(-1));
    nic.iommu_group = machine.link_name(folder + "/iommu_group");
    nic.interfaces = interfaces_of(machine, folder);
    nic.poll_mode = find_driver(nic.vendor, nic.device);
    nics.push_back(std::move(nic));
  }
  return nics;
}

bool is_meant(const Request& request, const Nic& nic) {
  if (!request.ports.empty()) {
    return std::ranges::find(request.ports, nic.address) != request.ports.end();
  }
  return request.interfaces.empty() && nic.poll_mode.has_value();
}

bool is_virtual(const Machine& machine) {
  const auto processors = machine.text("/proc/cpuinfo");
  const auto flags = processors ? value_of(*processors, "flags") : std::nullopt;
  return flags && (" " + *flags + " ").find(" hypervisor ") != std::string::npos;
}

bool is_unsafe_vfio_on(const Machine& machine) {
  const auto text = machine.text("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
  return text && (*text == "Y" || *text == "1");
}

}  // namespace shrike::doctor
