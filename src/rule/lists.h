#pragma once
#include <map>
#include <string>
#include <string_view>

#include "report.h"
#include "rule_limits.h"
#include "words.h"

namespace shrike::rule {

/// Walks `[a, !b, [$C, d]]` with variables resolved, for addresses and ports alike, and calls
/// `element(text, is_negated)` for each plain element with the parity of the negations around it.
/// Bounded in depth and in elements, so that groups that name each other end with a diagnostic.
template <typename Element>
class ListWalk {
 public:
  ListWalk(const std::map<std::string, std::string>& groups, RuleReport& report, Element element)
      : groups_(groups), report_(report), element_(std::move(element)) {}

  /// @return false where a fault was reported.
  bool walk(const Word& word) { return walk(word, word, false, 0); }

 private:
  /// `at` is what stands in the rule; inside a variable, faults are reported at the variable.
  bool walk(Word text, const Word& at, bool is_negated, unsigned depth) {
    text = text.trimmed();
    while (!text.empty() && text.text[0] == '!') {
      is_negated = !is_negated;
      text = text.from(1).trimmed();
    }
    const Word& place = is_inside_variable_ ? at : text;
    if (depth > nesting_max) {
      report_.error(place, "nesting", "lists and variables nest deeper than {}; flatten them",
                    nesting_max);
      elements_ = list_elements_max + 1;  // once is enough
      return false;
    }
    if (elements_ > list_elements_max) return false;
    if (++elements_ > list_elements_max) {
      report_.error(place, "list-size", "the list has more than {} elements; use larger networks",
                    list_elements_max);
      return false;
    }
    if (text.empty()) {
      report_.error(place, "list-empty", "an empty element in a list; remove the extra ',' or '!'");
      return false;
    }
    if (text.text[0] == '[') return walk_list(text, place, is_negated, depth);
    if (text.text[0] == '$') return walk_variable(text, place, is_negated, depth);
    return element_(text, place, is_negated);
  }

  bool walk_list(const Word& list, const Word& at, bool is_negated, unsigned depth) {
    if (list.text.back() != ']') {
      report_.error(at, "list-end", "'{}' has no ']' at its end; close the list",
                    list.text.substr(0, 40));
      return false;
    }
    bool is_good = true;
    const Word inside = list.part(1, list.text.size() - 2);
    size_t begin = 0;
    int brackets = 0;
    for (size_t i = 0; i <= inside.text.size(); ++i) {
      const char letter = i < inside.text.size() ? inside.text[i] : ',';
      brackets += letter == '[' ? 1 : letter == ']' ? -1 : 0;
      if (letter != ',' || (brackets > 0 && i < inside.text.size())) continue;
      const bool is_last = i == inside.text.size();
      if (is_last && begin != 0 && inside.from(begin).trimmed().empty()) break;  // "[a,b,]"
      is_good &= walk(inside.part(begin, i - begin), at, is_negated, depth + 1);
      if (elements_ > list_elements_max) return false;
      begin = i + 1;
    }
    return is_good;
  }

  bool walk_variable(const Word& name, const Word& at, bool is_negated, unsigned depth) {
    const auto found = groups_.find(std::string(name.text.substr(1)));
    if (found == groups_.end()) {
      report_.error(at, "variable", "'{}' is not defined; add it to vars in the configuration",
                    name.text);
      return false;
    }
    const bool was_inside = std::exchange(is_inside_variable_, true);
    const bool is_good = walk({found->second, at.position}, at, is_negated, depth + 1);
    is_inside_variable_ = was_inside;
    return is_good;
  }

  const std::map<std::string, std::string>& groups_;
  RuleReport& report_;
  Element element_;
  size_t elements_ = 0;
  bool is_inside_variable_ = false;
};

}  // namespace shrike::rule
