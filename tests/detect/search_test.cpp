#include "search.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace shrike::detect {
namespace {

TEST(Search, FindsTheFirstPlace) {
  const struct {
    const char* haystack;
    const char* needle;
    bool is_nocase;
    int place;  ///< -1: none
  } cases[] = {
      {"", "a", false, -1},
      {"a", "", false, 0},
      {"abc", "abc", false, 0},
      {"abc", "abcd", false, -1},
      {"aaab", "ab", false, 2},
      {"xxABxx", "ab", false, -1},
      {"xxABxx", "ab", true, 2},
      {"@`[{", "`{", true, -1},  // bit 5 alone does not make letters of these
      {"0123456789abcdef0123456789abcdefX", "x", true, 32},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.haystack);
    const Bytes haystack = as_bytes(each.haystack);
    const uint8_t* const found = find_bytes(haystack, as_bytes(each.needle), each.is_nocase);
    EXPECT_EQ(found == nullptr ? -1 : static_cast<int>(found - haystack.data()), each.place);
  }
}

TEST(Search, AgreesWithTheLibraryOnRandomText) {
  std::mt19937 chance(7);
  for (int round = 0; round < 20000; ++round) {
    std::string haystack(chance() % 80, ' ');
    std::string needle(1 + chance() % 5, ' ');
    for (char& each : haystack) {
      each = static_cast<char>("aAbB`@"[chance() % 6]);
    }
    for (char& each : needle) {
      each = static_cast<char>("aAbB`@"[chance() % 6]);
    }
    const uint8_t* const found = find_bytes(as_bytes(haystack), as_bytes(needle), false);
    const size_t place = found == nullptr ? std::string::npos
                                          : static_cast<size_t>(found - as_bytes(haystack).data());
    ASSERT_EQ(place, haystack.find(needle)) << haystack << " / " << needle;
  }
}

}  // namespace
}  // namespace shrike::detect
