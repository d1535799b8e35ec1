#include "app_index.h"

#include <algorithm>

namespace shrike::detect {

namespace {

/// A field whose values only come out of the packet or its headers.
bool is_of_packet(Field field) noexcept {
  return row_of(field).protocol == AppProtocol::unknown && field <= Field::frame;
}

bool may_match_nothing(const RuleTables& tables, const BufferProgram& program) noexcept {
  const auto* const first = tables.buffer_instructions.data() + program.index;
  return std::any_of(first, first + program.count, [](const BufferInstruction& instruction) {
    return instruction.opcode == BufferOpcode::absent;
  });
}

/// When a transaction's Progress compares for good, or never will.
Progress decided_at(const BufferProgram& program) noexcept {
  return program.compare == Compare::greater ? Progress::complete
                                             : static_cast<Progress>(program.index);
}

AppIndex::Open open_of(const RuleTables& tables, uint32_t rule) noexcept {
  AppIndex::Open open{.rule = rule};
  const CompiledRule& compiled = tables.rules[rule];
  open.is_always_tried = compiled.both_directions;
  const BufferProgram* const first = tables.buffer_programs.data() + compiled.buffer_index;
  for (const BufferProgram& program : std::span(first, compiled.buffer_count)) {
    if (program.source == BufferProgram::Source::event) {
      open.needs_event = true;
      open.is_always_tried = true;
    } else if (program.source == BufferProgram::Source::progress) {
      open.final_at = std::max(open.final_at, decided_at(program));
      open.is_hook = compiled.buffer_count == 1 && program.compare == Compare::greater_or_equal;
    } else if (is_of_packet(program.field)) {
      open.is_always_tried = true;
    } else {
      open.final_at = std::max(open.final_at, row_of(program.field).final_at);
      if (open.needed == Field::payload && !compiled.both_directions &&
          !may_match_nothing(tables, program)) {
        open.needed = program.field;
      }
    }
  }
  return open;
}

}  // namespace

void AppIndex::take_up(const RuleTables& tables) {
  ranges_.assign(groups_count * fields_count, {});
  for (size_t protocol = 0; protocol < static_cast<size_t>(AppProtocol::count_); ++protocol) {
    for (const Direction direction : {Direction::to_server, Direction::to_client}) {
      const size_t index = group_of(static_cast<AppProtocol>(protocol), direction);
      const AppGroup& group = tables.app_groups[static_cast<size_t>(direction)][protocol];
      groups_[index] = &group;
      for (uint32_t i = 0; i < group.buffers.size(); ++i) {
        Range& range = ranges_[index * fields_count + static_cast<size_t>(group.buffers[i].field)];
        range.first = range.count == 0 ? static_cast<uint16_t>(i) : range.first;
        ++range.count;
      }
      open_[index].clear();
      has_hooks_[index] = false;
      for (const uint32_t rule : group.open_rules) {
        open_[index].push_back(open_of(tables, rule));
        has_hooks_[index] |= open_[index].back().is_hook;
      }
    }
  }
}

}  // namespace shrike::detect
