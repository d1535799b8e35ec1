#pragma once
#include <bitset>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ir.h"
#include "shrike/model/rule_tables.h"

namespace shrike::rule {

/// Gives equal values one place in RuleTables: names, address sets, port sets, protocol sets.
/// Borrows the tables for its lifetime.
class Interner {
 public:
  explicit Interner(RuleTables& tables) : tables_(tables) {}

  uint32_t bit(const std::string& name) { return number(bits_, tables_.bit_names, name); }
  uint32_t integer(const std::string& name) {
    return number(integers_, tables_.integer_names, name);
  }
  uint32_t variable(const std::string& name) {
    return number(variables_, tables_.variable_names, name);
  }
  uint32_t text(const std::string& text) { return number(texts_, tables_.texts, text); }
  uint16_t protocols(const std::bitset<256>& set);
  /// @return no_index for any.
  uint32_t addresses(const rule::AddressSet& set);
  uint32_t addresses(const std::vector<AddressRange>& ranges);
  uint32_t ports(const rule::PortSet& set);
  /// A run of numbers, for checks that name several bits.
  uint32_t list(const std::vector<uint32_t>& numbers);

 private:
  using Names = std::unordered_map<std::string, uint32_t>;
  static uint32_t number(Names& names, std::vector<std::string>& all, const std::string& name);

  RuleTables& tables_;
  Names bits_, integers_, variables_, texts_;
  std::map<std::string, uint32_t> address_sets_, port_sets_;
  std::unordered_map<std::bitset<256>, uint16_t> protocol_sets_;
};

}  // namespace shrike::rule
