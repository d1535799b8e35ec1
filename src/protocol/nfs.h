#pragma once
#include "file_transfer.h"
#include "nfs_records.h"
#include "parser.h"

/// NFS versions 2 to 4 over UDP and TCP. A transaction is a call with its reply, or a file that is
/// written or read by many calls. Source of that: Suricata.
namespace shrike::protocol {

namespace nfs {
struct Operation;  ///< nfs4.cpp: one of a version 4 call
}

class NfsTransaction : public AppTransaction {
 public:
  using AppTransaction::AppTransaction;
  uint32_t xid = 0;
  uint32_t procedure = 0;
  uint16_t shown_version = 0;
  Bytes name;
  Bytes second_name;  ///< what it is renamed to
  Bytes handle;
  uint32_t flavor = 0;
  Bytes machine;
  uint32_t user = 0;
  uint32_t group = 0;
  uint32_t rpc_status = 0;
  uint32_t status = 0;
  // A file.
  std::optional<FileTransfer> transfer;
  bool is_last = false;  ///< the chunk at hand ends it
  uint32_t last_xid = 0;
  uint64_t chunk_count = 0;
};

class NfsParser {
 public:
  explicit NfsParser(Session& session) noexcept;
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  /// What is known of a call that has no reply yet.
  struct Asked {
    explicit Asked(Pool& pool) : name(pool), handle(pool) {}
    uint32_t version = 0;
    uint32_t procedure = 0;
    uint64_t offset = 0;
    uint32_t gss_procedure = 0;
    uint32_t gss_service = 0;
    PoolBytes name;
    PoolBytes handle;
  };
  /// One direction of a stream.
  struct Side {
    uint64_t file_id = 0;     ///< of the transaction whose chunk is under way
    uint64_t file_bytes = 0;  ///< … so many of it are still to come
    uint64_t skip_bytes = 0;  ///< then so many of the record
    bool is_lost = false;     ///< a gap: where the next record begins is not known
  };
  struct Chunk {
    Bytes handle;
    Bytes name;
    uint64_t offset = 0;
    uint64_t bytes = 0;
    bool is_last = false;
    Bytes data;
  };

  // nfs.cpp: records out of the stream, transactions and files
  Consumed take_bytes(Side& side, const Input& input);
  void take_gap(Side& side, const Input& input);
  void truncate_files(Direction direction);
  void go_on(Side& side, Direction direction, Bytes bytes, uint64_t gap_bytes);
  [[nodiscard]] static size_t find_record(Direction direction, Bytes bytes, Side& side) noexcept;
  void take_message(Direction direction, Bytes message);
  [[nodiscard]] bool take_partly(Direction direction, Bytes message, size_t message_bytes);
  void raise(AppEvent event);
  NfsTransaction& open(const nfs::Call& call, uint32_t procedure, const Asked& asked);
  NfsTransaction& open_file(Direction direction, uint32_t xid, uint32_t procedure, uint32_t version,
                            const Chunk& chunk);
  void tell_who(NfsTransaction& transaction, const nfs::Call& call);
  NfsTransaction& make();
  [[nodiscard]] NfsTransaction* find_file(Bytes handle, Direction direction) noexcept;
  [[nodiscard]] NfsTransaction* find_call(uint32_t xid) noexcept;
  [[nodiscard]] NfsTransaction* find_id(uint64_t id) noexcept;
  void append_chunk(NfsTransaction& file, Direction direction, const Chunk& chunk);
  void finish_chunk(NfsTransaction& file, Direction direction);
  void close_file(Bytes handle, uint32_t xid, bool is_commit);
  void answer(uint32_t xid, uint32_t rpc_status, uint32_t status, Bytes handle);
  Asked& ask(const nfs::Call& call);
  void name_it(Asked& asked);
  static void name_it(Asked& asked, Bytes name);
  [[nodiscard]] Bytes name_of(Bytes handle) noexcept;
  void learn(Bytes handle, Bytes name);

  // nfs_calls.cpp: versions 2 and 3
  void take_call(const nfs::Call& call);
  void take_reply(const nfs::Reply& reply);
  void take_call2(const nfs::Call& call);
  void take_call3(const nfs::Call& call);
  [[nodiscard]] bool read_arguments(const nfs::Call& call, Asked& asked, Bytes& second_name);
  void take_reply2(const nfs::Reply& reply, const Asked& asked);
  void take_reply3(const nfs::Reply& reply, const Asked& asked);
  void take_write(const nfs::Call& call, const nfs::Write& write);
  void take_read(const nfs::Reply& reply, const nfs::Read& read, const Asked& asked);
  bool learn_directory(Bytes data);

  // nfs4.cpp
  void take_call4(const nfs::Call& call);
  void take_operations(const nfs::Call& call, std::span<const nfs::Operation> operations,
                       Asked& asked);
  void take_reply4(const nfs::Reply& reply, Asked& asked);

  Session& session_;
  bool is_udp_ = false;
  bool leaves_fill_ = false;  ///< of the record at hand: see take_message
  std::array<Side, 2> sides_;
  nfs::FixedTable<Asked> asked_;      ///< by xid
  nfs::FixedTable<PoolBytes> names_;  ///< by handle
  uint16_t version_ = 0;              ///< the first that was seen
  uint64_t given_up_id_ = 0;          ///< transactions before it were given up
  size_t open_max_ = 1024;            ///< Suricata: max-tx
};

extern const ParserRow nfs_row;

}  // namespace shrike::protocol
