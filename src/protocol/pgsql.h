#pragma once
#include "parser.h"

/// PostgreSQL's frontend/backend protocol, version 3.
/// Source: PostgreSQL documentation, chapter 55; Suricata's steps between transactions.
namespace shrike::protocol {

namespace pgsql {

enum class Kind : uint8_t {
  unknown,
  // from the client
  ssl_request,
  startup,
  cancel,
  password,
  sasl_initial,
  sasl_response,
  query,
  copy_fail,
  terminate,
  // from the server
  ssl_accepted,
  ssl_rejected,
  authentication_ok,
  authentication_clear,
  authentication_md5,
  authentication_sspi,
  authentication_sasl,
  authentication_sasl_continue,
  authentication_sasl_final,
  parameter,
  backend_key,
  ready,
  row_description,
  data_row,
  command_complete,
  error,
  notice,
  notification,
  copy_in_response,
  copy_out_response,
  // from either
  copy_data,
  copy_done,
};

struct Message {
  Kind kind = Kind::unknown;
  Bytes content;        ///< behind the length; texts without their NUL
  uint64_t number = 0;  ///< rows, columns, the sender's process, …
  uint64_t second = 0;  ///< bytes of rows, the secret key, …
};

enum class Fault : uint8_t {
  none,
  cut_short,
  passed_over,  ///< what is at hand is not read
  malformed,    ///< … and that is an event
  bad_length,   ///< nobody knows where the next one begins
};

struct Read {
  Message message;
  size_t bytes = 0;
  size_t needed = 0;  ///< where it is cut short
  Fault fault = Fault::none;
};

[[nodiscard]] Read read_request(Bytes bytes);
/// Kind: password, sasl_initial or sasl_response, all of which begin with 'p'.
[[nodiscard]] Read read_secret(Bytes bytes, Kind kind);
[[nodiscard]] Read read_response(Bytes bytes);

}  // namespace pgsql

class PgsqlTransaction : public AppTransaction {
 public:
  explicit PgsqlTransaction(Pool& pool) : AppTransaction(pool), requests(pool), responses(pool) {}

  /// Answers of one transaction that EVE shows; those to come are counted only.
  static constexpr size_t messages_max = 256;
  uint64_t number = 0;  ///< EVE's pgsql.tx_id, from 1
  PoolVector<pgsql::Message> requests;
  PoolVector<pgsql::Message> responses;
  uint64_t rows = 0;
  uint64_t row_bytes = 0;
};

class PgsqlParser {
 public:
  explicit PgsqlParser(Session& session) noexcept : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  [[nodiscard]] pgsql::Read read(Direction direction, Bytes bytes) const;
  [[nodiscard]] bool is_out_of_step(const Input& input);
  void take_request(const pgsql::Message& message);
  void take_response(const pgsql::Message& message);
  void move_on(Direction direction, const pgsql::Message& message);
  [[nodiscard]] bool begins_transaction() const noexcept;
  PgsqlTransaction* find_or_open();
  PgsqlTransaction& open();

  Session& session_;
  /// The last message that moved the conversation on.
  pgsql::Kind state_ = pgsql::Kind::unknown;
  bool is_first_copy_ = false;  ///< state_ is the first copy_data of the client
  uint64_t opened_ = 0;
  std::array<bool, 2> has_gap_{};
};

extern const ParserRow pgsql_row;

}  // namespace shrike::protocol
