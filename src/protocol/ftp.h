#pragma once
#include <optional>

#include "ftp_ports.h"
#include "parser.h"

namespace shrike::protocol {

/// Commands that open a data connection, or tell of one. What others do does not matter.
enum class FtpAction : uint8_t {
  none,
  port,
  eprt,
  pasv,
  epsv,
  auth_tls,
  retr,
  stor,
  appe,
  stou,
  list,
  nlst,
  mlsd,
};

struct FtpCommand {
  std::string_view name;  ///< upper case
  FtpAction action = FtpAction::none;
};

/// What a control connection announces to its data connection: Expectation::number.
struct FtpTransfer {
  FtpAction action = FtpAction::none;
  Direction direction = Direction::to_server;  ///< of the data, in the data connection

  [[nodiscard]] uint32_t number() const noexcept {
    return static_cast<uint32_t>(action) << 1 | static_cast<uint32_t>(direction);
  }
  static FtpTransfer of(uint32_t number) noexcept {
    return {static_cast<FtpAction>(number >> 1), static_cast<Direction>(number & 1)};
  }
};

/// A command with its replies; or replies that nobody asked for.
class FtpTransaction : public AppTransaction {
 public:
  explicit FtpTransaction(Pool& pool) noexcept : AppTransaction(pool) {}
  const FtpCommand* command = nullptr;
  uint16_t dynamic_port = 0;
  bool is_active = false;  ///< the server opens the data connection
  bool is_command_truncated = false;
  bool is_reply_truncated = false;
};

/// The control connection of FTP (RFC 959, 2428, 4217).
class FtpParser {
 public:
  explicit FtpParser(Session& session) noexcept;

  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  struct Line {
    Bytes text;  ///< without its end
    bool is_truncated = false;
  };

  /// What is kept of a line (Suricata: ftp_max_line_len).
  static constexpr size_t line_bytes_max = 4096;
  static constexpr uint64_t transactions_default_max = 1024;

  [[nodiscard]] std::optional<Line> take_line(Bytes& rest, Direction direction) noexcept;
  [[nodiscard]] bool take_command(const Line& line);
  [[nodiscard]] FtpTransaction* open();
  void announce_transfer(FtpTransaction& transaction, Bytes line);
  void note_bounce(FtpTransaction& transaction, const FtpAddress& address);

  [[nodiscard]] bool take_reply(const Line& line);
  [[nodiscard]] FtpTransaction* oldest() const noexcept;
  [[nodiscard]] bool take_meaning(FtpTransaction& transaction, Bytes line);
  void take_port(FtpTransaction& transaction, uint16_t port, bool is_active) noexcept;
  static void add_reply(FtpTransaction& transaction, Bytes line);
  static void finish(FtpTransaction& transaction);

  Session& session_;
  uint64_t transactions_max_ = transactions_default_max;
  FtpAction action_ = FtpAction::none;  ///< of the last command
  uint16_t asked_port_ = 0;             ///< of the last PORT or EPRT, until the server agrees
  uint16_t dynamic_port_ = 0;           ///< where the next transfer goes
  bool is_active_ = false;
  std::array<bool, 2> passes_over_{};  ///< the rest of a long line, by Direction
};

extern const ParserRow ftp_row;

}  // namespace shrike::protocol
