#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "backend/databases.h"
#include "shrike/model/rule_tables.h"

namespace shrike::rule {

/// Makes tables of literals that stand at fixed places; equal ones are made once.
class AnchorBuilder {
 public:
  explicit AnchorBuilder(RuleTables& tables) : tables_(tables) {}

  /// The table of these literals, each with end_first == end_last, by index in
  /// RuleTables::anchors; no_index for none.
  [[nodiscard]] uint32_t ask(const std::vector<Literal>& literals);

 private:
  RuleTables& tables_;
  std::map<std::string, uint32_t> known_;
};

}  // namespace shrike::rule
