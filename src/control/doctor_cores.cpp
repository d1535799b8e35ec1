#include <fmt/format.h>

#include <algorithm>

#include "doctor_nics.h"
#include "doctor_probes.h"

namespace shrike::doctor {

namespace {

constexpr std::string_view processors_folder = "/sys/devices/system/cpu";

std::vector<uint32_t> list_in(const Machine& machine, std::string_view name) {
  return parse_list(machine.text(fmt::format("{}/{}", processors_folder, name)).value_or(""));
}

/// The threads that share a core with `processor`, itself among them.
std::vector<uint32_t> siblings_of(const Machine& machine, uint32_t processor) {
  auto siblings = parse_list(
      machine
          .text(fmt::format("{}/cpu{}/topology/thread_siblings_list", processors_folder, processor))
          .value_or(""));
  if (siblings.empty()) {
    siblings.push_back(processor);
  }
  return siblings;
}

std::vector<uint32_t> without(const std::vector<uint32_t>& all,
                              const std::vector<uint32_t>& left_out) {
  std::vector<uint32_t> rest;
  std::ranges::set_difference(all, left_out, std::back_inserter(rest));
  return rest;
}

/// The value of "key=" on the kernel's command line; flags before the list (isolcpus=domain,2-3)
/// are left out. Source: Linux, admin-guide/kernel-parameters.
std::vector<uint32_t> boot_list(const Machine& machine, std::string_view key) {
  for (const std::string& word : split_words(machine.text("/proc/cmdline").value_or(""))) {
    if (word.starts_with(key) && word.size() > key.size() && word[key.size()] == '=') {
      const size_t digit = word.find_first_of("0123456789", key.size());
      return digit == std::string::npos ? std::vector<uint32_t>{} : parse_list(&word[digit]);
    }
  }
  return {};
}

void look_at_isolation(const Machine& machine, Findings& findings) {
  const std::vector<uint32_t> online = list_in(machine, "online");
  Finding finding{.topic = "isolated-cores", .subject = {}, .way = Way::every};
  if (online.size() < 2) {
    finding.level = Level::note;
    finding.seen = "this machine has one processor";
    finding.meaning = "the sensor shares it with everything else; give it two at least";
    findings.push_back(std::move(finding));
    return;
  }
  const std::vector<uint32_t> isolated = list_in(machine, "isolated");
  const std::vector<uint32_t> tickless = boot_list(machine, "nohz_full");
  const std::vector<uint32_t> quiet = boot_list(machine, "rcu_nocbs");
  finding.seen = fmt::format("isolcpus {}, nohz_full {}, rcu_nocbs {}, of processors {}",
                             isolated.empty() ? "none" : list_text(isolated),
                             tickless.empty() ? "none" : list_text(tickless),
                             quiet.empty() ? "none" : list_text(quiet), list_text(online));
  // Processors without ticks are without callbacks of RCU as well: Linux, nohz_full.
  const std::vector<uint32_t> wanted =
      isolated.empty() ? without(online, siblings_of(machine, online.front())) : isolated;
  std::string missing;
  for (const auto& [key, is_missing] : {std::pair{"isolcpus", isolated.empty()},
                                        {"nohz_full", !without(wanted, tickless).empty()},
                                        {"rcu_nocbs", quiet.empty() && tickless.empty()}}) {
    missing += is_missing ? fmt::format("{}={} ", key, list_text(wanted)) : "";
  }
  if (!missing.empty()) {
    finding.level = Level::note;
    finding.meaning =
        "the kernel may run other programs and its own ticks on the workers' cores: "
        "each takes the core for microseconds, and at full rate packets wait in "
        "the ring meanwhile";
  }
  if (!missing.empty() && !wanted.empty()) {
    finding.mend.push_back(fmt::format(
        "sudo sed -i 's/^GRUB_CMDLINE_LINUX=\"/&{}/' /etc/default/grub && sudo update-grub && "
        "sudo reboot",
        missing));
  }
  findings.push_back(std::move(finding));
}

/// Memory of another node is twice as far away.
void look_at_nodes(const Machine& machine, const Request& request, Findings& findings) {
  const std::vector<uint32_t> isolated = list_in(machine, "isolated");
  for (const Nic& nic : find_nics(machine)) {
    if (nic.node < 0 || isolated.empty() || !is_meant(request, nic)) {
      continue;
    }
    const std::string file = fmt::format("/sys/devices/system/node/node{}/cpulist", nic.node);
    const std::vector<uint32_t> near = parse_list(machine.text(file).value_or(""));
    if (near.empty() || without(isolated, near).size() < isolated.size()) {
      continue;
    }
    findings.push_back(
        {.topic = "near-cores",
         .subject = nic.address,
         .way = Way::port,
         .level = Level::warning,
         .seen = fmt::format("it is at node {} with processors {}, and none of them is isolated",
                             nic.node, list_text(near)),
         .meaning = "workers on another node fetch every packet from far away",
         .mend = {fmt::format("sudo sed -i -E 's/(isolcpus|nohz_full|rcu_nocbs)=[0-9,-]+/\\1={}/g' "
                              "/etc/default/grub && sudo update-grub && sudo reboot",
                              list_text(near))}});
  }
}

void look_at_siblings(const Machine& machine, Findings& findings) {
  const std::vector<uint32_t> online = list_in(machine, "online");
  std::vector<uint32_t> first_threads;
  for (const uint32_t processor : online) {
    if (siblings_of(machine, processor).front() == processor) {
      first_threads.push_back(processor);
    }
  }
  Finding finding{.topic = "sibling-threads", .subject = {}, .way = Way::every};
  finding.seen = fmt::format("{} processors on {} cores", online.size(), first_threads.size());
  if (first_threads.size() < online.size()) {
    finding.level = Level::note;
    finding.meaning =
        "two workers on one core share its caches and units; one thread of each core "
        "is enough: " +
        list_text(first_threads);
  }
  findings.push_back(std::move(finding));
}

void look_at_irqbalance(const Machine& machine, Findings& findings) {
  const std::vector<Process> all = processes(machine);
  const bool runs = std::ranges::find(all, "irqbalance", &Process::name) != all.end();
  Finding finding{.topic = "irqbalance", .subject = {}, .way = Way::every};
  finding.seen = runs ? "runs" : "does not run";
  if (runs) {
    const std::vector<uint32_t> isolated = list_in(machine, "isolated");
    finding.level = isolated.empty() ? Level::warning : Level::note;
    finding.meaning = isolated.empty()
                          ? "it moves interrupts onto the cores of the workers"
                          : "it keeps off isolated cores since 1.8; nothing else needs it here";
    finding.mend = {"sudo systemctl disable --now irqbalance"};
  }
  findings.push_back(std::move(finding));
}

}  // namespace

void probe_cores(const Machine& machine, const Request& request, Findings& findings) {
  look_at_isolation(machine, findings);
  look_at_nodes(machine, request, findings);
  look_at_siblings(machine, findings);
  look_at_irqbalance(machine, findings);
}

}  // namespace shrike::doctor
