#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "shrike/model/rule_tables.h"
#include "shrike/model/stream.h"

namespace shrike::detect {

/// Where to find what concerns a value: made once for a rule set out of its AppGroups, so that no
/// list is searched while transactions pass.
class AppIndex {
 public:
  /// A rule that no literal finds, with what tells whether it is worth a try.
  struct Open {
    uint32_t rule = 0;
    Field needed = Field::payload;  ///< without a value of this it cannot match; payload: of none
    Progress final_at = Progress::started;  ///< when all its fields are final
    bool needs_event = false;
    bool is_always_tried = false;  ///< looks at something else than fields too
    bool is_hook = false;          ///< matches in the step `final_at`, without a state
  };

  void take_up(const RuleTables& tables);

  [[nodiscard]] static size_t group_of(AppProtocol protocol, Direction direction) noexcept {
    return static_cast<size_t>(protocol) * 2 + static_cast<size_t>(direction);
  }
  /// No rule looks at the transactions of this group.
  [[nodiscard]] bool is_empty(size_t group) const noexcept { return groups_[group]->rules == 0; }
  [[nodiscard]] std::span<const AppGroup::Buffer> buffers_of(size_t group,
                                                             Field field) const noexcept {
    const Range& range = ranges_[group * fields_count + static_cast<size_t>(field)];
    return std::span(groups_[group]->buffers).subspan(range.first, range.count);
  }
  [[nodiscard]] std::span<const Open> open_rules(size_t group) const noexcept {
    return open_[group];
  }
  /// A rule of the group is a hook: it is to see a transaction with all that is parsed of it.
  [[nodiscard]] bool has_hooks(size_t group) const noexcept { return has_hooks_[group]; }

 private:
  struct Range {
    uint16_t first = 0;
    uint16_t count = 0;
  };
  static constexpr size_t groups_count = 2 * static_cast<size_t>(AppProtocol::count_);

  std::array<const AppGroup*, groups_count> groups_{};
  std::vector<Range> ranges_;  ///< [groups_count * fields_count]
  std::array<std::vector<Open>, groups_count> open_;
  std::array<bool, groups_count> has_hooks_{};
};

}  // namespace shrike::detect
