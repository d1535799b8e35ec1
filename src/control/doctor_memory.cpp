#include <fmt/format.h>

#include <algorithm>

#include "doctor_nics.h"
#include "doctor_probes.h"

namespace shrike::doctor {

namespace {

struct Pages {
  uint64_t page_bytes = 0;
  uint64_t total = 0;
  uint64_t free = 0;
};

/// "hugepages-2048kB" holds nr_hugepages and free_hugepages.
std::vector<Pages> pages_in(const Machine& machine, const std::string& folder) {
  std::vector<Pages> sizes;
  for (const std::string& name : machine.names(folder)) {
    constexpr std::string_view prefix = "hugepages-";
    if (!name.starts_with(prefix)) {
      continue;
    }
    const auto file = [&](const char* what) {
      return static_cast<uint64_t>(std::max<int64_t>(
          0, machine.number(fmt::format("{}/{}{}", folder, name, what)).value_or(0)));
    };
    const uint64_t kib = std::strtoull(name.c_str() + prefix.size(), nullptr, 10);
    sizes.push_back({kib * 1024, file("/nr_hugepages"), file("/free_hugepages")});
  }
  std::ranges::sort(sizes, {}, &Pages::page_bytes);
  return sizes;
}

std::string pages_text(const std::vector<Pages>& sizes) {
  std::string text;
  for (const Pages& pages : sizes) {
    text += fmt::format("{}{} of {} pages of {} free", text.empty() ? "" : ", ", pages.free,
                        pages.total, bytes_text(pages.page_bytes));
  }
  return text;
}

/// Pages of 2 MiB can be had at any time; those of 1 GiB often only while the machine starts.
std::string reserve_command(const std::vector<Pages>& sizes, const std::string& folder,
                            uint64_t bytes_min) {
  const Pages& smallest = sizes.front();
  const uint64_t missing_bytes =
      bytes_min - std::min(bytes_min, smallest.free * smallest.page_bytes);
  const uint64_t missing = (missing_bytes + smallest.page_bytes - 1) / smallest.page_bytes;
  return fmt::format("echo {} | sudo tee {}/hugepages-{}kB/nr_hugepages", smallest.total + missing,
                     folder, smallest.page_bytes / 1024);
}

/// A node without a port needs no pages of its own.
void look_at_node(const Machine& machine, const Request& request, const std::string& node,
                  bool has_port, Findings& findings) {
  const std::string folder = "/sys/devices/system/node/" + node + "/hugepages";
  const std::vector<Pages> sizes = pages_in(machine, folder);
  Finding finding{.topic = "huge-pages", .subject = "node " + node.substr(4), .way = Way::port};
  if (sizes.empty()) {
    finding.level = has_port ? Level::problem : Level::note;
    finding.seen = "this kernel has no huge pages";
    finding.meaning = "DPDK keeps packets in huge pages; -i works without";
    findings.push_back(std::move(finding));
    return;
  }
  uint64_t free_bytes = 0;
  for (const Pages& pages : sizes) {
    free_bytes += pages.free * pages.page_bytes;
  }
  finding.seen = pages_text(sizes);
  if (has_port && free_bytes < request.huge_bytes_min) {
    finding.level = free_bytes == 0 ? Level::problem : Level::warning;
    finding.meaning = fmt::format(
        "{} are free and {} are wanted here: DPDK keeps the packets of a port in huge pages of its "
        "node; to keep them over a restart, write vm.nr_hugepages into /etc/sysctl.d/shrike.conf",
        bytes_text(free_bytes), bytes_text(request.huge_bytes_min));
    finding.mend.push_back(reserve_command(sizes, folder, request.huge_bytes_min));
  }
  findings.push_back(std::move(finding));
}

/// Source of the form of lines: fstab(5).
void look_at_mounts(const Machine& machine, Findings& findings) {
  Finding finding{.topic = "hugetlbfs", .subject = {}, .way = Way::port};
  for (const std::string& line : split_lines(machine.text("/proc/mounts").value_or(""))) {
    const std::vector<std::string> words = split_words(line);
    if (words.size() >= 4 && words[2] == "hugetlbfs") {
      finding.seen += (finding.seen.empty() ? "mounted at " : ", ") + words[1];
    }
  }
  if (finding.seen.empty()) {
    finding.level = Level::note;
    finding.seen = "not mounted";
    finding.meaning =
        "the sensor maps its pages without (--in-memory); a second process that looks into it, as "
        "dpdk-dumpcap does, needs it";
    finding.mend = {"sudo mkdir -p /dev/hugepages",
                    "sudo mount -t hugetlbfs hugetlbfs /dev/hugepages"};
  }
  findings.push_back(std::move(finding));
}

}  // namespace

void probe_memory(const Machine& machine, const Request& request, Findings& findings) {
  const std::vector<Nic> nics = find_nics(machine);
  std::vector<std::string> nodes;
  for (const std::string& name : machine.names("/sys/devices/system/node")) {
    if (name.starts_with("node") && name.size() > 4 &&
        name.find_first_not_of("0123456789", 4) == std::string::npos) {
      nodes.push_back(name);
    }
  }
  // Ports that do not say where they are get their memory from the first node.
  const auto is_home = [&](const std::string& node, const Nic& nic) {
    const int number = static_cast<int>(std::strtol(node.c_str() + 4, nullptr, 10));
    return is_meant(request, nic) && (nic.node == number || (nic.node < 0 && node == nodes[0]));
  };
  for (const std::string& node : nodes) {
    const bool has_port =
        std::ranges::any_of(nics, [&](const Nic& nic) { return is_home(node, nic); });
    look_at_node(machine, request, node, has_port, findings);
  }
  if (nodes.empty()) {
    findings.push_back({.topic = "huge-pages",
                        .way = Way::port,
                        .level = Level::note,
                        .seen = "/sys/devices/system/node is not there",
                        .meaning = "what huge pages there are cannot be said",
                        .mend = {}});
  }
  look_at_mounts(machine, findings);
}

}  // namespace shrike::doctor
