#include <fmt/format.h>

#include "doctor_probes.h"

namespace shrike::doctor {

/// The sensor takes time from the processor's counter (TSC) once a batch. That is right where the
/// counter runs at one rate on all cores and never stops. Source: Intel SDM volume 3, 18.17.1.
void probe_clock(const Machine& machine, const Request& /*request*/, Findings& findings) {
  const std::string folder = "/sys/devices/system/clocksource/clocksource0/";
  const std::string current = machine.text(folder + "current_clocksource").value_or("unknown");
  const std::string available = machine.text(folder + "available_clocksource").value_or("");
  const auto flags = value_of(machine.text("/proc/cpuinfo").value_or(""), "flags");
  Finding finding{.topic = "clock", .subject = {}, .way = Way::every};
  finding.seen = "clock source " + current;
  if (current != "tsc") {
    finding.level = Level::warning;
    finding.meaning =
        "the kernel does not trust the processor's counter, or was told not to: "
        "reading the time may cost a system call, and stamps may drift";
    if ((" " + available + " ").find(" tsc ") != std::string::npos) {
      finding.mend = {"echo tsc | sudo tee " + folder + "current_clocksource"};
    }
  }
  if (flags) {
    const std::string padded = " " + *flags + " ";
    for (const char* flag : {"constant_tsc", "nonstop_tsc"}) {
      const bool is_there = padded.find(fmt::format(" {} ", flag)) != std::string::npos;
      finding.seen += fmt::format(", {}{}", is_there ? "" : "no ", flag);
      if (!is_there) {
        finding.level = Level::warning;
        finding.meaning =
            "the processor's counter changes its rate or stops with the core's "
            "clock: times of alerts are only as good as the last comparison";
      }
    }
  }
  findings.push_back(std::move(finding));
}

}  // namespace shrike::doctor
