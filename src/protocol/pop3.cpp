#include "pop3.h"

#include <algorithm>
#include <charconv>

namespace shrike::protocol {

namespace {

constexpr Direction to_server = Direction::to_server;
constexpr Direction to_client = Direction::to_client;

// RFC 2449, section 4, line ends included.
constexpr size_t command_bytes_max = 255;
constexpr size_t response_bytes_max = 512;

/// When a positive response has more lines than its first.
enum class Lines : uint8_t { one, many, many_without_argument };

struct Keyword {
  std::string_view name;
  size_t arguments_min = 0;
  size_t arguments_max = 0;
  Lines lines = Lines::one;
};

constexpr std::array<Keyword, 17> keywords{{
    {"USER", 1, 1},
    {"PASS", 1, SIZE_MAX},
    {"APOP", 2, 2},
    {"AUTH", 0, 2, Lines::many_without_argument},
    {"STLS"},
    {"CAPA", 0, 0, Lines::many},
    {"STAT"},
    {"LIST", 0, 1, Lines::many_without_argument},
    {"UIDL", 0, 1, Lines::many_without_argument},
    {"RETR", 1, 1, Lines::many},
    {"TOP", 2, 2, Lines::many},
    {"DELE", 1, 1},
    {"NOOP"},
    {"RSET"},
    {"QUIT"},
    {"LANG", 0, 1, Lines::many_without_argument},
    {"UTF8"},
}};

constexpr char upper(char letter) noexcept {
  return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter & ~32) : letter;
}

constexpr bool is_letter(char letter) noexcept {
  return (upper(letter) >= 'A' && upper(letter) <= 'Z') || (letter >= '0' && letter <= '9');
}

bool is_same(std::string_view name, std::string_view text) noexcept {
  return std::equal(name.begin(), name.end(), text.begin(), text.end(),
                    [](char wanted, char letter) { return wanted == upper(letter); });
}

const Keyword* find_keyword(std::string_view text) noexcept {
  const auto found = std::find_if(keywords.begin(), keywords.end(),
                                  [text](const Keyword& each) { return is_same(each.name, text); });
  return found == keywords.end() ? nullptr : &*found;
}

/// Takes the next word from the front.
std::string_view take_word(std::string_view& text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

size_t count_words(std::string_view text) noexcept {
  size_t count = 0;
  while (!take_word(text).empty()) {
    ++count;
  }
  return count;
}

void raise(Pop3Transaction& transaction, AppEvent event) {
  transaction.raise(to_server, event);
  transaction.raise(to_client, event);
}

bool has_more_lines(const Pop3Transaction& transaction) noexcept {
  const Keyword* const keyword = find_keyword(transaction.keyword);
  if (keyword == nullptr || !transaction.is_ok) {
    return false;
  }
  return keyword->lines == Lines::many ||
         (keyword->lines == Lines::many_without_argument && transaction.arguments.empty());
}

}  // namespace

Pop3Parser::Pop3Parser(Session& session) noexcept : session_(session) {
  for (const auto& [name, value] : session.options().others) {
    if (name == "pop3.max-tx") {
      std::from_chars(value.data(), value.data() + value.size(), transactions_max_);
    }
  }
}

Consumed Pop3Parser::parse(const Input& input) {
  const auto side = static_cast<size_t>(input.direction);
  if (input.gap_bytes != 0) {
    passes_over_[side] = true;  // goes on with the next line
    return {};
  }
  Bytes rest = input.bytes;
  bool is_right = true;
  while (is_right && !rest.empty()) {
    const std::optional<Line> line = take_line(rest, side);
    if (!line) {
      break;
    }
    is_right = input.direction == to_server ? take_command(*line) : take_response(*line);
  }
  return {.bytes = input.bytes.size() - rest.size(), .is_broken = !is_right};
}

/// Takes a line from the front; nothing where its end has not come yet.
std::optional<Pop3Parser::Line> Pop3Parser::take_line(Bytes& rest, size_t side) noexcept {
  while (!rest.empty()) {
    const Bytes window =
        passes_over_[side] ? rest : rest.first(std::min(rest.size(), line_bytes_max));
    const auto end = std::find(window.begin(), window.end(), uint8_t{'\n'});
    if (end == window.end()) {
      if (!passes_over_[side] && window.size() < line_bytes_max) {
        return std::nullopt;
      }
      passes_over_[side] = true;
      rest = rest.subspan(window.size());
      continue;
    }
    const auto bytes = static_cast<size_t>(end - window.begin()) + 1;
    std::string_view text = as_text(window.first(bytes - 1));
    rest = rest.subspan(bytes);
    if (std::exchange(passes_over_[side], false)) {
      continue;
    }
    if (text.ends_with('\r')) {
      text.remove_suffix(1);
    }
    return Line{text, bytes};
  }
  return std::nullopt;
}

/// Null where too many wait for their response: those are given up.
Pop3Transaction* Pop3Parser::open() {
  const auto all = session_.transactions();
  if (all.size() <= transactions_max_) {
    return &session_.open<Pop3Transaction>();
  }
  for (AppTransaction* const each : all) {
    if (!each->is_complete()) {
      raise(static_cast<Pop3Transaction&>(*each), AppEvent::pop3_too_many_transactions);
      each->complete();
    }
  }
  return nullptr;
}

bool Pop3Parser::take_command(const Line& line) {
  Pop3Transaction* const transaction = open();
  if (transaction == nullptr) {
    return false;
  }
  transaction->has_command = true;
  std::string_view rest = line.text;
  const std::string_view word = rest.substr(0, rest.find(' '));
  const bool is_command =
      word.size() >= 3 && word.size() <= 4 && std::all_of(word.begin(), word.end(), is_letter);
  if (is_command) {
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    const Keyword* const keyword = find_keyword(word);
    transaction->keyword = keyword != nullptr ? keyword->name : transaction->keep(word);
    transaction->arguments = transaction->keep(rest);
    if (keyword == nullptr) {
      raise(*transaction, AppEvent::pop3_unknown_command);
    } else if (const size_t count = count_words(rest);
               count < keyword->arguments_min || count > keyword->arguments_max) {
      raise(*transaction, AppEvent::pop3_incorrect_argument_count);
    }
    if (line.bytes > command_bytes_max) {
      raise(*transaction, AppEvent::pop3_command_too_long);
    }
  } else {
    transaction->keyword = "<SASL DATA>";
  }
  transaction->reach(to_server, Progress::complete);
  session_.inspect_raw_now(to_server);
  return true;
}

/// The oldest command without a response, or null.
Pop3Transaction* Pop3Parser::waiting() const noexcept {
  for (AppTransaction* const each : session_.transactions()) {
    auto* const transaction = static_cast<Pop3Transaction*>(each);
    if (transaction->progress_in(to_client) != Progress::complete) {
      return transaction;
    }
  }
  return nullptr;
}

bool Pop3Parser::take_response(const Line& line) {
  if (is_in_lines_) {
    take_response_line(line);
    return true;
  }
  const bool is_ok = line.text.starts_with("+OK");
  const bool is_challenge = line.text == "+" || line.text.starts_with("+ ");
  if (!is_ok && !is_challenge && !line.text.starts_with("-ERR")) {
    return false;
  }
  Pop3Transaction* transaction = waiting();
  if (transaction == nullptr) {
    transaction = open();
  }
  if (transaction == nullptr) {
    return false;
  }
  transaction->has_response = true;
  transaction->is_ok = is_ok || is_challenge;
  const size_t status_bytes = is_ok ? 3 : is_challenge ? 1 : 4;
  std::string_view header = line.text.substr(status_bytes);
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  transaction->header = transaction->keep(header);
  if (line.bytes > response_bytes_max) {
    raise(*transaction, AppEvent::pop3_response_too_long);
  }
  is_in_lines_ = is_ok && has_more_lines(*transaction);
  if (!is_in_lines_) {
    finish(*transaction);
  }
  return true;
}

void Pop3Parser::take_response_line(const Line& line) {
  Pop3Transaction* const transaction = waiting();
  if (line.text == ".") {
    is_in_lines_ = false;
    if (transaction != nullptr) {
      finish(*transaction);
    }
    return;
  }
  const bool is_kept = transaction != nullptr && transaction->keyword != "RETR" &&
                       transaction->lines.size() < lines_max;
  if (is_kept) {
    transaction->lines.push_back(transaction->keep(line.text));
  }
}

void Pop3Parser::finish(Pop3Transaction& transaction) {
  transaction.complete();
  session_.inspect_raw_now(to_client);
  if (transaction.is_ok && transaction.keyword == "STLS") {
    session_.change_protocol(AppProtocol::unknown, AppProtocol::tls);
  }
}

void Pop3Parser::describe(const AppTransaction& transaction, JsonWriter& json) {
  const auto& pop3 = static_cast<const Pop3Transaction&>(transaction);
  json.begin_object("pop3");
  if (pop3.has_command) {
    json.begin_object("request");
    json.text("command", pop3.keyword);
    json.begin_array("args");
    std::string_view rest = pop3.arguments;
    for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
      json.element(word);
    }
    json.end_array();
    json.end_object();
  }
  if (pop3.has_response) {
    json.begin_object("response");
    json.boolean("success", pop3.is_ok);
    json.text("status", pop3.is_ok ? "OK" : "ERR");
    json.text("header", pop3.header);
    json.begin_array("data");
    for (const std::string_view line : pop3.lines) {
      json.element(line);
    }
    json.end_array();
    json.end_object();
  }
  json.end_object();
}

namespace {

Probe::Answer probe_line(Bytes bytes, Direction direction) {
  if (bytes.size() < 5) {
    return Probe::Answer::more;
  }
  const std::string_view text = as_text(bytes);
  bool is_right = text.starts_with("+OK") || text.starts_with("-ERR");
  if (direction == to_server) {
    const std::string_view word = text.substr(0, text.find_first_of(" \r\n"));
    is_right = find_keyword(word) != nullptr;
  }
  return is_right ? Probe::Answer::yes : Probe::Answer::no;
}

constexpr std::array<uint16_t, 1> server_ports{110};
constexpr std::array<Probe, 1> probes{{
    {.server_ports = server_ports, .bytes_max = 16, .probe = &probe_line},
}};

}  // namespace

constinit const ParserRow pop3_row = row_of_parser<Pop3Parser>({
    .protocol = AppProtocol::pop3,
    .probes = probes,
    .accepts_gaps = true,
});

}  // namespace shrike::protocol
