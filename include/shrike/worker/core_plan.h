#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "shrike/base/diagnostics.h"

/// Which processor each thread of a live run has. Cold: asked once, before the threads start.
/// "Core" is the kernel's processor, a hardware thread, as everywhere in the configuration.
namespace shrike::worker {

struct CoreRequest {
  unsigned workers = 1;
  std::vector<int> port_nodes;   ///< NUMA node of each port; below 0: not told
  std::vector<unsigned> wanted;  ///< by the operator, for workers in turn; empty: chosen here
  bool pins = true;              ///< false: the system decides
};

/// What is asked of the machine. Tests forge one.
struct CoreMachine {
  std::filesystem::path root = "/";   ///< of /sys and /proc
  std::vector<uint32_t> allowed;      ///< cores of the calling thread's affinity, ascending
  std::function<bool(unsigned)> can;  ///< whether a thread may be put on a core
};
/// This machine, as the calling thread sees it. `can` tries it on the calling thread.
[[nodiscard]] CoreMachine this_machine();

struct CorePlan {
  std::vector<unsigned> workers;  ///< core of each worker [workers]; empty: they are not pinned
  std::vector<unsigned> keepers;  ///< for every other thread; empty: as they are
  std::string says;               ///< one line, for the operator
};

/// Workers get a physical core each, near their ports: what the kernel isolated from everything
/// else comes first, the core that handles interrupts by habit (the lowest) last, and second
/// hardware threads of a core only when nothing else is left. All other threads keep to the rest:
/// to whole cores where there are some, else to the workers' second threads, else they share. With
/// fewer cores than workers nobody is pinned.
/// Cores that the operator named and that cannot be had are errors in `diagnostics`.
[[nodiscard]] CorePlan plan_cores(const CoreRequest& request, const CoreMachine& machine,
                                  Diagnostics& diagnostics);

/// Pins the calling thread. @return false where the system refuses; then nothing has changed.
bool pin_this_thread(const std::vector<unsigned>& cores) noexcept;

}  // namespace shrike::worker
