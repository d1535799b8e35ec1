#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "shrike/control.h"

namespace shrike::control {
namespace {

namespace files = std::filesystem;

/// What a confined process could do, asked inside of it and told by letters.
struct Deed {
  char letter;
  std::function<bool()> is_possible;
};

/// A folder that is its own and one that is not, each with a file.
class ConfineTest : public testing::Test {
 protected:
  ConfineTest() {
    files::create_directories(own_);
    files::create_directories(foreign_);
    files::permissions(root_, files::perms::all);  // another user gets here too
    files::permissions(foreign_, files::perms::all);
    for (const files::path& folder : {own_, foreign_}) {
      std::ofstream(folder / "there") << "text";
      files::permissions(folder / "there", files::perms(0666));
    }
  }
  ~ConfineTest() override { files::remove_all(root_); }

  /// The letters of what a child can still do once it has confined itself, or what was wrong.
  std::string possible_after(const ConfineOptions& options, const std::vector<Deed>& deeds) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      Diagnostics diagnostics;
      std::string told = confine(options, diagnostics) ? "" : "refused ";
      told += diagnostics.text();
      for (const Deed& deed : deeds) {
        told += deed.is_possible() ? std::string(1, deed.letter) : "";
      }
      static_cast<void>(!write(ends[1], told.data(), told.size()));
      _exit(0);
    }
    close(ends[1]);
    std::array<char, 4096> bytes{};
    const ssize_t count = read(ends[0], bytes.data(), bytes.size());
    close(ends[0]);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    return {bytes.data(), count > 0 ? static_cast<size_t>(count) : 0};
  }

  [[nodiscard]] std::vector<Deed> deeds() const {
    const auto can_write = [](const files::path& path) {
      return std::ofstream(path, std::ios::app).put('x').flush().good();
    };
    return {
        {'w', [=, this] { return can_write(own_ / "new"); }},
        {'a', [=, this] { return can_write(own_ / "there"); }},
        {'m', [this] { return mkdir((own_ / "folder").c_str(), 0700) == 0; }},
        {'d', [this] { return unlink((own_ / "there").c_str()) == 0; }},
        {'r', [this] { return std::ifstream(foreign_ / "there").good(); }},
        {'n', [=] { return can_write("/dev/null"); }},
        {'W', [=, this] { return can_write(foreign_ / "new"); }},
        {'A', [=, this] { return can_write(foreign_ / "there"); }},
        {'M', [this] { return mkdir((foreign_ / "folder").c_str(), 0700) == 0; }},
        {'D', [this] { return unlink((foreign_ / "there").c_str()) == 0; }},
        {'X', [] { return std::system("/bin/true") == 0; }},
        {'C', [] { return chroot("/") == 0; }},
        {'U', [] { return getuid() != 0 && setuid(0) == 0; }},
    };
  }

  static bool has_landlock() {
    return syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
  }

  const files::path root_ =
      files::path(testing::TempDir()) / ("shrike-confine-" + std::to_string(getpid()));
  const files::path own_ = root_ / "own";
  const files::path foreign_ = root_ / "foreign";
};

TEST_F(ConfineTest, LeavesNothingButReadingAndItsOwnFolders) {
  if (!has_landlock()) {
    GTEST_SKIP() << "this kernel has no Landlock";
  }
  EXPECT_EQ(possible_after({.is_fenced = true, .writable_folders = {own_.string()}}, deeds()),
            "wamdrn");
  EXPECT_TRUE(files::exists(foreign_ / "there"));
}

TEST_F(ConfineTest, ChangesNothingWhereItIsSwitchedOff) {
  const std::string possible = possible_after({.is_fenced = false}, deeds());
  EXPECT_EQ(possible.substr(0, 11), "wamdrnWAMDX");
}

TEST_F(ConfineTest, BecomesTheUserForGood) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "only root can become somebody else";
  }
  const std::vector<Deed> asked{
      {'n', [] { return getuid() != 0 && geteuid() != 0 && getgid() != 0; }},
      {'g', [] { return getgroups(0, nullptr) == 0; }},
      {'w', [this] { return std::ofstream(own_ / "new").put('x').flush().good(); }},
      {'U', [] { return setuid(0) == 0; }},
      {'C', [] { return chroot("/") == 0; }},
  };
  EXPECT_EQ(possible_after(
                {.user = "nobody", .is_fenced = false, .writable_folders = {own_.string()}}, asked),
            "ngw");
}

TEST_F(ConfineTest, SaysWhoIsMissing) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "only root is asked to become somebody else";
  }
  EXPECT_EQ(possible_after({.user = "shrike-nobody"}, {}),
            "refused error[run-as]: there is no user shrike-nobody; make it with useradd --system "
            "shrike-nobody");
  EXPECT_EQ(possible_after({.user = "nobody", .group = "shrike-none"}, {}),
            "refused error[run-as]: there is no group shrike-none; make it with groupadd --system "
            "shrike-none");
  EXPECT_EQ(possible_after({.user = "nobody", .writable_folders = {(root_ / "none").string()}}, {}),
            "refused error[run-as]: " + (root_ / "none").string() +
                " cannot be given to nobody: No such file or directory");
}

TEST_F(ConfineTest, WarnsOfAFolderThatIsNotThere) {
  if (!has_landlock()) {
    GTEST_SKIP() << "this kernel has no Landlock";
  }
  const std::string told =
      possible_after({.is_fenced = true, .writable_folders = {(root_ / "none").string()}}, {});
  EXPECT_EQ(told, "warning[sandbox]: files are not fenced in: " + (root_ / "none").string() +
                      ": No such file or directory; shrike.live.sandbox: no says that this is "
                      "known");
}

}  // namespace
}  // namespace shrike::control
