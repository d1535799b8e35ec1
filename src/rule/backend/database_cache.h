#pragma once
#include <atomic>
#include <cstdint>
#include <string>

#include "shrike/base/diagnostics.h"

struct hs_database;

namespace shrike::rule {

/// Compiled literal databases on disk, one file each, named by what they were made from: the
/// literals, Hyperscan's version and the kind of CPU. A file that is damaged or foreign is noticed
/// by its checksum and rebuilt. Files appear whole (written aside, then renamed). Thread-safe.
class DatabaseCache {
 public:
  /// @param directory made where it is not there; empty: nothing is ever found or kept. One that
  ///                  cannot be made is a warning, and the cache stays empty.
  DatabaseCache(std::string directory, Diagnostics& diagnostics);

  /// The database made from `key` before, or null. The caller frees it with hs_free_database.
  [[nodiscard]] hs_database* load(const std::string& key) const;
  void store(const std::string& key, const hs_database* database) const;

  /// Files that could not be written.
  [[nodiscard]] uint32_t faults() const noexcept { return faults_; }

 private:
  [[nodiscard]] std::string path_of(const std::string& key) const;

  std::string directory_;
  std::string platform_;  ///< version and CPU, part of every name
  mutable std::atomic<uint32_t> faults_{0};
};

}  // namespace shrike::rule
