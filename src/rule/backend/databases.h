#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "shrike/base/diagnostics.h"
#include "shrike/model/rule_tables.h"
#include "shrike/rule.h"

namespace shrike::rule {

/// A literal that makes a rule a candidate.
struct Literal {
  std::string bytes;
  bool is_nocase = false;
  PatternRule rule;
};

/// Collects the literal databases that groups ask for, and compiles each different one once:
/// in parallel, and only where the cache does not hold it.
class DatabaseBuilder {
 public:
  DatabaseBuilder(RuleTables& tables, const Options& options)
      : tables_(tables), options_(options) {}

  /// The database of these literals, by index in RuleTables::databases; no_index for none.
  [[nodiscard]] uint32_t ask(std::vector<Literal> literals);

  /// Fills every database that was asked for. False where Hyperscan refuses, said in `diagnostics`.
  [[nodiscard]] bool compile(Diagnostics& diagnostics, Report& report);

 private:
  struct Job {
    uint32_t database = 0;  ///< the first that needs these literals
    std::vector<std::string> literals;
    std::vector<unsigned> flags;
    std::string key;  ///< what Hyperscan is given, for the cache
  };
  RuleTables& tables_;
  const Options& options_;
  std::vector<Job> jobs_;
  std::map<std::string, uint32_t> known_;
};

}  // namespace shrike::rule
