#include "backend/fast_pattern.h"

#include <gtest/gtest.h>

#include "parsed.h"

namespace shrike::rule {
namespace {

/// The literal chosen for the options of a rule, its window, and '-' where there is none.
std::string chosen(const std::string& options) {
  const test::Parsed parsed("alert tcp any any -> any any (" + options + " sid:1;)");
  EXPECT_EQ(parsed.rules.size(), 1u) << parsed.diagnostics.text();
  const std::optional<FastPattern> pattern = choose_fast_pattern(parsed.rules.at(0));
  if (!pattern) {
    return "-";
  }
  const std::string end = pattern->end_last == UINT32_MAX ? "" : std::to_string(pattern->end_last);
  return pattern->bytes + (pattern->is_nocase ? "/i " : " ") + std::to_string(pattern->end_first) +
         ".." + end;
}

TEST(FastPattern, IsChosenAsSuricataDoes) {
  const struct {
    const char* options;
    const char* literal;
  } cases[] = {
      {R"(content:"abc"; content:"abcd";)", "abcd 4.."},
      {R"(content:"aaaa"; content:"abcd";)", "abcd 4.."},  // stronger
      {R"(content:"abcd"; content:"dcba";)", "abcd 4.."},  // leftmost
      {R"(content:"ab"; fast_pattern; content:"abcd";)", "ab 2.."},
      {R"(content:"ab"; content:!"abcdef";)", "ab 2.."},
      {R"(content:!"abcdef";)", "-"},
      {R"(pcre:"/abc/";)", "-"},
      {R"(content:"AbC"; nocase;)", "AbC/i 3.."},
      {R"(content:"abcdef"; fast_pattern:2,3;)", "cde 5.."},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.options);
    EXPECT_EQ(chosen(each.options), each.literal);
  }
}

TEST(FastPattern, KnowsWhereItMayEnd) {
  const struct {
    const char* options;
    const char* literal;
  } cases[] = {
      {R"(content:"abc"; startswith;)", "abc 3..3"},
      {R"(content:"abc"; depth:3;)", "abc 3..3"},
      {R"(content:"abc"; offset:4; depth:5;)", "abc 7..9"},
      {R"(content:"abc"; offset:4;)", "abc 7.."},
      // Behind a content at a fixed place: from its end on.
      {R"(content:"a"; depth:1; content:"bcd"; distance:2; within:4;)", "bcd 6..7"},
      {R"(content:"a"; depth:1; content:"bcd"; distance:2;)", "bcd 6.."},
      {R"(content:"a"; content:"bcd"; distance:2; within:4;)", "bcd 6.."},
      // A sum below zero is no bound: Suricata's wraps around.
      {R"(content:"a"; depth:1; content:"bcd"; distance:-9; within:4;)", "bcd 3.."},
      // Whatever moves the cursor by what it reads leaves nothing known.
      {R"(content:"a"; depth:1; byte_jump:1,0,relative; content:"bcd"; within:4;)", "bcd 3.."},
      {R"(content:"abcdef"; depth:8; fast_pattern:1,2;)", "bc 3..5"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.options);
    EXPECT_EQ(chosen(each.options), each.literal);
  }
}

TEST(FastPattern, DoesNotEndInALongRun) {
  const std::string run(40, 'A');
  const std::string kept = run.substr(0, 16);
  EXPECT_EQ(chosen("content:\"abc" + run + "\";"), "abc" + kept + " 19..");
  EXPECT_EQ(chosen("content:\"abc" + run + "\"; depth:50;"), "abc" + kept + " 19..26");
  EXPECT_EQ(chosen("content:\"" + run + "aAa\"; nocase;"), kept + "/i 16..");
  EXPECT_EQ(chosen("content:\"" + run + "b\";"), run + "b 41..");
}

TEST(FastPattern, MeasuresStrength) {
  EXPECT_EQ(pattern_strength("abc"), 9u);
  EXPECT_EQ(pattern_strength("aaa"), 5u);
  EXPECT_EQ(pattern_strength("a1"), 7u);
  EXPECT_EQ(pattern_strength(std::string_view("\x00\xff\x80", 3)), 14u);
}

}  // namespace
}  // namespace shrike::rule
