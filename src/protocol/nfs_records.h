#pragma once
#include <optional>

#include "memory.h"
#include "shrike/base/bytes.h"

/// The records of ONC RPC (RFC 5531) and what NFS versions 2 to 4 (RFC 1094, 1813, 7530, 8881)
/// put into them.
namespace shrike::protocol::nfs {

constexpr uint32_t program_number = 100003;

/// Procedures of version 3. Suricata reads version 2 by the same numbers.
namespace procedure {
constexpr uint32_t getattr = 1, lookup = 3, access = 4, read = 6, write = 7, create = 8, mkdir = 9,
                   remove = 12, rmdir = 13, rename = 14, readdirplus = 17, commit = 21;
constexpr uint32_t compound = 1;  // of version 4
}  // namespace procedure

enum class Reading : uint8_t { good, cut, bad };

struct Call {
  uint32_t xid = 0;
  uint32_t type = 0;
  uint32_t rpc_version = 0;
  uint32_t program = 0;
  uint32_t version = 0;
  uint32_t procedure = 0;
  uint32_t flavor = 0;  ///< of the credentials
  Bytes machine;        ///< … UNIX: who asks
  uint32_t user = 0;
  uint32_t group = 0;
  uint32_t gss_procedure = 0;
  uint32_t gss_service = 0;
  Bytes data;
};

struct Reply {
  uint32_t xid = 0;
  uint32_t type = 0;
  uint32_t state = 0;
  uint32_t accept_state = 0;
  Bytes data;
};

/// Reads a message behind its record mark. `data` is what there is behind the header.
[[nodiscard]] Reading read_call(Bytes message, Call& call) noexcept;
[[nodiscard]] Reading read_reply(Bytes message, Reply& reply) noexcept;
/// … of a datagram, as Suricata reads it: the verifier is looked for before the state.
[[nodiscard]] Reading read_datagram_reply(Bytes message, Reply& reply) noexcept;

struct Write {
  Bytes handle;
  uint64_t offset = 0;
  uint32_t count = 0;  ///< as announced
  bool is_last = false;
  uint32_t data_bytes = 0;
  Bytes data;  ///< what there is of them
};
struct Read {
  uint32_t status = 0;
  uint32_t count = 0;
  bool is_end = false;
  uint32_t file_bytes = 0;  ///< version 2: how long the file is
  uint32_t data_bytes = 0;
  Bytes data;
};

[[nodiscard]] Bytes take_counted(ByteReader& reader) noexcept;
/// A handle of versions 3 and 4. They have at most 128 bytes (RFC 7530, section 2.1: NFS4_FHSIZE);
/// of longer ones, the start counts.
[[nodiscard]] Bytes take_handle(ByteReader& reader) noexcept;
/// … with bytes that fill it up to a multiple of four.
[[nodiscard]] Bytes take_string(ByteReader& reader) noexcept;
[[nodiscard]] Reading read_write3(Bytes data, Write& write) noexcept;
[[nodiscard]] Reading read_read3(Bytes data, Read& read) noexcept;
[[nodiscard]] Reading read_read2(Bytes data, Read& read) noexcept;

/// Remembers values by name in a fixed number of places: where four names fall together, the one
/// that was put first goes.
template <typename Value>
class FixedTable {
 public:
  FixedTable(Pool& pool, size_t sets) noexcept : pool_(pool), entries_(pool), sets_(sets) {}

  Value& put(Bytes name) {
    if (entries_.empty()) {
      entries_.reserve(sets_ * ways);
      for (size_t i = 0; i < sets_ * ways; ++i) {
        entries_.push_back({PoolBytes(pool_), Value(pool_)});
      }
    }
    Entry* entry = find_entry(name);
    if (entry == nullptr) {
      Entry* const set = &entries_[set_of(name)];
      entry = &set[next_++ % ways];
      for (size_t i = 0; i < ways; ++i) {
        if (!set[i].is_used) {
          entry = &set[i];
        }
      }
    }
    entry->is_used = true;
    entry->name.assign(name.begin(), name.end());
    entry->value = Value(pool_);
    return entry->value;
  }
  [[nodiscard]] Value* find(Bytes name) noexcept {
    Entry* const entry = find_entry(name);
    return entry == nullptr ? nullptr : &entry->value;
  }
  void forget(Bytes name) noexcept {
    if (Entry* const entry = find_entry(name)) {
      entry->is_used = false;
    }
  }

 private:
  static constexpr size_t ways = 4;
  struct Entry {
    PoolBytes name;
    Value value;
    bool is_used = false;
  };
  [[nodiscard]] size_t set_of(Bytes name) const noexcept {
    uint32_t hash = 2166136261U;  // FNV-1a
    for (const uint8_t byte : name) {
      hash = (hash ^ byte) * 16777619U;
    }
    return hash % sets_ * ways;
  }
  [[nodiscard]] Entry* find_entry(Bytes name) noexcept {
    if (entries_.empty()) {
      return nullptr;
    }
    Entry* const set = &entries_[set_of(name)];
    for (size_t i = 0; i < ways; ++i) {
      if (set[i].is_used && as_text(set[i].name) == as_text(name)) {
        return &set[i];
      }
    }
    return nullptr;
  }

  Pool& pool_;
  PoolVector<Entry> entries_;
  size_t sets_;
  size_t next_ = 0;
};

}  // namespace shrike::protocol::nfs
