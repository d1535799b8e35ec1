#include "file_store.h"

#include <array>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

#include "shrike/base/digest.h"
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

}  // namespace

struct FileStore::Open {
  std::unique_ptr<std::FILE, CloseFile> file;
  Digest digest{Digest::Kind::sha256};
  uint64_t written = 0;
  uint64_t last_clock_ns = 0;
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
  if (open->file == nullptr) {
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
  open.digest.update(bytes);
  return bytes.empty() ||
         std::fwrite(bytes.data(), 1, bytes.size(), open.file.get()) == bytes.size();
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
  if (piece.offset == 0) {
    stored_ids_.erase(piece.file_id);  // of another capture
  }
  auto found = open_.find(piece.file_id);
  if (found == open_.end()) {
    if (piece.offset != 0 || !begin(piece.file_id)) {
      return;
    }
    found = open_.find(piece.file_id);
  }
  found->second->last_clock_ns = event.record.head.key.clock_ns;
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
  const bool is_whole = std::fflush(open.file.get()) == 0;
  const std::string name = hex_text(open.digest.finish());
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
  remember_stored(file_id);
  if (options_.fileinfo) {
    const uint64_t seconds = event.record.datagram.time_ns / 1'000'000'000;
    write_fileinfo(event, folder + '/' + name + '.' + std::to_string(seconds) + '.' +
                              std::to_string(file_id) + ".json");
  }
}

/// Clocks begin anew with each capture: one that goes back is looked at as well.
void FileStore::expire(uint64_t clock_ns) noexcept {
  constexpr uint64_t second_ns = 1'000'000'000;
  if (open_.empty() || clock_ns - swept_ns_ < second_ns) {
    return;
  }
  swept_ns_ = clock_ns;
  const uint64_t idle_ns_max = options_.idle_seconds_max * second_ns;
  for (auto each = open_.begin(); each != open_.end();) {
    const uint64_t file_id = each->first;
    const bool is_idle = clock_ns > each->second->last_clock_ns + idle_ns_max;
    ++each;  // stays where it is: only this one goes
    if (is_idle) {
      drop(file_id, Counter::broken);
    }
  }
}

void FileStore::remember_stored(uint64_t file_id) {
  if (!stored_ids_.insert(file_id).second) {
    return;
  }
  stored_order_.push_back(file_id);
  if (stored_order_.size() > stored_ids_max) {
    stored_ids_.erase(stored_order_.front());
    stored_order_.pop_front();
  }
}

void FileStore::correct(Record& record) {
  record.app_members = corrected(record.app_members, app_text_);
  record.file_members = corrected(record.file_members, file_text_);
}

/// Looks for the two members as JsonWriter writes them. A text inside of them cannot look so: its
/// quotes are escaped.
Bytes FileStore::corrected(Bytes members, std::string& text) const {
  static constexpr std::string_view claim = R"("stored":true,"file_id":)";
  const std::string_view said = as_text(members);
  size_t copied = 0;
  text.clear();
  for (size_t at = said.find(claim); at != said.npos; at = said.find(claim, at + 1)) {
    uint64_t file_id = 0;
    const char* const digits = said.data() + at + claim.size();
    const auto number = std::from_chars(digits, said.data() + said.size(), file_id);
    if (stored_ids_.contains(file_id)) {
      continue;
    }
    text.append(said.substr(copied, at - copied)).append(R"("stored":false)");
    copied = static_cast<size_t>(number.ptr - said.data());
  }
  if (copied == 0) {
    return members;
  }
  return as_bytes(text.append(said.substr(copied)));
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
