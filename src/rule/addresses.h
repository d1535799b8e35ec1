#pragma once
#include <map>
#include <string>
#include <unordered_map>

#include "ir.h"
#include "report.h"
#include "words.h"

namespace shrike::rule {

/// Named groups as the configuration gives them: "HOME_NET" to "[10.0.0.0/8,!10.1.0.0/16]".
using Groups = std::map<std::string, std::string>;

/// Reads address lists: single addresses, CIDR, ranges `a-b`, `[…]`, negation, `any` and variables,
/// nested. The set is the union of what is positive (everything, where nothing is) minus the union
/// of what is negated; two negations around each other cancel. Source: rules/README.md, "Header".
/// One for all rules: equal texts are read once.
class AddressReader {
 public:
  explicit AddressReader(const Groups& groups) : groups_(groups) {}

  /// Every fault is reported at its place; gives nothing then.
  std::optional<AddressSet> read(const Word& word, RuleReport& report);

 private:
  const Groups& groups_;
  std::unordered_map<std::string, AddressSet> known_;
};

/// Sorts and joins ranges that touch or overlap; versions apart, 4 first.
void normalize(std::vector<AddressRange>& ranges);

/// What is in `ranges` and not in `removed`; both normalized.
std::vector<AddressRange> subtract(const std::vector<AddressRange>& ranges,
                                   const std::vector<AddressRange>& removed);

/// "10.0.0.1", "10.0.0.0/8", "10.0.0.0/255.0.0.0", "10.0.0.1-10.0.0.9", the same for IPv6.

std::optional<AddressRange> parse_address_range(std::string_view text);

}  // namespace shrike::rule
