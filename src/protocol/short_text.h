#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace shrike::protocol {

/// A text of at most `bytes_max` bytes, such as a number or a name of a protocol, that takes no
/// memory. What is longer is cut off.
class ShortText {
 public:
  static constexpr size_t bytes_max = 96;

  ShortText() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a text is a text
  ShortText(std::string_view text) noexcept : length_(std::min(text.size(), bytes_max)) {
    std::copy_n(text.begin(), length_, letters_.begin());
  }

  template <typename... Values>
  [[nodiscard]] static ShortText format(fmt::format_string<Values...> layout, Values&&... values) {
    ShortText text;
    text.append(layout, std::forward<Values>(values)...);
    return text;
  }
  template <typename... Values>
  void append(fmt::format_string<Values...> layout, Values&&... values) {
    const auto end = fmt::format_to_n(letters_.begin() + length_, bytes_max - length_, layout,
                                      std::forward<Values>(values)...);
    length_ += std::min(end.size, bytes_max - length_);
  }

  // NOLINTNEXTLINE(google-explicit-constructor): … and read as one
  operator std::string_view() const noexcept { return {letters_.data(), length_}; }

 private:
  std::array<char, bytes_max> letters_;
  size_t length_ = 0;
};

}  // namespace shrike::protocol
