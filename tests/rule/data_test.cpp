#include <gtest/gtest.h>

#include <vector>

#include "datasets.h"
#include "json_values.h"
#include "reputation.h"

namespace shrike::rule {
namespace {

using Type = Dataset::Type;

TEST(Datasets, KeysAreTheBytesThatBuffersHold) {
  const struct {
    std::string_view text;
    Type type;
    std::optional<std::string> key;
  } cases[] = {
      {"dGVzdA==", Type::text, "test"},
      {"dGVzdDE=", Type::text, "test1"},
      {"no base64!", Type::text, {}},
      {"00ff", Type::md5, {}},
      {"00112233445566778899aabbccddeeff", Type::md5,
       std::string("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16)},
      {"192.0.2.1", Type::ipv4, std::string("\xc0\x00\x02\x01", 4)},
      {"192.0.2.1", Type::ip,
       std::string(10, '\0') + "\xff\xff" + std::string("\xc0\x00\x02\x01", 4)},
      {"2001:db8::1", Type::ipv4, {}},
      {"192.0.2.0/24", Type::ipv4, {}},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.text);
    EXPECT_EQ(read_dataset_key(test.text, test.type), test.key);
  }
}

/// "path=value; …", and '!' where the text is no JSON.
std::string values_of(std::string_view text) {
  std::string out;
  const bool is_good = for_each_json_value(
      text,
      [&](const std::string& path, const std::string& value) { out += path + "=" + value + "; "; });
  return is_good ? out : out + "!";
}

TEST(JsonValues, AreFoundByTheirPath) {
  EXPECT_EQ(values_of(R"([{"host": "a\"b", "n": 5}, {"host": "\u00e9"}])"),
            "host=a\"b; n=5; host=\xc3\xa9; ");
  EXPECT_EQ(values_of(R"({"info": {"threat": [{"ip": "1.2.3.4", "x": null}]}, "y": true})"),
            "info.threat.ip=1.2.3.4; ");
  EXPECT_EQ(values_of("{\"a\": 1}\n{\"a\": 2}\n"), "a=1; a=2; ");
}

TEST(JsonValues, RefuseWhatIsNone) {
  for (const char* const text :
       {"{", "[1", "{\"a\" 1}", "{\"a\": }", "\"open", "\"\\q\"", "\"\\u00g0\"", ",", "{1: 2}"}) {
    EXPECT_TRUE(values_of(text).ends_with("!")) << text;
  }
  EXPECT_TRUE(values_of(std::string(100, '[')).ends_with("!"));
}

TEST(Reputation, SortsHostsAndPutsNarrowNetworksFirst) {
  Diagnostics diagnostics;
  const std::vector<Source> lists{
      {"a.list", "192.0.2.9,1,5\n10.0.0.0/8,2,50\n192.0.2.1,2,7\n10.1.0.0/16,2,60\n"}};
  const Reputation reputation =
      read_reputation(Source{"categories", "1,One,text\n2,Two,text\n"}, lists, diagnostics);
  EXPECT_EQ(diagnostics.text(), "");
  EXPECT_EQ(reputation.categories, (std::vector<std::string>{"", "One", "Two"}));
  ASSERT_EQ(reputation.hosts.size(), 2U);
  EXPECT_EQ(reputation.hosts[0].score, 7);
  ASSERT_EQ(reputation.networks.size(), 2U);
  EXPECT_EQ(reputation.networks[0].score, 60);
}

}  // namespace
}  // namespace shrike::rule
