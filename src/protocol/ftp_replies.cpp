// The server's side of FTP, how its flows are told from others, and what records show.
#include <algorithm>

#include "ftp.h"

namespace shrike::protocol {

namespace {

constexpr Direction to_server = Direction::to_server;
constexpr Direction to_client = Direction::to_client;

constexpr bool is_digit(uint8_t byte) noexcept {
  return byte >= '0' && byte <= '9';
}

bool starts_with_code(Bytes line) noexcept {
  return line.size() >= 3 && is_digit(line[0]) && is_digit(line[1]) && is_digit(line[2]);
}

/// "150 …": another reply follows.
bool is_preliminary(Bytes line) noexcept {
  return starts_with_code(line) && line[0] == '1' && line.size() >= 4 &&
         (line[3] == ' ' || (line[3] >= '\t' && line[3] <= '\r'));
}

}  // namespace

/// The oldest one that waits for a reply; else the newest; else null.
FtpTransaction* FtpParser::oldest() const noexcept {
  const auto all = session_.transactions();
  const auto waiting = std::find_if(
      all.begin(), all.end(), [](const AppTransaction* each) { return !each->is_complete(); });
  if (waiting != all.end()) {
    return static_cast<FtpTransaction*>(*waiting);
  }
  return all.empty() ? nullptr : static_cast<FtpTransaction*>(all.back());
}

/// False where there are too many transactions.
bool FtpParser::take_reply(const Line& line) {
  FtpTransaction* transaction = oldest();
  if (transaction == nullptr) {
    transaction = open();
  }
  if (transaction == nullptr) {
    return false;
  }
  if (take_meaning(*transaction, line.text)) {
    if (line.is_truncated) {
      transaction->is_reply_truncated = true;
      transaction->raise(to_server, AppEvent::ftp_response_command_too_long);
      transaction->raise(to_client, AppEvent::ftp_response_command_too_long);
    }
    add_reply(*transaction, line.text);
    if (is_preliminary(line.text)) {
      return true;
    }
  }
  finish(*transaction);
  return true;
}

/// What a reply says about the data connection. False where it is left out: PORT made no sense.
bool FtpParser::take_meaning(FtpTransaction& transaction, Bytes line) {
  const std::string_view text = as_text(line);
  switch (action_) {
    case FtpAction::auth_tls:
      if (text.starts_with("234 ")) {
        session_.change_protocol(AppProtocol::unknown, AppProtocol::tls);
      }
      return true;
    case FtpAction::port:
    case FtpAction::eprt:
      take_port(transaction, asked_port_, true);
      return asked_port_ != 0;
    case FtpAction::pasv:
      if (text.starts_with("227 ")) {
        take_port(transaction, read_pasv_reply(line), false);
      }
      return true;
    case FtpAction::epsv:
      if (text.starts_with("229 ")) {
        take_port(transaction, read_epsv_reply(line), false);
      }
      return true;
    default:
      return true;
  }
}

void FtpParser::take_port(FtpTransaction& transaction, uint16_t port, bool is_active) noexcept {
  if (port != 0) {
    dynamic_port_ = transaction.dynamic_port = port;
    is_active_ = transaction.is_active = is_active;
  }
}

void FtpParser::add_reply(FtpTransaction& transaction, Bytes line) {
  std::string_view text = as_text(line);
  text = text.substr(0, text.find_last_not_of(" \t\r\n\v\f") + 1);
  if (text.empty()) {
    return;
  }
  if (starts_with_code(line) && text.size() > 3 && text[3] == ' ') {
    transaction.add(to_client, Field::ftp_completion_code, text.substr(0, 3));
    text.remove_prefix(4);
  }
  transaction.add(to_client, Field::ftp_reply, text);
}

void FtpParser::finish(FtpTransaction& transaction) {
  if (transaction.is_complete()) {
    return;
  }
  if (transaction.dynamic_port != 0) {
    transaction.add_number(to_client, Field::ftp_dynamic_port, transaction.dynamic_port);
    transaction.add_number(to_client, Field::ftp_mode, transaction.is_active ? 1 : 0);
  }
  transaction.add_number(to_client, Field::ftp_reply_received, 1);
  transaction.complete();
}

namespace {

void describe_all(const FtpTransaction& ftp, Field field, std::string_view key, JsonWriter& json) {
  if (ftp.find(to_client, field) == nullptr) {
    return;
  }
  json.begin_array(key);
  for (const FieldValue& value : ftp.values_in(to_client)) {
    if (value.field == field) {
      json.element(as_text(value.bytes));
    }
  }
  json.end_array();
}

}  // namespace

void FtpParser::describe(const AppTransaction& transaction, JsonWriter& json) {
  const auto& ftp = static_cast<const FtpTransaction&>(transaction);
  json.begin_object("ftp");
  if (ftp.command != nullptr) {
    json.text("command", ftp.command->name);
    if (ftp.find(to_server, Field::ftp_command_data) != nullptr) {
      json.text("command_data", ftp.text(to_server, Field::ftp_command_data));
    }
    json.boolean("command_truncated", ftp.is_command_truncated);
  }
  describe_all(ftp, Field::ftp_completion_code, "completion_code", json);
  describe_all(ftp, Field::ftp_reply, "reply", json);
  if (ftp.dynamic_port != 0) {
    json.number("dynamic_port", ftp.dynamic_port);
  }
  if (ftp.command != nullptr && ftp.command->action >= FtpAction::port &&
      ftp.command->action <= FtpAction::epsv) {
    json.text("mode", ftp.is_active ? "active" : "passive");
  }
  json.text("reply_received", ftp.is_complete() ? "yes" : "no");
  json.boolean("reply_truncated", ftp.is_reply_truncated);
  json.end_object();
}

namespace {

/// POP3's clients say USER and PASS as well.
bool suits_login(AppProtocol server) {
  return server != AppProtocol::pop3;
}

constexpr std::array<Pattern, 5> patterns{{
    {.direction = to_client, .text = "220 (", .depth = 5, .is_nocase = true},
    {.text = "FEAT", .depth = 4, .is_nocase = true},
    {.text = "USER ", .depth = 5, .suits = &suits_login},
    {.text = "PASS ", .depth = 5, .suits = &suits_login},
    {.text = "PORT ", .depth = 5, .is_nocase = true},
}};

/// "220 …" in a whole line. Mail servers say so too, but on other ports.
Probe::Answer probe_banner(Bytes bytes, Direction) {
  if (bytes.size() < 5) {
    return Probe::Answer::more;
  }
  const std::string_view text = as_text(bytes);
  if (!text.starts_with("220") || (text[3] != ' ' && text[3] != '-')) {
    return Probe::Answer::no;
  }
  return text.find('\n') != std::string_view::npos ? Probe::Answer::yes : Probe::Answer::more;
}

/// A client of something else is no FTP client, whatever the server's banner looks like.
bool suits_banner(AppProtocol client) {
  return client == AppProtocol::unknown || client == AppProtocol::ftp;
}

constexpr std::array<uint16_t, 1> server_ports{21};
constexpr std::array<Probe, 1> probes{{
    {.server_ports = server_ports,
     .bytes_max = 5,
     .probe = &probe_banner,
     .to_server_too = false,
     .suits = &suits_banner},
}};

}  // namespace

constinit const ParserRow ftp_row = row_of_parser<FtpParser>({
    .protocol = AppProtocol::ftp,
    .patterns = patterns,
    .probes = probes,
});

}  // namespace shrike::protocol
