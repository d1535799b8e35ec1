#include "shrike/base/json_writer.h"

#include <gtest/gtest.h>

namespace shrike {
namespace {

using namespace std::string_literals;

TEST(JsonWriter, NestsAndSeparates) {
  std::string line = "left over";
  JsonWriter json(line);
  json.begin_object();
  json.text("a", "b");
  json.begin_array("n");
  json.element(uint64_t{0});
  json.element("x");
  json.begin_element_object();
  json.end_object();
  json.end_array();
  json.begin_object("o");
  json.boolean("yes", true);
  json.number("max", UINT64_MAX);
  json.end_object();
  json.boolean("no", false);
  json.end_object();
  EXPECT_EQ(line,
            R"({"a":"b","n":[0,"x",{}],"o":{"yes":true,"max":18446744073709551615},"no":false})");
}

struct TextCase {
  std::string text;
  std::string json;
};

TEST(JsonWriter, WritesAnyBytesAsValidJson) {
  const TextCase cases[] = {
      {"", R"("")"},
      {"plain / text", R"("plain / text")"},
      {"quote \" and \\", R"("quote \" and \\")"},
      {"\b\f\n\r\t", R"("\b\f\n\r\t")"},
      {"\x01\x1f"s, R"("\u0001\u001f")"},
      {"nul\0byte"s, R"("nul\u0000byte")"},
      {"\x7f", "\"\x7f\""},
      {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa6",
       "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa6\""},
      {"latin \xfc", R"("latin \\xfc")"},
      {"cut \xe2\x82", R"("cut \\xe2\\x82")"},
      {"overlong \xc0\xaf", R"("overlong \\xc0\\xaf")"},
      {"surrogate \xed\xa0\x80", R"("surrogate \\xed\\xa0\\x80")"},
      {"too large \xf4\x90\x80\x80", R"("too large \\xf4\\x90\\x80\\x80")"},
      {"bad lead \xff ok", R"("bad lead \\xff ok")"},
  };
  for (const TextCase& test : cases) {
    SCOPED_TRACE(test.json);
    std::string line;
    JsonWriter(line).element(test.text);
    EXPECT_EQ(line, test.json);
  }
}

TEST(JsonWriter, EscapesKeysToo) {
  std::string line;
  JsonWriter json(line);
  json.begin_object();
  json.number("a\"b", 1);
  json.end_object();
  EXPECT_EQ(line, R"({"a\"b":1})");
}

// RFC 4648, section 10.
TEST(JsonWriter, WritesBase64) {
  const TextCase cases[] = {{"", ""},
                            {"f", "Zg=="},
                            {"fo", "Zm8="},
                            {"foo", "Zm9v"},
                            {"foob", "Zm9vYg=="},
                            {"fooba", "Zm9vYmE="},
                            {"foobar", "Zm9vYmFy"},
                            {"\xff\xfe\xfd", "//79"}};
  for (const TextCase& test : cases) {
    std::string out = "=";
    append_base64(out, as_bytes(test.text));
    EXPECT_EQ(out, "=" + test.json);
  }
}

TEST(JsonWriter, ShowsWhatIsPrintable) {
  std::string line;
  JsonWriter json(line);
  json.begin_object();
  json.printable("p", as_bytes("GET /\t\"x\"\r\n\x00\x80z"s));
  json.end_object();
  EXPECT_EQ(line, R"({"p":"GET /.\"x\"\r\n..z"})");
}

TEST(Utf8, IsValidAsAWholeOrNot) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("plain, \xc3\xa4, \xe2\x82\xac and \xf0\x9f\x90\xa6"));
  EXPECT_FALSE(is_utf8("cut off: \xe2\x82"));
  EXPECT_FALSE(is_utf8("too long: \xc0\x80"));
  EXPECT_FALSE(is_utf8("\xff"));
}

}  // namespace
}  // namespace shrike
