#include "scene.h"
#include "shrike/base/counters.h"

namespace shrike::output {
namespace {

constexpr const char* sha256_of_abcdef =
    "bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721";

/// A collector with a file store, and what there is to see of it.
class FileStoreTest : public testing::Test {
 protected:
  void open(const FileStoreOptions& store) {
    SinkOptions sinks = eve_in(folder_);
    sinks.eve[0].files = true;
    sinks.file_store = store;
    desk_.emplace(std::vector<RuleInfo>{rule(1)}, sinks);
    ASSERT_EQ(desk_->diagnostics.text(), "");
  }

  void piece(uint64_t file_id, uint64_t offset, std::string_view text, bool is_end = false) {
    FilePieceReport report{
        .file_id = file_id, .offset = offset, .bytes = as_bytes(text), .is_end = is_end};
    if (is_end) {
      report.file.members = members_;
    }
    ASSERT_TRUE(desk_->writer.write_file_piece(report, scene_.tracked, {.view = &scene_.app}));
  }
  /// All that was written so far is handled; the next comes one packet later.
  void handle() {
    desk_->mark(scene_);
    ++scene_.datagram.number;
  }
  /// What the worker tells of a file that it has handed over.
  static std::string stored(uint64_t file_id) {
    return R"("stored":true,"file_id":)" + std::to_string(file_id) + R"(,"size":6)";
  }
  static std::string fileinfo(uint64_t file_id) {
    return R"("fileinfo":{"filename":"\"stored\":true,\"file_id\":9",)" + stored(file_id) + "}";
  }
  std::string tell_file(uint64_t file_id) {
    const std::string members = fileinfo(file_id);
    EXPECT_TRUE(
        desk_->writer.write_file({.members = members}, scene_.tracked, {.view = &scene_.app}));
    handle();
    desk_->collector.flush();
    const std::string all = folder_.read("eve.json");
    const size_t end = all.size() - 1;
    const size_t start = all.rfind('\n', end - 1);
    return all.substr(start == all.npos ? 0 : start + 1);
  }

  [[nodiscard]] uint64_t count(std::string_view name) const {
    for (const CounterView& view : desk_->collector.counters()) {
      for (size_t i = 0; i < view.size(); ++i) {
        if (view.rows[i].name == name) {
          return view.value(i);
        }
      }
    }
    ADD_FAILURE() << "no counter " << name;
    return 0;
  }
  /// Paths below the store, sorted, each followed by a space.
  [[nodiscard]] std::string files() const {
    std::vector<std::string> paths;
    const std::filesystem::path root = std::filesystem::path(folder_.path()) / "filestore";
    for (const auto& each : std::filesystem::recursive_directory_iterator(root)) {
      if (each.is_regular_file()) {
        paths.push_back(std::filesystem::relative(each.path(), root).string());
      }
    }
    std::sort(paths.begin(), paths.end());
    std::string all;
    for (const std::string& path : paths) {
      all += path + " ";
    }
    return all;
  }

  const Zone zone_;
  Folder folder_;
  Scene scene_;
  std::string members_;
  std::optional<Desk> desk_;
};

TEST_F(FileStoreTest, NamesAFileByItsDigestOnceItIsWhole) {
  open({});
  piece(5, 0, "abc");
  handle();
  EXPECT_EQ(files(), "tmp/5 ");
  piece(5, 3, "def", true);
  handle();
  const std::string name = std::string("be/") + sha256_of_abcdef;
  EXPECT_EQ(files(), name + " ");
  EXPECT_EQ(folder_.read("filestore/" + name), "abcdef");
  EXPECT_EQ(count("file_store.stored"), 1U);
  EXPECT_EQ(count("file_store.bytes"), 6U);
}

TEST_F(FileStoreTest, StoresNothingTwiceAndEmptyFilesToo) {
  open({});
  piece(5, 0, "abcdef", true);
  piece(6, 0, "abcdef", true);
  piece(7, 0, "", true);
  handle();
  EXPECT_EQ(files(), std::string("be/") + sha256_of_abcdef +
                         " e3/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 ");
  EXPECT_EQ(count("file_store.stored"), 3U);
}

TEST_F(FileStoreTest, WritesAnEventBesideTheFileWhereAsked) {
  open({.fileinfo = true});
  members_ = fileinfo(5);
  piece(5, 0, "abcdef", true);
  handle();
  const std::string path = std::string("be/") + sha256_of_abcdef + "." +
                           std::to_string(start_ns / second_ns) + ".5.json";
  EXPECT_EQ(files(), std::string("be/") + sha256_of_abcdef + " " + path + " ");
  const std::string event = folder_.read("filestore/" + path);
  EXPECT_NE(event.find(R"("event_type":"fileinfo")"), event.npos) << event;
  EXPECT_EQ(count_lines(event), 1U);
}

struct Bound {
  const char* name;
  FileStoreOptions options;
  const char* counter;
};

/// Two files of three bytes each are open at the same time; the second one is too much.
TEST_F(FileStoreTest, HasBounds) {
  const Bound bounds[] = {
      {"files at the same time", {.open_files_max = 1}, "file_store.open_files_max_hit"},
      {"files", {.run_files_max = 1}, "file_store.total_max_hit"},
      {"bytes", {.run_bytes_max = 8}, "file_store.total_max_hit"},
  };
  for (const Bound& bound : bounds) {
    SCOPED_TRACE(bound.name);
    open(bound.options);
    piece(5, 0, "abc");
    piece(6, 0, "xyz");
    piece(5, 3, "def", true);
    piece(6, 3, "uvw", true);
    handle();
    const std::string one = std::string("be/") + sha256_of_abcdef + " ";
    const bool is_first_whole = std::string(bound.name) != "bytes";
    EXPECT_EQ(files(), is_first_whole ? one : std::string());
    EXPECT_EQ(count("file_store.stored"), is_first_whole ? 1U : 0U);
    EXPECT_EQ(count(bound.counter), is_first_whole ? 1U : 2U);
    EXPECT_NE(tell_file(6).find(R"("stored":false,"size":6)"), std::string::npos);
    desk_.reset();
    std::filesystem::remove_all(std::filesystem::path(folder_.path()) / "filestore");
  }
}

TEST_F(FileStoreTest, HasRoomAgainOnceAFileIsWhole) {
  open({.open_files_max = 1});
  piece(5, 0, "abc", true);
  piece(6, 0, "abcdef", true);
  handle();
  EXPECT_EQ(count("file_store.stored"), 2U);
  EXPECT_EQ(count("file_store.open_files_max_hit"), 0U);
}

TEST_F(FileStoreTest, LeavesOutAFileOfWhichAPieceWasLost) {
  open({});
  piece(5, 0, "abc");
  piece(5, 4, "ef", true);
  handle();
  EXPECT_EQ(files(), "");
  EXPECT_EQ(count("file_store.fs_errors"), 1U);
  EXPECT_NE(tell_file(5).find(R"("stored":false,"size":6)"), std::string::npos);
}

TEST_F(FileStoreTest, GivesUpAFileWhoseLastPieceDoesNotCome) {
  open({.open_files_max = 1, .idle_seconds_max = 100});
  piece(5, 0, "abc");
  handle();
  scene_.at_seconds(90);
  piece(5, 3, "d");
  handle();
  scene_.at_seconds(180);
  handle();
  EXPECT_EQ(files(), "tmp/5 ") << "90 seconds without a piece";
  scene_.at_seconds(191);
  handle();
  EXPECT_EQ(files(), "");
  EXPECT_EQ(count("file_store.fs_errors"), 1U);
  piece(6, 0, "abcdef", true);
  handle();
  EXPECT_EQ(count("file_store.stored"), 1U) << "its place is free";
}

TEST_F(FileStoreTest, LeavesNothingHalfDoneBehind) {
  open({});
  piece(5, 0, "abc");
  handle();
  desk_->collector.finish();
  EXPECT_EQ(files(), "");
  EXPECT_EQ(count("file_store.fs_errors"), 1U);
}

TEST_F(FileStoreTest, EventsSayThatAFileIsStoredOnlyWhereItIs) {
  open({});
  EXPECT_NE(tell_file(5).find(R"("stored":false,"size":6)"), std::string::npos) << "no piece came";
  piece(5, 0, "abcdef", true);
  handle();
  const std::string line = tell_file(5);
  EXPECT_NE(line.find(fileinfo(5)), std::string::npos) << line;
  scene_.context = {.view = &scene_.app, .members = "\"files\":[{}]"};
  const std::string files = R"("files":[{)" + stored(5) + "},{" + stored(6) + "}]";
  scene_.context.members = files;
  desk_->write(scene_);
  handle();
  desk_->collector.flush();
  EXPECT_NE(folder_.read("eve.json")
                .find(R"("files":[{)" + stored(5) + R"(},{"stored":false,"size":6}])"),
            std::string::npos);
}

TEST(FileStore, SaysWhereItCannotWrite) {
  const Folder folder;
  SinkOptions sinks = eve_in(folder);
  std::ofstream(folder.path() + "/file") << "in the way";
  sinks.file_store = FileStoreOptions{.directory = "file"};
  Diagnostics diagnostics;
  const Collector collector({}, sinks, diagnostics);
  EXPECT_NE(diagnostics.text().find("error[file-store]: "), std::string::npos)
      << diagnostics.text();
}

}  // namespace
}  // namespace shrike::output
