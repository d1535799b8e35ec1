// The client's side of SMTP. The server's is in smtp_replies.cpp.
#include "smtp.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace shrike::protocol {

namespace {

constexpr Direction to_server = Direction::to_server;
constexpr Direction to_client = Direction::to_client;

/// The first word of a command's parameters, which begin somewhere behind `prefix_bytes`.
Bytes first_parameter(Bytes line, size_t prefix_bytes) noexcept {
  if (line.size() <= prefix_bytes + 1) {
    return {};
  }
  // The byte behind the command is its colon or blank, whatever it is.
  const Bytes rest = line.subspan(prefix_bytes + 1);
  const auto first = std::find_if(rest.begin(), rest.end(), [](uint8_t c) { return c != ' '; });
  const auto last = std::find(first, rest.end(), uint8_t{' '});
  return {first, last};
}

bool is_rset_or_quit(Bytes line) noexcept {
  return starts_nocase(line, "rset") || starts_nocase(line, "quit");
}

bool looks_like_command(Bytes line) noexcept {
  static constexpr std::array<std::string_view, 10> commands{
      "bdat", "rset", "quit", "mail", "rcpt", "noop", "data", "ehlo", "helo", "starttls"};
  return std::any_of(commands.begin(), commands.end(),
                     [line](std::string_view each) { return starts_nocase(line, each); });
}

}  // namespace

Consumed SmtpParser::parse(const Input& input) {
  if (input.gap_bytes != 0) {
    return Consumed::broken();
  }
  return input.direction == to_server ? parse_client(input) : parse_server(input);
}

/// Takes a whole line from the front; nothing where its end has not come yet.
std::optional<SmtpParser::Line> SmtpParser::take_line(Bytes& rest) noexcept {
  const Bytes window = rest.first(std::min(rest.size(), line_bytes_max));
  const void* const found = std::memchr(window.data(), '\n', window.size());
  if (window.empty() || found == nullptr) {
    return std::nullopt;
  }
  const auto end = static_cast<size_t>(static_cast<const uint8_t*>(found) - rest.data());
  const size_t text_bytes = end > 0 && rest[end - 1] == '\r' ? end - 1 : end;
  const Line line{rest.first(text_bytes), rest.subspan(text_bytes, end + 1 - text_bytes)};
  rest = rest.subspan(end + 1);
  return line;
}

/// A line that is too long is dropped as a whole. True where something was.
bool SmtpParser::pass_over_long_line(Bytes& rest, size_t side) noexcept {
  if (!passes_over_[side] && rest.size() < line_bytes_max) {
    return false;
  }
  const auto end = std::find(rest.begin(), rest.end(), uint8_t{'\n'});
  passes_over_[side] = end == rest.end();
  const bool was_any = !rest.empty();
  rest = passes_over_[side] ? rest.last(0) : Bytes{end + 1, rest.end()};
  return was_any;
}

Consumed SmtpParser::parse_client(const Input& input) {
  Bytes rest = input.bytes;
  bool is_right = true;
  while (is_right && !rest.empty() && parse_client_piece(rest, is_right)) {
  }
  if (input.is_end) {
    if (SmtpTransaction* const transaction = current(); transaction && transaction->mail) {
      transaction->mail->cut_off();
    }
  }
  return {.bytes = input.bytes.size() - rest.size(), .is_broken = !is_right};
}

/// Takes the next piece, whatever it is. False where more bytes are needed, or something is wrong.
bool SmtpParser::parse_client_piece(Bytes& rest, bool& is_right) {
  constexpr auto side = static_cast<size_t>(to_server);
  if (is_in_data_ && command_ == Command::bdat) {
    return take_chunk(rest);
  }
  if (is_in_data_ && command_ == Command::data && !passes_over_[side]) {
    return take_mail_piece(rest);
  }
  if (passes_over_[side]) {
    return pass_over_long_line(rest, side);
  }
  const std::optional<Line> line = take_line(rest);
  if (!line) {
    return pass_over_long_line(rest, side);
  }
  is_right = take_command(*line);
  return is_right;
}

/// Bytes of a BDAT chunk are counted, not read.
bool SmtpParser::take_chunk(Bytes& rest) noexcept {
  const auto count = static_cast<size_t>(std::min<uint64_t>(chunk_left_, rest.size()));
  if (count > 0) {
    is_chunk_line_open_ = rest[count - 1] != '\n';
  }
  rest = rest.subspan(count);
  chunk_left_ -= count;
  if (chunk_left_ == 0) {
    is_in_data_ = false;
  }
  return true;
}

bool SmtpParser::take_mail_piece(Bytes& rest) {
  if (const std::optional<Line> line = take_line(rest)) {
    take_mail_line(*line, std::exchange(is_line_open_, false));
    return true;
  }
  if (rest.size() < line_bytes_max) {
    return false;
  }
  SmtpTransaction* const transaction = current();
  if (transaction != nullptr && transaction->mail && !transaction->mail->is_in_body()) {
    return pass_over_long_line(rest, static_cast<size_t>(to_server));
  }
  take_mail_line({.text = rest.first(line_bytes_max), .end = {}},
                 std::exchange(is_line_open_, true));
  rest = rest.subspan(line_bytes_max);
  return true;
}

void SmtpParser::take_mail_line(const Line& line, bool is_continued) {
  if (!is_continued && !line.end.empty() && as_text(line.text) == ".") {
    end_mail();
    return;
  }
  SmtpTransaction* const transaction = current();
  if (transaction == nullptr || !transaction->mail) {
    return;
  }
  transaction->mail->take_line(line.text, line.end, is_continued);
  if (transaction->mail->is_in_body()) {
    transaction->reach(to_server, Progress::body);
  }
}

void SmtpParser::end_mail() {
  is_in_data_ = false;
  SmtpTransaction* const transaction = current();
  if (transaction == nullptr) {
    return;
  }
  static_cast<void>(push(Command::data_end, transaction->id));
  if (transaction->mail) {
    transaction->mail->finish();
  }
  transaction->reach(to_server, Progress::complete);
}

/// False where this is no SMTP.
bool SmtpParser::take_command(const Line& line) {
  SmtpTransaction* transaction = current();
  const bool is_over =
      transaction == nullptr || transaction->progress_in(to_server) == Progress::complete;
  const bool stays = !is_in_data_ && is_rset_or_quit(line.text);
  if (is_over && !(stays && session_.opened() > 0)) {
    transaction = &open();
  }
  if (!is_welcome_seen_) {
    raise(AppEvent::smtp_no_server_welcome_message);
  }
  if (is_in_data_) {
    return true;  // behind STARTTLS
  }
  if (std::exchange(is_chunk_line_open_, false) && !looks_like_command(line.text)) {
    raise(AppEvent::smtp_bdat_chunk_len_exceeded);
    return false;
  }
  if (transaction != nullptr && transaction->is_data && starts_nocase(line.text, "data")) {
    // The server never answered the first one.
    raise(AppEvent::smtp_unparsable_content);
    return true;
  }
  bool is_right = true;
  const Command command = read_command(transaction, line.text, is_right);
  command_ = command;
  session_.inspect_raw_now(to_server);
  return is_right && push(command, transaction == nullptr ? none_id : transaction->id);
}

SmtpParser::Command SmtpParser::read_command(SmtpTransaction* transaction, Bytes line,
                                             bool& is_right) {
  if (starts_nocase(line, "rset")) {
    chunk_left_ = 0;
    return Command::rset;
  }
  if (transaction == nullptr) {
    return Command::other;  // QUIT behind the last mail
  }
  if (starts_nocase(line, "starttls")) {
    return Command::starttls;
  }
  if (starts_nocase(line, "data")) {
    begin_data(*transaction);
    return Command::data;
  }
  if (starts_nocase(line, "bdat")) {
    is_right = begin_chunk(line);
    return Command::bdat;
  }
  if (starts_nocase(line, "helo") || starts_nocase(line, "ehlo")) {
    take_helo(*transaction, line);
  } else if (starts_nocase(line, "mail from")) {
    take_mail_from(*transaction, line);
  } else if (starts_nocase(line, "rcpt to")) {
    transaction->add(to_server, Field::smtp_rcpt_to, first_parameter(line, 7));
  }
  return Command::other;
}

void SmtpParser::take_helo(SmtpTransaction& transaction, Bytes line) {
  if (has_helo_) {
    raise(AppEvent::smtp_duplicate_fields);
    return;
  }
  has_helo_ = true;
  helo_.assign(as_text(first_parameter(line, 4)));
  transaction.add(to_server, Field::smtp_helo, std::string_view(helo_));
}

void SmtpParser::take_mail_from(SmtpTransaction& transaction, Bytes line) {
  if (transaction.find(to_server, Field::smtp_mail_from) != nullptr) {
    raise(AppEvent::smtp_duplicate_fields);
    return;
  }
  transaction.add(to_server, Field::smtp_mail_from, first_parameter(line, 9));
}

void SmtpParser::begin_data(SmtpTransaction& transaction) {
  if (session_.options().smtp.decode_mime) {
    transaction.mail.emplace(transaction, session_.options().smtp);
  }
  transaction.is_data = true;
  transaction.reach(to_server, Progress::headers);
  is_line_open_ = false;
  is_in_data_ = does_server_pipeline_;
}

/// "BDAT 1000 LAST"
bool SmtpParser::begin_chunk(Bytes line) noexcept {
  const Bytes rest = line.subspan(4);
  const auto first = std::find_if(rest.begin(), rest.end(), [](uint8_t c) { return c != ' '; });
  const std::string_view digits = as_text({first, rest.end()});
  if (first == rest.begin() || digits.empty()) {
    return false;
  }
  uint64_t count = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (fault != std::errc{}) {
    return false;
  }
  chunk_left_ = count;
  is_in_data_ = count > 0;
  return true;
}

SmtpTransaction* SmtpParser::find(uint64_t id) const noexcept {
  const auto all = session_.transactions();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [id](const AppTransaction* each) { return each->id == id; });
  return found == all.end() ? nullptr : static_cast<SmtpTransaction*>(*found);
}

SmtpTransaction& SmtpParser::open() {
  SmtpTransaction& transaction = session_.open<SmtpTransaction>();
  current_id_ = transaction.id;
  if (has_helo_) {
    transaction.add(to_server, Field::smtp_helo, std::string_view(helo_));
  }
  return transaction;
}

/// False where too many wait for an answer.
bool SmtpParser::push(Command command, uint64_t transaction) {
  if (pending_.size() >= pending_max) {
    return false;
  }
  if (!pending_.empty() &&
      (pending_.back().command == Command::starttls || pending_.back().command == Command::data)) {
    raise(AppEvent::smtp_invalid_pipelined_sequence);
  }
  pending_.push_back({command, transaction});
  return true;
}

void SmtpParser::raise(AppEvent event) {
  if (SmtpTransaction* const transaction = current()) {
    // Rules ask for them in either direction.
    transaction->raise(to_server, event);
    transaction->raise(to_client, event);
  }
}

}  // namespace shrike::protocol
