#include "shrike/worker/core_plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "shrike/base/number_list.h"

namespace shrike::worker {
namespace {

namespace fs = std::filesystem;

/// The files of a machine that say which processor is where.
class ForgedMachine {
 public:
  ForgedMachine()
      : root_(fs::path(testing::TempDir()) / fmt::format("core_plan_{}_{}", getpid(), ++made_)) {
    fs::create_directories(root_);
  }
  ~ForgedMachine() { fs::remove_all(root_); }
  ForgedMachine(const ForgedMachine&) = delete;
  ForgedMachine& operator=(const ForgedMachine&) = delete;

  ForgedMachine& file(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << "\n";
    return *this;
  }
  /// Sockets are nodes; threads are numbered as servers do: the second threads of all cores come
  /// after the first ones, and cores of a socket follow each other.
  ForgedMachine& sockets(unsigned sockets, unsigned cores, unsigned threads) {
    const unsigned physical = sockets * cores;
    file("sys/devices/system/cpu/online", fmt::format("0-{}", physical * threads - 1));
    file("sys/devices/system/node/online", fmt::format("0-{}", sockets - 1));
    for (unsigned socket = 0; socket < sockets; ++socket) {
      std::string members;
      for (unsigned thread = 0; thread < threads; ++thread) {
        const unsigned first = thread * physical + socket * cores;
        members += fmt::format("{}{}-{}", members.empty() ? "" : ",", first, first + cores - 1);
      }
      file(fmt::format("sys/devices/system/node/node{}/cpulist", socket), members);
    }
    for (unsigned number = 0; number < physical * threads; ++number) {
      std::string siblings;
      for (unsigned thread = 0; thread < threads; ++thread) {
        siblings +=
            fmt::format("{}{}", siblings.empty() ? "" : ",", number % physical + thread * physical);
      }
      file(fmt::format("sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", number),
           siblings);
    }
    allowed_ = parse_list(fmt::format("0-{}", physical * threads - 1));
    return *this;
  }
  ForgedMachine& allow(const char* list) {
    allowed_ = parse_list(list);
    return *this;
  }
  ForgedMachine& refuse(unsigned core) {
    refused_ = core;
    return *this;
  }
  [[nodiscard]] CoreMachine machine() const {
    return {.root = root_, .allowed = allowed_, .can = [refused = refused_](unsigned core) {
              return core != refused;
            }};
  }

 private:
  static inline unsigned made_ = 0;
  fs::path root_;
  std::vector<uint32_t> allowed_;
  unsigned refused_ = 9999;
};

CorePlan plan(const ForgedMachine& machine, const CoreRequest& request) {
  Diagnostics diagnostics;
  CorePlan made = plan_cores(request, machine.machine(), diagnostics);
  EXPECT_EQ(diagnostics.errors(), 0U);
  return made;
}

struct Case {
  const char* name;
  unsigned sockets, cores, threads;
  const char* allowed;  ///< empty: all
  unsigned workers;
  std::vector<int> nodes;
  const char* workers_on;
  const char* keepers_on;
  const char* says;
};

class CorePlans : public testing::TestWithParam<Case> {};

TEST_P(CorePlans, FitTheMachine) {
  const Case& wanted = GetParam();
  ForgedMachine machine;
  machine.sockets(wanted.sockets, wanted.cores, wanted.threads);
  if (*wanted.allowed != '\0') {
    machine.allow(wanted.allowed);
  }
  const CorePlan made = plan(machine, {.workers = wanted.workers, .port_nodes = wanted.nodes});
  EXPECT_EQ(made.workers, parse_list(wanted.workers_on));
  EXPECT_EQ(made.keepers, parse_list(wanted.keepers_on));
  EXPECT_EQ(made.says, wanted.says);
}

INSTANTIATE_TEST_SUITE_P(
    All, CorePlans,
    testing::Values(
        Case{"one_of_two", 1, 2, 1, "", 1, {-1}, "1", "0", "worker on core 1; house-keeping on 0"},
        Case{"all_of_two",
             1,
             2,
             1,
             "",
             2,
             {-1},
             "1,0",
             "",
             "workers on cores 0-1; house-keeping shares them, for no core is left"},
        Case{"more_than_there_are",
             1,
             2,
             1,
             "",
             3,
             {-1},
             "",
             "",
             "workers are not pinned: 3 of them and 2 cores to run on"},
        Case{"the_only_one",
             1,
             1,
             1,
             "",
             1,
             {0},
             "0",
             "",
             "worker on core 0 (at the ports' memory node); house-keeping shares them, for no core "
             "is left"},
        Case{"near_the_port",
             2,
             4,
             2,
             "",
             3,
             {1},
             "4-6",
             "0-3,7-11,15",
             "workers on cores 4-6 (at the ports' memory node); house-keeping on 0-3,7-11,15"},
        Case{"interrupts_last",
             2,
             4,
             2,
             "",
             3,
             {0},
             "1-3",
             "0,4-8,12-15",
             "workers on cores 1-3 (at the ports' memory node); house-keeping on 0,4-8,12-15"},
        Case{"two_ports",
             2,
             2,
             1,
             "",
             3,
             {1, 0},
             "1,2,3",
             "0",
             "workers on cores 1-3 (at the ports' memory node); house-keeping on 0"},
        Case{"far_before_siblings",
             2,
             2,
             2,
             "",
             3,
             {1},
             "2,3,1",
             "0,4",
             "workers on cores 1-3 (1 away from the ports' memory node); house-keeping on 0,4"},
        Case{"siblings_keep_house",
             1,
             2,
             2,
             "",
             2,
             {0},
             "1,0",
             "2-3",
             "workers on cores 0-1 (at the ports' memory node); house-keeping on 2-3, the workers' "
             "sibling threads"},
        Case{"siblings_work",
             1,
             2,
             2,
             "",
             3,
             {-1},
             "1,0,3",
             "2",
             "workers on cores 0-1,3, threads of 2 physical cores; house-keeping on 2, the "
             "workers' sibling threads"},
        Case{"restricted",
             2,
             4,
             2,
             "2,3,10,11",
             1,
             {1},
             "3",
             "2,10",
             "worker on core 3 (1 away from the ports' memory node); house-keeping on 2,10"}),
    [](const testing::TestParamInfo<Case>& each) { return each.param.name; });

TEST(CorePlanning, IsolatedCoresAreForWorkers) {
  ForgedMachine machine;
  machine.sockets(1, 4, 1).allow("0-1").file("sys/devices/system/cpu/isolated", "2-3");
  const CorePlan made = plan(machine, {.workers = 2});
  EXPECT_EQ(made.workers, (std::vector<unsigned>{2, 3}));
  EXPECT_EQ(made.keepers, (std::vector<unsigned>{0, 1}));
  // A mask that the operator made is kept to.
  machine.allow("0");
  EXPECT_TRUE(plan(machine, {.workers = 2}).workers.empty());
  // Cores that are left over stay free: only workers are put there.
  machine.allow("0-1");
  EXPECT_EQ(plan(machine, {.workers = 1}).keepers, (std::vector<unsigned>{0, 1}));
}

TEST(CorePlanning, CoresThatTheSystemRefusesAreLeftOut) {
  ForgedMachine machine;
  machine.sockets(1, 4, 1).refuse(1);
  EXPECT_EQ(plan(machine, {.workers = 2}).workers, (std::vector<unsigned>{2, 3}));
}

TEST(CorePlanning, WhatTheOperatorNamesIsTaken) {
  ForgedMachine machine;
  machine.sockets(1, 4, 1);
  const CorePlan made = plan(machine, {.workers = 3, .wanted = {2, 1}});
  EXPECT_EQ(made.workers, (std::vector<unsigned>{2, 1, 2}));
  EXPECT_EQ(made.keepers, (std::vector<unsigned>{0, 3}));
  EXPECT_EQ(made.says, "workers on cores 1-2, 3 workers on them in turn; house-keeping on 0,3");
}

TEST(CorePlanning, CoresThatAreNotThereAreAnError) {
  ForgedMachine machine;
  machine.sockets(1, 4, 1).refuse(7);
  Diagnostics diagnostics;
  (void)plan_cores({.workers = 2, .port_nodes = {}, .wanted = {7, 1}}, machine.machine(),
                   diagnostics);
  ASSERT_EQ(diagnostics.errors(), 1U);
  EXPECT_EQ(diagnostics.all().front().text(),
            "error[core]: no thread of this process may run on core 7; name others of 0-3 in "
            "shrike.live.cores, or write auto");
}

TEST(CorePlanning, CanBeSwitchedOff) {
  ForgedMachine machine;
  machine.sockets(1, 4, 1);
  const CorePlan made =
      plan(machine, {.workers = 1, .port_nodes = {}, .wanted = {}, .pins = false});
  EXPECT_TRUE(made.workers.empty() && made.keepers.empty());
  EXPECT_EQ(made.says, "workers are not pinned, as configured");
}

TEST(CorePlanning, SaysWhereAGroupHoldsTheWorkersBack) {
  ForgedMachine machine;
  machine.sockets(1, 4, 1)
      .file("proc/self/cgroup", "0::/sensors/shrike")
      .file("sys/fs/cgroup/sensors/shrike/cpu.max", "max 100000")
      .file("sys/fs/cgroup/sensors/cpu.max", "150000 100000");
  const std::string limit =
      "; the control group's limit is the time of 1.5 cores (cpu.max), so they will be stopped at "
      "times";
  EXPECT_TRUE(plan(machine, {.workers = 2}).says.ends_with(limit));
  EXPECT_EQ(plan(machine, {.workers = 1}).says.find("limit"), std::string::npos);
}

TEST(CorePlanning, WithoutATopologyCoresAreTakenAsTheyCome) {
  ForgedMachine machine;
  machine.allow("4-6");
  const CorePlan made = plan(machine, {.workers = 2, .port_nodes = {0}});
  EXPECT_EQ(made.workers, (std::vector<unsigned>{5, 6}));
  EXPECT_EQ(made.keepers, (std::vector<unsigned>{4}));
}

TEST(CorePlanning, ThisMachineCanBePlanned) {
  const CoreMachine machine = this_machine();
  ASSERT_FALSE(machine.allowed.empty());
  EXPECT_TRUE(machine.can(machine.allowed.front()));
  EXPECT_FALSE(machine.can(1023));
  EXPECT_EQ(this_machine().allowed, machine.allowed) << "trying changes nothing";
  bool is_there = false;
  std::thread([&] {
    is_there = pin_this_thread({machine.allowed.back()}) &&
               this_machine().allowed == std::vector<uint32_t>{machine.allowed.back()};
  }).join();
  EXPECT_TRUE(is_there);
}

}  // namespace
}  // namespace shrike::worker
