// The client's side of FTP. The server's is in ftp_replies.cpp.
#include "ftp.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace shrike::protocol {

namespace {

constexpr Direction to_server = Direction::to_server;
constexpr Direction to_client = Direction::to_client;

/// Suricata's list. Commands that are not in it make no transaction.
constexpr std::array<FtpCommand, 49> commands{{
    {"PORT", FtpAction::port},
    {"EPRT", FtpAction::eprt},
    {"AUTH TLS", FtpAction::auth_tls},
    {"PASV", FtpAction::pasv},
    {"RETR", FtpAction::retr},
    {"EPSV", FtpAction::epsv},
    {"STOR", FtpAction::stor},
    {"APPE", FtpAction::appe},
    {"STOU", FtpAction::stou},
    {"LIST", FtpAction::list},
    {"NLST", FtpAction::nlst},
    {"MLSD", FtpAction::mlsd},
    {"ABOR"},
    {"ACCT"},
    {"ALLO"},
    {"CDUP"},
    {"CHMOD"},
    {"CWD"},
    {"DELE"},
    {"HELP"},
    {"IDLE"},
    {"MAIL"},
    {"MDTM"},
    {"MKD"},
    {"MLFL"},
    {"MODE"},
    {"MRCP"},
    {"MRSQ"},
    {"MSAM"},
    {"MSND"},
    {"MSOM"},
    {"NOOP"},
    {"PASS"},
    {"PWD"},
    {"QUIT"},
    {"REIN"},
    {"REST"},
    {"RMD"},
    {"RNFR"},
    {"RNTO"},
    {"SITE"},
    {"SIZE"},
    {"SMNT"},
    {"STAT"},
    {"STRU"},
    {"SYST"},
    {"TYPE"},
    {"UMASK"},
    {"USER"},
}};

constexpr uint8_t no_command = 255;

/// Of each letter the commands that begin with it, then `no_command`.
constexpr auto by_initial = [] {
  std::array<std::array<uint8_t, 16>, 26> table{};
  std::array<size_t, 26> counts{};
  for (auto& row : table) {
    row.fill(no_command);
  }
  for (size_t i = 0; i < commands.size(); ++i) {
    const auto initial = static_cast<size_t>(commands[i].name[0] - 'A');
    table[initial][counts[initial]++] = static_cast<uint8_t>(i);
  }
  return table;
}();

constexpr uint8_t upper(uint8_t byte) noexcept {
  return byte >= 'a' && byte <= 'z' ? static_cast<uint8_t>(byte & ~32) : byte;
}

bool begins_with(Bytes text, std::string_view name) noexcept {
  return text.size() >= name.size() &&
         std::equal(name.begin(), name.end(), text.begin(), [](char wanted, uint8_t byte) {
           return static_cast<uint8_t>(wanted) == upper(byte);
         });
}

/// The command whose name ends first in the line, wherever it stands: "XPWD" is a PWD for
/// Suricata, and so it is here.
const FtpCommand* find_command(Bytes line) noexcept {
  const FtpCommand* found = nullptr;
  size_t first_end = line.size() + 1;
  constexpr size_t shortest = 3;
  for (size_t at = 0; at + shortest < first_end; ++at) {
    const auto initial = static_cast<size_t>(upper(line[at]) - 'A');
    if (initial >= by_initial.size()) {
      continue;
    }
    for (const uint8_t index : by_initial[initial]) {
      if (index == no_command) {
        break;
      }
      const FtpCommand& each = commands[index];
      if (at + each.name.size() < first_end && begins_with(line.subspan(at), each.name)) {
        found = &each;
        first_end = at + each.name.size();
      }
    }
  }
  return found;
}

std::string_view without_blanks_behind(std::string_view text) noexcept {
  const size_t last = text.find_last_not_of(" \t\r\n\v\f");
  return last == std::string_view::npos ? std::string_view{} : text.substr(0, last + 1);
}

/// Whether the file goes to the side that opens the data connection, or else comes from it.
Direction direction_of(FtpAction action, bool is_active) noexcept {
  const bool is_upload =
      action == FtpAction::stor || action == FtpAction::appe || action == FtpAction::stou;
  return is_upload == is_active ? to_client : to_server;
}

}  // namespace

FtpParser::FtpParser(Session& session) noexcept : session_(session) {
  for (const auto& [name, value] : session.options().others) {
    if (name == "ftp.max-tx") {
      std::from_chars(value.data(), value.data() + value.size(), transactions_max_);
    }
  }
}

Consumed FtpParser::parse(const Input& input) {
  if (input.gap_bytes != 0) {
    return Consumed::broken();
  }
  Bytes rest = input.bytes;
  bool is_right = true;
  while (is_right && !rest.empty()) {
    const std::optional<Line> line = take_line(rest, input.direction);
    if (!line) {
      break;
    }
    is_right = input.direction == to_server ? take_command(*line) : take_reply(*line);
  }
  return {.bytes = input.bytes.size() - rest.size(), .is_broken = !is_right};
}

/// Takes a line from the front; of one that is too long its beginning, and later not the rest.
/// Nothing where the end has not come yet.
std::optional<FtpParser::Line> FtpParser::take_line(Bytes& rest, Direction direction) noexcept {
  bool& passes_over = passes_over_[static_cast<size_t>(direction)];
  if (passes_over) {
    const auto end = std::find(rest.begin(), rest.end(), uint8_t{'\n'});
    passes_over = end == rest.end();
    rest = passes_over ? rest.last(0) : Bytes{end + 1, rest.end()};
    if (passes_over) {
      return std::nullopt;
    }
  }
  const Bytes window = rest.first(std::min(rest.size(), line_bytes_max + 1));
  const auto end = std::find(window.begin(), window.end(), uint8_t{'\n'});
  if (end == window.end()) {
    if (window.size() <= line_bytes_max) {
      return std::nullopt;
    }
    passes_over = true;
    rest = rest.subspan(line_bytes_max);
    return Line{window.first(line_bytes_max), true};
  }
  Bytes text{window.begin(), end};
  rest = rest.subspan(text.size() + 1);
  if (!text.empty() && text.back() == '\r') {
    text = text.first(text.size() - 1);
  }
  return Line{text, false};
}

/// False where there are too many commands without a reply.
bool FtpParser::take_command(const Line& line) {
  const FtpCommand* const command = find_command(line.text);
  action_ = command == nullptr ? FtpAction::none : command->action;
  if (command == nullptr) {
    return true;
  }
  FtpTransaction* const transaction = open();
  if (transaction == nullptr) {
    return false;
  }
  transaction->command = command;
  transaction->is_command_truncated = line.is_truncated;
  if (line.is_truncated) {
    transaction->raise(to_server, AppEvent::ftp_request_command_too_long);
    transaction->raise(to_client, AppEvent::ftp_request_command_too_long);
  }
  transaction->add_kept(to_server, Field::ftp_command, as_bytes(command->name));
  const std::string_view text = without_blanks_behind(as_text(line.text));
  if (text.size() > command->name.size() + 1) {
    transaction->add(to_server, Field::ftp_command_data, text.substr(command->name.size() + 1));
  }
  if (action_ == FtpAction::port) {
    const std::optional<FtpAddress> address = read_port_command(line.text);
    asked_port_ = address ? address->port : 0;
    if (address) {
      note_bounce(*transaction, *address);
    }
  } else if (action_ == FtpAction::eprt) {
    asked_port_ = read_eprt_command(line.text);
  } else if (action_ >= FtpAction::retr) {
    announce_transfer(*transaction, line.text);
  }
  transaction->reach(to_server, Progress::line);
  return true;
}

/// Null where there are too many that wait for their reply.
FtpTransaction* FtpParser::open() {
  const auto all = session_.transactions();
  if (!all.empty() && session_.opened() - all.front()->id > transactions_max_) {
    const auto waiting = std::find_if(
        all.begin(), all.end(), [](const AppTransaction* each) { return !each->is_complete(); });
    if (waiting != all.end()) {
      (*waiting)->raise(to_server, AppEvent::ftp_too_many_transactions);
      (*waiting)->raise(to_client, AppEvent::ftp_too_many_transactions);
    }
    return nullptr;
  }
  return &session_.open<FtpTransaction>();
}

/// PORT to a third host: the server would connect to it on the client's behalf.
void FtpParser::note_bounce(FtpTransaction& transaction, const FtpAddress& address) {
  const bool is_ipv4 = session_.tracked().datagram->ip_version == 4;
  const bool is_elsewhere =
      is_ipv4 && load_big32(session_.flow().client.bytes.data()) != address.ipv4;
  transaction.add_number(to_server, Field::ftpbounce, is_elsewhere ? 1 : 0);
}

void FtpParser::announce_transfer(FtpTransaction& transaction, Bytes line) {
  constexpr size_t name_at = 5;  // behind the command and a blank
  const bool needs_name =
      action_ == FtpAction::retr || action_ == FtpAction::stor || action_ == FtpAction::appe;
  if (dynamic_port_ == 0 || (needs_name && line.size() <= name_at)) {
    transaction.raise(to_server, AppEvent::ftp_file_before_port);
    transaction.raise(to_client, AppEvent::ftp_file_before_port);
    return;
  }
  Expectation expectation;
  expectation.client = session_.flow().client;
  expectation.server = session_.flow().server;
  expectation.server_port = std::exchange(dynamic_port_, uint16_t{0});
  expectation.protocol = AppProtocol::ftp_data;
  expectation.number =
      FtpTransfer{action_, direction_of(action_, std::exchange(is_active_, false))}.number();
  const bool has_name = needs_name || action_ == FtpAction::stou;
  if (has_name && line.size() > name_at) {
    const Bytes name =
        line.subspan(name_at, std::min(line.size() - name_at, expectation.text.size()));
    std::copy(name.begin(), name.end(), expectation.text.begin());
    expectation.text_bytes = static_cast<uint8_t>(name.size());
  }
  session_.expect(expectation);
}

}  // namespace shrike::protocol
