#include "dormant_bits.h"

#include <string>
#include <string_view>
#include <unordered_set>

namespace shrike::rule {

namespace {

using BitNames = std::unordered_set<std::string_view>;

bool sets_bits(const FlowBits& bits) {
  return bits.command == FlowBits::Command::set || bits.command == FlowBits::Command::toggle;
}

BitNames bits_of_dormant_setters(const std::vector<Rule>& rules) {
  BitNames names;
  for (const Rule& rule : rules) {
    if (rule.dormant_reason.empty()) continue;
    for (const PacketCheck& check : rule.packet_checks) {
      const auto* bits = std::get_if<FlowBits>(&check);
      if (bits != nullptr && sets_bits(*bits)) names.insert(bits->names.begin(), bits->names.end());
    }
  }
  return names;
}

/// The first bit that must not be set and that a dormant rule sets; null where there is none. A
/// rule that sets the bit itself only asks whether it fired before.
const std::string* unknowable_bit(const Rule& rule, const BitNames& unset) {
  const std::string* found = nullptr;
  for (const PacketCheck& check : rule.packet_checks) {
    const auto* bits = std::get_if<FlowBits>(&check);
    if (bits == nullptr) continue;
    for (const std::string& name : bits->names) {
      if (bits->command == FlowBits::Command::is_not_set && unset.contains(name)) found = &name;
      if (sets_bits(*bits) && unset.contains(name)) return nullptr;
    }
  }
  return found;
}

}  // namespace

void rest_with_dormant_setters(std::vector<Rule>& rules) {
  // A rule put to sleep may set bits itself, so this goes on until nothing changes.
  for (bool has_changed = true; has_changed;) {
    has_changed = false;
    const BitNames unset = bits_of_dormant_setters(rules);
    for (Rule& rule : rules) {
      if (!rule.dormant_reason.empty()) continue;
      if (const std::string* const name = unknowable_bit(rule, unset)) {
        rule.dormant_reason = "flow bit " + *name + " of a dormant rule";
        has_changed = true;
      }
    }
  }
}

}  // namespace shrike::rule
