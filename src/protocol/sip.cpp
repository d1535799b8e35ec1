#include "sip.h"

#include <algorithm>
#include <charconv>

namespace shrike::protocol {

namespace {

using enum Direction;

/// A message on a stream that is waited for (RFC 3261 names no bound).
constexpr size_t message_bytes_max = 65535;
/// … and of its headers: they are read again whenever more of them comes.
constexpr size_t head_bytes_max = 16384;
/// Headers of a message that rules see.
constexpr size_t headers_max = 256;

constexpr bool is_letter(char letter) noexcept {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}
constexpr bool is_word(char letter) noexcept {
  return is_letter(letter) || (letter >= '0' && letter <= '9');
}
constexpr bool is_one_of(char letter, std::string_view set) noexcept {
  return set.find(letter) != std::string_view::npos;
}
// The sets of letters that Suricata takes, which are not quite those of RFC 3261, section 25.1.
constexpr bool is_token(char letter) noexcept {
  return is_word(letter) || is_one_of(letter, "!%'*+-._`");
}
constexpr bool is_uri(char letter) noexcept {
  return is_token(letter) || is_one_of(letter, "~#@:;=?+&$,/");
}
constexpr bool is_version(char letter) noexcept {
  return is_word(letter) || is_one_of(letter, "./");
}
constexpr bool is_reason(char letter) noexcept {
  return is_token(letter) || is_one_of(letter, "$&(),/:;=?@[\\]^ ");
}
constexpr bool is_header_value(char letter) noexcept {
  return is_token(letter) || is_one_of(letter, "\"#$&(),/;:<=>?@[]{}()^|~\\\t\n\r ");
}

/// Takes pieces off the front of a text, and remembers what went wrong.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  std::string_view take_while(bool (*is_wanted)(char)) {
    const auto* const end = std::find_if_not(rest_.begin(), rest_.end(), is_wanted);
    const auto count = static_cast<size_t>(end - rest_.begin());
    // More of the same may follow what is there.
    if (count == rest_.size()) {
      fail(SipVerdict::incomplete);
    }
    return take(count);
  }
  std::string_view take(size_t count) {
    if (count > rest_.size()) {
      fail(SipVerdict::incomplete);
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  void expect(std::string_view text) {
    const std::string_view there = rest_.substr(0, text.size());
    if (there != text) {
      fail(text.starts_with(there) ? SipVerdict::incomplete : SipVerdict::invalid);
      return;
    }
    rest_.remove_prefix(text.size());
  }
  void fail(SipVerdict verdict) {
    if (verdict_ == SipVerdict::good) {
      verdict_ = verdict;
    }
  }
  [[nodiscard]] bool is_good() const noexcept { return verdict_ == SipVerdict::good; }
  [[nodiscard]] SipVerdict verdict() const noexcept { return verdict_; }
  [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

 private:
  std::string_view rest_;
  SipVerdict verdict_ = SipVerdict::good;
};

struct Header {
  std::string_view name;
  std::string_view value;
};

/// A value may go on in a line that begins with a blank; blanks at its end do not count.
// NOLINTNEXTLINE(readability-function-size): a scan over lines and what continues them
std::string_view take_value(Scanner& scanner) {
  const std::string_view text = scanner.rest();
  size_t end = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const char letter = text[at];
    if (letter == '\n') {
      if (at + 1 == text.size()) {
        break;
      }
      if (text[at + 1] != ' ' && text[at + 1] != '\t') {
        scanner.take(end);
        scanner.take_while([](char each) { return each == ' ' || each == '\t'; });
        return text.substr(0, end);
      }
      ++at;
    } else if (letter != ' ' && letter != '\t' && letter != '\r') {
      if (!is_header_value(letter)) {
        break;
      }
      end = at + 1;
    }
  }
  scanner.fail(SipVerdict::incomplete);
  return {};
}

Header take_header(Scanner& scanner) {
  constexpr auto is_blank = [](char letter) { return letter == ' ' || letter == '\t'; };
  Header header;
  header.name = scanner.take_while(is_token);
  scanner.take_while(is_blank);
  scanner.expect(":");
  scanner.take_while(is_blank);
  header.value = scanner.is_good() ? take_value(scanner) : std::string_view{};
  scanner.expect("\r\n");
  return header;
}

/// Short names stand for long ones (RFC 3261, section 7.3.3).
std::string_view long_name(std::string_view name) noexcept {
  if (name == "c") return "Content-Type";
  if (name == "l") return "Content-Length";
  if (name == "f") return "From";
  if (name == "t") return "To";
  return name == "v" ? "Via" : name;
}

struct HeaderField {
  std::string_view name;
  Field field;
};
constexpr HeaderField header_fields[] = {
    {"From", Field::sip_from},
    {"To", Field::sip_to},
    {"Via", Field::sip_via},
    {"User-Agent", Field::sip_user_agent},
    {"Content-Type", Field::sip_content_type},
    {"Content-Length", Field::sip_content_length},
};

void add_headers(AppTransaction& transaction, Direction direction, std::string_view headers) {
  Scanner scanner(headers);
  for (size_t i = 0; i < headers_max && !scanner.rest().starts_with("\r\n"); ++i) {
    const Header header = take_header(scanner);
    if (!scanner.is_good()) {
      return;
    }
    for (const auto& [name, field] : header_fields) {
      if (long_name(header.name) == name && !header.value.empty()) {
        transaction.add(direction, field, header.value);
      }
    }
  }
}

/// SSDP and events of UPnP say NOTIFY and SUBSCRIBE as well, but in HTTP.
bool confirm_request(Bytes bytes, Direction, bool&) {
  SipMessage message;
  return read_sip_message(bytes, true, message) == SipVerdict::good &&
         message.line[2].starts_with("SIP/");
}
bool confirm_response(Bytes bytes, Direction, bool&) {
  SipMessage message;
  return read_sip_message(bytes, false, message) == SipVerdict::good;
}

constexpr std::string_view methods[] = {"REGISTER", "INVITE",  "ACK",     "BYE",       "CANCEL",
                                        "UPDATE",   "REFER",   "PRACK",   "SUBSCRIBE", "NOTIFY",
                                        "PUBLISH",  "MESSAGE", "OPTIONS", "INFO"};
constexpr size_t per_transport = std::size(methods) + 1;

constexpr std::array<Pattern, 2 * per_transport> make_patterns() {
  std::array<Pattern, 2 * per_transport> all{};
  size_t at = 0;
  for (const uint8_t transport : {ip_protocol::udp, ip_protocol::tcp}) {
    for (const std::string_view method : methods) {
      all[at++] = {.transport = transport,
                   .direction = to_server,
                   .text = method,
                   .depth = static_cast<uint16_t>(method.size()),
                   .confirms = confirm_request};
    }
    all[at++] = {.transport = transport,
                 .direction = to_client,
                 .text = "SIP/2.0",
                 .depth = 7,
                 .confirms = confirm_response};
  }
  return all;
}
constexpr auto patterns = make_patterns();

}  // namespace

constinit const ParserRow sip_row =
    row_of_parser<SipParser>({.protocol = AppProtocol::sip, .patterns = patterns});

SipVerdict read_sip_message(Bytes bytes, bool is_request, SipMessage& message) {
  Scanner scanner(as_text(bytes));
  message.is_request = is_request;
  message.line[0] = scanner.take_while(is_request ? is_letter : is_version);
  scanner.expect(" ");
  message.line[1] = is_request ? scanner.take_while(is_uri) : scanner.take(3);
  scanner.expect(" ");
  message.line[2] = scanner.take_while(is_request ? is_version : is_reason);
  scanner.expect("\r\n");
  if (scanner.is_good() && (is_request ? message.line[1] : message.line[0]).empty()) {
    return SipVerdict::invalid;
  }
  message.headers = scanner.rest();
  while (scanner.is_good() && !scanner.rest().starts_with("\r\n")) {
    if (scanner.rest() == "\r") {
      return SipVerdict::incomplete;
    }
    take_header(scanner);
  }
  message.headers = message.headers.substr(0, message.headers.size() - scanner.rest().size() + 2);
  scanner.expect("\r\n");
  message.body = scanner.rest();
  return scanner.verdict();
}

void SipParser::raise_on_last(AppEvent event) {
  if (!session_.transactions().empty()) {
    AppTransaction& last = *session_.transactions().back();
    last.raise(last.skips[static_cast<size_t>(to_server)] ? to_client : to_server, event);
  }
}

void SipParser::take_message(Direction direction, const SipMessage& message) {
  SipTransaction& transaction = session_.open<SipTransaction>();
  transaction.skip(opposite(direction));
  transaction.is_request = message.is_request;
  const auto add = [&](Field field, std::string_view text) {
    if (!text.empty()) {
      transaction.add(direction, field, text);
    }
  };
  const auto& [first, second, third] = message.line;
  const std::string_view line(first.data(),
                              static_cast<size_t>(third.data() + third.size() - first.data()));
  if (message.is_request) {
    add(Field::sip_method, first);
    add(Field::sip_uri, second);
    add(Field::sip_protocol, third);
    add(Field::sip_request_line, line);
  } else {
    add(Field::sip_protocol, first);
    add(Field::sip_stat_code, second);
    add(Field::sip_stat_msg, third);
    add(Field::sip_response_line, line);
  }
  add_headers(transaction, direction, message.headers);
  // A datagram's body is all that follows, whatever its Content-Length says.
  if (transaction.text(direction, Field::sip_content_type).starts_with("application/sdp")) {
    add_sdp_fields(transaction, direction, message.body);
  }
  transaction.reach(direction, Progress::complete);
}

Consumed SipParser::parse_stream(const Input& input) {
  Bytes left = input.bytes;
  while (!left.empty()) {
    SipMessage message;
    const SipVerdict verdict = read_sip_message(left, input.direction == to_server, message);
    if (verdict == SipVerdict::invalid ||
        (verdict == SipVerdict::incomplete && left.size() > head_bytes_max)) {
      raise_on_last(AppEvent::sip_invalid_data);
      return Consumed::broken();
    }
    if (verdict == SipVerdict::incomplete) {
      return {input.bytes.size() - left.size(), left.size() + 1};
    }
    // The body belongs to the message, as far as it has come.
    size_t wanted = 0;
    Scanner scanner(message.headers);
    while (!scanner.rest().starts_with("\r\n") && scanner.is_good()) {
      const Header header = take_header(scanner);
      if (long_name(header.name) == "Content-Length") {
        std::from_chars(header.value.data(), header.value.data() + header.value.size(), wanted);
      }
    }
    wanted = std::min(wanted, message_bytes_max);
    const size_t before_body = left.size() - message.body.size();
    if (message.body.size() < wanted && !input.is_end) {
      return {input.bytes.size() - left.size(), before_body + wanted};
    }
    message.body = message.body.substr(0, wanted);
    session_.inspect_raw_now(input.direction);
    take_message(input.direction, message);
    left = left.subspan(before_body + message.body.size());
  }
  return Consumed::all(input);
}

Consumed SipParser::parse(const Input& input) {
  if (session_.tracked().datagram->protocol == ip_protocol::tcp) {
    return parse_stream(input);
  }
  SipMessage message;
  switch (read_sip_message(input.bytes, input.direction == to_server, message)) {
    case SipVerdict::good:
      take_message(input.direction, message);
      break;
    case SipVerdict::incomplete:
      raise_on_last(AppEvent::sip_incomplete_data);
      break;
    case SipVerdict::invalid:
      raise_on_last(AppEvent::sip_invalid_data);
      break;
  }
  return Consumed::all(input);
}

}  // namespace shrike::protocol
