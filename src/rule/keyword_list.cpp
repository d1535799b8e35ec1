#include <fmt/format.h>

#include "keyword.h"
#include "shrike/rule.h"

namespace shrike::rule {

namespace {

std::string names_of(const Keyword& keyword) {
  std::string names(keyword.name);
  for (const char letter : keyword.aliases) {
    if (names.size() == keyword.name.size()) names += ", ";
    names += letter == ' ' ? ',' : letter;
    if (letter == ' ') names += ' ';
  }
  return names;
}

}  // namespace

std::string keyword_list() {
  std::string out;
  for (const KeywordGroup& group : keyword_groups()) {
    out += fmt::format("{}\n", group.title);
    for (const Keyword& row : group.rows) {
      const std::string arguments =
          row.arguments.empty() ? "" : fmt::format(" [{}]", row.arguments);
      out += fmt::format("  {}: {}{} ({})\n", names_of(row), row.meaning, arguments,
                         to_text(state_of(row)));
    }
  }
  return out;
}

}  // namespace shrike::rule
