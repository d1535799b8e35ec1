#pragma once
#include <string>
#include <string_view>
#include <unordered_map>

#include "shrike/rule.h"

namespace shrike::rule {

/// `config classification: name,description,priority` by lower-cased name.
struct RuleClass {
  std::string name;
  std::string description;
  uint32_t priority = 3;
};
using ClassTable = std::unordered_map<std::string, RuleClass>;

/// `config reference: name prefix` by lower-cased name.
using ReferenceTable = std::unordered_map<std::string, std::string>;

/// Read the two files; each line that cannot be read is reported and left out. An absent file
/// gives an empty table.
ClassTable read_classes(const std::optional<Source>& source, Diagnostics& diagnostics);
ReferenceTable read_references(const std::optional<Source>& source, Diagnostics& diagnostics);

std::string lower_cased(std::string_view text);

}  // namespace shrike::rule
