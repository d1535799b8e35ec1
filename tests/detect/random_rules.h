#pragma once
#include <random>
#include <string>
#include <string_view>

#include "ir.h"

/// Parts of rules and datagrams by chance.
namespace shrike::test {

/// Numbers and texts by chance, over few letters so that much matches.
class Chance {
 public:
  explicit Chance(uint32_t seed) : engine_(seed) {}

  int number(int first, int last) {
    return first + static_cast<int>(engine_() % static_cast<uint32_t>(last - first + 1));
  }
  bool one_in(int times) { return number(1, times) == 1; }
  std::string text(int bytes_max) {
    static constexpr std::string_view letters = "aaabbcAB\x01\x02";
    std::string made;
    for (int left = number(0, bytes_max); left > 0; --left) {
      made += letters[static_cast<size_t>(number(0, static_cast<int>(letters.size()) - 1))];
    }
    return made;
  }

 private:
  std::mt19937 engine_;
};

/// The checks of one payload or field.
[[nodiscard]] rule::Buffer random_buffer(Chance& chance);

/// A mark where the buffer has a content that may bear it: the choice must not change what matches.
/// False where it has none, or chance says so.
bool mark_fast_pattern(Chance& chance, rule::Buffer& buffer);

}  // namespace shrike::test
