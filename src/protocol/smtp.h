#pragma once
#include <optional>

#include "mime.h"
#include "parser.h"

namespace shrike::protocol {

/// A mail, or what there is instead of one: from the first command to the reply to the mail's last
/// line, or to RSET or STARTTLS.
class SmtpTransaction : public AppTransaction {
 public:
  explicit SmtpTransaction(Pool& pool) noexcept : AppTransaction(pool) {}
  std::optional<MimeMessage> mail;
  bool is_data = false;  ///< DATA was said
};

/// SMTP (RFC 5321, 3030, 3207): commands, replies, and the mail between them.
class SmtpParser {
 public:
  explicit SmtpParser(Session& session) noexcept
      : session_(session), helo_(session.pool()), pending_(session.pool()) {}

  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  /// What matters of commands; `data_end` stands for the mail, which has a reply of its own.
  enum class Command : uint8_t { other, starttls, data, bdat, data_end, rset };
  struct Pending {
    Command command;
    uint64_t transaction;  ///< its id, or none_id
  };
  struct Line {
    Bytes text;  ///< without its end
    Bytes end;   ///< "\r\n" or "\n"
  };

  static constexpr uint64_t none_id = ~uint64_t{0};
  /// A line that is longer is passed over (Suricata: SMTP_LINE_BUFFER_LIMIT).
  static constexpr size_t line_bytes_max = 4096;
  /// Commands without reply: a client that pipelines more than that does not speak SMTP.
  static constexpr size_t pending_max = 16384;

  [[nodiscard]] static std::optional<Line> take_line(Bytes& rest) noexcept;
  [[nodiscard]] bool pass_over_long_line(Bytes& rest, size_t side) noexcept;

  Consumed parse_client(const Input& input);
  [[nodiscard]] bool parse_client_piece(Bytes& rest, bool& is_right);
  [[nodiscard]] bool take_chunk(Bytes& rest) noexcept;
  [[nodiscard]] bool take_mail_piece(Bytes& rest);
  [[nodiscard]] bool take_command(const Line& line);
  [[nodiscard]] Command read_command(SmtpTransaction* transaction, Bytes line, bool& is_right);
  void take_helo(SmtpTransaction& transaction, Bytes line);
  void take_mail_from(SmtpTransaction& transaction, Bytes line);
  void begin_data(SmtpTransaction& transaction);
  [[nodiscard]] bool begin_chunk(Bytes line) noexcept;
  void take_mail_line(const Line& line, bool is_continued);
  void end_mail();

  Consumed parse_server(const Input& input);
  [[nodiscard]] bool take_reply(const Line& line);
  void answer(const Pending& pending, unsigned code);
  void answer_starttls(SmtpTransaction* transaction, unsigned code);

  [[nodiscard]] SmtpTransaction* find(uint64_t id) const noexcept;
  [[nodiscard]] SmtpTransaction* current() const noexcept { return find(current_id_); }
  SmtpTransaction& open();
  [[nodiscard]] bool push(Command command, uint64_t transaction);
  void raise(AppEvent event);

  Session& session_;
  PoolString helo_;  ///< counts for all mails of the session
  bool has_helo_ = false;
  bool is_welcome_seen_ = false;
  bool is_multiline_ = false;
  bool does_server_pipeline_ = false;
  bool is_in_data_ = false;            ///< the client's lines are a mail, a chunk, or TLS
  bool is_line_open_ = false;          ///< what comes continues a line of the mail
  bool is_chunk_line_open_ = false;    ///< a BDAT chunk ended within a line
  std::array<bool, 2> passes_over_{};  ///< until the line ends, by Direction
  Command command_ = Command::other;
  uint64_t chunk_left_ = 0;
  uint64_t current_id_ = none_id;
  PoolVector<Pending> pending_;
  size_t answered_ = 0;  ///< of `pending_`
};

extern const ParserRow smtp_row;

}  // namespace shrike::protocol
