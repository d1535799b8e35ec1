#include "log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "shrike/base/clock.h"

namespace shrike::output {

LogFile::LogFile(const FileOptions& options, std::string path, std::string header)
    : options_(options), path_(std::move(path)), header_(std::move(header)) {}

LogFile::~LogFile() {
  close();
}

std::string LogFile::open() {
  if (!options_.append) {
    // Only this first time: a file that is opened again after a fault keeps what it has.
    const int emptied = ::open(path_.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NONBLOCK);
    if (emptied >= 0) {
      ::close(emptied);
    }
  }
  try_open();
  return fault_;
}

bool LogFile::try_open() {
  // A named pipe without room is a fault like a full disk; it must never hold the collector up.
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK;
  descriptor_ = ::open(path_.c_str(), flags, static_cast<mode_t>(options_.mode));
  if (descriptor_ < 0) {
    fail("open", errno);
    return false;
  }
  cut_unfinished_line();
  put_header();
  return true;
}

/// A process that was killed while it wrote may have left half a line behind.
void LogFile::cut_unfinished_line() {
  struct stat about {};
  if (fstat(descriptor_, &about) != 0 || !S_ISREG(about.st_mode)) {
    return;
  }
  const int reader = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  char letter = '\n';
  off_t end = about.st_size;
  while (reader >= 0 && end > 0 && pread(reader, &letter, 1, end - 1) == 1 && letter != '\n') {
    --end;
  }
  if (reader >= 0) {
    ::close(reader);
  }
  if (end != about.st_size && ftruncate(descriptor_, end) == 0) {
    notices_.push_back(
        fmt::format("{}: half a line at its end, of a run that was killed, is cut off", path_));
  }
}

void LogFile::put_header() {
  struct stat about {};
  const bool is_empty = fstat(descriptor_, &about) == 0 && about.st_size == 0;
  const bool is_queued = !lines_.empty() && !lines_.front().is_event;
  if (is_empty && !header_.empty() && !is_queued) {
    buffer_.insert(0, header_);
    lines_.push_front({static_cast<uint32_t>(header_.size()), false});
  }
}

void LogFile::close_descriptor() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    descriptor_ = -1;
  }
  started_bytes_ = 0;  // another file gets the whole line
}

/// Whether the file was deleted under us, alone or with its directory. One that was only renamed
/// is still the right one until the operator asks to reopen.
bool LogFile::has_vanished() const {
  struct stat about {};
  return fstat(descriptor_, &about) == 0 && about.st_nlink == 0;
}

void LogFile::append(std::string_view line) {
  ++queued_;
  if (buffer_.size() + line.size() > options_.buffer_bytes && fault_.empty()) {
    write_out();
  }
  if (buffer_.size() + line.size() > options_.backlog_bytes_max) {
    ++lost_;
    return;
  }
  buffer_.append(line);
  lines_.push_back({static_cast<uint32_t>(line.size()), true, latency_ != nullptr ? stamp_ns_ : 0});
  if (options_.flush_interval_ms == 0 && fault_.empty()) {
    write_out();
  }
}

void LogFile::poll(uint64_t now_ms) {
  now_ms_ = now_ms;
  if (!fault_.empty()) {
    if (now_ms_ >= retry_ms_) {
      write_out();
    }
    return;
  }
  if (lines_.empty()) {
    oldest_ms_ = 0;
  } else if (oldest_ms_ == 0) {
    oldest_ms_ = now_ms_;
  } else if (now_ms_ - oldest_ms_ >= options_.flush_interval_ms) {
    write_out();
  }
}

void LogFile::flush() {
  write_out();
}

void LogFile::reopen() {
  write_out();
  close_descriptor();
  try_open();
}

void LogFile::close() {
  if (!lines_.empty()) {
    write_out();
  }
  for (const Line& line : lines_) {
    lost_ += line.is_event ? 1 : 0;
  }
  lines_.clear();
  buffer_.clear();
  close_descriptor();
}

void LogFile::write_out() {
  if (descriptor_ >= 0 && has_vanished()) {
    close_descriptor();
  }
  if (descriptor_ < 0 && !try_open()) {
    return;
  }
  while (!lines_.empty()) {
    if (!write_some()) {
      return;
    }
  }
  oldest_ms_ = 0;
  recover();
}

/// One system call. False where the rest has to wait.
bool LogFile::write_some() {
  const ssize_t wrote =
      ::write(descriptor_, buffer_.data() + started_bytes_, buffer_.size() - started_bytes_);
  if (wrote < 0 && errno == EINTR) {
    return true;
  }
  if (wrote <= 0) {
    const int error = wrote < 0 ? errno : EIO;
    cut_back();
    fail("write", error);
    return false;
  }
  started_bytes_ += static_cast<size_t>(wrote);
  forget_written();
  return true;
}

/// Drops the lines that are in the file as a whole from the buffer.
void LogFile::forget_written() {
  size_t whole_bytes = 0;
  const uint64_t now_ns = latency_ != nullptr ? steady_clock_ns() : 0;
  while (!lines_.empty() && whole_bytes + lines_.front().bytes <= started_bytes_) {
    whole_bytes += lines_.front().bytes;
    written_ += lines_.front().is_event ? 1 : 0;
    note_latency(lines_.front(), now_ns);
    lines_.pop_front();
  }
  buffer_.erase(0, whole_bytes);
  started_bytes_ -= whole_bytes;
}

void LogFile::note_latency(const Line& line, uint64_t now_ns) {
  if (latency_ != nullptr && line.stamp_ns != 0) {
    latency_->add(now_ns - std::min(now_ns, line.stamp_ns));
  }
}

/// Takes the started line out of the file again, unless someone else has written behind it.
void LogFile::cut_back() {
  struct stat about {};
  if (started_bytes_ == 0 || fstat(descriptor_, &about) != 0 || !S_ISREG(about.st_mode)) {
    return;
  }
  const off_t end = lseek(descriptor_, 0, SEEK_CUR);
  const auto started = static_cast<off_t>(started_bytes_);
  if (end == about.st_size && end >= started && ftruncate(descriptor_, end - started) == 0) {
    started_bytes_ = 0;
  }
}

void LogFile::fail(const char* doing, int error) {
  retry_ms_ = now_ms_ + options_.retry_interval_ms;
  std::string fault = fmt::format("{}: cannot {}: {}", path_, doing, std::strerror(error));
  if (fault == fault_) {
    return;
  }
  if (fault_.empty()) {
    lost_before_fault_ = lost_;
  }
  fault_ = std::move(fault);
  notices_.push_back(fmt::format("{}; events wait in memory up to {} bytes, later ones are lost",
                                 fault_, options_.backlog_bytes_max));
}

void LogFile::recover() {
  if (fault_.empty()) {
    return;
  }
  notices_.push_back(
      fmt::format("{}: writing again; {} events were lost", path_, lost_ - lost_before_fault_));
  fault_.clear();
}

std::vector<std::string> LogFile::take_notices() {
  return std::exchange(notices_, {});
}

}  // namespace shrike::output
