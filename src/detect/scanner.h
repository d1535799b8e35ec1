#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "shrike/base/bytes.h"
#include "shrike/model/rule_tables.h"

struct hs_scratch;

namespace shrike::detect {

/// Literal scans and the candidates they give: rules whose literal was found where it may stand.
/// One core's; memory is taken when a rule set is taken up, never while scanning.
class Scanner {
 public:
  Scanner() = default;
  ~Scanner();
  Scanner(Scanner&&) = delete;

  /// Takes scratch for all databases of a rule set and forgets the one before.
  void take_up(const RuleTables& tables);

  /// Begins a datagram with these need:: bits: no candidates.
  void begin(uint32_t facts) noexcept;

  /// Looks for a group's literals; finds are added to the candidates, each rule once.
  void scan(const RuleGroup::Layers& layers, Bytes bytes) noexcept {
    for (const RuleGroup::Layer& layer : layers) {
      scan(layer, bytes);
    }
  }
  void scan(const RuleGroup::Layer& layer, Bytes bytes) noexcept;

  /// Makes a rule a candidate for another reason than a literal.
  void add(uint32_t rule) noexcept { add_candidate(rule, 0); }

  /// Candidates in ascending order. Valid until the next begin.
  [[nodiscard]] std::span<const uint32_t> candidates() noexcept;

  uint64_t scans = 0;
  uint64_t bytes_scanned = 0;
  uint64_t literals_found = 0;

 private:
  void scan_database(const LiteralDatabase& database, Bytes bytes) noexcept;
  void look_up(const AnchorTable& anchors, Bytes bytes) noexcept;
  void look_up_place(const AnchorTable& anchors, const AnchorTable::Place& place,
                     Bytes bytes) noexcept;
  void add_candidate(uint32_t rule, uint32_t needs) noexcept {
    if ((needs & facts_) == needs && seen_in_[rule] != epoch_) {
      seen_in_[rule] = epoch_;
      candidates_[candidate_count_++] = rule;
    }
  }
  void add(const LiteralDatabase& database, uint32_t literal, uint32_t end) noexcept;

  struct Find;
  static int on_find(unsigned literal, unsigned long long from, unsigned long long to,
                     unsigned flags, void* context) noexcept;

  struct FreeScratch {
    void operator()(hs_scratch* scratch) const noexcept;
  };
  const RuleTables* tables_ = nullptr;
  std::unique_ptr<hs_scratch, FreeScratch> scratch_;
  std::vector<uint32_t> seen_in_;     ///< [rules] epoch in which the rule became a candidate
  std::vector<uint32_t> candidates_;  ///< [rules] room for all of them
  size_t candidate_count_ = 0;
  uint32_t epoch_ = 0;
  uint32_t facts_ = 0;
};

}  // namespace shrike::detect
