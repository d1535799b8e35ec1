#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/base/latency.h"
#include "shrike/output.h"

namespace shrike::output {

/// A file of lines that outlives full disks, vanished directories and log rotation. Lines collect
/// in a buffer; what cannot be written stays there up to a bound, then newer lines are lost and
/// counted. A line that was written in part is cut back at once, or completed later where the file
/// cannot be cut, so no line ever stands there torn. One thread.
class LogFile {
 public:
  /// @param path   resolved already.
  /// @param header a line for the start of an empty file, with its line end, or empty.
  LogFile(const FileOptions& options, std::string path, std::string header);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  /// First open. The text of the fault, empty where it worked.
  std::string open();
  /// Where it is added up how long lines took from their stamp until the system had them; null:
  /// nowhere. Borrowed.
  void measure(LatencyHistogram* latency) { latency_ = latency; }
  /// Lines from now on began at this time of the steady clock; 0: those are not measured.
  void stamp(uint64_t began_ns) { stamp_ns_ = began_ns; }
  /// One whole line, with its line end.
  void append(std::string_view line);
  /// Writes what has waited for longer than the flush interval, and tries again after a fault.
  void poll(uint64_t now_ms);
  /// Writes everything now, as far as it can.
  void flush();
  /// Writes everything, then opens the path again: log rotation has moved the file.
  void reopen();
  /// The last flush: what cannot be written now is lost.
  void close();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] uint64_t queued() const noexcept { return queued_; }
  [[nodiscard]] uint64_t written() const noexcept { return written_; }
  [[nodiscard]] uint64_t lost() const noexcept { return lost_; }
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }
  /// What to tell the operator, each once.
  [[nodiscard]] std::vector<std::string> take_notices();

 private:
  struct Line {
    uint32_t bytes = 0;
    bool is_event = true;  ///< not the header
    uint64_t stamp_ns = 0;
  };

  bool try_open();
  void close_descriptor();
  bool has_vanished() const;
  void put_header();
  void cut_unfinished_line();
  void write_out();
  bool write_some();
  void forget_written();
  void note_latency(const Line& line, uint64_t now_ns);
  void cut_back();
  void fail(const char* doing, int error);
  void recover();

  FileOptions options_;
  std::string path_;
  std::string header_;
  int descriptor_ = -1;

  std::string buffer_;        // all bytes of the lines below
  std::deque<Line> lines_;    // not yet completely in the file
  size_t started_bytes_ = 0;  // of the first line, already in the file
  uint64_t oldest_ms_ = 0;    // when poll first saw the buffer in use; 0 where it is empty
  uint64_t retry_ms_ = 0;     // not before, after a fault
  uint64_t now_ms_ = 0;

  uint64_t queued_ = 0;
  uint64_t written_ = 0;
  uint64_t lost_ = 0;
  uint64_t lost_before_fault_ = 0;
  LatencyHistogram* latency_ = nullptr;
  uint64_t stamp_ns_ = 0;
  std::string fault_;
  std::vector<std::string> notices_;
};

}  // namespace shrike::output
