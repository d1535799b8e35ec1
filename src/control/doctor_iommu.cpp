#include <fmt/format.h>

#include <algorithm>

#include "doctor_nics.h"
#include "doctor_probes.h"

namespace shrike::doctor {

namespace {

/// Loaded again at every start of the machine by the file in modules-load.d.
const std::vector<std::string> load_vfio = {
    "sudo modprobe vfio-pci", "echo vfio-pci | sudo tee /etc/modules-load.d/shrike.conf"};

std::string switch_on(const Machine& machine) {
  const auto processors = machine.text("/proc/cpuinfo").value_or("");
  const bool is_intel = value_of(processors, "vendor_id").value_or("") == "GenuineIntel";
  return fmt::format(
      "sudo sed -i 's/^GRUB_CMDLINE_LINUX=\"/&{}iommu=pt /' /etc/default/grub && sudo update-grub "
      "&& sudo reboot",
      is_intel ? "intel_iommu=on " : "");
}

/// A port needs VFIO unless it is bound to uio already or stays with the kernel's driver.
bool needs_vfio(const Machine& machine, const Request& request) {
  const auto needs = [&](const Nic& nic) {
    return is_meant(request, nic) && nic.poll_mode && nic.poll_mode->binding == Binding::user &&
           (!nic.is_let_go() || nic.kernel_driver == "vfio-pci");
  };
  return std::ranges::any_of(find_nics(machine), needs);
}

void look_at_iommu(const Machine& machine, bool is_needed, Findings& findings) {
  Finding finding{.topic = "iommu", .subject = {}, .way = Way::port};
  const size_t groups = machine.names("/sys/kernel/iommu_groups").size();
  if (groups > 0) {
    finding.seen = fmt::format("on, {} group{}", groups, groups == 1 ? "" : "s");
  } else if (is_unsafe_vfio_on(machine)) {
    finding.level = Level::warning;
    finding.seen = "none; VFIO works without one (enable_unsafe_noiommu_mode)";
    finding.meaning =
        "nothing keeps a NIC from writing over any memory of the machine, and the "
        "sensor needs CAP_SYS_RAWIO";
  } else {
    finding.level = is_needed ? Level::problem : Level::note;
    finding.seen = "none";
    if (is_virtual(machine)) {
      finding.meaning =
          "VFIO needs an IOMMU, and this virtual machine has none: give it one, or "
          "let VFIO work without, as below (the NIC then may write anywhere)";
      finding.mend = {"sudo modprobe vfio enable_unsafe_noiommu_mode=1",
                      "echo 1 | sudo tee /sys/module/vfio/parameters/enable_unsafe_noiommu_mode"};
    } else {
      finding.meaning =
          "VFIO hands a NIC to the sensor behind an IOMMU; switch it on in the "
          "firmware (VT-d, AMD-Vi) and in the kernel";
      finding.mend = {switch_on(machine)};
    }
  }
  findings.push_back(std::move(finding));
}

void look_at_vfio(const Machine& machine, bool is_needed, Findings& findings) {
  Finding finding{.topic = "vfio", .subject = {}, .way = Way::port};
  const bool is_loaded = has_module(machine, "vfio_pci");
  if (is_loaded) {
    finding.seen = machine.exists("/dev/vfio/vfio") ? "vfio-pci is loaded, /dev/vfio/vfio is there"
                                                    : "vfio-pci is loaded";
  } else if (has_module(machine, "uio_pci_generic") || has_module(machine, "igb_uio")) {
    finding.level = Level::note;
    finding.seen = "vfio-pci is not loaded, uio is";
    finding.meaning =
        "uio works as root, without protection of memory and without interrupts of "
        "each queue; VFIO is better";
    finding.mend = load_vfio;
  } else {
    finding.level = is_needed ? Level::problem : Level::note;
    finding.seen = "vfio-pci is not loaded";
    finding.meaning = "it is what hands a NIC to the sensor";
    finding.mend = load_vfio;
  }
  findings.push_back(std::move(finding));
}

}  // namespace

void probe_iommu(const Machine& machine, const Request& request, Findings& findings) {
  const bool is_needed = needs_vfio(machine, request);
  look_at_iommu(machine, is_needed, findings);
  look_at_vfio(machine, is_needed, findings);
}

}  // namespace shrike::doctor
