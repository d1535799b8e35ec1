#include "classes.h"

#include <algorithm>

#include "words.h"

namespace shrike::rule {

namespace {

/// Calls `line(rest)` for every `config <kind>: rest` of the file and reports all other lines,
/// advising `form`.
template <typename Line>
void for_each_config_line(const Source& source, std::string_view kind, std::string_view form,
                          Diagnostics& diagnostics, const Line& line) {
  std::string_view rest = source.text;
  for (uint32_t number = 1; !rest.empty(); ++number) {
    const size_t end = rest.find('\n');
    Word text = Word{rest.substr(0, end), {source.name, number, 1}}.trimmed();
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (text.empty() || text.text[0] == '#') continue;
    Word head = text.take_until(':');
    const size_t blank = head.text.find_first_of(" \t");
    const bool is_config = blank != std::string_view::npos &&
                           is_same_word(head.text.substr(0, blank), "config") &&
                           is_same_word(trim(head.text.substr(blank)), kind);
    if (!is_config || !line(text.trimmed())) {
      diagnostics.error(head.position, "config-line",
                        "the line is not understood; write 'config {}: {}'", kind, form);
    }
  }
}

}  // namespace

std::string lower_cased(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), to_lower);
  return lower;
}

ClassTable read_classes(const std::optional<Source>& source, Diagnostics& diagnostics) {
  ClassTable classes;
  if (!source) return classes;
  for_each_config_line(
      *source, "classification", "name,description,1 to 255", diagnostics, [&](Word rest) {
        const Word name = rest.take_until(',');
        const size_t comma = rest.text.rfind(',');
        if (name.empty() || comma == std::string_view::npos) return false;
        const auto priority = to_number<uint32_t>(trim(rest.text.substr(comma + 1)));
        if (!priority || *priority == 0 || *priority > 255) return false;
        classes.insert_or_assign(
            lower_cased(name.text),
            RuleClass{std::string(name.text), std::string(trim(rest.text.substr(0, comma))),
                      *priority});
        return true;
      });
  return classes;
}

ReferenceTable read_references(const std::optional<Source>& source, Diagnostics& diagnostics) {
  ReferenceTable references;
  if (!source) return references;
  for_each_config_line(*source, "reference", "name prefix", diagnostics, [&](Word rest) {
    const size_t blank = rest.text.find_first_of(" \t");
    if (blank == std::string_view::npos) return false;
    references.insert_or_assign(lower_cased(rest.text.substr(0, blank)),
                                std::string(trim(rest.text.substr(blank))));
    return true;
  });
  return references;
}

}  // namespace shrike::rule
