#pragma once
#include <cstdint>
#include <vector>

#include "shrike/base/counters.h"

/// What inspection costs on one core, in the batches that were sampled.
namespace shrike {

/// Of one rule. Cycles are ticks of the CPU's time stamp counter, without what reading it takes.
struct RuleCost {
  uint64_t cycles = 0;
  uint64_t cycles_max = 0;  ///< of one check
  uint64_t checks = 0;      ///< times it was tried: candidates, and rules without a pattern
  uint64_t matches = 0;     ///< silent ones too

  void add(const RuleCost& other) noexcept {
    cycles += other.cycles;
    cycles_max = cycles_max > other.cycles_max ? cycles_max : other.cycles_max;
    checks += other.checks;
    matches += other.matches;
  }
};
static_assert(sizeof(RuleCost) == 32, "two to a cache line");

/// Of detection as a whole. Rules, scanning and the rest (choosing groups, ordering candidates,
/// alerts) add up to `cycles`.
struct InspectionCost {
  uint64_t batches = 0;          ///< all of them
  uint64_t batches_sampled = 0;  ///< … of these the costs are
  uint64_t datagrams = 0;        ///< of sampled batches
  uint64_t cycles = 0;
  uint64_t scan_cycles = 0;  ///< searching patterns: literal databases and places

  void add(const InspectionCost& other) noexcept {
    batches += other.batches;
    batches_sampled += other.batches_sampled;
    datagrams += other.datagrams;
    cycles += other.cycles;
    scan_cycles += other.scan_cycles;
  }
};

/// One row a rule, for one rule set on one core. One thread adds; another may read, whole numbers
/// that are a moment old, so the packet path takes no lock.
class RuleCosts {
 public:
  RuleCosts(uint64_t generation, size_t rules) : generation_(generation), rules_(rules) {}

  /// Of the rule set whose indexes these are.
  [[nodiscard]] uint64_t generation() const noexcept { return generation_; }
  [[nodiscard]] size_t rules() const noexcept { return rules_.size(); }

  void add_batch(bool is_sampled) noexcept {
    relaxed::add(inspection_.batches, 1);
    relaxed::add(inspection_.batches_sampled, is_sampled ? 1 : 0);
  }
  void add_datagram(uint64_t cycles) noexcept {
    relaxed::add(inspection_.datagrams, 1);
    relaxed::add(inspection_.cycles, cycles);
  }
  void add_scan(uint64_t cycles) noexcept { relaxed::add(inspection_.scan_cycles, cycles); }
  void add_check(uint32_t rule, uint64_t cycles) noexcept {
    RuleCost& row = rules_[rule];
    relaxed::add(row.checks, 1);
    relaxed::add(row.cycles, cycles);
    if (cycles > row.cycles_max) {
      relaxed::store(row.cycles_max, cycles);
    }
  }
  void add_match(uint32_t rule) noexcept { relaxed::add(rules_[rule].matches, 1); }

  /// Any thread.
  [[nodiscard]] RuleCost rule(size_t index) const noexcept {
    const RuleCost& row = rules_[index];
    return {relaxed::load(row.cycles), relaxed::load(row.cycles_max), relaxed::load(row.checks),
            relaxed::load(row.matches)};
  }
  /// Any thread.
  [[nodiscard]] InspectionCost inspection() const noexcept {
    return {relaxed::load(inspection_.batches), relaxed::load(inspection_.batches_sampled),
            relaxed::load(inspection_.datagrams), relaxed::load(inspection_.cycles),
            relaxed::load(inspection_.scan_cycles)};
  }

 private:
  const uint64_t generation_;
  InspectionCost inspection_;
  std::vector<RuleCost> rules_;
};

}  // namespace shrike
