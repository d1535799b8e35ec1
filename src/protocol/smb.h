#pragma once
#include "parser.h"
#include "smb_transaction.h"

namespace shrike::protocol {

/// SMB1, SMB2 and SMB3 in NetBIOS sessions: negotiation, logon, trees, files, and DCERPC through
/// pipes. Encrypted records are passed over. What is one transaction, and when it is complete,
/// follows Suricata's parser, so that rules see the same at the same time.
class SmbParser {
 public:
  explicit SmbParser(Session& session);
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json) {
    SmbTransaction::describe(transaction, json);
  }

 private:
  using Transaction = SmbTransaction;
  using Kind = SmbTransaction::Kind;

  /// What a direction goes on with in its next bytes.
  struct Side {
    uint64_t skip_bytes = 0;  ///< of a record that is not looked at any further
    uint64_t file_bytes = 0;  ///< of a chunk of `file`
    smb::FileId file;
    bool is_started = false;
    bool is_searching = false;  ///< after a gap: for the start of a record
    bool had_gap = false;
    bool is_truncated = false;
  };
  /// A chunk of a file (or of a pipe) that a record carries; `data` is what has come of it.
  struct Chunk {
    smb::FileId file;
    uint64_t offset = 0;
    uint64_t bytes = 0;
    Bytes data;
  };
  struct ReadRequest {
    smb::FileId file;
    uint64_t offset = 0;
  };
  struct Tree {
    PoolBytes name;
    bool is_pipe = false;
  };
  struct FragmentName {
    smb::Key key;
    smb::FileId file;
    friend bool operator==(const FragmentName&, const FragmentName&) = default;
  };
  enum class Step : uint8_t { done, broken };

  // smb.cpp: records out of the stream
  void take_gap(Side& side, const Input& input);
  size_t go_on(Side& side, Direction direction, Bytes bytes);
  size_t go_on_with_file(Side& side, Direction direction, Bytes bytes, uint64_t gap_bytes);
  [[nodiscard]] size_t find_record(Side& side, Bytes bytes) const noexcept;
  Consumed take_session_record(Direction direction, Bytes rest);
  Step take_message(Direction direction, Bytes message);
  Step take_chain(Direction direction, Bytes message);
  Step pass_encrypted(Bytes message);
  bool take_partly(Direction direction, Bytes message);
  void finish_after_gap(Direction direction);
  [[nodiscard]] bool is_pipe(const smb::Key& share) noexcept;

  // smb_transactions.cpp: opening and finding them
  Transaction& open(Kind kind, uint8_t version, uint16_t command, const smb::Key& key);
  Transaction& open_generic(uint8_t version, uint16_t command, const smb::Key& key);
  [[nodiscard]] Transaction* find_generic(uint8_t version, uint16_t command,
                                          const smb::Key& key) noexcept;
  [[nodiscard]] Transaction* find(Kind kind, const smb::Key& key) noexcept;
  [[nodiscard]] Transaction* find_negotiation(uint8_t version) noexcept;
  [[nodiscard]] Transaction* find_file(const smb::FileId& file, Direction direction,
                                       bool must_be_open) noexcept;
  [[nodiscard]] Transaction* last() noexcept;
  void raise(AppEvent event);
  void finish(Transaction& transaction, Direction direction);
  void answer(Transaction& transaction, uint32_t status, bool is_dos_error);
  void answer_tree(Transaction& transaction, bool is_pipe);
  void set_dialect(std::string_view dialect);

  // smb_files.cpp: chunks of files and of pipes
  bool write_chunk(Direction direction, uint8_t version, uint16_t command, const smb::Key& share,
                   const Chunk& chunk);
  Transaction& open_file(Direction direction, uint8_t version, uint16_t command,
                         const smb::Key& share, const Chunk& chunk);
  void append_chunk(Transaction& file, Direction direction, const Chunk& chunk);
  void close_file(const smb::FileId& file, Direction direction, bool even_if_closed);
  [[nodiscard]] bool is_rpc_pipe(const smb::FileId& file) noexcept;
  [[nodiscard]] Bytes name_of(const smb::FileId& file, std::string_view if_unknown) noexcept;
  enum class Target : uint8_t { file, rpc_pipe, other_pipe };
  [[nodiscard]] Target target_of(const smb::Key& share, const Chunk& chunk);

  // smb1.cpp
  void take_request(const smb::Record1& record);
  void take_response(const smb::Record1& record);
  bool take_request_part(const smb::Record1& record, uint8_t command, size_t at);
  void take_response_part(const smb::Record1& record, uint8_t command, size_t at);
  void finish_generic(const smb::Record1& record, uint8_t command);
  bool negotiate(const smb::Record1& record);
  bool take_negotiated(const smb::Record1& record);
  bool connect_tree(const smb::Record1& record, size_t at);
  bool take_connected(const smb::Record1& record, size_t at);
  bool create(const smb::Record1& record, size_t at);
  bool take_created(const smb::Record1& record, size_t at);
  void request_read(const smb::Record1& record, size_t at);
  void take_write(const smb::Record1& record, uint8_t command, size_t at);
  void take_read(const smb::Record1& record, size_t at);
  void take_transaction(const smb::Record1& record);
  void take_transaction_answer(const smb::Record1& record);
  bool rename(const smb::Record1& record);
  bool take_transaction2(const smb::Record1& record);
  void generic_request(const smb::Record1& record, bool is_malformed);
  void generic_response(const smb::Record1& record, bool is_malformed);

  // smb2.cpp
  void take_request(const smb::Record2& record);
  void take_response(const smb::Record2& record);
  [[nodiscard]] bool take_request_of_its_own(const smb::Record2& record);
  [[nodiscard]] bool take_response_of_its_own(const smb::Record2& record);
  bool negotiate(const smb::Record2& record);
  bool take_negotiated(const smb::Record2& record);
  bool connect_tree(const smb::Record2& record);
  bool take_connected(const smb::Record2& record);
  bool create(const smb::Record2& record);
  bool take_created(const smb::Record2& record);
  void close(const smb::Record2& record);
  void request_read(const smb::Record2& record);
  void take_write(const smb::Record2& record);
  void take_read(const smb::Record2& record);
  void take_end_of_file(const smb::Record2& record);
  bool set_information(const smb::Record2& record);
  void control(const smb::Record2& record);
  void take_controlled(const smb::Record2& record);

  // smb_logon.cpp
  void set_up_session(const smb::Record1& record, size_t at);
  void set_up_session(const smb::Record2& record);
  void take_session(const smb::Record1& record, size_t at);
  void take_session(const smb::Record2& record);
  void read_security_blob(Transaction& transaction, Bytes blob);

  // smb_pipe.cpp: DCERPC
  void write_pipe(uint8_t version, uint16_t command, const smb::Key& key, Bytes data);
  bool read_pipe(uint8_t version, uint16_t command, const smb::Key& key, uint32_t status,
                 const smb::FileId& file, Bytes data);
  Transaction& open_call(uint8_t version, uint16_t command, const smb::Key& key, uint32_t call_id);
  [[nodiscard]] Transaction* find_call(uint8_t version, uint16_t command, const smb::Key& key,
                                       uint32_t call_id) noexcept;
  void take_pipe_request(Transaction& transaction, const dcerpc::Header& header, Bytes body,
                         bool is_first);
  void take_pipe_bind(Transaction& transaction, const dcerpc::Header& header, Bytes body);
  void take_pipe_bind_ack(Transaction* transaction, Bytes body, uint32_t status);
  void take_pipe_answer(Transaction& transaction, const dcerpc::Header& header, Bytes body,
                        uint32_t status);
  void add_stub(Transaction& transaction, Direction direction, Bytes stub);

  [[nodiscard]] Side& side_of(Direction direction) noexcept {
    return sides_[static_cast<size_t>(direction)];
  }
  [[nodiscard]] Pool& pool() noexcept { return session_.pool(); }

  Session& session_;
  std::array<Side, 2> sides_{};
  uint64_t missing_bytes_ = 0;                              ///< of the record at hand
  smb::RecentTable<smb::Key, PoolBytes> names_;             ///< asked for, answer pending
  smb::RecentTable<smb::Key, smb::FileId> files_by_key_;    ///< asked for, answer pending
  smb::RecentTable<smb::FileId, PoolBytes> names_by_file_;  ///< of open files
  smb::RecentTable<smb::Key, ReadRequest> reads_;
  smb::RecentTable<smb::Key, Tree> trees_;
  smb::RecentTable<FragmentName, PoolBytes> fragments_;
  PoolVector<dcerpc::Interface> interfaces_;  ///< of the last bind
  std::array<char, 32> dialect_name_{};       ///< SMB1's
  std::string_view dialect_ = "unknown";
  uint32_t read_bytes_max_ = 0;
  uint32_t write_bytes_max_ = 0;
};

extern const ParserRow smb_row;

}  // namespace shrike::protocol
