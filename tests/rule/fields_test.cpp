#include <gtest/gtest.h>

#include "app_protocols.h"
#include "parsed.h"
#include "values.h"

namespace shrike::rule {
namespace {

using test::meaning_of;
using test::Parsed;
using test::Scene;

constexpr NumberName names[] = {{"first", 1}, {"second", 2}, {"fourth", 4}};

/// What a value becomes in a syntax, or what is wrong with it.
std::string read(const NumberSyntax& syntax, std::string_view value) {
  Scene scene(value);
  const Keyword keyword{.name = "test", .arguments = "<n>"};
  const Argument argument{{"test", {}}, {value, {"test.rules", 1, 1}}, false};
  const auto numbers = read_field_numbers(syntax, keyword, argument, scene.report);
  if (!numbers) return scene.diagnostics.text();
  std::string text;
  for (const Comparison& comparison : numbers->any_of) text += to_text(comparison) + "; ";
  return text + "of " + std::to_string(numbers->values);
}

TEST(FieldNumbers, AreReadAsTheirSyntaxSays) {
  const NumberSyntax plain{.max = 255, .names = names};
  const NumberSyntax list{.max = 255, .names = names, .is_list = true, .ends_included = true};
  const NumberSyntax chosen{.max = 255, .names = names, .chooses_values = true};
  const struct {
    const NumberSyntax& syntax;
    const char* value;
    const char* meaning;
  } cases[] = {
      {plain, "7", "= 7; of 0"},
      {plain, "!7", "!= 7; of 0"},
      {plain, ">=7", ">= 7; of 0"},
      {plain, "2-5", "2<>5; of 0"},
      {plain, "second", "= 2; of 0"},
      {plain, "!second", "!= 2; of 0"},
      {plain, "256",
       "test.rules:1:1: error[number]: '256' is out of range; the largest value is 255"},
      {plain, "third",
       "test.rules:1:1: error[number]: 'third' is no number; write 10, !10, <10, >=10 or 10-20"},
      {list, "1, fourth, 6-8", "= 1; = 4; 5<>9; of 0"},
      {list, "0-3", "<= 3; of 0"},
      {chosen, "5,any", "= 5; of 0"},
      {chosen, "5,all", "= 5; of 2147483647"},
      {chosen, "5,0", "= 5; of 1"},
      {chosen, "5,-1", "= 5; of -1"},
      {chosen, "5,some",
       "test.rules:1:3: error[value]: 'some' is no value for test; write test:<n>"},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.value);
    EXPECT_EQ(read(test.syntax, test.value), test.meaning);
  }
}

TEST(FieldNumbers, FlagsAreAskedTogether) {
  Scene scene("first,!fourth");
  const Keyword keyword{.name = "test", .arguments = "<flags>"};
  const Argument argument{{"test", {}}, scene.word, false};
  const auto numbers = read_field_flags(names, keyword, argument, scene.report);
  ASSERT_TRUE(numbers) << scene.diagnostics.text();
  ASSERT_EQ(numbers->any_of.size(), 1U);
  EXPECT_EQ(to_text(numbers->any_of[0]), "& 0x5 = 0x1");
}

TEST(Fields, OldFormsAreContents) {
  EXPECT_EQ(meaning_of("filename:\"Report\";"),
            "  buffer file.name\n    content \"Report\" nocase\n");
  EXPECT_EQ(meaning_of("fileext:!\"exe\";"),
            "  buffer file.name\n    content not \".exe\" nocase endswith\n");
  EXPECT_EQ(meaning_of("http.uri; content:\"a\"; urilen:<20;"),
            "  buffer http.uri\n    content \"a\"\n    urilen < 20\n");
  EXPECT_EQ(meaning_of("urilen:5,raw;"), "  buffer http.uri.raw\n    urilen = 5 raw\n");
}

TEST(Fields, HexadecimalOnesAreInTheirOwnCase) {
  EXPECT_EQ(meaning_of("tls.cert_serial; content:\"0a:ff\";"),
            "  buffer tls.cert_serial\n    content \"0A|3a|FF\"\n");
}

/// The protocols whose transactions a rule can match.
std::string protocols(const std::string& text) {
  const Parsed parsed(text);
  if (parsed.rules.size() != 1) return parsed.diagnostics.text();
  std::string out;
  for (const AppProtocol protocol : protocols_of(parsed.rules[0])) {
    out += (out.empty() ? "" : " ") + std::string(to_text(protocol));
  }
  return out;
}

TEST(Fields, SettleTheProtocol) {
  const std::pair<const char*, const char*> cases[] = {
      {"alert tcp any any -> any any (http.uri; content:\"a\"; sid:1;)", "http1 http2"},
      {"alert http1 any any -> any any (http.uri; content:\"a\"; sid:1;)", "http1"},
      {"alert http any any -> any any (http2.header_name; content:\"a\"; sid:1;)", "http2 doh2"},
      {"alert dns any any -> any any (dns.query; content:\"a\"; sid:1;)", "dns doh2"},
      {"alert ip any any -> any any (ja3.hash; content:\"0123456789abcdef0123456789abcdef\"; "
       "sid:1;)",
       "tls quic"},
      {"alert tls any any -> any any (ja3.hash; content:\"0123456789abcdef0123456789abcdef\"; "
       "sid:1;)",
       "tls"},
      {"alert tcp any any -> any any (file.data; content:\"a\"; sid:1;)",
       "http1 http2 ftp ftp-data smtp smb doh2 nfs"},
      {"alert smb any any -> any any (dcerpc.stub_data; content:\"a\"; sid:1;)", "smb"},
      {"alert dcerpc any any -> any any (dcerpc.stub_data; content:\"a\"; sid:1;)", "smb dcerpc"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(protocols(text), expected) << text;
}

TEST(Fields, TieTheRuleToTheirDirection) {
  const Parsed parsed(
      "alert http any any -> any any (http.uri; content:\"a\"; sid:1;)\n"
      "alert http any any -> any any (http.stat_code; content:\"a\"; sid:2;)\n"
      "alert http any any -> any any (http.header; content:\"a\"; sid:3;)\n"
      "alert http any any => any any (http.uri; content:\"a\"; http.stat_code; content:\"2\"; "
      "sid:4;)\n");
  ASSERT_EQ(parsed.rules.size(), 4U) << parsed.diagnostics.text();
  for (const Rule& rule : parsed.rules) {
    EXPECT_EQ(rule.only_to_server, rule.info.sid == 1) << rule.info.sid;
    EXPECT_EQ(rule.only_to_client, rule.info.sid == 2) << rule.info.sid;
  }
}

}  // namespace
}  // namespace shrike::rule
