#include "lexer.h"

#include <gtest/gtest.h>

namespace shrike::rule {
namespace {

std::vector<std::string> rules_of(const Source& source, Diagnostics& diagnostics) {
  std::vector<std::string> rules;
  Lexer lexer(source, diagnostics);
  while (const auto rule = lexer.next()) rules.emplace_back(rule->text());
  return rules;
}

struct LexerCase {
  const char* name;
  std::string text;
  std::vector<std::string> rules;
};

TEST(Lexer, SplitsAFileIntoRules) {
  const LexerCase cases[] = {
      {"empty", "", {}},
      {"comments and blank lines", "# one\n\n;two\n  # three\n\t\n", {}},
      {"unix lines", "a\nb\n", {"a", "b"}},
      {"windows lines", "a\r\nb\r\n", {"a", "b"}},
      {"no end of line", "a", {"a"}},
      {"mark of byte order",
       "\xEF\xBB\xBF"
       "a\n",
       {"a"}},
      {"continued", "a \\\n b\\\nc\nd\n", {"a  bc", "d"}},
      {"continued with blanks behind the backslash", "a\\  \r\nb\r\n", {"ab"}},
      {"continued into the end", "a\\\n", {"a"}},
      {"a comment within a continued rule belongs to it", "a\\\n#b\n", {"a#b"}},
  };
  for (const LexerCase& test : cases) {
    SCOPED_TRACE(test.name);
    Diagnostics diagnostics;
    EXPECT_EQ(rules_of({"t", test.text}, diagnostics), test.rules);
    EXPECT_EQ(diagnostics.text(), "");
  }
}

TEST(Lexer, KnowsTheTruePlaceInContinuedRules) {
  const Source source{"t", "# first\nab\\\ncd\\\nef\n"};
  Diagnostics diagnostics;
  Lexer lexer(source, diagnostics);
  const auto rule = lexer.next();
  ASSERT_TRUE(rule);
  ASSERT_EQ(rule->text(), "abcdef");
  const std::pair<uint32_t, uint32_t> places[] = {{2, 1}, {2, 2}, {3, 1}, {3, 2}, {4, 1}, {4, 2}};
  for (size_t i = 0; i < 6; ++i) {
    const Position place = rule->locate(rule->word().from(i).position);
    EXPECT_EQ(std::pair(place.line, place.column), places[i]) << i;
  }
}

TEST(Lexer, RefusesWhatIsNotUtf8) {
  const std::pair<std::string, bool> cases[] = {
      {"caf\xC3\xA9", true},
      {"\xE2\x82\xAC", true},
      {"\xF0\x9F\x98\x80", true},
      {"\xC3", false},
      {"\xC0\x80", false},
      {"\xE0\x80\x80", false},
      {"\xED\xA0\x80", false},
      {"\xF4\x90\x80\x80", false},
      {"\xFF", false},
      {"long text before it \x80", false},
  };
  for (const auto& [text, is_good] : cases) {
    SCOPED_TRACE(text);
    Diagnostics diagnostics;
    const Source source{"t", "x" + text + "\n"};
    Lexer lexer(source, diagnostics);
    EXPECT_EQ(lexer.next().has_value(), is_good);
    EXPECT_EQ(lexer.refused(), is_good ? 0U : 1U);
    EXPECT_EQ(diagnostics.errors(), is_good ? 0U : 1U);
  }
}

}  // namespace
}  // namespace shrike::rule
