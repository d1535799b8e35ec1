#include "shrike/base/number_list.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace shrike {

namespace {

constexpr size_t list_entries_max = 4096;

std::optional<uint32_t> leading_number(std::string_view& text) {
  uint32_t value = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{}) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<size_t>(stop - text.data()));
  return value;
}

}  // namespace

std::vector<uint32_t> parse_list(std::string_view text) {
  std::vector<uint32_t> numbers;
  text.remove_prefix(std::min(text.find_first_not_of(" \t\n"), text.size()));
  while (!text.empty()) {
    const auto first = leading_number(text);
    if (!first) {
      break;
    }
    auto last = first;
    if (text.starts_with('-')) {
      text.remove_prefix(1);
      last = leading_number(text);
    }
    for (uint64_t number = *first; last && number <= *last; ++number) {
      if (numbers.size() == list_entries_max) {
        return numbers;
      }
      numbers.push_back(static_cast<uint32_t>(number));
    }
    if (!text.starts_with(',')) {
      break;
    }
    text.remove_prefix(1);
  }
  return numbers;
}

std::string list_text(const std::vector<uint32_t>& numbers) {
  std::string text;
  for (size_t at = 0; at < numbers.size();) {
    size_t end = at + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) {
      ++end;
    }
    text += text.empty() ? "" : ",";
    text += std::to_string(numbers[at]);
    if (end - at > 1) {
      text += "-" + std::to_string(numbers[end - 1]);
    }
    at = end;
  }
  return text;
}

}  // namespace shrike
