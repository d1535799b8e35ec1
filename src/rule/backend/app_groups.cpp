#include "backend/app_groups.h"

#include <array>
#include <map>
#include <utility>

#include "app_protocols.h"
#include "backend/anchors.h"
#include "shrike/model/stream.h"

namespace shrike::rule {

namespace {

constexpr std::array both{Direction::to_server, Direction::to_client};

bool is_allowed(FieldDirections directions, Direction direction) noexcept {
  return directions == FieldDirections::both ||
         (directions == FieldDirections::to_server) == (direction == Direction::to_server);
}

/// Can the rule be found in this direction? One about a whole transaction begins where its literal
/// stands.
bool is_found_in(const CompiledRule& rule, const FastPattern* pattern, Direction direction) {
  const uint32_t other = direction == Direction::to_server ? need::to_client : need::to_server;
  if ((rule.needs & other) != 0) return false;
  return pattern == nullptr || is_allowed(row_of(pattern->buffer->field).directions, direction);
}

class AppGroupBuilder {
 public:
  AppGroupBuilder(RuleTables& tables, const RuleList& list, const ProgramBuilder& programs,
                  DatabaseBuilder& databases)
      : tables_(tables),
        list_(list),
        programs_(programs),
        databases_(databases),
        anchors_(tables) {}

  void build() {
    for (uint32_t rule = 0; rule < list_.rules.size(); ++rule) {
      if (list_.awake[rule] && tables_.rules[rule].kind == VerifyKind::transaction) add(rule);
    }
    for (const Direction direction : both) {
      for (size_t protocol = 0; protocol < literals_[0].size(); ++protocol) {
        finish(direction, protocol);
      }
    }
  }

 private:
  using Key = std::pair<Field, uint32_t>;  ///< field, transforms
  using Literals = std::map<Key, std::vector<Literal>>;

  AppGroup& group_of(Direction direction, size_t protocol) {
    return tables_.app_groups[static_cast<size_t>(direction)][protocol];
  }

  void add(uint32_t rule) {
    const auto& pattern = list_.patterns[rule];
    const FastPattern* const in_field = pattern && pattern->buffer != nullptr ? &*pattern : nullptr;
    for (const AppProtocol protocol : protocols_of(list_.rules[rule])) {
      const auto index = static_cast<size_t>(protocol);
      for (const Direction direction : both) {
        if (!is_found_in(tables_.rules[rule], in_field, direction)) continue;
        AppGroup& group = group_of(direction, index);
        ++group.rules;
        if (in_field != nullptr) {
          literals_[static_cast<size_t>(direction)][index][key_of(*in_field)].push_back(
              literal_of(rule, *in_field));
        } else if (!pattern) {
          group.open_rules.push_back(rule);
        }
      }
    }
  }

  [[nodiscard]] Key key_of(const FastPattern& pattern) const {
    return {pattern.buffer->field, programs_.known_transforms(pattern.buffer->transforms)};
  }

  [[nodiscard]] Literal literal_of(uint32_t rule, const FastPattern& pattern) const {
    return {pattern.bytes,
            pattern.is_nocase,
            {rule, tables_.rules[rule].needs, pattern.end_first, pattern.end_last}};
  }

  void finish(Direction direction, size_t protocol) {
    AppGroup& group = group_of(direction, protocol);
    for (auto& [key, all] : literals_[static_cast<size_t>(direction)][protocol]) {
      std::vector<Literal> anchored;
      std::vector<Literal> free;
      for (Literal& literal : all) {
        const bool has_place = literal.rule.end_first == literal.rule.end_last;
        (has_place ? anchored : free).push_back(std::move(literal));
      }
      group.buffers.push_back(
          {key.first, key.second, {anchors_.ask(anchored), databases_.ask(std::move(free))}});
    }
  }

  RuleTables& tables_;
  const RuleList& list_;
  const ProgramBuilder& programs_;
  DatabaseBuilder& databases_;
  AnchorBuilder anchors_;
  std::array<std::array<Literals, static_cast<size_t>(AppProtocol::count_)>, 2> literals_;
};

}  // namespace

void build_app_groups(RuleTables& tables, const RuleList& list, const ProgramBuilder& programs,
                      DatabaseBuilder& databases) {
  AppGroupBuilder(tables, list, programs, databases).build();
}

}  // namespace shrike::rule
