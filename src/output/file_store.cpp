#include "file_store.h"

#include <openssl/evp.h>

#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include "shrike/base/hex_text.h"

namespace shrike::output {

namespace {

constexpr CounterRow rows[] = {
    {"file_store.stored", "files", "files that the file store has, those it had before included"},
    {"file_store.bytes", "bytes", "bytes written for them"},
    {"file_store.open_files_max_hit", "files", "files left out: too many at the same time"},
    {"file_store.total_max_hit", "files", "files left out: the bounds of a run are reached"},
    {"file_store.fs_errors", "files", "files left out: a piece was lost, or the disk refused it"},
};

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { static_cast<void>(std::fclose(file)); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

}  // namespace

struct FileStore::Open {
  std::unique_ptr<std::FILE, CloseFile> file;
  std::unique_ptr<EVP_MD_CTX, FreeDigest> digest;
  uint64_t written = 0;
};

FileStore::FileStore(const FileStoreOptions& options, const std::string& log_directory,
                     Diagnostics& diagnostics)
    : options_(options), directory_(resolve_path(log_directory, options.directory)) {
  std::error_code fault;
  std::filesystem::create_directories(directory_ + "/tmp", fault);
  if (fault) {
    diagnostics.error({}, "file-store", "{}/tmp: {}; let it be written", directory_,
                      fault.message());
  }
}

FileStore::~FileStore() = default;

std::string FileStore::temporary_path(uint64_t file_id) const {
  return directory_ + "/tmp/" + std::to_string(file_id);
}

/// False where the file is left out, which is counted.
bool FileStore::begin(uint64_t file_id) {
  if (options_.open_files_max != 0 && open_.size() >= options_.open_files_max) {
    counters_.add(Counter::refused_open);
    return false;
  }
  if (files_ >= options_.run_files_max || bytes_ >= options_.run_bytes_max) {
    counters_.add(Counter::refused_total);
    return false;
  }
  auto open = std::make_unique<Open>();
  open->file.reset(std::fopen(temporary_path(file_id).c_str(), "wb"));
  open->digest.reset(EVP_MD_CTX_new());
  if (open->file == nullptr || open->digest == nullptr ||
      EVP_DigestInit_ex(open->digest.get(), EVP_sha256(), nullptr) != 1) {
    counters_.add(Counter::broken);
    return false;
  }
  ++files_;
  open_.emplace(file_id, std::move(open));
  return true;
}

bool FileStore::write(Open& open, Bytes bytes) noexcept {
  open.written += bytes.size();
  bytes_ += bytes.size();
  return bytes.empty() ||
         (EVP_DigestUpdate(open.digest.get(), bytes.data(), bytes.size()) == 1 &&
          std::fwrite(bytes.data(), 1, bytes.size(), open.file.get()) == bytes.size());
}

void FileStore::drop(uint64_t file_id, Counter reason) noexcept {
  counters_.add(reason);
  open_.erase(file_id);
  std::error_code ignored;
  std::filesystem::remove(temporary_path(file_id), ignored);
}

/// A file that is left out at its beginning stays out: its later pieces are not at offset 0.
void FileStore::take(const FileEvent& event) noexcept {
  const FilePieceSection& piece = event.record.file_piece;
  auto found = open_.find(piece.file_id);
  if (found == open_.end()) {
    if (piece.offset != 0 || !begin(piece.file_id)) {
      return;
    }
    found = open_.find(piece.file_id);
  }
  if (bytes_ + event.record.file_bytes.size() > options_.run_bytes_max) {
    drop(piece.file_id, Counter::refused_total);
    return;
  }
  if (piece.offset != found->second->written || !write(*found->second, event.record.file_bytes)) {
    drop(piece.file_id, Counter::broken);
    return;
  }
  if (piece.is_end) {
    keep(event);
  }
}

/// The digest is known: the file gets its name. One that is there already has the same content.
void FileStore::keep(const FileEvent& event) noexcept {
  const uint64_t file_id = event.record.file_piece.file_id;
  Open& open = *open_.find(file_id)->second;
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned digest_bytes = 0;
  const bool is_whole = EVP_DigestFinal_ex(open.digest.get(), digest.data(), &digest_bytes) == 1 &&
                        std::fflush(open.file.get()) == 0;
  const std::string name = hex_text(std::span(digest).first(digest_bytes));
  const std::string folder = directory_ + '/' + name.substr(0, 2);
  std::error_code fault;
  if (is_whole) {
    std::filesystem::create_directories(folder, fault);
    std::filesystem::rename(temporary_path(file_id), folder + '/' + name, fault);
  }
  if (!is_whole || fault) {
    drop(file_id, Counter::broken);
    return;
  }
  counters_.add(Counter::stored);
  counters_.add(Counter::bytes, open.written);
  open_.erase(file_id);
  if (options_.fileinfo) {
    const uint64_t seconds = event.record.datagram.time_ns / 1'000'000'000;
    write_fileinfo(event, folder + '/' + name + '.' + std::to_string(seconds) + '.' +
                              std::to_string(file_id) + ".json");
  }
}

void FileStore::write_fileinfo(const FileEvent& event, const std::string& path) {
  std::string line;
  EveContext eve{eve_options_, times_, JsonWriter(line)};
  write_file_event(eve, event);
  line.push_back('\n');
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "wb"));
  if (file == nullptr || std::fwrite(line.data(), 1, line.size(), file.get()) != line.size()) {
    counters_.add(Counter::broken);
  }
}

void FileStore::finish() noexcept {
  while (!open_.empty()) {
    drop(open_.begin()->first, Counter::broken);
  }
}

CounterView FileStore::counters() const noexcept {
  return counters_.view(rows);
}

}  // namespace shrike::output
