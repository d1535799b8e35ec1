#include "host_bits.h"

#include <gtest/gtest.h>

#include "scene.h"

namespace shrike::output {
namespace {

using Command = HostBitOperation::Command;
using Track = HostBitOperation::Track;

HostBitOperation operation(Command command, Track track, std::vector<std::string> names,
                           uint32_t expire_seconds = 0) {
  return {.command = command,
          .track = track,
          .names = std::move(names),
          .expire_seconds = expire_seconds};
}

struct Step {
  double seconds;
  HostBitOperation operation;
  const char* source;
  const char* target;
  bool holds = true;  ///< for is_set and is_not_set
};

void run(HostBits& bits, const std::vector<Step>& steps) {
  size_t number = 0;
  for (const Step& step : steps) {
    SCOPED_TRACE(number++);
    const auto prepared = bits.prepare({step.operation});
    const Hosts hosts{4, ip(step.source), ip(step.target)};
    const auto time_us = static_cast<uint64_t>(step.seconds * 1e6);
    const bool holds = bits.conditions_hold(prepared, hosts, time_us);
    EXPECT_EQ(holds, step.holds);
    if (holds) {
      bits.apply(prepared, hosts, time_us);
    }
  }
}

constexpr const char* a = "10.0.0.1";
constexpr const char* b = "10.0.0.2";
constexpr const char* c = "10.0.0.3";

TEST(HostBits, AreSetOnOneSideAndSeenOnTheOther) {
  HostBits bits(100);
  run(bits, {{0, operation(Command::is_set, Track::source, {"x"}), a, b, false},
             {1, operation(Command::set, Track::target, {"x"}), a, b},
             {2, operation(Command::is_set, Track::source, {"x"}), b, a},
             {3, operation(Command::is_set, Track::source, {"x"}), a, b, false},
             {4, operation(Command::is_not_set, Track::source, {"x"}), a, b},
             {5, operation(Command::is_set, Track::source, {"y"}), b, a, false},
             {6, operation(Command::unset, Track::source, {"x"}), b, c},
             {7, operation(Command::is_not_set, Track::source, {"x"}), b, a}});
}

TEST(HostBits, OfPairsDoNotCareWhoSpeaks) {
  HostBits bits(100);
  run(bits, {{0, operation(Command::set, Track::pair, {"x"}), b, a},
             {1, operation(Command::is_set, Track::pair, {"x"}), a, b},
             {2, operation(Command::is_set, Track::pair, {"x"}), a, c, false},
             {3, operation(Command::is_set, Track::source, {"x"}), a, b, false}});
}

TEST(HostBits, ExpireInPacketTimeAndKeepTheirFirstExpiry) {
  HostBits bits(100);
  run(bits, {{0, operation(Command::set, Track::source, {"x"}, 10), a, b},
             {5, operation(Command::set, Track::source, {"x"}, 10), a, b},
             {10, operation(Command::is_set, Track::source, {"x"}), a, b},
             {10.5, operation(Command::is_set, Track::source, {"x"}), a, b, false},
             {11, operation(Command::set, Track::source, {"x"}, 10), a, b},
             {21, operation(Command::is_set, Track::source, {"x"}), a, b},
             {22, operation(Command::set, Track::source, {"forever"}), a, b},
             {1e9, operation(Command::is_set, Track::source, {"forever"}), a, b}});
}

TEST(HostBits, ToggleAndAskForAnyOfSeveral) {
  HostBits bits(100);
  run(bits, {{0, operation(Command::toggle, Track::source, {"x"}), a, b},
             {1, operation(Command::is_set, Track::source, {"w", "x"}), a, b},
             {2, operation(Command::is_not_set, Track::source, {"w", "x"}), a, b, false},
             {3, operation(Command::toggle, Track::source, {"x"}), a, b},
             {4, operation(Command::is_set, Track::source, {"w", "x"}), a, b, false}});
}

TEST(HostBits, GiveUpTheOldestWhereTheTableIsFull) {
  HostBits bits(2);
  run(bits, {{0, operation(Command::set, Track::source, {"x"}), a, b},
             {1, operation(Command::set, Track::source, {"x"}), b, a},
             {2, operation(Command::set, Track::source, {"x"}), c, a},
             {3, operation(Command::is_set, Track::source, {"x"}), a, b, false},
             {4, operation(Command::is_set, Track::source, {"x"}), c, b}});
  EXPECT_EQ(bits.evicted(), 1U);
}

}  // namespace
}  // namespace shrike::output
