#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "shrike/model/datagram.h"
#include "shrike/model/rule_info.h"
#include "shrike/model/rule_tables.h"
#include "shrike/model/stream.h"

namespace shrike {

/// Compiled rules: immutable, shared by all workers, built only by rule::compile. Moving it moves
/// one pointer, so what detect borrowed stays valid.
class RuleSet {
 public:
  explicit RuleSet(std::unique_ptr<const RuleTables> tables) noexcept;
  ~RuleSet();
  RuleSet(RuleSet&&) noexcept;
  RuleSet& operator=(RuleSet&&) noexcept;

  [[nodiscard]] std::span<const RuleInfo> infos() const noexcept;         ///< in inspection order
  [[nodiscard]] std::span<const std::string> bit_names() const noexcept;  ///< flow bits
  [[nodiscard]] std::span<const std::string> integer_names() const noexcept;  ///< flow integers
  [[nodiscard]] const RuleTables& tables() const noexcept { return *tables_; }
  /// Tells rule sets of one process apart, also where one takes another's place in memory.
  [[nodiscard]] uint64_t generation() const noexcept { return tables_->generation; }

 private:
  std::unique_ptr<const RuleTables> tables_;
};

/// The group that a datagram meets: by direction (without a flow: to the server), transport and
/// the server's port. Suricata: SigMatchSignaturesGetSgh.
[[nodiscard]] uint16_t group_of(const RuleTables& tables, const Datagram& datagram,
                                Direction direction) noexcept;

}  // namespace shrike
