#include "shrike/doctor.h"

#include <fmt/format.h>

#include <algorithm>

#include "doctor_nics.h"
#include "doctor_probes.h"

namespace shrike::doctor {

namespace {

/// In the order in which a person sets a machine up.
constexpr void (*probes[])(const Machine&, const Request&, Findings&) = {
    probe_interfaces, probe_ports, probe_rivals, probe_iommu, probe_memory,
    probe_rights,     probe_cores, probe_power,  probe_clock, probe_folders};

std::string describe(const Machine& machine) {
  const std::string release =
      machine.text("/proc/sys/kernel/osrelease").value_or("of unknown release");
  const size_t processors =
      parse_list(machine.text("/sys/devices/system/cpu/online").value_or("")).size();
  const size_t nodes =
      parse_list(machine.text("/sys/devices/system/node/online").value_or("")).size();
  return fmt::format("Linux {}, {} processor{}, {} NUMA node{}{}", release, processors,
                     processors == 1 ? "" : "s", nodes, nodes == 1 ? "" : "s",
                     is_virtual(machine) ? ", a virtual machine" : "");
}

void count_problems(Report& report) {
  for (const Finding& finding : report.findings) {
    if (finding.level == Level::problem) {
      report.interface.problems += finding.way != Way::port ? 1 : 0;
      report.port.problems += finding.way != Way::interface ? 1 : 0;
    }
  }
}

/// What is said of a way that nobody asked for is left out, where the other was asked for. Where
/// none was named, one is enough: what stands in the other is a warning.
void weigh(const Request& request, Report& report) {
  const bool is_free_choice = request.interfaces.empty() && request.ports.empty();
  const bool is_any_free = report.interface.problems == 0 || report.port.problems == 0;
  report.interface.is_wanted = is_free_choice || !request.interfaces.empty();
  report.port.is_wanted = is_free_choice || !request.ports.empty();
  const auto is_unwanted = [&](const Finding& finding) {
    return (finding.way == Way::port && !report.port.is_wanted) ||
           (finding.way == Way::interface && !report.interface.is_wanted);
  };
  std::erase_if(report.findings, is_unwanted);
  for (Finding& finding : report.findings) {
    if (finding.way != Way::every && is_free_choice && is_any_free) {
      finding.level = std::min(finding.level, Level::warning);
    }
  }
}

}  // namespace

Report examine(const Request& request) {
  const Machine machine(request.root, request.kernel);
  Report report;
  report.machine = describe(machine);
  for (const auto& probe : probes) {
    probe(machine, request, report.findings);
  }
  count_problems(report);
  weigh(request, report);
  return report;
}

bool Report::has_problems() const noexcept {
  return std::ranges::any_of(
      findings, [](const Finding& finding) { return finding.level == Level::problem; });
}

}  // namespace shrike::doctor
