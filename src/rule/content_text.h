#pragma once
#include <optional>
#include <string>

#include "report.h"
#include "words.h"

namespace shrike::rule {

/// The bytes of a content as written without its quotes: `|0d 0a|` is hexadecimal, and `;`, `"`,
/// `\` and `:` may or must stand behind a backslash. Reports the fault at its character.
std::optional<std::string> decode_content(const Word& text, RuleReport& report);

/// The same bytes as a rule writes them, everything but letters, digits and plain signs in hex.
std::string encode_content(std::string_view bytes);

}  // namespace shrike::rule
