#include "backend/database_cache.h"

#include <fcntl.h>
#include <hs/hs_compile.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "shrike/base/digest.h"
#include "shrike/base/hex_text.h"

namespace shrike::rule {

namespace {

using Sha256 = std::array<uint8_t, 32>;

Sha256 digest_of(std::string_view first, std::string_view second = {}) {
  Digest digest(Digest::Kind::sha256);
  digest.update(as_bytes(first));
  digest.update(as_bytes(second));
  Sha256 made{};
  std::ranges::copy(digest.finish(), made.begin());
  return made;
}

/// What stands before the serialized database in a file.
struct FileHead {
  std::array<char, 8> magic{'s', 'h', 'r', 'i', 'k', 'e', 'd', 'b'};
  uint32_t format = 1;
  uint32_t reserved = 0;
  uint64_t bytes = 0;
  Sha256 digest{};  ///< SHA-256 of those bytes
};
static_assert(sizeof(FileHead) == 56);

std::string platform_text() {
  std::string text = hs_version();
  hs_platform_info_t platform{};
  if (hs_populate_platform(&platform) == HS_SUCCESS) {
    text.append(reinterpret_cast<const char*>(&platform.tune), sizeof platform.tune);
    text.append(reinterpret_cast<const char*>(&platform.cpu_features),
                sizeof platform.cpu_features);
  }
  return text;
}

bool write_file(const std::string& path, const FileHead& head, const char* bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(&head), sizeof head);
  file.write(bytes, static_cast<std::streamsize>(head.bytes));
  file.close();
  return !file.fail();
}

}  // namespace

DatabaseCache::DatabaseCache(std::string directory, Diagnostics& diagnostics)
    : directory_(std::move(directory)), platform_(platform_text()) {
  if (directory_.empty()) {
    return;
  }
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (error) {
    diagnostics.warning({}, "cache-directory",
                        "'{}' cannot be made: {}; databases are compiled at every start",
                        directory_, error.message());
    directory_.clear();
  }
}

std::string DatabaseCache::path_of(const std::string& key) const {
  constexpr size_t name_bytes = 20;
  const Sha256 digest = digest_of(platform_, key);
  return directory_ + "/" + hex_text(Bytes(digest).first(name_bytes)) + ".hsdb";
}

hs_database* DatabaseCache::load(const std::string& key) const {
  if (directory_.empty()) {
    return nullptr;
  }
  std::ifstream file(path_of(key), std::ios::binary | std::ios::ate);
  if (!file) {
    return nullptr;
  }
  const auto size = static_cast<uint64_t>(file.tellg());
  FileHead head;
  const FileHead wanted;
  if (size < sizeof head || !file.seekg(0) ||
      !file.read(reinterpret_cast<char*>(&head), sizeof head) || head.magic != wanted.magic ||
      head.format != wanted.format || head.bytes != size - sizeof head) {
    return nullptr;
  }
  std::string bytes(head.bytes, '\0');
  if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())) ||
      digest_of(bytes) != head.digest) {
    return nullptr;
  }
  hs_database_t* database = nullptr;
  if (hs_deserialize_database(bytes.data(), bytes.size(), &database) != HS_SUCCESS) {
    return nullptr;
  }
  return database;
}

void DatabaseCache::store(const std::string& key, const hs_database* database) const {
  if (directory_.empty()) {
    return;
  }
  char* bytes = nullptr;
  size_t length = 0;
  if (hs_serialize_database(database, &bytes, &length) != HS_SUCCESS) {
    ++faults_;
    return;
  }
  FileHead head;
  head.bytes = length;
  head.digest = digest_of({bytes, length});
  // Another process may write the same name: each writes aside under a name of its own.
  static std::atomic<uint32_t> serial{0};
  const std::string path = path_of(key);
  const std::string aside =
      path + "." + std::to_string(::getpid()) + "." + std::to_string(serial++);
  std::error_code error;
  if (write_file(aside, head, bytes)) {
    std::filesystem::rename(aside, path, error);
  } else {
    error = std::make_error_code(std::errc::io_error);
  }
  if (error) {
    std::filesystem::remove(aside, error);
    ++faults_;
  }
  std::free(bytes);
}

}  // namespace shrike::rule
