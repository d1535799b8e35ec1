#include "transforms.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "dataset_lookup.h"
#include "shrike/detect.h"

namespace shrike::detect {
namespace {

using Kind = TransformStep::Kind;

/// What a list of transforms makes of a text.
std::string apply(const std::vector<TransformStep>& list, std::string_view text,
                  size_t scratch_bytes = 4096) {
  const RuleTables tables;
  Transformer transformer(3500, 1500);
  ByteScratch scratch(scratch_bytes);
  return std::string(as_text(transformer.apply(tables, list, as_bytes(text), scratch)));
}

TransformStep step(Kind kind) {
  return TransformStep{.kind = kind};
}

TEST(Transforms, MakeTextsOfTexts) {
  const struct {
    Kind kind;
    std::string text;
    std::string made;
  } cases[] = {
      {Kind::dotprefix, "evil.com", ".evil.com"},
      {Kind::dotprefix, "", ""},
      {Kind::strip_whitespace, " a\tb\r\nc ", "abc"},
      {Kind::compress_whitespace, "  a\t\tb \nc", " a\tb c"},
      {Kind::to_lowercase, "AbC1", "abc1"},
      {Kind::to_uppercase, "AbC1", "ABC1"},
      {Kind::url_decode, "a%20b+c%2", "a b c%2"},
      {Kind::url_decode, "%zz%41", "%zzA"},
      {Kind::header_lowercase, "Host: EVIL\r\nACCEPT: Any\r\n", "host: EVIL\r\naccept: Any\r\n"},
      {Kind::strip_pseudo_headers, ":method: GET\r\nhost: a\r\n:path: /\r\n", "host: a\r\n"},
      {Kind::from_base64, "aGVsbG8=", "hello"},
      {Kind::from_base64, "~~", "~~"},
      {Kind::gunzip, "no gzip", "no gzip"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.text);
    TransformStep made = step(each.kind);
    made.mode = 1;
    EXPECT_EQ(apply({made}, each.text), each.made);
  }
}

TEST(Transforms, LeaveADomainOrItsSuffix) {
  if (!knows_public_suffixes()) {
    GTEST_SKIP() << "built without libpsl";
  }
  const struct {
    std::string name;
    std::string domain;
    std::string suffix;
  } cases[] = {
      {"news.bbc.co.uk", "bbc.co.uk", "co.uk"},
      {"bbc.co.uk", "bbc.co.uk", "co.uk"},
      {"a.b.Example.COM", "Example.COM", "COM"},
      {"host.not-a-listed-one", "host.not-a-listed-one", "not-a-listed-one"},
      {"co.uk", "", ""},
      {"com", "", ""},
      {"", "", ""},
      {std::string("a.b\0.com", 8), "", ""},
      {"caf\xc3\xa9.fr", "", ""},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    EXPECT_EQ(apply({step(Kind::domain)}, each.name), each.domain);
    EXPECT_EQ(apply({step(Kind::tld)}, each.name), each.suffix);
  }
  EXPECT_EQ(apply({step(Kind::domain)}, "news.bbc.co.uk", 8), "");  // no room to look it up
}

TEST(Transforms, ApplyOneAfterTheOther) {
  EXPECT_EQ(apply({step(Kind::url_decode), step(Kind::strip_whitespace), step(Kind::to_uppercase)},
                  "a%20b+c"),
            "ABC");
}

TEST(Transforms, DigestAndMixWithKeys) {
  EXPECT_EQ(apply({step(Kind::to_md5)}, "").substr(0, 4), "\xd4\x1d\x8c\xd9");
  EXPECT_EQ(apply({step(Kind::to_md5)}, "").size(), 16u);
  EXPECT_EQ(apply({step(Kind::to_sha1)}, "abc").substr(0, 3), "\xa9\x99\x3e");
  EXPECT_EQ(apply({step(Kind::to_sha256)}, "abc").size(), 32u);
  TransformStep keyed = step(Kind::xor_key);
  keyed.key = {0x01, 0x02};
  EXPECT_EQ(apply({keyed}, "aaa"), "`c`");
}

TEST(Transforms, DecodeBase64AsItsModeSays) {
  const auto decoded = [](uint8_t mode, std::string_view text, uint32_t offset, uint32_t bytes) {
    TransformStep base64 = step(Kind::from_base64);
    base64.mode = mode;
    base64.offset = offset;
    base64.bytes = bytes;
    return apply({base64}, text);
  };
  EXPECT_EQ(decoded(0, "aG~Vs bG8=", 0, 0), "hello");
  EXPECT_EQ(decoded(1, "aGVs~bG8=", 0, 0), "hel");
  EXPECT_EQ(decoded(2, "aGVs~bG8=", 0, 0), "aGVs~bG8=");
  EXPECT_EQ(decoded(2, "aGVsbG8=", 0, 0), "hello");
  EXPECT_EQ(decoded(1, "xxaGVsbG8=", 2, 4), "hel");
  EXPECT_EQ(decoded(1, "aGVs", 9, 0), "aGVs");
}

TEST(Transforms, InflateUpToTheirBound) {
  const std::string text(3000, 'x');
  std::string packed(4096, '\0');
  uLongf bytes = packed.size();
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &bytes,
                     reinterpret_cast<const Bytef*>(text.data()), text.size()),
            Z_OK);
  packed.resize(bytes);
  TransformStep inflate = step(Kind::zlib_deflate);
  EXPECT_EQ(apply({inflate}, packed), text.substr(0, 1024));
  inflate.bytes = 8;
  EXPECT_EQ(apply({inflate}, packed), "xxxxxxxx");
}

TEST(Transforms, LeaveAValueThatFindsNoRoom) {
  EXPECT_EQ(apply({step(Kind::to_uppercase)}, "abcdef", 3), "abcdef");
}

TEST(Datasets, HoldKeysAndWhatRulesPutIn) {
  using Command = DatasetArguments::Command;
  RuleTables tables;
  Dataset names{.name = "names", .has_changes = true};
  names.keys = {{"evil.com", 7}};
  Dataset digests{.name = "digests", .type = Dataset::Type::md5};
  Dataset addresses{.name = "addresses", .type = Dataset::Type::ip};
  addresses.keys = {{std::string("\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x04", 16), 0}};
  tables.datasets = {names, digests, addresses};
  Datasets datasets;
  const auto holds = [&](uint32_t dataset, Command command, std::string_view text,
                         uint16_t reputation = 0) {
    return datasets.matches(tables, {dataset, reputation, command}, as_bytes(text));
  };
  EXPECT_TRUE(holds(0, Command::is_set, "evil.com"));
  EXPECT_FALSE(holds(0, Command::is_not_set, "evil.com"));
  EXPECT_TRUE(holds(0, Command::reputation_above, "evil.com", 6));
  EXPECT_FALSE(holds(0, Command::reputation_above, "evil.com", 7));
  EXPECT_TRUE(holds(0, Command::set, "new.org"));
  EXPECT_FALSE(holds(0, Command::set, "new.org"));
  EXPECT_TRUE(holds(0, Command::is_set, "new.org"));
  EXPECT_TRUE(holds(0, Command::unset, "evil.com"));
  EXPECT_FALSE(holds(0, Command::is_set, "evil.com"));
  EXPECT_FALSE(holds(1, Command::is_set, "too short"));
  EXPECT_TRUE(holds(1, Command::is_not_set, "too short"));
  EXPECT_TRUE(holds(2, Command::is_set, "\x01\x02\x03\x04"));
  datasets.clear();
  EXPECT_FALSE(holds(0, Command::is_set, "new.org"));
}

}  // namespace
}  // namespace shrike::detect
