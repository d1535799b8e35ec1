#include "live/tick_clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace shrike::capture {
namespace {

using Step = ClockDiscipline::Step;

constexpr uint64_t start_ns = 1'700'000'000'000'000'000;
constexpr uint64_t second_ns = 1'000'000'000;

/// A counter and a system clock that run beside each other, read every quarter of a second.
class Machine {
 public:
  explicit Machine(double ns_a_tick) : ns_a_tick_(ns_a_tick) {}

  void pass(uint64_t ns) {
    true_ns_ += ns;
    wall_ns_ += ns;
  }
  void set_clock(int64_t by_ns) { wall_ns_ += static_cast<uint64_t>(by_ns); }
  [[nodiscard]] ClockReading read() const {
    return {.ticks = 12345 + static_cast<uint64_t>(static_cast<double>(true_ns_) / ns_a_tick_),
            .wall_ns = wall_ns_};
  }

 private:
  const double ns_a_tick_;
  uint64_t true_ns_ = 0;
  uint64_t wall_ns_ = start_ns;
};

uint64_t distance(uint64_t first, uint64_t second) {
  return first > second ? first - second : second - first;
}

struct RateCase {
  double ns_a_tick;  ///< what it is
  double guessed;    ///< what it is taken for at first
};

class ClockRates : public testing::TestWithParam<RateCase> {};

TEST_P(ClockRates, AreLearntAndTimeNeverRunsBack) {
  Machine machine(GetParam().ns_a_tick);
  ClockDiscipline clock(machine.read(), GetParam().guessed);
  uint64_t before_ns = 0;
  for (unsigned quarter = 0; quarter < 80; ++quarter) {
    machine.pass(second_ns / 4);
    const ClockReading reading = machine.read();
    EXPECT_GE(clock.line().at(reading.ticks), before_ns);
    EXPECT_EQ(clock.learn(reading), Step::none);
    before_ns = clock.line().at(reading.ticks);
  }
  const ClockReading last = machine.read();
  EXPECT_LT(distance(clock.line().at(last.ticks), last.wall_ns), 1000U);
  EXPECT_EQ(clock.line().times_set_forward + clock.line().times_set_back, 0U);
}

INSTANTIATE_TEST_SUITE_P(All, ClockRates,
                         testing::Values(RateCase{1.0, 1.0},          // ns themselves
                                         RateCase{0.4, 0.4},          // 2.5 GHz
                                         RateCase{0.4, 0.4001},       // 250 ppm beside it
                                         RateCase{6.4, 6.3},          // a card, badly guessed
                                         RateCase{1000.0, 1000.0}));  // microseconds

TEST(ClockSteps, AreFollowedAtOnceAndCounted) {
  Machine machine(0.4);
  ClockDiscipline clock(machine.read(), 0.4);
  machine.pass(second_ns);
  machine.set_clock(3 * second_ns);
  EXPECT_EQ(clock.learn(machine.read()), Step::forward);
  EXPECT_EQ(clock.line().at(machine.read().ticks), machine.read().wall_ns);
  EXPECT_EQ(clock.line().behind_ns, 0U);
  machine.pass(second_ns);
  machine.set_clock(-5 * static_cast<int64_t>(second_ns));
  EXPECT_EQ(clock.learn(machine.read()), Step::back);
  EXPECT_EQ(clock.line().at(machine.read().ticks), machine.read().wall_ns);
  EXPECT_LT(distance(clock.line().behind_ns, 5 * second_ns), 1000U);
  EXPECT_EQ(clock.line().times_set_forward, 1U);
  EXPECT_EQ(clock.line().times_set_back, 1U);
}

TEST(ClockSteps, SmallOnesAreMadeGoodWithoutRunningBack) {
  Machine machine(0.4);
  ClockDiscipline clock(machine.read(), 0.4);
  for (const int64_t by_ns : {-50'000'000, 50'000'000}) {
    machine.set_clock(by_ns);
    for (unsigned quarter = 0; quarter < 200; ++quarter) {
      machine.pass(second_ns / 4);
      const uint64_t before_ns = clock.line().at(machine.read().ticks);
      ASSERT_EQ(clock.learn(machine.read()), Step::none);
      EXPECT_EQ(clock.line().at(machine.read().ticks), before_ns) << "lines join";
      EXPECT_GT(clock.line().ns_a_tick, 0.39);
    }
    EXPECT_LT(distance(clock.line().at(machine.read().ticks), machine.read().wall_ns), 10'000U);
  }
}

TEST(ClockSteps, ACounterThatBeginsAnewIsNoJumpOfTime) {
  Machine old_counter(1.0);
  old_counter.pass(10 * second_ns);
  ClockDiscipline clock(old_counter.read(), 1.0);
  EXPECT_EQ(clock.learn({.ticks = 5, .wall_ns = old_counter.read().wall_ns + second_ns}),
            Step::restart);
  EXPECT_EQ(clock.line().at(5), old_counter.read().wall_ns + second_ns);
}

TEST(ClockLines, GiveEarlierMomentsToo) {
  const ClockLine line{.ticks = 1000, .ns = start_ns, .ns_a_tick = 2.0};
  EXPECT_EQ(line.at(900), start_ns - 200);
  EXPECT_EQ(line.at(1100), start_ns + 200);
}

TEST(SharedLines, AreSeenWholeOrNotAtAll) {
  SharedLine shared;
  ClockLine seen;
  uint32_t version = 0;
  EXPECT_FALSE(shared.refresh(seen, version));
  std::thread writer([&] {
    for (uint64_t i = 1; i <= 20'000; ++i) {
      shared.publish({.ticks = i, .ns = 2 * i, .ns_a_tick = static_cast<double>(i)});
    }
  });
  while (seen.ticks < 20'000) {
    if (shared.refresh(seen, version)) {
      ASSERT_EQ(seen.ns, 2 * seen.ticks);
      ASSERT_EQ(seen.ns_a_tick, static_cast<double>(seen.ticks));
    }
  }
  writer.join();
  EXPECT_FALSE(shared.refresh(seen, version)) << "nothing newer";
}

}  // namespace
}  // namespace shrike::capture
