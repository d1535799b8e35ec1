#include "smb_records.h"

#include <algorithm>

namespace shrike::protocol::smb {

namespace {

constexpr uint32_t flag_response = 1;
constexpr uint32_t flag_asynchronous = 2;

bool has_magic(Bytes bytes, Magic magic) noexcept {
  return bytes.size() >= 4 && bytes[0] == static_cast<uint8_t>(magic) && bytes[1] == 'S' &&
         bytes[2] == 'M' && bytes[3] == 'B';
}

/// Kinds that hold across exchanges have no message, and tree connects no tree yet.
uint64_t message_for(KeyKind kind, uint64_t message) noexcept {
  return kind == KeyKind::fragment || kind == KeyKind::share ? 0 : message;
}

}  // namespace

std::optional<Record1> read_record1(Bytes bytes) noexcept {
  if (bytes.size() < header1_bytes || !has_magic(bytes, Magic::smb1)) {
    return std::nullopt;
  }
  const uint8_t* const at = bytes.data();
  Record1 record;
  record.command = at[4];
  record.status = load_little32(at + 5);
  record.flags = at[9];
  record.flags2 = load_little16(at + 10);
  record.tree_id = load_little16(at + 24);
  record.user_id = load_little16(at + 28);
  record.multiplex_id = load_little16(at + 30);
  record.data = bytes.subspan(header1_bytes);
  return record;
}

std::optional<Record2> read_record2(Bytes bytes, bool direction_is_response) noexcept {
  if (bytes.size() < header2_bytes || !has_magic(bytes, Magic::smb2)) {
    return std::nullopt;
  }
  const uint8_t* const at = bytes.data();
  const uint16_t header_bytes = load_little16(at + 4);
  const uint32_t flags = load_little32(at + 16);
  const uint32_t next_offset = load_little32(at + 20);
  Record2 record;
  record.command = load_little16(at + 12);
  record.is_response = (flags & flag_response) != 0;
  record.message_id = load_little64(at + 24);
  record.session_id = load_little64(at + 40);
  if (!direction_is_response || (flags & flag_asynchronous) == 0) {
    record.tree_id = load_little32(at + 36);
  }
  if (direction_is_response) {
    record.status = load_little32(at + 8);
  }
  const Bytes behind = bytes.subspan(header2_bytes);
  if (next_offset <= header_bytes) {
    record.data = behind;
  } else if (next_offset - header_bytes > behind.size()) {
    return std::nullopt;
  } else {
    record.data = behind.first(next_offset - header_bytes);
  }
  record.bytes = header2_bytes + record.data.size();
  return record;
}

Key key_of(const Record1& record, KeyKind kind) noexcept {
  return {.session = record.user_id,
          .message = message_for(kind, record.multiplex_id),
          .tree = kind == KeyKind::tree ? 0u : record.tree_id,
          .kind = kind};
}

Key key_of(const Record2& record, KeyKind kind) noexcept {
  return {.session = record.session_id,
          .message = message_for(kind, record.message_id),
          .tree = kind == KeyKind::tree ? 0u : record.tree_id,
          .kind = kind};
}

Key treeless_key_of(const Record2& record, KeyKind kind) noexcept {
  Key key = key_of(record, kind);
  key.tree = 0;
  return key;
}

FileId FileId::of(Bytes guid) noexcept {
  FileId id;
  id.size = static_cast<uint8_t>(std::min(guid.size(), id.bytes.size()));
  std::copy_n(guid.begin(), id.size, id.bytes.begin());
  return id;
}

FileId FileId::of(Bytes fid, uint16_t session) noexcept {
  FileId id;
  if (fid.size() < 2) {
    return id;
  }
  id.size = 6;
  id.bytes = {
      fid[0], fid[1], 0, 0, static_cast<uint8_t>(session >> 8), static_cast<uint8_t>(session)};
  return id;
}

uint32_t unix_seconds(uint64_t time) noexcept {
  constexpr uint64_t epoch_seconds = 11'644'473'600;
  return time > epoch_seconds * 10'000'000
             ? static_cast<uint32_t>(time / 10'000'000 - epoch_seconds)
             : 0;
}

PoolBytes without_zeros(Bytes text, Pool& pool) {
  PoolBytes result(pool);
  for (const uint8_t each : text) {
    if (each != 0 && result.size() < name_bytes_max) {
      result.push_back(each);
    }
  }
  return result;
}

std::optional<PoolBytes> read_text(ByteReader& reader, bool is_unicode, Pool& pool) {
  PoolBytes text(pool);
  while (reader.left() != 0) {
    const uint8_t letter = reader.u8();
    if (!is_unicode && letter == 0) {
      return text;
    }
    if (is_unicode) {
      if (reader.left() == 0) {  // at the very end one zero is enough
        return letter == 0 ? std::optional(std::move(text)) : std::nullopt;
      }
      if ((reader.u8() | letter) == 0) {
        return text;
      }
    }
    if (text.size() < name_bytes_max) {
      text.push_back(letter);
    }
  }
  return std::nullopt;
}

}  // namespace shrike::protocol::smb
