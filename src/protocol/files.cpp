#include "files.h"

#include <magic.h>

#include <algorithm>
#include <memory>

#include "digest_text.h"
#include "shrike/protocol.h"

namespace shrike::protocol {

namespace {

/// So many bytes are enough to ask libmagic before the file is complete (Suricata:
/// FILEMAGIC_MIN_SIZE).
constexpr uint64_t magic_bytes_min = 512;
/// … and it is never given more: what tells files apart is at their start.
constexpr size_t magic_bytes_max = 64 << 10;

constexpr std::array<Field, Digest::kinds_count> digest_fields{Field::file_md5, Field::file_sha1,
                                                               Field::file_sha256};
constexpr std::array<std::string_view, Digest::kinds_count> digest_keys{"md5", "sha1", "sha256"};

/// libmagic with its data base loaded, one a thread, made when first wanted.
class Magic {
 public:
  Magic() : cookie_(magic_open(MAGIC_NONE)) {
    if (cookie_ != nullptr && magic_load(cookie_.get(), nullptr) != 0) {
      cookie_.reset();
    }
  }
  /// Empty where it has no answer. Valid until the next call.
  [[nodiscard]] std::string_view ask(Bytes bytes) noexcept {
    if (cookie_ == nullptr) {
      return {};
    }
    const char* const kind = magic_buffer(cookie_.get(), bytes.data(), bytes.size());
    return kind == nullptr ? std::string_view{} : kind;
  }

 private:
  struct Close {
    void operator()(magic_set* cookie) const noexcept { magic_close(cookie); }
  };
  std::unique_ptr<magic_set, Close> cookie_;
};

constexpr std::string_view state_text(FileState state) noexcept {
  switch (state) {
    case FileState::closed:
      return "CLOSED";
    case FileState::truncated:
      return "TRUNCATED";
    case FileState::error:
      return "ERROR";
    case FileState::open:
      break;
  }
  return "UNKNOWN";
}

}  // namespace

File& AppTransaction::open_file(Direction direction, Bytes name, const BodyLimits& limits) {
  File* const file = make_in<File>(pool_, pool_, limits);
  files_.push_back(file);
  file->number = static_cast<uint8_t>(std::min<size_t>(files_.size(), 255));
  file->direction = direction;
  file->name = keep(name);
  const auto side = static_cast<size_t>(direction);
  if (!name.empty()) {
    add_kept(direction, Field::file_name, file->name, file->number);
  }
  values_[side].push_back({.field = Field::filestore, .file = file->number, .number = 1});
  values_[side].push_back({.field = Field::file_data, .file = file->number, .body = &file->body});
  values[side] = values_[side];
  if (options_ != nullptr) {
    for (size_t kind = 0; kind < file->digests.size(); ++kind) {
      if (options_->file_digests[kind]) {
        file->digests[kind].emplace(static_cast<Digest::Kind>(kind));
      }
    }
  }
  return *file;
}

/// What is beyond the bound is left out, as in Suricata: the file is then stored in part.
void AppTransaction::keep_to_store(File& file, Bytes bytes) {
  FileStorage& storage = file.storage;
  if (options_ == nullptr || options_->file_storing == FileStoring::off || storage.is_ended) {
    return;
  }
  if (storage.given == storage.waiting.size()) {
    storage.offset += storage.given;
    storage.given = 0;
    storage.waiting.clear();
  }
  const uint64_t used = storage.offset + storage.waiting.size();
  const uint64_t bytes_max = options_->stored_file_bytes_max;
  const uint64_t room =
      bytes_max == 0 ? UINT64_MAX : bytes_max - std::min<uint64_t>(used, bytes_max);
  const Bytes kept = bytes.first(std::min<uint64_t>(bytes.size(), room));
  storage.waiting.insert(storage.waiting.end(), kept.begin(), kept.end());
}

void AppTransaction::store_files(Direction direction) noexcept {
  for (File* const file : files_) {
    file->storage.is_wanted |= file->direction == direction;
  }
}

std::optional<FilePiece> AppTransaction::take_piece(File& file, uint64_t file_id, bool is_over) {
  FileStorage& storage = file.storage;
  const bool is_wanted =
      storage.is_wanted || (options_ != nullptr && options_->file_storing == FileStoring::all);
  const bool ends = is_over || file.state != FileState::open;
  const size_t left = storage.waiting.size() - storage.given;
  if (!is_wanted || storage.is_ended || (left == 0 && !ends)) {
    return std::nullopt;
  }
  if (is_over) {
    close_file(file, FileState::truncated);
  }
  storage.is_wanted = true;
  storage.id = file_id;
  const size_t count = std::min(left, file_piece_bytes_max);
  FilePiece piece{.direction = file.direction,
                  .offset = storage.offset + storage.given,
                  .bytes = Bytes(storage.waiting).subspan(storage.given, count),
                  .is_end = ends && count == left};
  storage.given += count;
  storage.is_ended = piece.is_end;
  return piece;
}

void AppTransaction::append_file(File& file, Bytes bytes) {
  file.size += bytes.size();
  keep_to_store(file, bytes);
  for (std::optional<Digest>& digest : file.digests) {
    if (digest) {
      digest->update(bytes);
    }
  }
  file.body.append(bytes);
  if (file.size >= magic_bytes_min) {
    ask_magic(file);
  }
}

void AppTransaction::skip_in_file(File& file, uint64_t gap_bytes) {
  file.size += gap_bytes;
  file.has_gaps = true;
}

/// Asked once, as soon as the beginning of the file says enough.
void AppTransaction::ask_magic(File& file) {
  if (file.is_magic_asked || options_ == nullptr || !options_->file_magic ||
      file.body.offset != 0 || file.body.bytes.empty()) {
    return;
  }
  thread_local Magic magic;
  file.is_magic_asked = true;
  const Bytes start = file.body.bytes.first(std::min(file.body.bytes.size(), magic_bytes_max));
  file.magic = keep(magic.ask(start));
  if (!file.magic.empty()) {
    add_kept(file.direction, Field::file_magic, as_bytes(file.magic), file.number);
  }
}

void AppTransaction::close_file(File& file, FileState state) {
  if (file.state != FileState::open) {
    return;
  }
  file.state = state;
  file.body.finish();
  ask_magic(file);
  if (state != FileState::closed) {
    return;
  }
  const auto side = static_cast<size_t>(file.direction);
  for (size_t kind = 0; kind < file.digests.size(); ++kind) {
    if (file.digests[kind] && !file.has_gaps) {
      add_kept(file.direction, digest_fields[kind], file.digests[kind]->finish(), file.number);
    }
  }
  values_[side].push_back({.field = Field::filesize, .file = file.number, .number = file.size});
  values[side] = values_[side];
}

namespace {

/// Inside an open object.
void write_file_members(const AppTransaction& transaction, const File& file, JsonWriter& json) {
  json.text("filename", as_text(file.name));
  if (!file.magic.empty()) {
    json.text("magic", file.magic);
  }
  json.boolean("gaps", file.has_gaps);
  json.text("state", state_text(file.state));
  for (const FieldValue& value : transaction.values_in(file.direction)) {
    const auto kind = std::find(digest_fields.begin(), digest_fields.end(), value.field);
    if (kind != digest_fields.end() && value.file == file.number) {
      json.text(digest_keys[static_cast<size_t>(kind - digest_fields.begin())],
                DigestText(value.bytes).text());
    }
  }
  json.boolean("stored", file.storage.is_ended);
  if (file.storage.is_ended) {
    json.number("file_id", file.storage.id);
  } else if (file.storage.is_wanted) {
    json.boolean("storing", true);
  }
  json.number("size", file.size);
  json.number("tx_id", transaction.id);
}

}  // namespace

void describe_files(const AppTransaction& transaction, Direction direction, JsonWriter& json) {
  bool is_begun = false;
  for (const File* const file : transaction.files()) {
    if (file->direction != direction) {
      continue;
    }
    if (!std::exchange(is_begun, true)) {
      json.begin_array("files");
    }
    json.begin_element_object();
    write_file_members(transaction, *file, json);
    json.end_object();
  }
  if (is_begun) {
    json.end_array();
  }
}

Direction describe_file(const AppTransaction& transaction, size_t index, JsonWriter& json) {
  const File& file = *transaction.files()[index];
  json.begin_object("fileinfo");
  write_file_members(transaction, file, json);
  json.end_object();
  return file.direction;
}

}  // namespace shrike::protocol
