#include "files.h"

#include <gtest/gtest.h>

#include "digest_text.h"
#include "session.h"
#include "shrike/protocol.h"

namespace shrike::protocol {
namespace {

constexpr Direction to_client = Direction::to_client;

/// A transaction of a session that wants to know everything about files.
struct Scene {
  explicit Scene(bool wants_all) {
    options.file_digests.fill(wants_all);
    options.file_magic = wants_all;
  }
  std::string describe(Direction direction) const {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    describe_files(transaction, direction, json);
    json.end_object();
    return out;
  }
  [[nodiscard]] std::string digest(Field field) const {
    const FieldValue* const value = transaction.find(to_client, field);
    return value == nullptr ? "" : std::string(DigestText(value->bytes).text());
  }

  ProtocolOptions options;
  Pool pool{1 << 20};
  Session session{pool, options};
  AppTransaction& transaction = session.open();
};

TEST(Files, HaveDigestsKindAndSizeWhenTheyAreWhole) {
  Scene scene(true);
  File& file = scene.transaction.open_file(to_client, as_bytes("a.gif"), {});
  scene.transaction.append_file(file, as_bytes("GIF8"));
  scene.transaction.append_file(file, as_bytes("9a\1"));
  EXPECT_EQ(scene.transaction.find(to_client, Field::filesize), nullptr);
  scene.transaction.close_file(file, FileState::closed);
  EXPECT_EQ(scene.transaction.find(to_client, Field::filesize)->number, 7u);
  EXPECT_EQ(scene.digest(Field::file_md5), "1f2d8b41aba487921856cacd6c0d52e8");
  EXPECT_EQ(scene.digest(Field::file_sha1).size(), 40u);
  EXPECT_EQ(scene.digest(Field::file_sha256).size(), 64u);
  EXPECT_TRUE(scene.transaction.text(to_client, Field::file_magic).starts_with("GIF image data"));
}

TEST(Files, AreDescribedByDirection) {
  Scene scene(false);
  File& file = scene.transaction.open_file(to_client, as_bytes("a.txt"), {});
  scene.transaction.append_file(file, as_bytes("text"));
  scene.transaction.skip_in_file(file, 3);
  EXPECT_EQ(scene.describe(to_client),
            R"({"files":[{"filename":"a.txt","gaps":true,"state":"UNKNOWN","stored":false,)"
            R"("size":7,"tx_id":0}]})");
  scene.transaction.close_file(file, FileState::truncated);
  EXPECT_EQ(scene.describe(to_client),
            R"({"files":[{"filename":"a.txt","gaps":true,"state":"TRUNCATED","stored":false,)"
            R"("size":7,"tx_id":0}]})");
  EXPECT_EQ(scene.describe(Direction::to_server), "{}");
}

TEST(Files, AreAskedForTheirKindOnceTheirStartIsThere) {
  Scene scene(true);
  File& file = scene.transaction.open_file(to_client, {}, {});
  scene.transaction.append_file(file, as_bytes("%PDF-1.5\n"));
  EXPECT_TRUE(file.magic.empty());
  scene.transaction.append_file(file, as_bytes(std::string(600, '\n')));
  EXPECT_TRUE(file.magic.starts_with("PDF document"));
}

TEST(Files, HaveNoDigestsWhereBytesAreMissing) {
  Scene scene(true);
  File& file = scene.transaction.open_file(to_client, {}, {});
  scene.transaction.append_file(file, as_bytes("a"));
  scene.transaction.skip_in_file(file, 1);
  scene.transaction.close_file(file, FileState::closed);
  EXPECT_EQ(scene.digest(Field::file_md5), "");
}

}  // namespace
}  // namespace shrike::protocol
