#pragma once
#include <cstdio>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

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
  /// Gives up files whose last piece does not come. Cheap: call it often.
  /// @param clock_ns  up to which all records were handled.
  void expire(uint64_t clock_ns) noexcept;
  /// A worker says of a file that it is stored once it has handed over the last piece. Here this
  /// becomes false where it was not: a bound was reached, a piece was lost, the disk refused it.
  /// What the record then says is valid until the next call.
  void correct(Record& record);
  /// Nothing follows: what is not whole goes.
  void finish() noexcept;
  [[nodiscard]] CounterView counters() const noexcept;

  enum class Counter : uint8_t { stored, bytes, refused_open, refused_total, broken, count_ };

 private:
  struct Open;
  /// Whose outcome is known: what tells of a file comes soon after its last piece.
  static constexpr size_t stored_ids_max = 65536;
  [[nodiscard]] bool begin(uint64_t file_id);
  bool write(Open& open, Bytes bytes) noexcept;
  void drop(uint64_t file_id, Counter reason) noexcept;
  void keep(const FileEvent& event) noexcept;
  void remember_stored(uint64_t file_id);
  [[nodiscard]] Bytes corrected(Bytes members, std::string& text) const;
  void write_fileinfo(const FileEvent& event, const std::string& path);
  [[nodiscard]] std::string temporary_path(uint64_t file_id) const;

  FileStoreOptions options_;
  EveOptions eve_options_;  ///< of the events beside the files
  TimeText times_;
  std::string directory_;
  std::unordered_map<uint64_t, std::unique_ptr<Open>> open_;
  std::unordered_set<uint64_t> stored_ids_;  ///< at most stored_ids_max
  std::deque<uint64_t> stored_order_;        ///< … the oldest first
  std::string app_text_;                     ///< of the record that was corrected last
  std::string file_text_;
  uint64_t swept_ns_ = 0;
  uint64_t bytes_ = 0;
  uint64_t files_ = 0;
  Counters<Counter> counters_;
};

}  // namespace shrike::output
