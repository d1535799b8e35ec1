#include "backend/groups.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <tuple>

#include "backend/anchors.h"
#include "shrike/base/hash.h"
#include "shrike/model/datagram.h"
#include "shrike/model/stream.h"

namespace shrike::rule {

namespace {

/// Server ports that carry most of the traffic of networks; each may have a group of its own.
constexpr std::array<uint16_t, 36> frequent_ports{
    20,   21,   22,   23,   25,   53,   67,   80,   88,   110,  123,  135,
    137,  139,  143,  161,  389,  443,  445,  465,  587,  853,  993,  995,
    1433, 1900, 3128, 3306, 3389, 5060, 5353, 5900, 8000, 8080, 8443, 8888};

/// A set of ports that no rule tells apart gets a group of its own from this size on.
constexpr uint32_t large_class_ports = 4096;

struct TransportName {
  TransportClass transport;
  std::string_view name;
  uint8_t protocol;  ///< one that belongs to it
};
constexpr std::array transports{
    TransportName{TransportClass::tcp, "tcp", ip_protocol::tcp},
    TransportName{TransportClass::udp, "udp", ip_protocol::udp},
    TransportName{TransportClass::sctp, "sctp", ip_protocol::sctp},
    TransportName{TransportClass::icmp, "icmp", ip_protocol::icmp},
    TransportName{TransportClass::icmpv6, "icmpv6", ip_protocol::icmpv6},
    TransportName{TransportClass::other, "other", 0},
};

using Rules = std::vector<uint32_t>;  // ascending

Rules united(const Rules& one, const Rules& other) {
  Rules result;
  std::set_union(one.begin(), one.end(), other.begin(), other.end(), std::back_inserter(result));
  return result;
}

class GroupBuilder {
 public:
  GroupBuilder(RuleTables& tables, const std::vector<std::optional<FastPattern>>& patterns,
               const std::vector<bool>& awake, DatabaseBuilder& databases)
      : tables_(tables),
        patterns_(patterns),
        awake_(awake),
        databases_(databases),
        anchors_(tables) {}

  void build();

 private:
  [[nodiscard]] Rules rules_of(Direction direction, const TransportName& transport) const;
  /// Those are met by AppGroups, but for the ones that a literal in the payload finds.
  [[nodiscard]] bool is_of_transactions(uint32_t rule) const {
    const auto& pattern = patterns_[rule];
    return tables_.rules[rule].kind == VerifyKind::transaction && (!pattern || pattern->buffer);
  }
  void build_ports(Direction direction, const TransportName& transport, const Rules& rules);
  uint16_t add_group(const Rules& any, const Rules& own, bool is_tcp, std::string name);
  void add_layer(const Rules& rules, bool is_tcp, size_t layer, RuleGroup& group);
  void add_open_rules(const Rules& rules, RuleGroup& group);
  [[nodiscard]] Literal literal_of(uint32_t rule) const;
  [[nodiscard]] RuleGroup::Layer ask(const std::vector<Literal>& literals);

  RuleTables& tables_;
  const std::vector<std::optional<FastPattern>>& patterns_;
  const std::vector<bool>& awake_;
  DatabaseBuilder& databases_;
  std::map<std::tuple<bool, Rules, Rules>, uint16_t> known_;
  AnchorBuilder anchors_;
};

bool has_other_protocol(const std::bitset<256>& protocols) {
  for (size_t protocol = 0; protocol < protocols.size(); ++protocol) {
    if (protocols.test(protocol) &&
        transport_class(static_cast<uint8_t>(protocol)) == TransportClass::other) {
      return true;
    }
  }
  return false;
}

bool allows(const CompiledRule& rule, Direction direction) noexcept {
  const uint32_t other = direction == Direction::to_server ? need::to_client : need::to_server;
  return (rule.needs & other) == 0;
}

Rules GroupBuilder::rules_of(Direction direction, const TransportName& transport) const {
  Rules result;
  for (uint32_t index = 0; index < tables_.rules.size(); ++index) {
    const CompiledRule& rule = tables_.rules[index];
    if (!awake_[index] || rule.kind == VerifyKind::ip_only || !allows(rule, direction) ||
        is_of_transactions(index)) {
      continue;
    }
    const auto& protocols = tables_.protocol_sets[rule.protocol_set];
    const bool has_transport = transport.transport == TransportClass::other
                                   ? has_other_protocol(protocols)
                                   : protocols.test(transport.protocol);
    if (has_transport) {
      result.push_back(index);
    }
  }
  return result;
}

/// Can a datagram with this key (see open_key) have what the rule needs?
bool fits_key(uint32_t needs, unsigned key) noexcept {
  const bool has_payload = (key & 1) != 0;
  const bool has_event = (key & 2) != 0;
  const bool has_flow = (key & 4) != 0;
  const bool has_syn = (key & 8) != 0;
  constexpr uint32_t flow_needs = need::flow | need::established | need::not_established;
  return ((needs & need::payload) == 0 || has_payload) &&
         ((needs & need::no_payload) == 0 || !has_payload) &&
         ((needs & need::event) == 0 || has_event) && ((needs & flow_needs) == 0 || has_flow) &&
         ((needs >> need::tcp_flags_shift & 2u) == 0 || has_syn);
}

void GroupBuilder::add_open_rules(const Rules& rules, RuleGroup& group) {
  for (unsigned key = 0; key < RuleGroup::open_keys; ++key) {
    group.open_index[key] = static_cast<uint32_t>(tables_.open_rules.size());
    for (const uint32_t rule : rules) {
      const uint32_t needs = tables_.rules[rule].needs;
      if (!patterns_[rule] && fits_key(needs, key)) {
        tables_.open_rules.push_back({needs, rule});
      }
    }
  }
  group.open_index[RuleGroup::open_keys] = static_cast<uint32_t>(tables_.open_rules.size());
}

Literal GroupBuilder::literal_of(uint32_t rule) const {
  const FastPattern& pattern = *patterns_[rule];
  return {pattern.bytes,
          pattern.is_nocase,
          {rule, tables_.rules[rule].needs, pattern.end_first, pattern.end_last}};
}

RuleGroup::Layer GroupBuilder::ask(const std::vector<Literal>& literals) {
  std::vector<Literal> anchored;
  std::vector<Literal> free;
  for (const Literal& literal : literals) {
    const bool has_place = literal.rule.end_first == literal.rule.end_last;
    (has_place ? anchored : free).push_back(literal);
  }
  return {anchors_.ask(anchored), databases_.ask(std::move(free))};
}

void GroupBuilder::add_layer(const Rules& rules, bool is_tcp, size_t layer, RuleGroup& group) {
  std::vector<Literal> payload;
  std::vector<Literal> stream;
  for (const uint32_t rule : rules) {
    if (!patterns_[rule]) {
      continue;
    }
    if (!is_tcp || patterns_[rule]->in_packets) {
      payload.push_back(literal_of(rule));
    }
    if (is_tcp && patterns_[rule]->in_streams) {
      stream.push_back(literal_of(rule));
    }
  }
  group.payload[layer] = ask(payload);
  group.stream[layer] = ask(stream);
}

uint16_t GroupBuilder::add_group(const Rules& any, const Rules& own, bool is_tcp,
                                 std::string name) {
  const auto [at, is_new] =
      known_.try_emplace({is_tcp, any, own}, static_cast<uint16_t>(tables_.groups.size()));
  if (!is_new) {
    tables_.groups[at->second].name += ", " + name;
    return at->second;
  }
  RuleGroup group;
  group.name = std::move(name);
  group.rules = static_cast<uint32_t>(any.size() + own.size());
  add_open_rules(united(any, own), group);
  add_layer(any, is_tcp, 0, group);
  add_layer(own, is_tcp, 1, group);
  tables_.groups.push_back(std::move(group));
  return at->second;
}

/// Ports as classes: which rules name each port, told by a hash of their indices.
struct PortClasses {
  std::vector<uint64_t> class_of;      // [65536]
  std::map<uint64_t, Rules> rules;     // class to the rules that name its ports
  std::map<uint64_t, uint32_t> ports;  // class to its size
};

PortClasses classify(const RuleTables& tables, const Rules& specific, Direction direction) {
  std::map<uint32_t, std::vector<std::pair<uint32_t, bool>>> edges;
  for (const uint32_t index : specific) {
    const CompiledRule& rule = tables.rules[index];
    const uint32_t set = direction == Direction::to_server ? rule.target_ports : rule.source_ports;
    for (const PortRange& range : tables.port_sets[set]) {
      edges[range.first].emplace_back(index, true);
      edges[range.last + 1u].emplace_back(index, false);
    }
  }
  PortClasses result;
  result.class_of.resize(65536, 0);
  std::map<uint32_t, int> active;
  uint64_t hash = 0;
  uint32_t start = 0;
  const auto close = [&](uint32_t end) {
    if (end <= start) {
      return;
    }
    std::fill(result.class_of.begin() + start, result.class_of.begin() + end, hash);
    result.ports[hash] += end - start;
    Rules& rules = result.rules[hash];
    if (rules.empty()) {
      for (const auto& [rule, times] : active) {
        rules.push_back(rule);
      }
    }
    start = end;
  };
  for (const auto& [port, changes] : edges) {
    close(std::min<uint32_t>(port, 65536));
    for (const auto& [rule, begins] : changes) {
      // A sum of mixed indices does not depend on the order in which rules come and go.
      const uint64_t mixed = mix64(rule + 1);
      if (begins) {
        hash += active[rule]++ == 0 ? mixed : 0;
      } else if (--active[rule] == 0) {
        active.erase(rule);
        hash -= mixed;
      }
    }
  }
  close(65536);
  return result;
}

void GroupBuilder::build_ports(Direction direction, const TransportName& transport,
                               const Rules& rules) {
  Rules any;
  Rules specific;
  for (const uint32_t index : rules) {
    const CompiledRule& rule = tables_.rules[index];
    const uint32_t set = direction == Direction::to_server ? rule.target_ports : rule.source_ports;
    (set == no_index ? any : specific).push_back(index);
  }
  const PortClasses classes = classify(tables_, specific, direction);
  std::map<uint64_t, std::string> own;  // classes with a group of their own, and why
  for (const uint16_t port : frequent_ports) {
    std::string& name = own[classes.class_of[port]];
    name += (name.empty() ? "" : ",") + std::to_string(port);
  }
  for (const auto& [id, ports] : classes.ports) {
    if (ports >= large_class_ports) {
      own.try_emplace(id, std::to_string(ports) + " ports");
    }
  }
  const std::string prefix = std::string(transport.name) +
                             (direction == Direction::to_server ? " to_server " : " to_client ");
  const bool is_tcp = transport.transport == TransportClass::tcp;
  std::map<uint64_t, uint16_t> group_of_class;
  Rules rest;
  for (const auto& [id, named] : classes.rules) {
    const auto at = own.find(id);
    if (at == own.end()) {
      rest = united(rest, named);
    } else {
      group_of_class[id] = add_group(any, named, is_tcp, prefix + at->second);
    }
  }
  const uint16_t rest_group = add_group(any, rest, is_tcp, prefix + "rest");
  auto& table =
      tables_.port_groups[static_cast<size_t>(direction)][static_cast<size_t>(transport.transport)];
  table.resize(65536);
  for (uint32_t port = 0; port < 65536; ++port) {
    const auto at = group_of_class.find(classes.class_of[port]);
    table[port] = at == group_of_class.end() ? rest_group : at->second;
  }
}

void GroupBuilder::build() {
  for (const Direction direction : {Direction::to_server, Direction::to_client}) {
    for (const TransportName& transport : transports) {
      const Rules rules = rules_of(direction, transport);
      const bool has_port_groups =
          transport.transport == TransportClass::tcp || transport.transport == TransportClass::udp;
      if (has_port_groups) {
        build_ports(direction, transport, rules);
      } else {
        const std::string name = std::string(transport.name) +
                                 (direction == Direction::to_server ? " to_server" : " to_client");
        tables_.other_groups[static_cast<size_t>(direction)]
                            [static_cast<size_t>(transport.transport)] =
            add_group(rules, {}, false, name);
      }
    }
  }
  Rules events;
  for (uint32_t index = 0; index < tables_.rules.size(); ++index) {
    if (awake_[index] && tables_.rules[index].kind == VerifyKind::event) {
      events.push_back(index);
    }
  }
  tables_.event_group = add_group(events, {}, false, "no ip");
}

}  // namespace

void build_groups(RuleTables& tables, const std::vector<std::optional<FastPattern>>& patterns,
                  const std::vector<bool>& awake, DatabaseBuilder& databases) {
  GroupBuilder(tables, patterns, awake, databases).build();
}

}  // namespace shrike::rule
