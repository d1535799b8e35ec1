#pragma once
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "shrike/base/diagnostics.h"

/// Small questions about text that the stages of the front end share.
namespace shrike::rule {

inline bool is_blank(char letter) noexcept {
  return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n' || letter == '\v' ||
         letter == '\f';
}
inline bool is_digit(char letter) noexcept {
  return letter >= '0' && letter <= '9';
}
inline bool is_letter(char letter) noexcept {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}
inline char to_lower(char letter) noexcept {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}
inline int hex_value(char letter) noexcept {
  if (is_digit(letter)) return letter - '0';
  const char lower = to_lower(letter);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

inline std::string_view trim_left(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return text;
}
inline std::string_view trim(std::string_view text) noexcept {
  text = trim_left(text);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

inline bool is_same_word(std::string_view first, std::string_view second) noexcept {
  if (first.size() != second.size()) return false;
  for (size_t i = 0; i < first.size(); ++i) {
    if (to_lower(first[i]) != to_lower(second[i])) return false;
  }
  return true;
}

/// A piece of a rule with the place it stands at. Pieces of it know their own place.
struct Word {
  std::string_view text;
  Position position;

  [[nodiscard]] bool empty() const noexcept { return text.empty(); }
  [[nodiscard]] Word from(size_t offset) const noexcept {
    return part(offset, text.size() - offset);
  }
  [[nodiscard]] Word part(size_t offset, size_t size) const noexcept {
    Word piece{text.substr(offset, size), position};
    piece.position.column += static_cast<uint32_t>(offset);
    return piece;
  }
  [[nodiscard]] Word trimmed() const noexcept {
    const std::string_view left = trim_left(text);
    return part(text.size() - left.size(), trim(left).size());
  }
  /// Takes what stands before the next `separator` off the front, trimmed; the separator goes too.
  Word take_until(char separator) noexcept {
    const size_t at = text.find(separator);
    const Word head = part(0, at).trimmed();
    *this = at == std::string_view::npos ? from(text.size()) : from(at + 1);
    return head;
  }
};

/// A whole number in decimal or, after 0x, in hexadecimal; nothing else around it.
template <typename Number>
std::optional<Number> to_number(std::string_view text) noexcept {
  int base = 10;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '+' && is_digit(text[1])) {
    text.remove_prefix(1);
  }
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, value, base);
  if (fault != std::errc{} || stop != end || text.empty()) return std::nullopt;
  return value;
}

}  // namespace shrike::rule
