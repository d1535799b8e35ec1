#pragma once
#include <map>
#include <string>
#include <unordered_map>

#include "ir.h"
#include "report.h"

namespace shrike::rule {

/// Reads port lists: `80`, `1024:`, `:1023`, `80:90`, `[…]`, negation, `any` and variables, nested;
/// the set is the union of the positives (all ports, where there are none) minus the negated.
class PortReader {
 public:
  explicit PortReader(const std::map<std::string, std::string>& groups) : groups_(groups) {}

  /// Every fault is reported at its place; gives nothing then.
  std::optional<PortSet> read(const Word& word, RuleReport& report);

 private:
  const std::map<std::string, std::string>& groups_;
  std::unordered_map<std::string, PortSet> known_;
};

/// Reads "80", "1024:", ":1023" or "8000:8080", both ends included; reports what is wrong.
std::optional<Range<uint16_t>> parse_port_range(const Word& word, const Word& at,
                                                RuleReport& report);

}  // namespace shrike::rule
