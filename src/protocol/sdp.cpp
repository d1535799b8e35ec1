// Session descriptions (RFC 8866, section 5): lines in a fixed order.
#include <arpa/inet.h>

#include <algorithm>
#include <optional>

#include "sip.h"

namespace shrike::protocol {

namespace {

/// Lines of one kind that rules see.
constexpr size_t lines_max = 256;
constexpr size_t media_max = 64;

constexpr bool is_digit(char letter) noexcept {
  return letter >= '0' && letter <= '9';
}
constexpr bool is_letter(char letter) noexcept {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}
constexpr bool is_word(char letter) noexcept {
  return is_letter(letter) || is_digit(letter);
}
constexpr bool is_blank(char letter) noexcept {
  return letter == ' ' || letter == '\t';
}
/// RFC 8866, section 9: token-char.
constexpr bool is_token(char letter) noexcept {
  const auto code = static_cast<unsigned char>(letter);
  return code == 0x21 || code == 0x2a || code == 0x2b || code == 0x2d || code == 0x2e ||
         (code >= 0x23 && code <= 0x27) || (code >= 0x30 && code <= 0x39) ||
         (code >= 0x41 && code <= 0x5a) || (code >= 0x5e && code <= 0x7e);
}
constexpr bool is_uri(char letter) noexcept {
  return is_word(letter) || is_token(letter) ||
         std::string_view("~#@:;=?+&$,/").find(letter) != std::string_view::npos;
}
constexpr bool is_time(char letter) noexcept {
  return is_digit(letter) || std::string_view("dhms-").find(letter) != std::string_view::npos;
}
constexpr bool is_any(char) noexcept {
  return true;
}

/// The words of a line, each of one set of letters, with blanks between them.
class Words {
 public:
  Words(Pool& pool, std::string_view line) : rest_(line), joined_(pool) {}

  /// Takes the next word; `joined` puts it behind the others with one blank.
  std::string_view take(bool (*is_wanted)(char), bool is_optional = false) {
    if (!joined_.empty()) {
      const size_t blanks = count_while(is_blank);
      is_good_ = is_good_ && blanks != 0;
      rest_.remove_prefix(blanks);
      joined_.push_back(' ');
    }
    const size_t count = count_while(is_wanted);
    is_good_ = is_good_ && (count != 0 || is_optional);
    const std::string_view word = rest_.substr(0, count);
    rest_.remove_prefix(count);
    joined_.insert(joined_.end(), word.begin(), word.end());
    return word;
  }
  [[nodiscard]] bool is_done() const noexcept { return is_good_ && rest_.empty(); }
  [[nodiscard]] bool has_more() const noexcept { return is_good_ && !rest_.empty(); }
  [[nodiscard]] std::string_view joined() const noexcept {
    return {joined_.data(), joined_.size()};
  }

 private:
  [[nodiscard]] size_t count_while(bool (*is_wanted)(char)) const {
    return static_cast<size_t>(std::find_if_not(rest_.begin(), rest_.end(), is_wanted) -
                               rest_.begin());
  }
  std::string_view rest_;
  PoolVector<char> joined_;
  bool is_good_ = true;
};

/// Walks over the lines of a description. What it finds waits until the whole is known to be good.
class Description {
 public:
  Description(Pool& pool, std::string_view text) : pool_(pool), rest_(text), found_(pool) {}

  bool read();
  void add_to(AppTransaction& transaction, Direction direction) const {
    for (const Found& each : found_) {
      transaction.add(direction, each.field, as_text(each.text));
    }
  }

 private:
  struct Found {
    Field field;
    PoolBytes text;
  };
  /// The value of the line in front where it is of this kind; the line stays.
  [[nodiscard]] std::optional<std::string_view> line(char kind) const;
  void pass() { rest_.remove_prefix(std::min(rest_.size(), rest_.find('\n') + 1)); }
  void keep(Field field, std::string_view text) {
    found_.push_back({field, PoolBytes(text.begin(), text.end(), pool_)});
  }
  bool plain(char kind, Field field, bool (*is_wanted)(char));
  bool words(char kind, Field field, size_t count, bool (*is_wanted)(char));
  bool origin();
  bool connection(Field field);
  bool bandwidths();
  bool attributes(bool is_shown);
  bool medium();

  Pool& pool_;
  std::string_view rest_;
  PoolVector<Found> found_;
};

std::optional<std::string_view> Description::line(char kind) const {
  if (rest_.size() < 2 || rest_[0] != kind || rest_[1] != '=') {
    return std::nullopt;
  }
  const size_t end = rest_.find('\n');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view value = rest_.substr(2, end - 2);
  if (value.ends_with('\r')) {
    value.remove_suffix(1);
  }
  return value;
}

/// A line of one text in one set of letters.
bool Description::plain(char kind, Field field, bool (*is_wanted)(char)) {
  const auto value = line(kind);
  if (!value || !std::all_of(value->begin(), value->end(), is_wanted)) {
    return false;
  }
  keep(field, *value);
  pass();
  return true;
}

/// A line of so many words.
bool Description::words(char kind, Field field, size_t count, bool (*is_wanted)(char)) {
  const auto value = line(kind);
  if (!value) {
    return false;
  }
  Words taken(pool_, *value);
  for (size_t i = 0; i < count; ++i) {
    taken.take(is_wanted);
  }
  if (!taken.is_done()) {
    return false;
  }
  keep(field, taken.joined());
  pass();
  return true;
}

bool Description::origin() {
  const auto value = line('o');
  if (!value) {
    return false;
  }
  Words taken(pool_, *value);
  taken.take(is_token);
  taken.take(is_digit);
  taken.take(is_digit);
  taken.take(is_letter);
  taken.take(is_word);
  taken.take(is_any, true);
  if (!taken.is_done()) {
    return false;
  }
  keep(Field::sdp_origin, taken.joined());
  pass();
  return true;
}

/// "IN IP4 192.0.2.1/127/3": the address must be one.
bool Description::connection(Field field) {
  const auto value = line('c');
  if (!value) {
    return false;
  }
  Words taken(pool_, *value);
  taken.take(is_letter);
  taken.take(is_word);
  const std::string_view address = taken.take(is_any);
  const std::string host(address.substr(0, address.find('/')));
  uint8_t bytes[16];
  if (!taken.is_done() || (inet_pton(AF_INET, host.c_str(), bytes) != 1 &&
                           inet_pton(AF_INET6, host.c_str(), bytes) != 1)) {
    return false;
  }
  keep(field, taken.joined());
  pass();
  return true;
}

bool Description::bandwidths() {
  for (size_t i = 0; i < lines_max; ++i) {
    const auto value = line('b');
    const size_t colon = value ? value->find(':') : std::string_view::npos;
    if (colon == std::string_view::npos) {
      return i != 0;
    }
    const std::string_view kind = value->substr(0, colon);
    const std::string_view number = value->substr(colon + 1);
    if ((kind != "CT" && kind != "AS" && kind != "TIAS") || number.empty() ||
        !std::all_of(number.begin(), number.end(), is_digit)) {
      return i != 0;
    }
    keep(Field::sdp_bandwidth, *value);
    pass();
  }
  return true;
}

bool Description::attributes(bool is_shown) {
  for (size_t i = 0; i < lines_max; ++i) {
    const auto value = line('a');
    if (!value) {
      return i != 0;
    }
    const std::string_view name = value->substr(0, value->find(':'));
    if (!std::all_of(name.begin(), name.end(), is_letter)) {
      return i != 0;
    }
    if (is_shown) {
      keep(Field::sdp_attribute, *value);
    }
    pass();
  }
  return true;
}

/// "audio 49170/2 RTP/AVP 0 8" and the lines that belong to it.
bool Description::medium() {
  const auto value = line('m');
  if (!value) {
    return false;
  }
  Words taken(pool_, *value);
  const std::string_view kind = taken.take(is_letter);
  taken.take([](char letter) { return is_digit(letter) || letter == '/'; });
  const std::string_view transport = taken.take([](char letter) { return !is_blank(letter); });
  static constexpr std::string_view kinds[] = {"audio", "video", "text", "application", "message"};
  static constexpr std::string_view transports[] = {"udp", "RTP/AVP", "RTP/SAVP"};
  while (taken.has_more()) {
    taken.take(is_word);
  }
  if (!taken.is_done() || std::find(std::begin(kinds), std::end(kinds), kind) == std::end(kinds) ||
      std::find(std::begin(transports), std::end(transports), transport) == std::end(transports)) {
    return false;
  }
  keep(Field::sdp_media_media, taken.joined());
  pass();
  plain('i', Field::sdp_media_media_info,
        [](char letter) { return is_word(letter) || is_blank(letter); });
  connection(Field::sdp_media_connection_data);
  const size_t before = found_.size();
  bandwidths();
  found_.erase(found_.begin() + static_cast<ptrdiff_t>(before), found_.end());
  plain('k', Field::sdp_media_encryption_key, is_any);
  attributes(false);
  return true;
}

bool Description::read() {
  constexpr auto is_name = [](char letter) { return is_word(letter) || is_blank(letter); };
  if (line('v') != "0") {
    return false;
  }
  pass();
  if (!origin() || !plain('s', Field::sdp_session_name, is_name)) {
    return false;
  }
  plain('i', Field::sdp_session_info, is_name);
  plain('u', Field::sdp_uri, is_uri);
  plain('e', Field::sdp_email, is_any);
  plain('p', Field::sdp_phone_number, is_any);
  connection(Field::sdp_connection_data);
  bandwidths();
  if (!words('t', Field::sdp_time, 2, is_digit)) {
    return false;
  }
  words('r', Field::sdp_repeat_time, 4, is_time);
  words('z', Field::sdp_timezone, 4, is_time);
  plain('k', Field::sdp_encryption_key, is_any);
  attributes(true);
  for (size_t i = 0; i < media_max && medium(); ++i) {
  }
  return true;
}

}  // namespace

void add_sdp_fields(AppTransaction& transaction, Direction direction, std::string_view text) {
  Description description(transaction.pool(), text);
  if (description.read()) {
    description.add_to(transaction, direction);
  }
}

void SipParser::describe(const AppTransaction& each, JsonWriter& json) {
  struct Member {
    std::string_view key;
    Field field;
  };
  static constexpr Member request[] = {{"method", Field::sip_method},
                                       {"uri", Field::sip_uri},
                                       {"version", Field::sip_protocol},
                                       {"request_line", Field::sip_request_line}};
  static constexpr Member response[] = {{"version", Field::sip_protocol},
                                        {"code", Field::sip_stat_code},
                                        {"reason", Field::sip_stat_msg},
                                        {"response_line", Field::sip_response_line}};
  const auto& transaction = static_cast<const SipTransaction&>(each);
  const bool is_request = transaction.is_request;
  json.begin_object("sip");
  for (const auto& [key, field] : is_request ? std::span(request) : std::span(response)) {
    json.text(key,
              transaction.text(is_request ? Direction::to_server : Direction::to_client, field));
  }
  json.end_object();
}

}  // namespace shrike::protocol
