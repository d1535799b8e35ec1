#pragma once
#include <cstdio>
#include <memory>
#include <string>
#include <unordered_map>

#include "eve.h"
#include "shrike/base/counters.h"
#include "shrike/base/diagnostics.h"
#include "shrike/output.h"
#include "sink.h"

namespace shrike::output {

/// Puts files together from their pieces: each into a file of its own in `tmp`, which becomes
/// `ab/abcd…`, its SHA-256, when it is whole. What is there already stays. The collector's thread.
class FileStore {
 public:
  /// A directory that cannot be made is an error in `diagnostics`.
  FileStore(const FileStoreOptions& options, const std::string& log_directory,
            Diagnostics& diagnostics);
  ~FileStore();

  /// The next piece of some file: Record::file_piece.
  void take(const FileEvent& event) noexcept;
  /// Nothing follows: what is not whole goes.
  void finish() noexcept;
  [[nodiscard]] CounterView counters() const noexcept;

  enum class Counter : uint8_t { stored, bytes, refused_open, refused_total, broken, count_ };

 private:
  struct Open;
  [[nodiscard]] bool begin(uint64_t file_id);
  bool write(Open& open, Bytes bytes) noexcept;
  void drop(uint64_t file_id, Counter reason) noexcept;
  void keep(const FileEvent& event) noexcept;
  void write_fileinfo(const FileEvent& event, const std::string& path);
  [[nodiscard]] std::string temporary_path(uint64_t file_id) const;

  FileStoreOptions options_;
  EveOptions eve_options_;  ///< of the events beside the files
  TimeText times_;
  std::string directory_;
  std::unordered_map<uint64_t, std::unique_ptr<Open>> open_;
  uint64_t bytes_ = 0;
  uint64_t files_ = 0;
  Counters<Counter> counters_;
};

}  // namespace shrike::output
