#pragma once
#include <optional>

#include "ir.h"
#include "report.h"
#include "words.h"

namespace shrike::rule {

/// A pcre and the buffer that one of its flags names (U: http.uri …).
struct PcreText {
  Pcre pcre;
  std::optional<Field> field;
};

/// Reads `/expression/flags` or `mXexpressionXflags` with capture names behind; compiles the
/// expression, so that its faults are told at their character.
std::optional<PcreText> parse_pcre_text(const Word& text, RuleReport& report);

/// Whether a bare expression (`pcrexform`) compiles and has one group; reports what is wrong.
bool check_expression(const Word& expression, RuleReport& report);

}  // namespace shrike::rule
