#include <fmt/format.h>

#include <algorithm>

#include "doctor_nics.h"
#include "doctor_probes.h"

namespace shrike::doctor {

namespace {

/// Bridges share groups with what is behind them, and stay with the kernel. Class 06 of PCI.
bool is_bridge(const Machine& machine, const std::string& address) {
  return machine.text("/sys/bus/pci/devices/" + address + "/class")
      .value_or("")
      .starts_with("0x06");
}

/// "eth1 (up, 10000 Mbit/s)"
std::string link_text(const Machine& machine, const std::string& interface) {
  const std::string folder = "/sys/class/net/" + interface;
  const std::string state = machine.text(folder + "/operstate").value_or("unknown");
  const int64_t speed = machine.number(folder + "/speed").value_or(-1);
  return speed > 0 ? fmt::format("{} ({}, {} Mbit/s)", interface, state, speed)
                   : fmt::format("{} ({})", interface, state);
}

/// Whoever takes this interface cuts the way by which he may have come. Source: proc(5), route.
bool has_default_route(const Machine& machine, const std::string& interface) {
  for (const std::string& line : split_lines(machine.text("/proc/net/route").value_or(""))) {
    const std::vector<std::string> words = split_words(line);
    if (words.size() > 2 && words[0] == interface && words[1] == "00000000") {
      return true;
    }
  }
  return false;
}

std::string seen_text(const Machine& machine, const Nic& nic) {
  std::string text = fmt::format("{:04x}:{:04x}", nic.vendor, nic.device);
  text += nic.poll_mode ? fmt::format(", DPDK drives it ({})", nic.poll_mode->name)
                        : ", DPDK 22.11 has no driver for it";
  text += nic.kernel_driver.empty() ? ", bound to nothing" : ", bound to " + nic.kernel_driver;
  if (nic.node >= 0) {
    text += fmt::format(", node {}", nic.node);
  }
  if (!nic.iommu_group.empty()) {
    text += ", IOMMU group " + nic.iommu_group;
  }
  for (const std::string& interface : nic.interfaces) {
    text += ", " + link_text(machine, interface);
  }
  return text;
}

std::string bind_command(const std::string& address) {
  return "sudo dpdk-devbind.py --bind=vfio-pci " + address;
}

/// Others of the group must be let go of as well: VFIO hands out whole groups.
std::vector<std::string> group_neighbours(const Machine& machine, const Nic& nic) {
  std::vector<std::string> neighbours;
  if (nic.iommu_group.empty()) {
    return neighbours;
  }
  const std::string folder = "/sys/kernel/iommu_groups/" + nic.iommu_group + "/devices";
  for (const std::string& address : machine.names(folder)) {
    const std::string driver = machine.link_name("/sys/bus/pci/devices/" + address + "/driver");
    if (address != nic.address && !is_bridge(machine, address) && !driver.empty() &&
        driver != "vfio-pci") {
      neighbours.push_back(address);
    }
  }
  return neighbours;
}

void judge_shared(const Machine& machine, const Nic& nic, Finding& finding) {
  for (const char* module :
       {"ib_uverbs", nic.poll_mode->name == "net_mlx4" ? "mlx4_ib" : "mlx5_ib"}) {
    if (!has_module(machine, module)) {
      finding.level = Level::problem;
      finding.meaning =
          "its driver of DPDK works beside the kernel's, through RDMA, whose modules "
          "are not loaded";
      finding.mend.push_back(fmt::format("sudo modprobe {}", module));
    }
  }
}

void judge_let_go(const Machine& machine, const Nic& nic, Finding& finding) {
  const std::vector<std::string> neighbours = group_neighbours(machine, nic);
  if (neighbours.empty() || nic.kernel_driver != "vfio-pci") {
    return;
  }
  finding.level = Level::problem;
  finding.meaning =
      "VFIO hands out whole IOMMU groups, and others of this one are still the "
      "kernel's";
  for (const std::string& neighbour : neighbours) {
    finding.mend.push_back(bind_command(neighbour));
  }
}

void judge_kept(const Machine& machine, const Nic& nic, Finding& finding) {
  finding.level = Level::problem;
  for (const std::string& interface : nic.interfaces) {
    if (has_default_route(machine, interface)) {
      finding.meaning = fmt::format(
          "{0} holds the default route: to take it would cut this machine off; let DPDK have "
          "another NIC, or listen with -i {0}",
          interface);
      return;
    }
  }
  finding.meaning =
      "the kernel has it; DPDK can drive it after it is bound to vfio-pci "
      "(dpdk-devbind.py is in the package dpdk)";
  for (const std::string& interface : nic.interfaces) {
    finding.mend.push_back("sudo ip link set " + interface + " down");
  }
  finding.mend.emplace_back("sudo modprobe vfio-pci");
  finding.mend.push_back(bind_command(nic.address));
}

Finding judge(const Machine& machine, const Nic& nic) {
  Finding finding{.topic = "port", .subject = nic.address, .way = Way::port};
  finding.seen = seen_text(machine, nic);
  if (!nic.poll_mode) {
    finding.level = Level::problem;
    finding.meaning = nic.interfaces.empty()
                          ? "it cannot be a port"
                          : "it cannot be a port; listen with -i " + nic.interfaces[0];
  } else if (nic.poll_mode->binding == Binding::kernel) {
    judge_shared(machine, nic, finding);
  } else if (nic.is_let_go()) {
    judge_let_go(machine, nic, finding);
  } else {
    judge_kept(machine, nic, finding);
  }
  return finding;
}

void judge_wanted(const Request& request, const std::vector<Nic>& nics, Findings& findings) {
  for (const std::string& address : request.ports) {
    if (std::ranges::find(nics, address, &Nic::address) == nics.end()) {
      findings.push_back({.topic = "port",
                          .subject = address,
                          .way = Way::port,
                          .level = Level::problem,
                          .seen = "there is no NIC at this PCI address",
                          .meaning = "write it as lspci -D does: 0000:03:00.0",
                          .mend = {"lspci -D | grep -i net"}});
    }
  }
}

}  // namespace

void probe_ports(const Machine& machine, const Request& request, Findings& findings) {
  const std::vector<Nic> nics = find_nics(machine);
  Findings ports;
  for (const Nic& nic : nics) {
    ports.push_back(judge(machine, nic));
  }
  const bool is_any_ready =
      std::ranges::any_of(ports, [](const Finding& port) { return port.level < Level::problem; });
  for (size_t at = 0; at < ports.size(); ++at) {
    // Where none was named, one that is ready is enough.
    const bool is_asked = request.ports.empty() ? !is_any_ready : is_meant(request, nics[at]);
    if (!is_asked && ports[at].level == Level::problem) {
      ports[at].level = Level::note;
    }
    findings.push_back(std::move(ports[at]));
  }
  if (nics.empty() && request.ports.empty()) {
    findings.push_back({.topic = "port",
                        .way = Way::port,
                        .level = Level::problem,
                        .seen = "no NIC on the PCI bus",
                        .meaning = "there is nothing that DPDK could drive itself; listen with -i",
                        .mend = {}});
  }
  judge_wanted(request, nics, findings);
}

}  // namespace shrike::doctor
