#include "shrike/base/digest.h"

#include <gtest/gtest.h>

#include <string>

#include "shrike/base/hex_text.h"

namespace shrike {
namespace {

struct Case {
  Digest::Kind kind;
  const char* of_nothing;
  const char* of_abc;
};
// Sources: RFC 1321 A.5, FIPS 180-4's examples.
const Case cases[] = {
    {Digest::Kind::md5, "d41d8cd98f00b204e9800998ecf8427e", "900150983cd24fb0d6963f7d28e17f72"},
    {Digest::Kind::sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709",
     "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {Digest::Kind::sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
};

TEST(Digest, IsThatOfTheStandards) {
  for (const Case& each : cases) {
    Digest nothing(each.kind);
    EXPECT_EQ(hex_text(nothing.finish()), each.of_nothing);
    Digest digest(each.kind);
    digest.update(as_bytes("abc"));
    EXPECT_EQ(hex_text(digest.finish()), each.of_abc);
    EXPECT_EQ(hex_text(digest.finish()), each.of_abc) << "it stays";
  }
}

TEST(Digest, DoesNotDependOnHowBytesAreCut) {
  const std::string text(1000, 'x');
  for (const Case& each : cases) {
    Digest whole(each.kind);
    whole.update(as_bytes(text));
    Digest cut(each.kind);
    for (size_t at = 0; at < text.size(); at += 7) {
      cut.update(as_bytes(std::string_view(text).substr(at, 7)));
    }
    EXPECT_EQ(hex_text(cut.finish()), hex_text(whole.finish()));
  }
}

}  // namespace
}  // namespace shrike
