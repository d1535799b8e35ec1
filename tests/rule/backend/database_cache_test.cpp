#include "backend/database_cache.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "shrike/rule.h"

namespace shrike::rule {
namespace {

class DatabaseCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        std::filesystem::temp_directory_path() / ("shrike-cache-" + std::to_string(::getpid()));
    std::filesystem::remove_all(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  /// Compiles a rule with the cache; what came from it.
  Report compile_with_cache() {
    Options options;
    options.cache_directory = directory_.string();
    Report report;
    const auto rules =
        compile({{"test.rules", R"(alert tcp any any -> any any (content:"needle"; sid:1;))"}},
                options, diagnostics_, report);
    EXPECT_TRUE(rules.has_value());
    return report;
  }
  [[nodiscard]] std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      found.push_back(entry.path());
    }
    return found;
  }

  std::filesystem::path directory_;
  Diagnostics diagnostics_;
};

TEST_F(DatabaseCacheTest, KeepsWhatWasCompiled) {
  const Report first = compile_with_cache();
  EXPECT_GT(first.databases, 0u);
  EXPECT_EQ(first.databases_from_cache, 0u);
  EXPECT_EQ(compile_with_cache().databases_from_cache, first.databases);
  for (const auto& file : files()) {
    EXPECT_EQ(file.extension(), ".hsdb") << "nothing half-written is left";
  }
}

TEST_F(DatabaseCacheTest, RebuildsDamagedAndForeignFiles) {
  const Report first = compile_with_cache();
  const auto damage = [&](auto&& change) {
    for (const auto& file : files()) {
      change(file);
    }
    EXPECT_EQ(compile_with_cache().databases_from_cache, 0u);
    EXPECT_EQ(compile_with_cache().databases_from_cache, first.databases);
  };
  damage([](const auto& file) {  // two bytes in the middle
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(std::filesystem::file_size(file) / 2));
    stream.put('\x5a');
    stream.put('\xa5');
  });
  damage([](const auto& file) { std::filesystem::resize_file(file, 40); });
  damage([](const auto& file) { std::filesystem::resize_file(file, 0); });
  damage([](const auto& file) {
    std::ofstream(file) << "not a database at all, but as long as the head of one would have to be";
  });
}

TEST_F(DatabaseCacheTest, GoesWithoutAFolderThatCannotBeMade) {
  std::ofstream(directory_) << "a file where the folder should be";
  EXPECT_EQ(compile_with_cache().databases_from_cache, 0u);
  ASSERT_EQ(diagnostics_.all().size(), 1u);
  EXPECT_EQ(diagnostics_.all()[0].code, "cache-directory");
}

}  // namespace
}  // namespace shrike::rule
