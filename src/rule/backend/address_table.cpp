#include "backend/address_table.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace shrike::rule {

namespace {

template <typename Value>
struct Edge {
  Value at{};
  bool is_start = false;
  uint32_t rule = 0;
};

std::optional<uint32_t> next_of(uint32_t value) {
  return value == UINT32_MAX ? std::nullopt : std::optional(value + 1);
}

std::optional<IpAddress> next_of(IpAddress value) {
  for (size_t i = value.bytes.size(); i-- > 0;) {
    if (++value.bytes[i] != 0) {
      return value;
    }
  }
  return std::nullopt;
}

/// Sweeps over the edges in address order; equal lists of rules share their place.
template <typename Value>
void sweep(std::vector<Edge<Value>> edges, std::vector<Value>& starts, std::vector<uint32_t>& lists,
           std::vector<uint32_t>& rules) {
  std::sort(edges.begin(), edges.end(),
            [](const auto& one, const auto& other) { return one.at < other.at; });
  std::set<uint32_t> active;
  const auto write = [&](const Value& start) {
    starts.push_back(start);
    lists.push_back(static_cast<uint32_t>(rules.size()));
    rules.insert(rules.end(), active.begin(), active.end());
  };
  size_t at = 0;
  if (edges.empty() || Value{} < edges.front().at) {
    write(Value{});
  }
  while (at < edges.size()) {
    const Value place = edges[at].at;
    for (; at < edges.size() && edges[at].at == place; ++at) {
      if (edges[at].is_start) {
        active.insert(edges[at].rule);
      } else {
        active.erase(edges[at].rule);
      }
    }
    write(place);
  }
  lists.push_back(static_cast<uint32_t>(rules.size()));
}

template <typename Ranges, typename Value>
void add_edges(const Ranges& ranges, uint32_t rule, std::vector<Edge<Value>>& edges) {
  for (size_t i = 0; i < ranges.size(); ++i) {
    edges.push_back({ranges[i].first, true, rule});
    const std::optional<Value> next = next_of(ranges[i].last);
    // Neighbours touch: then the rule goes on, and its end must not undo the next start.
    const bool goes_on = i + 1 < ranges.size() && next && ranges[i + 1].first == *next;
    if (next && !goes_on) {
      edges.push_back({*next, false, rule});
    }
  }
}

void index_prefixes(AddressTable& table) {
  table.prefix4.resize(65537);
  uint32_t interval = 0;
  for (uint32_t prefix = 0; prefix < 65536; ++prefix) {
    while (interval + 1 < table.starts4.size() && table.starts4[interval + 1] <= prefix << 16) {
      ++interval;
    }
    table.prefix4[prefix] = interval;
  }
  table.prefix4[65536] = static_cast<uint32_t>(table.starts4.size() - 1);
}

/// How much of the address space a set leaves out: the fewer addresses, the better to file under.
double share_of(const AddressSet& set) {
  double addresses = 0;
  for (const auto& range : set.ipv4) {
    addresses += static_cast<double>(range.last) - static_cast<double>(range.first) + 1;
  }
  return addresses / 4294967296.0 + (set.ipv4.empty() && !set.ipv6.empty() ? 0.5 : 0);
}

}  // namespace

AddressTable build_address_table(const std::vector<FiledRule>& rules) {
  AddressTable table;
  if (rules.empty()) {
    return table;
  }
  std::vector<Edge<uint32_t>> edges4;
  std::vector<Edge<IpAddress>> edges6;
  for (const FiledRule& filed : rules) {
    add_edges(filed.addresses->ipv4, filed.rule, edges4);
    add_edges(filed.addresses->ipv6, filed.rule, edges6);
  }
  sweep(std::move(edges4), table.starts4, table.lists4, table.rules4);
  sweep(std::move(edges6), table.starts6, table.lists6, table.rules6);
  index_prefixes(table);
  return table;
}

void file_address_only_rules(RuleTables& tables) {
  std::vector<FiledRule> by_source;
  std::vector<FiledRule> by_target;
  for (uint32_t index = 0; index < tables.rules.size(); ++index) {
    const CompiledRule& rule = tables.rules[index];
    if (rule.kind != VerifyKind::ip_only) {
      continue;
    }
    const auto set_of = [&](uint32_t set) {
      return set == no_index ? nullptr : &tables.address_sets[set];
    };
    const AddressSet* const source = set_of(rule.source_addresses);
    const AddressSet* const target = set_of(rule.target_addresses);
    if (source == nullptr && target == nullptr) {
      tables.address_only_any.push_back(index);
    } else if (target == nullptr || (source != nullptr && share_of(*source) <= share_of(*target))) {
      by_source.push_back({index, source});
    } else {
      by_target.push_back({index, target});
    }
  }
  tables.address_only_source = build_address_table(by_source);
  tables.address_only_target = build_address_table(by_target);
}

}  // namespace shrike::rule
