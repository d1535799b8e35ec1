#include "order.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>

namespace shrike::rule {

namespace {

/// Whether a rule reads and writes something that outlives it: writers come first.
class Access {
 public:
  void read() noexcept { reads_ = true; }
  void write() noexcept { writes_ = true; }
  /// 0 for writers only, then both, then readers only, then neither.
  [[nodiscard]] uint32_t rank() const noexcept {
    if (writes_) return reads_ ? 1 : 0;
    return reads_ ? 2 : 3;
  }

 private:
  bool reads_ = false;
  bool writes_ = false;
};

struct Accesses {
  Access flow_bits, flow_integers, flow_variables, packet_variables, host_bits, pair_bits;
};

void note(const FlowBits& check, Accesses& all) {
  const bool is_question =
      check.command == FlowBits::Command::is_set || check.command == FlowBits::Command::is_not_set;
  is_question ? all.flow_bits.read() : all.flow_bits.write();
}

void note(const FlowInteger& check, Accesses& all) {
  const bool is_change = check.command == FlowInteger::Command::add ||
                         check.command == FlowInteger::Command::subtract ||
                         check.command == FlowInteger::Command::assign;
  is_change ? all.flow_integers.write() : all.flow_integers.read();
}

void note(const HostBitOperation& operation, Accesses& all) {
  using Command = HostBitOperation::Command;
  const bool is_question =
      operation.command == Command::is_set || operation.command == Command::is_not_set;
  const bool is_pair = operation.track == HostBitOperation::Track::pair;
  Access& access = is_pair ? all.pair_bits : all.host_bits;
  is_question ? access.read() : access.write();
}

Accesses accesses_of(const Rule& rule) {
  Accesses all;
  for (const PacketCheck& check : rule.packet_checks) {
    if (const auto* const bits = std::get_if<FlowBits>(&check)) note(*bits, all);
    if (const auto* const integer = std::get_if<FlowInteger>(&check)) note(*integer, all);
    if (const auto* const variable = std::get_if<FlowVariableCheck>(&check)) {
      variable->is_packet ? all.packet_variables.read() : all.flow_variables.read();
    }
  }
  for (const Buffer& buffer : rule.buffers) {
    for (const BufferCheck& check : buffer.checks) {
      const auto* const pcre = std::get_if<Pcre>(&check);
      if (pcre == nullptr) continue;
      for (const Pcre::Capture& capture : pcre->captures) {
        if (capture.scope == Pcre::Capture::Scope::flow) all.flow_variables.write();
        if (capture.scope == Pcre::Capture::Scope::packet) all.packet_variables.write();
      }
    }
  }
  for (const HostBitOperation& operation : rule.info.host_bits) note(operation, all);
  return all;
}

std::string_view order_name(Action action) {
  switch (action) {
    case Action::pass:
      return "pass";
    case Action::drop:
      return "drop";
    case Action::reject:
    case Action::reject_source:
    case Action::reject_target:
    case Action::reject_both:
      return "reject";
    case Action::alert:
    case Action::config:
      return "alert";
  }
  return "";
}

using Key = std::array<uint32_t, 9>;

Key key_of(const Rule& rule, const std::vector<std::string>& action_order) {
  const auto action =
      std::find(action_order.begin(), action_order.end(), order_name(rule.info.action));
  const Accesses all = accesses_of(rule);
  return {static_cast<uint32_t>(action - action_order.begin()),
          all.flow_bits.rank(),
          all.flow_integers.rank(),
          all.flow_variables.rank(),
          all.packet_variables.rank(),
          all.host_bits.rank(),
          all.pair_bits.rank(),
          rule.info.priority,
          rule.info.sid};
}

}  // namespace

void sort_rules(std::vector<Rule>& rules, const std::vector<std::string>& action_order) {
  struct Entry {
    Key key;
    size_t index;
  };
  std::vector<Entry> entries;
  entries.reserve(rules.size());
  for (const Rule& rule : rules) entries.push_back({key_of(rule, action_order), entries.size()});
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& first, const Entry& second) { return first.key < second.key; });
  std::vector<Rule> sorted;
  sorted.reserve(rules.size());
  for (const Entry& entry : entries) sorted.push_back(std::move(rules[entry.index]));
  rules = std::move(sorted);
}

}  // namespace shrike::rule
