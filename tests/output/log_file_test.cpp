#include "log_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <numeric>

#include "scene.h"
#include "shrike/base/clock.h"

namespace shrike::output {
namespace {

FileOptions quick() {
  FileOptions options;
  options.flush_interval_ms = 0;
  options.retry_interval_ms = 100;
  return options;
}

TEST(LogFile, CollectsLinesAndWritesThemWhenTheirTimeComes) {
  const Folder folder;
  FileOptions options;
  options.flush_interval_ms = 1000;
  LogFile file(options, folder.path() + "/x.log", {});
  EXPECT_EQ(file.open(), "");
  file.append("one\n");
  file.poll(5000);
  EXPECT_EQ(folder.read("x.log"), "");
  file.poll(5999);
  EXPECT_EQ(folder.read("x.log"), "");
  file.poll(6000);
  EXPECT_EQ(folder.read("x.log"), "one\n");
  file.append("two\n");
  file.close();
  EXPECT_EQ(folder.read("x.log"), "one\ntwo\n");
  EXPECT_EQ(file.queued(), 2U);
  EXPECT_EQ(file.written(), 2U);
  EXPECT_EQ(file.lost(), 0U);
}

TEST(LogFile, MeasuresHowLongStampedLinesTook) {
  const Folder folder;
  LatencyHistogram latency;
  FileOptions options;
  options.flush_interval_ms = 1000;
  LogFile file(options, folder.path() + "/x.log", {});
  EXPECT_EQ(file.open(), "");
  file.measure(&latency);
  file.append("not stamped\n");
  file.stamp(steady_clock_ns() - 3'000'000'000);
  file.append("three seconds ago\n");
  file.append("too\n");
  file.stamp(0);
  file.append("not stamped\n");
  const CounterView view = latency.view(latency_rows::written());
  const auto count = [&] { return std::accumulate(view.values.begin(), view.values.end(), 0U); };
  EXPECT_EQ(count(), 0U);  // they are in the buffer
  file.close();
  EXPECT_EQ(count(), 2U);
  EXPECT_EQ(view.value(LatencyHistogram::bucket_of(3'000'000'000)), 2U);  // up to 4.2 s
}

TEST(LogFile, WritesAFullBufferAtOnce) {
  const Folder folder;
  FileOptions options;
  options.buffer_bytes = 10;
  LogFile file(options, folder.path() + "/x.log", {});
  EXPECT_EQ(file.open(), "");
  file.append("123456\n");
  file.append("abcdef\n");
  EXPECT_EQ(folder.read("x.log"), "123456\n");
}

TEST(LogFile, AppendsOrStartsAnew) {
  const Folder folder;
  const std::string path = folder.path() + "/x.log";
  for (const bool append : {true, true, false}) {
    FileOptions options = quick();
    options.append = append;
    LogFile file(options, path, "header\n");
    EXPECT_EQ(file.open(), "");
    file.append("line\n");
    file.close();
    EXPECT_EQ(file.written(), 1U) << "the header is not counted";
  }
  EXPECT_EQ(folder.read("x.log"), "header\nline\n");
}

TEST(LogFile, WritesTheHeaderOnlyIntoAnEmptyFile) {
  const Folder folder;
  const std::string path = folder.path() + "/x.log";
  for (int run = 0; run < 2; ++run) {
    LogFile file(quick(), path, "header\n");
    EXPECT_EQ(file.open(), "");
    file.append("line\n");
  }
  EXPECT_EQ(folder.read("x.log"), "header\nline\nline\n");
}

TEST(LogFile, SaysOnceThatTheDiskIsFullAndGoesOn) {
  FileOptions options = quick();
  options.backlog_bytes_max = 12;
  LogFile file(options, "/dev/full", {});
  EXPECT_EQ(file.open(), "");
  file.append("one\n");
  const std::string fault = "/dev/full: cannot write: No space left on device";
  EXPECT_EQ(file.fault(), fault);
  for (const char* const line : {"two\n", "three\n", "four\n"}) {
    file.append(line);
    file.poll(1000);
    file.poll(2000);
  }
  const std::vector<std::string> notices{
      fault + "; events wait in memory up to 12 bytes, later ones are lost"};
  EXPECT_EQ(file.take_notices(), notices);
  EXPECT_EQ(file.queued(), 4U);
  EXPECT_EQ(file.written(), 0U);
  EXPECT_EQ(file.lost(), 2U) << "two wait";
  file.close();
  EXPECT_EQ(file.lost(), 4U);
  EXPECT_EQ(file.take_notices(), std::vector<std::string>{});
}

TEST(LogFile, SurvivesAVanishedDirectory) {
  const Folder folder;
  const std::string directory = folder.path() + "/logs";
  std::filesystem::create_directory(directory);
  LogFile file(quick(), directory + "/x.log", {});
  EXPECT_EQ(file.open(), "");
  file.append("one\n");
  std::filesystem::remove_all(directory);
  file.append("two\n");
  file.append("three\n");
  const std::string fault = directory + "/x.log: cannot open: No such file or directory";
  EXPECT_EQ(file.fault(), fault);
  EXPECT_EQ(file.take_notices().size(), 1U);

  std::filesystem::create_directory(directory);
  file.poll(50);
  EXPECT_EQ(file.fault(), fault) << "not before its time";
  file.poll(100);
  EXPECT_EQ(file.fault(), "");
  EXPECT_EQ(folder.read("logs/x.log"), "two\nthree\n");
  const std::vector<std::string> notices{directory + "/x.log: writing again; 0 events were lost"};
  EXPECT_EQ(file.take_notices(), notices);
  EXPECT_EQ(file.written(), 3U);
}

TEST(LogFile, MakesADeletedFileAgain) {
  const Folder folder;
  LogFile file(quick(), folder.path() + "/x.log", "header\n");
  EXPECT_EQ(file.open(), "");
  file.append("one\n");
  std::filesystem::remove(folder.path() + "/x.log");
  file.append("two\n");
  EXPECT_EQ(folder.read("x.log"), "header\ntwo\n");
}

TEST(LogFile, FollowsRotationOnlyWhenAskedTo) {
  const Folder folder;
  const std::string path = folder.path() + "/x.log";
  LogFile file(quick(), path, "header\n");
  EXPECT_EQ(file.open(), "");
  file.append("one\n");
  std::filesystem::rename(path, path + ".1");
  file.append("two\n");
  file.reopen();
  file.append("three\n");
  EXPECT_EQ(folder.read("x.log.1"), "header\none\ntwo\n");
  EXPECT_EQ(folder.read("x.log"), "header\nthree\n");
}

/// Lets no file of this process grow beyond so many bytes: a disk that fills up, with the short
/// write in front of the error.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST(LogFile, NeverLeavesATornLine) {
  const Folder folder;
  LogFile file(quick(), folder.path() + "/x.log", {});
  EXPECT_EQ(file.open(), "");
  {
    const FileSizeLimit limit(15);
    file.append("whole line\n");
    file.append("torn line\n");
    EXPECT_EQ(file.fault(), folder.path() + "/x.log: cannot write: File too large");
    EXPECT_EQ(folder.read("x.log"), "whole line\n");
    file.append("later\n");
  }
  file.poll(1000);
  EXPECT_EQ(folder.read("x.log"), "whole line\ntorn line\nlater\n");
  EXPECT_EQ(file.written(), 3U);
  EXPECT_EQ(file.lost(), 0U);
}

// A pipe cannot be cut: its reader gets the rest of the line first when there is room again.
TEST(LogFile, CompletesALineThatCannotBeCutBack) {
  const Folder folder;
  const std::string path = folder.path() + "/pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  const int pipe_bytes = fcntl(reader, F_SETPIPE_SZ, 8192);
  ASSERT_GE(pipe_bytes, 8192);

  LogFile file(quick(), path, {});
  EXPECT_EQ(file.open(), "");
  std::string line;
  while (line.size() < static_cast<size_t>(pipe_bytes) + 100) {
    line += "some words ";
  }
  line += '\n';
  file.append(line);
  file.append("next\n");
  EXPECT_EQ(file.fault(), path + ": cannot write: Resource temporarily unavailable");
  EXPECT_EQ(file.written(), 0U);

  std::string got(line.size() * 2, '\0');
  const ssize_t first = ::read(reader, got.data(), got.size());
  EXPECT_EQ(first, pipe_bytes);
  file.poll(1000);
  const ssize_t second =
      ::read(reader, got.data() + first, got.size() - static_cast<size_t>(first));
  got.resize(static_cast<size_t>(first + second));
  EXPECT_EQ(got, line + "next\n");
  EXPECT_EQ(file.written(), 2U);
  ::close(reader);
}

}  // namespace
}  // namespace shrike::output
