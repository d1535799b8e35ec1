#include "shrike/worker/core_plan.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <tuple>

#include "shrike/base/number_list.h"
#include "shrike/base/system_file.h"

namespace shrike::worker {

namespace {

namespace fs = std::filesystem;

std::vector<uint32_t> list_of(const fs::path& file) {
  return parse_list(read_system_file(file).value_or(""));
}

bool has(const std::vector<uint32_t>& all, uint32_t one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::vector<uint32_t> sorted(std::vector<uint32_t> cores) {
  std::sort(cores.begin(), cores.end());
  cores.erase(std::unique(cores.begin(), cores.end()), cores.end());
  return cores;
}

std::vector<uint32_t> without(const std::vector<uint32_t>& all,
                              const std::vector<uint32_t>& left_out) {
  std::vector<uint32_t> rest;
  std::set_difference(all.begin(), all.end(), left_out.begin(), left_out.end(),
                      std::back_inserter(rest));
  return rest;
}

/// One processor, and where it is.
struct Core {
  uint32_t number = 0;
  uint32_t physical = 0;  ///< the lowest processor of the same physical core
  uint32_t thread = 0;    ///< 0 for the first usable thread of its physical core, then 1 …
  int node = -1;
  bool is_isolated = false;
};

class Topology {
 public:
  explicit Topology(const CoreMachine& machine)
      : folder_(machine.root / "sys/devices/system"), isolated_(list_of(folder_ / "cpu/isolated")) {
    for (const uint32_t number : usable(machine)) {
      add(number);
    }
    read_nodes();
  }

  [[nodiscard]] const std::vector<Core>& cores() const noexcept { return cores_; }
  [[nodiscard]] std::vector<uint32_t> numbers() const {
    std::vector<uint32_t> all;
    std::transform(cores_.begin(), cores_.end(), std::back_inserter(all),
                   [](const Core& core) { return core.number; });
    return all;
  }
  /// The given cores and all that share a physical core with them.
  [[nodiscard]] std::vector<uint32_t> with_siblings(const std::vector<uint32_t>& numbers) const {
    std::vector<uint32_t> physical;
    for (const Core& core : cores_) {
      if (has(numbers, core.number)) {
        physical.push_back(core.physical);
      }
    }
    std::vector<uint32_t> all = numbers;
    for (const Core& core : cores_) {
      if (has(physical, core.physical)) {
        all.push_back(core.number);
      }
    }
    return sorted(std::move(all));
  }

 private:
  /// The affinity; and where it is everything but the isolated cores, as a process has it that was
  /// started on a machine with isolcpus, these too: they were set aside for threads like these.
  [[nodiscard]] std::vector<uint32_t> usable(const CoreMachine& machine) const {
    std::vector<uint32_t> cores = machine.allowed;
    const std::vector<uint32_t> online = list_of(folder_ / "cpu/online");
    if (!isolated_.empty() && sorted(cores) == without(online, isolated_)) {
      cores.insert(cores.end(), isolated_.begin(), isolated_.end());
    }
    cores = sorted(std::move(cores));
    std::erase_if(cores, [&](uint32_t core) { return machine.can && !machine.can(core); });
    return cores;
  }

  void add(uint32_t number) {
    const std::vector<uint32_t> siblings =
        list_of(folder_ / fmt::format("cpu/cpu{}/topology/thread_siblings_list", number));
    const uint32_t physical = siblings.empty() ? number : siblings.front();
    const auto before = std::count_if(cores_.begin(), cores_.end(),
                                      [&](const Core& core) { return core.physical == physical; });
    cores_.push_back({.number = number,
                      .physical = physical,
                      .thread = static_cast<uint32_t>(before),
                      .is_isolated = has(isolated_, number)});
  }

  void read_nodes() {
    for (const uint32_t node : list_of(folder_ / "node/online")) {
      const std::vector<uint32_t> members =
          list_of(folder_ / fmt::format("node/node{}/cpulist", node));
      for (Core& core : cores_) {
        core.node = has(members, core.number) ? static_cast<int>(node) : core.node;
      }
    }
  }

  const fs::path folder_;
  const std::vector<uint32_t> isolated_;
  std::vector<Core> cores_;
};

/// How far a core is from the ports: 0 at the node of most of them, 1 at another port's, 2 away.
unsigned distance(int node, const std::vector<int>& port_nodes) {
  const auto ports_at = [&](int there) {
    return std::count(port_nodes.begin(), port_nodes.end(), there);
  };
  std::ptrdiff_t most = 0;
  for (const int each : port_nodes) {
    most = std::max(most, each < 0 ? 0 : ports_at(each));
  }
  if (most == 0 || node < 0 || (ports_at(node) == most)) {
    return 0;
  }
  return ports_at(node) != 0 ? 1 : 2;
}

/// All cores, in the order in which workers get them.
std::vector<Core> by_merit(const Topology& topology, const std::vector<int>& port_nodes) {
  std::vector<Core> cores = topology.cores();
  const uint32_t lowest = cores.empty() ? 0 : cores.front().physical;
  const auto demerits = [&](const Core& core) {
    return std::tuple(core.thread, !core.is_isolated, distance(core.node, port_nodes),
                      core.physical == lowest, core.number);
  };
  std::sort(cores.begin(), cores.end(), [&](const Core& first, const Core& second) {
    return demerits(first) < demerits(second);
  });
  return cores;
}

/// The time that the process' control group and those around it allow, in cores; 0: all there is.
/// Source: Linux, admin-guide/cgroup-v2, cpu.max.
double cores_of_group(const fs::path& root) {
  const std::string groups = read_system_file(root / "proc/self/cgroup").value_or("");
  const size_t at = groups.find("0::/");
  if (at == std::string::npos || (at != 0 && groups[at - 1] != '\n')) {
    return 0;
  }
  const size_t begin = at + std::string_view("0::/").size();
  const fs::path top = root / "sys/fs/cgroup";
  fs::path group = top / groups.substr(begin, groups.find('\n', begin) - begin);
  double least = 0;
  for (unsigned depth = 0; depth < 64; ++depth) {
    const std::string text = read_system_file(group / "cpu.max").value_or("max");
    uint64_t quota = 0;
    uint64_t period = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data(), end, quota);
    if (fault == std::errc{} && stop != end &&
        std::from_chars(stop + 1, end, period).ec == std::errc{} && period != 0) {
      const double cores = static_cast<double>(quota) / static_cast<double>(period);
      least = least == 0 ? cores : std::min(least, cores);
    }
    if (group == top || group == group.parent_path()) {
      break;
    }
    group = group.parent_path();
  }
  return least;
}

class Planner {
 public:
  Planner(const CoreRequest& request, const CoreMachine& machine)
      : request_(request), machine_(machine), topology_(machine) {}

  CorePlan choose() {
    const size_t count = topology_.cores().size();
    if (count < request_.workers) {
      plan_.says = fmt::format("workers are not pinned: {} of them and {} core{} to run on",
                               request_.workers, count, count == 1 ? "" : "s");
      return plan_;
    }
    std::vector<Core> chosen = by_merit(topology_, request_.port_nodes);
    chosen.resize(request_.workers);
    for (const Core& core : chosen) {
      plan_.workers.push_back(core.number);
    }
    finish(chosen);
    return plan_;
  }

  CorePlan take(Diagnostics& diagnostics) {
    std::vector<Core> chosen;
    for (unsigned index = 0; index < request_.workers; ++index) {
      plan_.workers.push_back(request_.wanted[index % request_.wanted.size()]);
    }
    for (const unsigned number : sorted(request_.wanted)) {
      if (machine_.can && !machine_.can(number)) {
        diagnostics.error({}, "core",
                          "no thread of this process may run on core {}; name others of {} in "
                          "shrike.live.cores, or write auto",
                          number, list_text(topology_.numbers()));
      }
    }
    for (const Core& core : topology_.cores()) {
      if (has(plan_.workers, core.number)) {
        chosen.push_back(core);
      }
    }
    finish(chosen);
    return plan_;
  }

 private:
  void finish(const std::vector<Core>& chosen) {
    const std::vector<uint32_t> taken = sorted(plan_.workers);
    plan_.says = fmt::format("worker{} on core{} {}", request_.workers == 1 ? "" : "s",
                             taken.size() == 1 ? "" : "s", list_text(taken));
    tell_sharing(taken, chosen);
    tell_distance(chosen);
    place_keepers(taken);
    if (const double cores = cores_of_group(machine_.root);
        cores != 0 && cores < static_cast<double>(taken.size())) {
      plan_.says += fmt::format(
          "; the control group's limit is the time of {:.1f} cores (cpu.max), so they "
          "will be stopped at times",
          cores);
    }
  }

  void tell_sharing(const std::vector<uint32_t>& taken, const std::vector<Core>& chosen) {
    if (taken.size() < request_.workers) {
      plan_.says += fmt::format(", {} workers on them in turn", request_.workers);
    }
    std::vector<uint32_t> physical;
    std::transform(chosen.begin(), chosen.end(), std::back_inserter(physical),
                   [](const Core& core) { return core.physical; });
    if (const size_t whole = sorted(physical).size(); whole < chosen.size()) {
      plan_.says += fmt::format(", threads of {} physical core{}", whole, whole == 1 ? "" : "s");
    }
  }

  void tell_distance(const std::vector<Core>& chosen) {
    const auto far = std::count_if(chosen.begin(), chosen.end(), [&](const Core& core) {
      return distance(core.node, request_.port_nodes) == 2;
    });
    const bool is_told = std::any_of(request_.port_nodes.begin(), request_.port_nodes.end(),
                                     [](int node) { return node >= 0; });
    if (far != 0) {
      plan_.says += fmt::format(" ({} away from the ports' memory node)", far);
    } else if (is_told && !chosen.empty() && chosen.front().node >= 0) {
      plan_.says += " (at the ports' memory node)";
    }
  }

  void place_keepers(const std::vector<uint32_t>& taken) {
    std::vector<uint32_t> all = without(topology_.numbers(), isolated());
    std::vector<uint32_t> rest = without(all, topology_.with_siblings(taken));
    const bool is_whole = !rest.empty();
    rest = is_whole ? rest : without(all, taken);
    if (rest.empty()) {
      plan_.says += "; house-keeping shares them, for no core is left";
      return;
    }
    plan_.says += fmt::format("; house-keeping on {}{}", list_text(rest),
                              is_whole ? "" : ", the workers' sibling threads");
    plan_.keepers = std::move(rest);
  }

  /// Cores that nothing but a worker should have.
  [[nodiscard]] std::vector<uint32_t> isolated() const {
    std::vector<uint32_t> found;
    for (const Core& core : topology_.cores()) {
      if (core.is_isolated && !has(machine_.allowed, core.number)) {
        found.push_back(core.number);
      }
    }
    return found;
  }

  const CoreRequest& request_;
  const CoreMachine& machine_;
  const Topology topology_;
  CorePlan plan_;
};

cpu_set_t set_of(const std::vector<unsigned>& cores) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const unsigned core : cores) {
    if (core < CPU_SETSIZE) {
      CPU_SET(core, &set);
    }
  }
  return set;
}

}  // namespace

bool pin_this_thread(const std::vector<unsigned>& cores) noexcept {
  const cpu_set_t set = set_of(cores);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

CoreMachine this_machine() {
  CoreMachine machine;
  cpu_set_t before;
  CPU_ZERO(&before);
  if (pthread_getaffinity_np(pthread_self(), sizeof before, &before) != 0) {
    return machine;
  }
  for (uint32_t core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &before)) {
      machine.allowed.push_back(core);
    }
  }
  machine.can = [before](unsigned core) {
    const bool is_possible = pin_this_thread({core});
    pthread_setaffinity_np(pthread_self(), sizeof before, &before);
    return is_possible;
  };
  return machine;
}

CorePlan plan_cores(const CoreRequest& request, const CoreMachine& machine,
                    Diagnostics& diagnostics) {
  if (!request.pins) {
    return {.workers = {}, .keepers = {}, .says = "workers are not pinned, as configured"};
  }
  Planner planner(request, machine);
  return request.wanted.empty() ? planner.choose() : planner.take(diagnostics);
}

}  // namespace shrike::worker
