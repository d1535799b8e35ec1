#include <fmt/format.h>

#include <map>

#include "doctor_probes.h"

namespace shrike::doctor {

namespace {

/// A core that wakes later than this has lost a full ring of 512 at 10 Gbit/s of small packets.
constexpr int64_t wake_up_us_max = 30;

const std::string processors_folder = "/sys/devices/system/cpu";

std::vector<std::string> numbered(const Machine& machine, const std::string& folder,
                                  std::string_view prefix) {
  std::vector<std::string> found;
  for (const std::string& name : machine.names(folder)) {
    if (name.starts_with(prefix) && name.size() > prefix.size() &&
        name.find_first_not_of("0123456789", prefix.size()) == std::string::npos) {
      found.push_back(name);
    }
  }
  return found;
}

void look_at_governor(const Machine& machine, Findings& findings) {
  std::map<std::string, size_t> processors_by_governor;
  for (const std::string& processor : numbered(machine, processors_folder, "cpu")) {
    const std::string file =
        fmt::format("{}/{}/cpufreq/scaling_governor", processors_folder, processor);
    if (const auto governor = machine.text(file)) {
      ++processors_by_governor[*governor];
    }
  }
  Finding finding{.topic = "governor", .subject = {}, .way = Way::every};
  for (const auto& [governor, count] : processors_by_governor) {
    finding.seen += fmt::format("{}{} ({} processor{})", finding.seen.empty() ? "" : ", ", governor,
                                count, count == 1 ? "" : "s");
    if (governor != "performance") {
      finding.level = Level::warning;
    }
  }
  if (finding.seen.empty()) {
    finding.seen = "the kernel does not govern clock rates here";
  }
  if (finding.level == Level::warning) {
    finding.meaning = "cores slow down between bursts and are late when the next one comes";
    finding.mend = {"echo performance | sudo tee " + processors_folder +
                    "/cpu*/cpufreq/scaling_governor"};
  }
  findings.push_back(std::move(finding));
}

void look_at_sleep(const Machine& machine, Findings& findings) {
  Finding finding{.topic = "sleep-states", .subject = {}, .way = Way::every};
  const std::string folder = processors_folder + "/cpu0/cpuidle";
  for (const std::string& state : numbered(machine, folder, "state")) {
    const std::string place = fmt::format("{}/{}", folder, state);
    const int64_t latency_us = machine.number(place + "/latency").value_or(0);
    const bool is_off = machine.number(place + "/disable").value_or(0) != 0;
    finding.seen += fmt::format("{}{} {} us{}", finding.seen.empty() ? "" : ", ",
                                machine.text(place + "/name").value_or(state), latency_us,
                                is_off ? " (off)" : "");
    if (latency_us > wake_up_us_max && !is_off) {
      finding.level = Level::note;
      finding.mend.push_back(
          fmt::format("echo 1 | sudo tee {}/cpu*/cpuidle/{}/disable", processors_folder, state));
    }
  }
  if (finding.seen.empty()) {
    finding.seen = "none that the kernel knows";
  }
  if (finding.level != Level::ok) {
    finding.meaning =
        "a worker that polls never sleeps; one that waits for interrupts wakes up "
        "this late from the deep states";
  }
  findings.push_back(std::move(finding));
}

}  // namespace

void probe_power(const Machine& machine, const Request& /*request*/, Findings& findings) {
  look_at_governor(machine, findings);
  look_at_sleep(machine, findings);
}

}  // namespace shrike::doctor
