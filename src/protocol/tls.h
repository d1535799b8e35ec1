#pragma once
#include "parser.h"
#include "tls_hello.h"

/// SSL 2 and 3, TLS 1.0 to 1.3, as far as they are in the clear. Sources: RFC 5246, RFC 8446,
/// RFC 6520 (heartbeats), the SSL 2 draft of 1995.
namespace shrike::protocol {

/// The one transaction of a TLS session.
/// Progress to the server: line: its hello is read; headers: its certificates; trailer: encrypted
/// from here on, or the server's certificates were seen; complete: ended.
/// Progress to the client: line: hello; headers: certificates; body: hello done; then the same.
class TlsTransaction : public AppTransaction {
 public:
  explicit TlsTransaction(Pool& pool) noexcept : AppTransaction(pool) {}

  struct Dates {
    int64_t not_before = 0;  ///< seconds since the Unix epoch
    int64_t not_after = 0;
  };
  void add_dates(Direction direction, const Dates& dates, uint64_t now_ns);

  std::array<uint16_t, 2> versions{};  ///< as agreed so far, by direction
  bool is_resumed = false;             ///< no certificate came, and none was needed
  std::array<Dates, 2> dates{};        ///< of the first certificate
};

class TlsParser {
 public:
  explicit TlsParser(Session& session) noexcept
      : session_(session), sides_{Side(session.pool()), Side(session.pool())} {}

  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  /// What one direction has brought so far.
  struct Side {
    explicit Side(Pool& pool) noexcept : message(pool) {}
    // The record at hand.
    bool is_in_record = false;  ///< its header was read
    uint8_t content_type = 0;
    uint8_t header_bytes = 0;
    uint32_t record_bytes = 0;
    uint32_t record_left = 0;  ///< of an application record, which passes unread
    // The handshake message that began in an earlier record.
    PoolBytes message;
    uint32_t message_bytes = 0;  ///< 0: none
    uint8_t message_type = 0;
    // What was learned.
    uint16_t version = 0;
    bool has_hello = false;
    bool has_sni = false;
    bool has_alpn = false;
    bool has_session_id = false;
    bool has_fingerprint = false;
    bool has_certificates = false;  ///< a chain came, sound or not
    bool has_subject = false;
    bool has_changed_cipher = false;
    // What rules were told.
    uint16_t told_version = 0;
    uint16_t told_family = 0;
  };
  /// What became of the bytes offered.
  struct Step {
    size_t bytes = 0;
    size_t needed = 0;
    bool is_broken = false;
  };
  static constexpr Step broken() noexcept { return {.is_broken = true}; }

  // tls.cpp: records
  Step read_records(Bytes bytes);
  Step read_record(Bytes bytes);
  Step read_header(Bytes bytes);
  bool accept_header();
  Step skip_application_data(Bytes bytes);
  bool read_content(Bytes content);
  void see_change_of_cipher();
  bool see_alert(Bytes content);
  void see_application_data();
  bool read_heartbeat(Bytes content);
  bool read_handshake_record(Bytes content);
  void finish_record();
  void finish_parse();
  void tell_versions();
  void tell_state();
  void end_direction(Direction direction);
  void open();

  // tls_handshake.cpp: messages
  bool read_handshake(Bytes content);
  size_t collect_message(Bytes content, bool& is_sound);
  bool read_message(uint8_t type, Bytes message);
  void read_hello_message(Bytes message, bool is_client);
  void note_hello(const Hello& hello);
  void note_session_id(Bytes session_id);
  void add_hello_values(const Hello& hello);
  void add_fingerprints(const Hello& hello);
  void read_certificates(Bytes message);
  void read_chain(Bytes chain);
  bool read_chain_member(Bytes der);

  // tls_ssl2.cpp
  Step read_ssl2_record(Bytes bytes);
  bool read_ssl2_content(Bytes content);
  void see_ssl2_encryption();

  [[nodiscard]] bool is_to_client() const noexcept { return direction_ == Direction::to_client; }
  [[nodiscard]] Side& side() noexcept { return sides_[static_cast<size_t>(direction_)]; }
  /// Rules of either direction may ask for it, as in Suricata: events are the session's.
  void raise(AppEvent event) {
    transaction_->raise(Direction::to_server, event);
    transaction_->raise(Direction::to_client, event);
  }
  void reach(Direction direction, Progress step) noexcept { transaction_->reach(direction, step); }

  Session& session_;
  TlsTransaction* transaction_ = nullptr;
  Direction direction_ = Direction::to_server;  ///< of the bytes at hand
  std::array<Side, 2> sides_;
  uint32_t flags_ = 0;          ///< tls_flag: all that was seen
  uint32_t current_flags_ = 0;  ///< … of the last messages
  uint32_t told_flags_ = 0;
  uint32_t heartbeat_bytes_ = 0;
  std::array<Bytes, 2> session_ids_{};
  std::array<bool, 2> has_ended_{};
};

/// What was seen of a session; the first four are the states that ssl_state names.
namespace tls_flag {
inline constexpr uint32_t client_hello = 1U << 0;
inline constexpr uint32_t server_hello = 1U << 1;
inline constexpr uint32_t client_key_exchange = 1U << 2;
inline constexpr uint32_t server_key_exchange = 1U << 3;
inline constexpr uint32_t change_cipher = 1U << 4;
inline constexpr uint32_t needs_client_certificate = 1U << 5;
inline constexpr uint32_t no_certificate_needed = 1U << 6;  ///< TLS 1.3
inline constexpr uint32_t early_data = 1U << 7;
inline constexpr uint32_t client_versions = 1U << 8;  ///< its hello had supported_versions
inline constexpr uint32_t resumed = 1U << 9;
inline constexpr uint32_t heartbeat_in_flight = 1U << 10;
inline constexpr uint32_t heartbeat_by_client = 1U << 11;
inline constexpr uint32_t heartbeat_by_server = 1U << 12;
inline constexpr uint32_t ssl2_client = 1U << 13;
inline constexpr uint32_t ssl2_server = 1U << 14;
inline constexpr uint32_t ssl2_no_session_id = 1U << 15;
inline constexpr uint32_t ssl2_master_key = 1U << 16;
inline constexpr uint32_t ssl2_client_encrypted = 1U << 17;
inline constexpr uint32_t ssl2_server_encrypted = 1U << 18;
}  // namespace tls_flag

extern const ParserRow tls_row;

}  // namespace shrike::protocol
