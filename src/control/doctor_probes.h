#pragma once
#include "doctor_machine.h"
#include "shrike/doctor.h"

namespace shrike::doctor {

using Findings = std::vector<Finding>;

// Every probe looks at one thing and appends what it found, also where all is well.
void probe_memory(const Machine& machine, const Request& request, Findings& findings);
void probe_iommu(const Machine& machine, const Request& request, Findings& findings);
void probe_ports(const Machine& machine, const Request& request, Findings& findings);
void probe_interfaces(const Machine& machine, const Request& request, Findings& findings);
void probe_cores(const Machine& machine, const Request& request, Findings& findings);
void probe_power(const Machine& machine, const Request& request, Findings& findings);
void probe_clock(const Machine& machine, const Request& request, Findings& findings);
void probe_rights(const Machine& machine, const Request& request, Findings& findings);
void probe_folders(const Machine& machine, const Request& request, Findings& findings);
void probe_rivals(const Machine& machine, const Request& request, Findings& findings);

}  // namespace shrike::doctor
