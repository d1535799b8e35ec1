#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "memory.h"
#include "short_text.h"
#include "shrike/base/bytes.h"

/// The records of SMB1 and SMB2/3, and the keys by which answers find their questions.
/// Source: MS-CIFS, MS-SMB, MS-SMB2.
namespace shrike::protocol::smb {

inline constexpr uint32_t status_success = 0;
inline constexpr uint32_t status_pending = 0x00000103;
inline constexpr uint32_t status_buffer_overflow = 0x80000005;
inline constexpr uint32_t status_end_of_file = 0xc0000011;

/// The first byte of a record's magic; "SMB" follows.
enum class Magic : uint8_t { smb1 = 0xff, smb2 = 0xfe, smb3_transform = 0xfd };

enum class Command1 : uint8_t {
  write = 0x0b,
  close = 0x04,
  rename = 0x07,
  locking_andx = 0x24,
  transaction = 0x25,
  write_and_close = 0x2c,
  open_andx = 0x2d,
  read_andx = 0x2e,
  write_andx = 0x2f,
  transaction2 = 0x32,
  transaction2_secondary = 0x33,
  tree_disconnect = 0x71,
  negotiate = 0x72,
  session_setup_andx = 0x73,
  logoff_andx = 0x74,
  tree_connect_andx = 0x75,
  nt_create_andx = 0xa2,
  nt_cancel = 0xa4,
  none = 0xff,
};

enum class Command2 : uint16_t {
  negotiate,
  session_setup,
  logoff,
  tree_connect,
  tree_disconnect,
  create,
  close,
  flush,
  read,
  write,
  lock,
  ioctl,
  cancel,
  keep_alive,
  find,
  change_notify,
  get_info,
  set_info,
  oplock_break,
};

/// "SMB1_COMMAND_NEGOTIATE_PROTOCOL", "SMB2_COMMAND_READ", "3.11", "STATUS_SUCCESS"; a number where
/// it has no name.
[[nodiscard]] ShortText command_text(uint8_t version, uint16_t command);
[[nodiscard]] ShortText dialect_text(uint16_t dialect);
[[nodiscard]] ShortText status_text(uint32_t status);
[[nodiscard]] ShortText control_function_text(uint32_t function);

inline constexpr size_t header1_bytes = 32;
inline constexpr size_t header2_bytes = 64;

struct Record1 {
  uint8_t command = 0;
  uint8_t flags = 0;
  uint16_t flags2 = 0;
  uint16_t tree_id = 0;
  uint16_t user_id = 0;
  uint16_t multiplex_id = 0;
  uint32_t status = 0;
  Bytes data;  ///< behind the header

  [[nodiscard]] bool is_response() const noexcept { return (flags & 0x80) != 0; }
  [[nodiscard]] bool is_unicode() const noexcept { return (flags2 & 0x8000) != 0; }
  [[nodiscard]] bool is_dos_error() const noexcept { return (flags2 & 0x4000) == 0; }
};
[[nodiscard]] std::optional<Record1> read_record1(Bytes bytes) noexcept;

struct Record2 {
  uint16_t command = 0;
  bool is_response = false;
  uint32_t status = 0;  ///< 0 in requests
  uint32_t tree_id = 0;
  uint64_t message_id = 0;
  uint64_t session_id = 0;
  Bytes data;        ///< behind the header, up to the next record of the chain
  size_t bytes = 0;  ///< of the whole record
};
/// Nothing where it is cut short: also where the next record of the chain lies behind `bytes`.
/// @param direction_is_response how to read it, whatever its flags say.
[[nodiscard]] std::optional<Record2> read_record2(Bytes bytes, bool direction_is_response) noexcept;

/// What a thing is known by: answers carry the same numbers as questions.
enum class KeyKind : uint8_t {
  file_id,
  share,
  file_name,
  read_offset,
  generic,
  header,
  fragment,
  tree,
  pipe
};
struct Key {
  uint64_t session = 0;
  uint64_t message = 0;
  uint32_t tree = 0;
  KeyKind kind = KeyKind::header;

  friend bool operator==(const Key&, const Key&) = default;
  /// The same but for the tree, which some answers lack.
  [[nodiscard]] bool is_same_exchange(const Key& other) const noexcept {
    return kind == other.kind && session == other.session && message == other.message;
  }
};
[[nodiscard]] Key key_of(const Record1& record, KeyKind kind) noexcept;
[[nodiscard]] Key key_of(const Record2& record, KeyKind kind) noexcept;
/// Without the tree: asynchronous answers have none.
[[nodiscard]] Key treeless_key_of(const Record2& record, KeyKind kind) noexcept;

/// An open file: 16 bytes in SMB2, 2 bytes and the session in SMB1.
struct FileId {
  std::array<uint8_t, 16> bytes{};
  uint8_t size = 0;

  friend bool operator==(const FileId&, const FileId&) = default;
  [[nodiscard]] Bytes all() const noexcept { return {bytes.data(), size}; }
  static FileId of(Bytes guid) noexcept;
  static FileId of(Bytes fid, uint16_t session) noexcept;
};

/// A table that forgets its oldest entry when it is full, and is searched from its newest.
template <typename Name, typename Value>
class RecentTable {
 public:
  RecentTable(Pool& pool, size_t entries_max) noexcept : entries_(pool), max_(entries_max) {}

  void put(const Name& name, Value value) {
    if (Value* const known = find(name)) {
      *known = std::move(value);
      return;
    }
    if (entries_.size() == max_) {
      entries_.erase(entries_.begin());
    }
    entries_.push_back({name, std::move(value)});
  }
  [[nodiscard]] Value* find(const Name& name) noexcept {
    for (auto at = entries_.rbegin(); at != entries_.rend(); ++at) {
      if (at->name == name) {
        return &at->value;
      }
    }
    return nullptr;
  }
  [[nodiscard]] std::optional<Value> take(const Name& name) {
    for (auto at = entries_.rbegin(); at != entries_.rend(); ++at) {
      if (at->name == name) {
        std::optional<Value> value(std::move(at->value));
        entries_.erase(std::next(at).base());
        return value;
      }
    }
    return std::nullopt;
  }

 private:
  struct Entry {
    Name name;
    Value value;
  };
  PoolVector<Entry> entries_;
  size_t max_;
};

/// FILETIME, 100 ns since 1601, in seconds since 1970; 0 before that.
[[nodiscard]] uint32_t unix_seconds(uint64_t time) noexcept;

/// Bytes of names that are kept: a path of Windows has at most 32767 characters, sane ones 260.
inline constexpr size_t name_bytes_max = 4096;

/// A copy without zero bytes, at most name_bytes_max: how Suricata turns UTF-16 into a name.
[[nodiscard]] PoolBytes without_zeros(Bytes text, Pool& pool);

/// A text that ends in zero, in UTF-16 (every second byte is left out, as Suricata does) or ASCII;
/// nothing where its end is missing. `reader` is then behind it.
[[nodiscard]] std::optional<PoolBytes> read_text(ByteReader& reader, bool is_unicode, Pool& pool);

}  // namespace shrike::protocol::smb
