#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "doctor_nics.h"
#include "doctor_probes.h"

namespace shrike::doctor {

namespace {

/// As /proc names them, 15 letters at most; Suricata calls its process Suricata-Main.
constexpr std::array<std::string_view, 8> sensors = {
    "Suricata-Main", "suricata", "snort", "snort3", "zeek", "shrike", "testpmd", "dpdk-testpmd"};

struct Holder {
  Process process;
  std::string group;        ///< of VFIO that it holds open; empty: none
  bool has_socket = false;  ///< takes packets from the kernel
};

/// Inodes of the sockets that take packets. Source: proc(5), /proc/net/packet; the inode is last.
std::set<std::string> packet_sockets(const Machine& machine) {
  std::set<std::string> inodes;
  for (const std::string& line : split_lines(machine.text("/proc/net/packet").value_or(""))) {
    const std::vector<std::string> words = split_words(line);
    if (!words.empty() && words.back().find_first_not_of("0123456789") == std::string::npos) {
      inodes.insert(words.back());
    }
  }
  return inodes;
}

Holder holder_of(const Machine& machine, Process process, const std::set<std::string>& sockets) {
  Holder holder{std::move(process), {}, false};
  const std::string folder = "/proc/" + holder.process.id + "/fd/";
  for (const std::string& number : machine.names(folder)) {
    const std::string target = machine.link_text(folder + number);
    constexpr std::string_view vfio = "/dev/vfio/";
    constexpr std::string_view socket = "socket:[";
    if (target.starts_with(vfio) && target != "/dev/vfio/vfio") {
      holder.group = target.substr(vfio.size());
    } else if (target.starts_with(socket)) {
      const std::string inode = target.substr(socket.size(), target.size() - socket.size() - 1);
      holder.has_socket = holder.has_socket || sockets.contains(inode);
    }
  }
  return holder;
}

/// Those who hold a port: only one can.
bool tell_of_port(const Holder& holder, const std::vector<Nic>& nics, const Request& request,
                  Findings& findings) {
  for (const Nic& nic : nics) {
    if (holder.group.empty() || nic.iommu_group != holder.group) {
      continue;
    }
    findings.push_back(
        {.topic = "other-sensor",
         .subject = nic.address,
         .way = Way::port,
         .level = is_meant(request, nic) ? Level::problem : Level::note,
         .seen = fmt::format("{} (process {}) holds it", holder.process.name, holder.process.id),
         .meaning = "a port belongs to one process",
         .mend = {"sudo kill " + holder.process.id}});
    return true;
  }
  return false;
}

}  // namespace

void probe_rivals(const Machine& machine, const Request& request, Findings& findings) {
  const std::vector<Nic> nics = find_nics(machine);
  const std::set<std::string> sockets = packet_sockets(machine);
  const size_t before = findings.size();
  for (Process& process : processes(machine)) {
    const Holder holder = holder_of(machine, std::move(process), sockets);
    const bool is_sensor = std::ranges::find(sensors, holder.process.name) != sensors.end();
    if (tell_of_port(holder, nics, request, findings) || !is_sensor || !holder.has_socket) {
      continue;
    }
    findings.push_back(
        {.topic = "other-sensor",
         .subject = fmt::format("process {}", holder.process.id),
         .way = Way::interface,
         .level = Level::note,
         .seen = holder.process.name + " takes packets from an interface",
         .meaning = "both get every packet, and the cores are shared; with the same number of a "
                    "fanout group each would get a part",
         .mend = {"sudo kill " + holder.process.id}});
  }
  if (findings.size() == before) {
    findings.push_back({.topic = "other-sensor",
                        .way = Way::every,
                        .seen = "none takes packets here that can be seen",
                        .mend = {}});
  }
}

}  // namespace shrike::doctor
