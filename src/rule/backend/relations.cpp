#include "backend/relations.h"

namespace shrike::rule {

namespace {

bool is_anchor(BufferOpcode opcode) noexcept {
  return opcode == BufferOpcode::content || opcode == BufferOpcode::pcre;
}

/// Checks that Suricata counts when it looks for the keyword before a relative byte_* or isdataat:
/// only where that is a content or pcre is it marked.
bool is_counted(BufferOpcode opcode) noexcept {
  switch (opcode) {
    case BufferOpcode::content:
    case BufferOpcode::pcre:
    case BufferOpcode::byte_test:
    case BufferOpcode::byte_jump:
    case BufferOpcode::byte_extract:
    case BufferOpcode::byte_math:
    case BufferOpcode::is_data_at:
      return true;
    case BufferOpcode::never:
    case BufferOpcode::buffer_size:
    case BufferOpcode::absent:
    case BufferOpcode::base64_decode:
    case BufferOpcode::asn1:
    case BufferOpcode::entropy:
    case BufferOpcode::uri_length:
    case BufferOpcode::number_in:
    case BufferOpcode::dataset:
      return false;
  }
  return false;
}

/// What the anchor of a relative check is marked with; 0 where the check is not relative.
uint32_t mark_of(const BufferInstruction& check) noexcept {
  if (check.opcode == BufferOpcode::content) {
    const bool has_within = (check.flags & buffer_flag::has_within) != 0;
    const bool has_distance = (check.flags & buffer_flag::has_distance) != 0;
    if (has_within || (has_distance && (check.flags & buffer_flag::negated) != 0)) {
      return buffer_flag::next_is_relative | buffer_flag::retry_helps;
    }
    // A later hit only shrinks what a bare distance leaves to search.
    return has_distance ? buffer_flag::next_is_relative : 0;
  }
  if ((check.flags & buffer_flag::relative) != 0 && is_counted(check.opcode)) {
    return buffer_flag::next_is_relative | buffer_flag::retry_helps;
  }
  return 0;
}

}  // namespace

void mark_relations(std::vector<BufferInstruction>& instructions) {
  BufferInstruction* anchor = nullptr;   // the last content or pcre
  BufferInstruction* counted = nullptr;  // the last check of those that is_counted names
  for (BufferInstruction& check : instructions) {
    const uint32_t mark = mark_of(check);
    BufferInstruction* const before = is_anchor(check.opcode) ? anchor : counted;
    if (mark != 0 && before != nullptr && is_anchor(before->opcode)) {
      before->flags |= mark;
    }
    anchor = is_anchor(check.opcode) ? &check : anchor;
    counted = is_counted(check.opcode) ? &check : counted;
  }
  for (BufferInstruction& check : instructions) {
    constexpr uint32_t placed = buffer_flag::has_distance | buffer_flag::has_within |
                                buffer_flag::next_is_relative | buffer_flag::offset_variable |
                                buffer_flag::depth_variable;
    if (check.opcode == BufferOpcode::content && (check.flags & placed) == 0 &&
        check.content.offset == 0 && check.content.depth == 0) {
      check.flags |= buffer_flag::is_alone;
    }
  }
  if (!instructions.empty()) {
    instructions.back().flags |= buffer_flag::is_last;
  }
}

}  // namespace shrike::rule
