#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "ir.h"

namespace shrike::rule {

/// The literal by which a rule is found: part or all of one of its contents.
struct FastPattern {
  std::string bytes;
  bool is_nocase = false;
  uint32_t end_first = 0;  ///< where in the buffer the literal may end, both included
  uint32_t end_last = 0xffffffff;
  const Content* content = nullptr;  ///< borrowed from the rule
  /// The buffer it is in: of a field with transforms, or null for the payload.
  const Buffer* buffer = nullptr;
  bool in_packets = true;  ///< payload: looked for in packets, in stream chunks, or both
  bool in_streams = false;
};

/// Chooses the literal as Suricata does: the one that the rule marks, else among the buffers of the
/// lowest rank (FieldRow::fast_pattern_priority) the longest positive one, then the strongest, then
/// the leftmost. Nothing where only negated contents (or none) stand there: such a rule is always
/// tried. Source: Suricata user guide, "Suricata Fast Pattern Determination Explained".
[[nodiscard]] std::optional<FastPattern> choose_fast_pattern(const Rule& rule);

/// How telling a pattern is: letters 3, other printable, 00, 01 and FF 4, all else 6; a byte that
/// came before counts 1. Source: as above.
[[nodiscard]] uint32_t pattern_strength(std::string_view pattern) noexcept;

}  // namespace shrike::rule
