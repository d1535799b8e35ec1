// The server's side of SMTP, how its flows are told from others, and what records show.
#include <algorithm>
#include <cstring>

#include "smtp.h"

namespace shrike::protocol {

namespace {

constexpr Direction to_server = Direction::to_server;
constexpr Direction to_client = Direction::to_client;

/// Codes that servers answer with; any other is no reply. Sources: RFC 5321, 4954, 7504, 3207.
constexpr std::array<uint16_t, 45> known_codes{
    211, 214, 220, 221, 235, 250, 251, 252, 334, 354, 401, 402, 421, 432, 435,
    450, 451, 452, 454, 455, 500, 501, 502, 503, 504, 511, 512, 513, 515, 521,
    522, 523, 525, 530, 534, 535, 538, 541, 543, 550, 551, 552, 553, 554, 555};

/// 0 where it does not start with a known code.
unsigned read_code(Bytes line) noexcept {
  unsigned code = 0;
  for (const uint8_t digit : line.first(3)) {
    if (digit < '0' || digit > '9') {
      return 0;
    }
    code = code * 10 + (digit - '0');
  }
  return std::find(known_codes.begin(), known_codes.end(), code) == known_codes.end() ? 0 : code;
}

}  // namespace

Consumed SmtpParser::parse_server(const Input& input) {
  constexpr auto side = static_cast<size_t>(to_client);
  Bytes rest = input.bytes;
  bool is_right = true;
  while (is_right && !rest.empty()) {
    if (!passes_over_[side]) {
      if (const std::optional<Line> line = take_line(rest)) {
        is_right = take_reply(*line);
        continue;
      }
    }
    if (!pass_over_long_line(rest, side)) {
      break;
    }
  }
  return {.bytes = input.bytes.size() - rest.size(), .is_broken = !is_right};
}

/// False where this is no SMTP.
bool SmtpParser::take_reply(const Line& line) {
  if (line.text.empty() && line.end.size() == 1) {
    return true;
  }
  if (line.text.size() < 3) {
    raise(AppEvent::smtp_invalid_reply);
    return false;
  }
  is_multiline_ = line.text.size() >= 4 && line.text[3] == '-';
  const unsigned code = read_code(line.text);
  if (code == 0) {
    raise(AppEvent::smtp_invalid_reply);
    return false;
  }
  if (pending_.empty()) {
    if (!is_welcome_seen_) {
      is_welcome_seen_ = !is_multiline_;
      if (code != 220) {
        raise(AppEvent::smtp_invalid_reply);
      }
    }
    return true;
  }
  answer(pending_[answered_], code);
  if (is_multiline_) {
    does_server_pipeline_ =
        does_server_pipeline_ || (is_welcome_seen_ && code == 250 && line.text.size() == 14 &&
                                  starts_nocase(line.text.subspan(4), "pipelining"));
    return true;
  }
  if (++answered_ == pending_.size()) {
    pending_.clear();
    answered_ = 0;
  }
  return true;
}

void SmtpParser::answer(const Pending& pending, unsigned code) {
  SmtpTransaction* const transaction = find(pending.transaction);
  switch (pending.command) {
    case Command::starttls:
      answer_starttls(transaction, code);
      break;
    case Command::data:
      if (code == 354) {
        is_in_data_ = true;
        break;
      }
      // A server that pipelines was expected to take it.
      is_in_data_ = is_in_data_ && !does_server_pipeline_;
      raise(AppEvent::smtp_data_command_rejected);
      break;
    case Command::data_end:
      if (!is_multiline_ && transaction != nullptr) {
        transaction->complete();
      }
      break;
    case Command::rset:
      if (!is_multiline_ && code == 250 && transaction != nullptr) {
        transaction->complete();
      }
      break;
    case Command::bdat:
    case Command::other:
      break;
  }
}

void SmtpParser::answer_starttls(SmtpTransaction* transaction, unsigned code) {
  if (code != 220) {
    raise(AppEvent::smtp_tls_rejected);
    return;
  }
  is_in_data_ = true;
  session_.change_protocol(AppProtocol::unknown, AppProtocol::tls);
  if (transaction != nullptr) {
    transaction->complete();
  }
}

void SmtpParser::describe(const AppTransaction& transaction, JsonWriter& json) {
  const auto& smtp = static_cast<const SmtpTransaction&>(transaction);
  json.begin_object("smtp");
  if (smtp.find(to_server, Field::smtp_helo) != nullptr) {
    json.text("helo", smtp.text(to_server, Field::smtp_helo));
  }
  if (smtp.find(to_server, Field::smtp_mail_from) != nullptr) {
    json.text("mail_from", smtp.text(to_server, Field::smtp_mail_from));
  }
  if (smtp.find(to_server, Field::smtp_rcpt_to) != nullptr) {
    json.begin_array("rcpt_to");
    for (const FieldValue& value : smtp.values_in(to_server)) {
      if (value.field == Field::smtp_rcpt_to) {
        json.element(as_text(value.bytes));
      }
    }
    json.end_array();
  }
  json.end_object();
  if (smtp.mail) {
    json.begin_object("email");
    smtp.mail->describe(json);
    json.end_object();
  }
}

namespace {

constexpr std::array<Pattern, 3> patterns{{
    {.text = "EHLO", .depth = 4, .is_nocase = true},
    {.text = "HELO", .depth = 4, .is_nocase = true},
    {.text = "QUIT", .depth = 4, .is_nocase = true},
}};

constexpr bool is_letter(uint8_t byte) noexcept {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}
constexpr bool is_label_byte(uint8_t byte) noexcept {
  return is_letter(byte) || (byte >= '0' && byte <= '9') || byte == '-';
}

/// Labels with a dot between them, two or more; each begins with a letter and ends with no hyphen.
/// What follows does not matter, but a dot at the end does.
bool begins_with_domain(Bytes text) noexcept {
  for (size_t labels = 1, at = 0;; ++labels, ++at) {
    const size_t begin = at;
    while (at < text.size() && is_label_byte(text[at])) {
      ++at;
    }
    if (at == begin || !is_letter(text[begin]) || text[at - 1] == '-') {
      return false;
    }
    if (at == text.size() || text[at] != '.') {
      return labels > 1;
    }
  }
}

/// "220 mail.example.com …" with its line end; FTP servers say 220 as well.
Probe::Answer probe_banner(Bytes bytes, Direction) {
  if (bytes.size() < 5) {
    return Probe::Answer::more;
  }
  if (!as_text(bytes).starts_with("220") || (bytes[3] != ' ' && bytes[3] != '-') ||
      !begins_with_domain(bytes.subspan(4))) {
    return Probe::Answer::no;
  }
  const bool has_line = as_text(bytes).find('\n') != std::string_view::npos;
  return has_line ? Probe::Answer::yes : Probe::Answer::more;
}

/// A client of something else is no mail client, whatever the server's banner looks like.
bool suits_banner(AppProtocol client) {
  return client == AppProtocol::unknown || client == AppProtocol::tls ||
         client == AppProtocol::smtp;
}

constexpr std::array<uint16_t, 2> server_ports{25, 465};
constexpr std::array<Probe, 1> probes{{
    {.server_ports = server_ports,
     .bytes_min = 5,
     .probe = &probe_banner,
     .to_server_too = false,
     .suits = &suits_banner},
}};

}  // namespace

constinit const ParserRow smtp_row = row_of_parser<SmtpParser>({
    .protocol = AppProtocol::smtp,
    .patterns = patterns,
    .probes = probes,
});

}  // namespace shrike::protocol
