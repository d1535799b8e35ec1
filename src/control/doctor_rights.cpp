#include <fmt/format.h>

#include <cstdlib>

#include "doctor_nics.h"
#include "doctor_probes.h"
#include "doctor_user.h"

namespace shrike::doctor {

namespace {

struct NeededRight {
  Right right;
  Way way;
  Level level;
  const char* name;
  const char* meaning;
};

constexpr NeededRight rights[] = {
    {Right::raw_sockets, Way::interface, Level::problem, "CAP_NET_RAW",
     "no packet can be taken from an interface of the kernel"},
    {Right::administer_network, Way::interface, Level::warning, "CAP_NET_ADMIN",
     "an interface cannot be made promiscuous: only what is sent to this machine is seen"},
    {Right::lock_memory, Way::port, Level::warning, "CAP_IPC_LOCK",
     "memory of a port is locked for DMA, and only up to the memlock limit"},
};

/// What a NIC without an IOMMU asks for besides: it is given physical addresses.
constexpr NeededRight unprotected_rights[] = {
    {Right::administer_system, Way::port, Level::problem, "CAP_SYS_ADMIN",
     "physical addresses stay hidden, and a NIC without an IOMMU is given nothing else"},
    {Right::raw_io, Way::port, Level::problem, "CAP_SYS_RAWIO",
     "VFIO without an IOMMU lets nobody else in"},
};

std::string grant(bool is_unprotected) {
  return fmt::format(
      "sudo setcap cap_net_raw,cap_net_admin,cap_ipc_lock{}+ep \"$(command -v "
      "shrike)\"",
      is_unprotected ? ",cap_sys_admin,cap_sys_rawio" : "");
}

void look_at_capabilities(const User& user, bool is_unprotected, Findings& findings) {
  const auto look_at = [&](const NeededRight& row) {
    Finding finding{.topic = "capability", .subject = row.name, .way = row.way};
    finding.seen = user.has(row.right) ? "held" : "not held";
    if (!user.has(row.right)) {
      finding.level = row.level;
      finding.meaning = row.meaning;
      finding.mend = {grant(is_unprotected)};
    }
    findings.push_back(std::move(finding));
  };
  for (const auto& row : rights) {
    look_at(row);
  }
  if (is_unprotected) {
    for (const auto& row : unprotected_rights) {
      look_at(row);
    }
  }
}

/// Source of the form: "Max locked memory   8388608   8388608   bytes", proc(5).
void look_at_locked_memory(const Machine& machine, const Request& request, const User& user,
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
  if (user.has(Right::lock_memory) && !is_unlimited) {
    finding.seen += ", which CAP_IPC_LOCK overrides";
  } else if (!is_unlimited && bytes < request.huge_bytes_min) {
    finding.level = Level::problem;
    finding.meaning =
        "VFIO locks all memory that a NIC may write to, and refuses more than this; "
        "in a systemd unit write LimitMEMLOCK=infinity";
    finding.mend = {"sudo prlimit --memlock=unlimited --pid $$  # this shell, and what it starts"};
  }
  findings.push_back(std::move(finding));
}

/// The device of a group is root's until it is given away.
void look_at_groups(const Machine& machine, const Request& request, const User& user,
                    Findings& findings) {
  for (const Nic& nic : find_nics(machine)) {
    if (nic.kernel_driver != "vfio-pci" || nic.iommu_group.empty() || !is_meant(request, nic)) {
      continue;
    }
    const std::string device = "/dev/vfio/" + nic.iommu_group;
    const auto entry = look_up(machine, device);
    Finding finding{.topic = "vfio-group", .subject = nic.address, .way = Way::port};
    if (!entry) {
      finding.level = Level::problem;
      finding.seen = device + " is not there";
      finding.meaning = "no program can take the NIC; in a container, hand the device in";
    } else if (!may(user, *entry, permission_read | permission_write)) {
      finding.level = Level::problem;
      finding.seen = device + " cannot be opened";
      finding.meaning = "it must belong to the user that the sensor runs as";
      finding.mend = {"sudo chown \"$(id -un)\" " + device};
    } else {
      finding.seen = device + " can be opened";
    }
    findings.push_back(std::move(finding));
  }
}

/// VFIO then hands out groups without an IOMMU behind them.
bool is_without_iommu(const Machine& machine) {
  return machine.names("/sys/kernel/iommu_groups").empty() && is_unsafe_vfio_on(machine);
}

}  // namespace

void probe_rights(const Machine& machine, const Request& request, Findings& findings) {
  const User user = user_of(machine);
  const bool is_unprotected = is_without_iommu(machine);
  look_at_capabilities(user, is_unprotected, findings);
  look_at_locked_memory(machine, request, user, findings);
  if (!is_unprotected) {
    look_at_groups(machine, request, user, findings);
  }
}

}  // namespace shrike::doctor
