#pragma once
#include "parser.h"

/// PostgreSQL's protocol 3.0: https://www.postgresql.org/docs/current/protocol-message-formats.html
/// A transaction is a request with all messages that answer it.
namespace shrike::protocol {

/// A message, as far as records show it.
struct PgsqlMessage {
  enum class Kind : uint8_t {
    startup,          ///< text: the parameters; first, second: the version
    ssl_request,      //
    cancel_request,   ///< first: process, second: its key
    password,         //
    sasl_initial,     ///< first: 1 with channel binding; text: the parameter
    sasl_response,    ///< text
    query,            ///< text
    copy_data_in,     ///< first: messages, second: their bytes
    copy_fail,        ///< text
    copy_done,        ///< of either side
    terminate,        //
    ssl_answer,       ///< first: 1 where it was accepted
    notice,           ///< text: fields; errors too
    named_text,       ///< name: what it is; text
    named_only,       ///< name: what it is
    parameter,        ///< name, text
    copy_response,    ///< name, first: columns
    backend_key,      ///< first: process, second: its key
    copy_data_out,    ///< first: rows, second: their bytes
    row_description,  ///< first: columns
    data_rows,        ///< first: rows, second: their bytes
    notification,     ///< first: process; name: channel; text
  };
  Kind kind = Kind::startup;
  Bytes name;
  Bytes text;
  uint64_t first = 0;
  uint64_t second = 0;
};

class PgsqlTransaction : public AppTransaction {
 public:
  explicit PgsqlTransaction(Pool& pool) : AppTransaction(pool), requests(pool), responses(pool) {}
  PoolVector<PgsqlMessage> requests;
  PoolVector<PgsqlMessage> responses;
  uint64_t row_count = 0;  ///< of data that is not summed up yet
  uint64_t row_bytes = 0;
};

class PgsqlParser {
 public:
  explicit PgsqlParser(Session& session) noexcept;
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  /// What the talk has come to; the last message that counts. Source: Suricata, PgsqlStateProgress.
  enum class State : uint8_t {
    idle,
    // The client's last word.
    ssl_request,
    startup,
    sasl_initial,
    sasl_response,
    password,
    query,
    cancel,
    terminate,
    copy_in_first,
    copy_in_more,
    // The server's, and those of both.
    copy_done,
    copy_fail,
    copy_out_response,
    copy_out_data,
    copy_in_response,
    ssl_rejected,
    sasl_asked,
    sasl_continued,
    sasl_final,
    password_asked,
    authenticated,
    parameter,
    backend_key,
    ready,
    row_description,
    data_row,
    command_complete,
    error,
    finished,
  };
  struct Read;
  struct Message;
  [[nodiscard]] static Read read_frame(Direction direction, State state, Bytes bytes) noexcept;
  bool take_request(Bytes message);
  bool take_response(Bytes message);
  [[nodiscard]] Message read_request(Bytes message) const noexcept;
  [[nodiscard]] Message read_typed_request(uint8_t type, Bytes body) const noexcept;
  [[nodiscard]] static Message read_startup(Bytes message) noexcept;
  [[nodiscard]] static Message read_response(Bytes message) noexcept;
  [[nodiscard]] static Message read_authentication(Bytes body) noexcept;
  void accept_request(const Message& read);
  void accept_response(const Message& read);
  void keep_response(PgsqlTransaction& transaction, const Message& read);
  PgsqlTransaction* current();
  PgsqlTransaction& open();

  Session& session_;
  State state_ = State::idle;
  std::array<bool, 2> is_lost_{};  ///< a gap came; goes on with what looks like a message
  uint64_t given_up_id_ = 0;       ///< transactions before it were given up
  size_t open_max_ = 1024;         ///< Suricata: max-tx
};

extern const ParserRow pgsql_row;

}  // namespace shrike::protocol
