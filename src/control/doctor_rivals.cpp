#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "doctor_nics.h"
#include "doctor_probes.h"

namespace shrike::doctor {

namespace {

/// As /proc names them, 15 letters at most; Suricata calls its process Suricata-Main.
constexpr std::array<std::string_view, 8> sensors = {
    "Suricata-Main", "suricata", "snort", "snort3", "zeek", "shrike", "testpmd", "dpdk-testpmd"};

struct Holder {
  Process process;
  std::string group;      ///< of VFIO that it holds open; empty: none
  std::string interface;  ///< index of that from which it takes packets, "0" for all; empty: none
};

/// Index of the interface by inode of the socket that takes its packets. Source: Linux,
/// net/packet/af_packet.c: sk RefCnt Type Proto Iface R Rmem User Inode.
std::map<std::string, std::string> packet_sockets(const Machine& machine) {
  std::map<std::string, std::string> interface_by_inode;
  for (const std::string& line : split_lines(machine.text("/proc/net/packet").value_or(""))) {
    const std::vector<std::string> words = split_words(line);
    if (words.size() == 9 && words[8].find_first_not_of("0123456789") == std::string::npos) {
      interface_by_inode[words[8]] = words[4];
    }
  }
  return interface_by_inode;
}

Holder holder_of(const Machine& machine, Process process,
                 const std::map<std::string, std::string>& sockets) {
  Holder holder{std::move(process), {}, {}};
  const std::string folder = "/proc/" + holder.process.id + "/fd/";
  for (const std::string& number : machine.names(folder)) {
    const std::string target = machine.link_text(folder + number);
    constexpr std::string_view vfio = "/dev/vfio/";
    constexpr std::string_view socket = "socket:[";
    if (target.starts_with(vfio) && target != "/dev/vfio/vfio") {
      holder.group = target.substr(vfio.size());
    } else if (target.starts_with(socket)) {
      const auto row =
          sockets.find(target.substr(socket.size(), target.size() - socket.size() - 1));
      holder.interface = row == sockets.end() ? holder.interface : row->second;
    }
  }
  return holder;
}

/// Whether the interface with this index is one that was asked for; nothing asked for: all are.
bool is_asked(const Machine& machine, const Request& request, const std::string& index) {
  const auto has_index = [&](const std::string& interface) {
    return machine.text("/sys/class/net/" + interface + "/ifindex").value_or("") == index;
  };
  return index == "0" || request.interfaces.empty() ||
         std::ranges::any_of(request.interfaces, has_index);
}

/// A service that is only killed comes back. Source: cgroups(7), "0::/system.slice/x.service".
std::string stop_command(const Machine& machine, const Process& process) {
  const std::string group =
      std::filesystem::path(machine.text("/proc/" + process.id + "/cgroup").value_or(""))
          .filename()
          .string();
  return group.ends_with(".service") ? "sudo systemctl stop " + group : "sudo kill " + process.id;
}

const Nic* held_nic(const Holder& holder, const std::vector<Nic>& nics) {
  const auto nic = std::ranges::find(nics, holder.group, &Nic::iommu_group);
  return holder.group.empty() || nic == nics.end() ? nullptr : &*nic;
}

}  // namespace

void probe_rivals(const Machine& machine, const Request& request, Findings& findings) {
  const std::vector<Nic> nics = find_nics(machine);
  const auto sockets = packet_sockets(machine);
  const size_t before = findings.size();
  for (Process& process : processes(machine)) {
    const Holder holder = holder_of(machine, std::move(process), sockets);
    const std::string stop = stop_command(machine, holder.process);
    const std::string name = fmt::format("{} (process {})", holder.process.name, holder.process.id);
    const Nic* const nic = held_nic(holder, nics);
    if (nic != nullptr && is_meant(request, *nic)) {
      findings.push_back({.topic = "other-sensor",
                          .subject = nic->address,
                          .way = Way::port,
                          .level = Level::problem,
                          .seen = name + " holds it",
                          .meaning = "a port belongs to one process",
                          .mend = {stop}});
    }
    const bool is_sensor = std::ranges::find(sensors, holder.process.name) != sensors.end();
    if (is_sensor && !holder.interface.empty() && is_asked(machine, request, holder.interface)) {
      findings.push_back({.topic = "other-sensor",
                          .way = Way::interface,
                          .level = Level::note,
                          .seen = name + " takes packets from an interface",
                          .meaning =
                              "both get every packet, and they share the cores; if it is the "
                              "one that this sensor replaces, stop it",
                          .mend = {stop}});
    }
  }
  if (findings.size() == before) {
    findings.push_back({.topic = "other-sensor",
                        .way = Way::every,
                        .seen = "none takes packets here that can be seen",
                        .mend = {}});
  }
}

}  // namespace shrike::doctor
