#include <gtest/gtest.h>

#include "content_text.h"
#include "parsed.h"
#include "requirements.h"
#include "values.h"

namespace shrike::rule {
namespace {

using test::Scene;

TEST(Words, PiecesKnowTheirPlace) {
  Scene scene("  a , bc ");
  Word rest = scene.word;
  const Word first = rest.take_until(',');
  EXPECT_EQ(first.text, "a");
  EXPECT_EQ(first.position.column, 3U);
  EXPECT_EQ(rest.trimmed().text, "bc");
  EXPECT_EQ(rest.trimmed().position.column, 7U);
  EXPECT_TRUE(rest.take_until(',').text == "bc" && rest.empty());
}

TEST(Words, NumbersAreWhole) {
  EXPECT_EQ(to_number<uint8_t>("255"), 255);
  EXPECT_EQ(to_number<int>("-0"), 0);
  EXPECT_EQ(to_number<int>("+7"), 7);
  EXPECT_EQ(to_number<uint32_t>("0xfF"), 255U);
  for (const char* const text : {"256", "", "1 ", "1x", "0x", "-1", "+-1", "--1"}) {
    EXPECT_EQ(to_number<uint8_t>(text), std::nullopt) << text;
  }
}

TEST(Values, Comparisons) {
  const std::pair<const char*, const char*> cases[] = {
      {"10", "= 10"},      {"=10", "= 10"},       {"!10", "!= 10"},      {"!=10", "!= 10"},
      {"<10", "< 10"},     {"<= 10", "<= 10"},    {">10", "> 10"},       {">=10", ">= 10"},
      {"10-20", "10<>20"}, {"10<>20", "10<>20"},  {"!10-20", "!10<>20"}, {"0x10", "= 16"},
      {"2kb", "= 2048"},   {"1 MiB", "= 1048576"}};
  for (const auto& [text, meaning] : cases) {
    Scene scene(text);
    const auto comparison = parse_comparison<uint32_t>(scene.word, scene.report);
    ASSERT_TRUE(comparison) << text;
    EXPECT_EQ(to_text(*comparison), meaning);
  }
  for (const char* const text : {"", "x", "<", "<0", ">4294967295", ">=0", "4294967296", "5-6",
                                 "6-5", "<5-9", "10tb", "1-", "-1", "18446744073709551615gb"}) {
    Scene scene(text);
    EXPECT_FALSE(parse_comparison<uint32_t>(scene.word, scene.report)) << text;
    EXPECT_EQ(scene.diagnostics.errors(), 1U) << text;
  }
}

TEST(ContentText, DecodesAndEncodes) {
  const std::pair<const char*, std::string> cases[] = {
      {"abc", "abc"},
      {"|41 42|c|43|", "ABcC"},
      {"|4142|", "AB"},
      {"|41,42|", "AB"},
      {"a\\;\\\"\\\\\\:", "a;\"\\:"},
      {"", ""},
      {"||", ""},
      {"|00 ff|", std::string("\0\xff", 2)},
  };
  for (const auto& [text, bytes] : cases) {
    Scene scene(text);
    EXPECT_EQ(decode_content(scene.word, scene.report), bytes) << text;
    const std::string encoded = encode_content(bytes);  // the scene borrows it
    Scene again(encoded);
    EXPECT_EQ(decode_content(again.word, again.report), bytes) << text;
  }
  EXPECT_EQ(encode_content("a b;c"), "a b|3b|c");
  EXPECT_EQ(encode_content(" a "), "|20|a|20|");
}

TEST(Requirements, AreMetOrNot) {
  const std::pair<const char*, Requirement> cases[] = {
      {"version >= 7", Requirement::met},
      {"version >= 8.0.7", Requirement::met},
      {"version > 8.0.7", Requirement::not_met},
      {"version >= 7.0.4 < 8", Requirement::not_met},
      {"version >= 7.0.4 < 8 | >= 8.0.3", Requirement::met},
      {"version >= 9", Requirement::not_met},
      {"keyword http.uri", Requirement::met},
      {"keyword llmnr.queries.rrname", Requirement::not_met},
      {"keyword nonsense", Requirement::not_met},
      {"feature output::file-store", Requirement::met},
      {"feature nonsense", Requirement::not_met},
      {"version >= 7, feature nonsense", Requirement::not_met},
      {"colour blue", Requirement::unknown},
      {"version", Requirement::malformed},
      {"version 8", Requirement::malformed},
      {"version >= x", Requirement::malformed},
  };
  for (const auto& [text, requirement] : cases) {
    EXPECT_EQ(check_requirements(text), requirement) << text;
  }
}

TEST(Requirements, FeatureJa4FollowsTheConfiguration) {
  EXPECT_EQ(check_requirements("feature ja4", true), Requirement::met);
  EXPECT_EQ(check_requirements("feature ja4", false), Requirement::not_met);
  EXPECT_EQ(check_requirements("feature ja4, version >= 7", false), Requirement::not_met);
  EXPECT_EQ(check_requirements("feature ja3", false), Requirement::met);
}

}  // namespace
}  // namespace shrike::rule
