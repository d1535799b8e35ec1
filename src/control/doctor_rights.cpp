#include <fmt/format.h>

#include <cstdlib>

#include "doctor_nics.h"
#include "doctor_probes.h"

namespace shrike::doctor {

namespace {

/// Numbers of capabilities. Source: linux/capability.h.
constexpr struct {
  uint32_t number;
  Way way;
  Level level;
  const char* name;
  const char* meaning;
} rights[] = {
    {13, Way::interface, Level::problem, "CAP_NET_RAW",
     "no packet can be taken from an interface of the kernel"},
    {12, Way::interface, Level::warning, "CAP_NET_ADMIN",
     "an interface cannot be made promiscuous: only what is sent to this machine is seen"},
    {14, Way::port, Level::warning, "CAP_IPC_LOCK",
     "memory of a port is locked for DMA, and only up to the memlock limit"},
    {21, Way::port, Level::note, "CAP_SYS_ADMIN",
     "physical addresses stay hidden, which only uio and VFIO without an IOMMU need"},
};

/// What the sensor needs for all ways; DAC and others are root's and not needed.
constexpr const char* grant =
    "sudo setcap cap_net_raw,cap_net_admin,cap_ipc_lock+ep \"$(command -v shrike)\"";

void look_at_capabilities(const std::string& status, Findings& findings) {
  const uint64_t held =
      std::strtoull(value_of(status, "CapEff").value_or("0").c_str(), nullptr, 16);
  for (const auto& right : rights) {
    const bool is_held = ((held >> right.number) & 1) != 0;
    Finding finding{.topic = "capability", .subject = right.name, .way = right.way};
    finding.seen = is_held ? "held" : "not held";
    if (!is_held) {
      finding.level = right.level;
      finding.meaning = right.meaning;
      finding.mend = {right.level == Level::note
                          ? "sudo setcap cap_net_raw,cap_net_admin,cap_ipc_lock,cap_sys_admin+ep "
                            "\"$(command -v shrike)\""
                          : grant};
    }
    findings.push_back(std::move(finding));
  }
}

/// Source of the form: "Max locked memory   8388608   8388608   bytes", proc(5).
void look_at_locked_memory(const Machine& machine, const Request& request, bool may_lock,
                           Findings& findings) {
  const auto line = value_of(machine.text("/proc/self/limits").value_or(""), "Max locked memory");
  const std::vector<std::string> words = split_words(line.value_or(""));
  if (words.empty()) {
    return;
  }
  Finding finding{.topic = "memlock", .subject = {}, .way = Way::port};
  const bool is_unlimited = words[0] == "unlimited";
  const uint64_t bytes = std::strtoull(words[0].c_str(), nullptr, 10);
  finding.seen = is_unlimited ? "unlimited" : "limited to " + bytes_text(bytes);
  if (may_lock && !is_unlimited) {
    finding.seen += ", which CAP_IPC_LOCK overrides";
  } else if (!is_unlimited && bytes < request.huge_bytes_min) {
    finding.level = Level::problem;
    finding.meaning = "VFIO locks all memory that a NIC may write to, and refuses more than this";
    finding.mend = {"ulimit -l unlimited  # as root; in a systemd unit: LimitMEMLOCK=infinity",
                    grant};
  }
  findings.push_back(std::move(finding));
}

/// A group's device is root's until it is given away.
void look_at_groups(const Machine& machine, const Request& request, bool is_root,
                    Findings& findings) {
  if (is_root) {
    return;
  }
  for (const Nic& nic : find_nics(machine)) {
    if (nic.kernel_driver != "vfio-pci" || nic.iommu_group.empty() || !is_meant(request, nic)) {
      continue;
    }
    findings.push_back({.topic = "vfio-group",
                        .subject = nic.address,
                        .way = Way::port,
                        .level = Level::note,
                        .seen = "this is not root",
                        .meaning = "the device of the IOMMU group must belong to the user that "
                                   "the sensor runs as",
                        .mend = {"sudo chown \"$(id -u)\" /dev/vfio/" + nic.iommu_group}});
  }
}

}  // namespace

void probe_rights(const Machine& machine, const Request& request, Findings& findings) {
  const std::string status = machine.text("/proc/self/status").value_or("");
  constexpr uint32_t ipc_lock = 14;
  const uint64_t held =
      std::strtoull(value_of(status, "CapEff").value_or("0").c_str(), nullptr, 16);
  look_at_capabilities(status, findings);
  look_at_locked_memory(machine, request, ((held >> ipc_lock) & 1) != 0, findings);
  const std::vector<std::string> ids = split_words(value_of(status, "Uid").value_or(""));
  look_at_groups(machine, request, ids.size() > 1 && ids[1] == "0", findings);
}

}  // namespace shrike::doctor
