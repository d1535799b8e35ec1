#include "pgsql.h"

#include <algorithm>
#include <charconv>

namespace shrike::protocol {

using enum Direction;
using Kind = PgsqlMessage::Kind;

namespace {

constexpr size_t type_bytes = 1, length_bytes = 4;
/// A longer message is not waited for: it would fill the memory of all flows.
constexpr size_t message_bytes_max = 16 << 20;
constexpr size_t messages_max = 64;  // kept of one transaction, for records
constexpr uint16_t special_major = 1234, ssl_minor = 5679, cancel_minor = 5678;

/// What stands before the first zero.
bool take_text(ByteReader& reader, Bytes& text) noexcept {
  const Bytes rest = reader.rest();
  const auto end = std::find(rest.begin(), rest.end(), uint8_t{0});
  if (end == rest.end()) {
    return false;
  }
  text = rest.first(static_cast<size_t>(end - rest.begin()));
  reader.skip(text.size() + 1);
  return true;
}

}  // namespace

/// How many bytes the message at hand has.
struct PgsqlParser::Read {
  size_t bytes = 0;  ///< 0: not known yet
  bool is_broken = false;
};

/// What a message says. Without a state it changes none.
struct PgsqlParser::Message {
  enum class Outcome : uint8_t { good, ignored, malformed } outcome = Outcome::good;
  bool changes_state = false;
  State state = State::idle;
  PgsqlMessage kept{};

  static Message good(State state, const PgsqlMessage& kept) noexcept {
    return {Outcome::good, true, state, kept};
  }
  static Message unknown() noexcept { return {}; }
  static Message ignored() noexcept { return {.outcome = Outcome::ignored}; }
  static Message malformed() noexcept { return {.outcome = Outcome::malformed}; }
};

PgsqlParser::PgsqlParser(Session& session) noexcept : session_(session) {
  for (const auto& [name, value] : session.options().others) {
    if (name == "pgsql.max-tx") {
      std::from_chars(value.data(), value.data() + value.size(), open_max_);
    }
  }
}

PgsqlParser::Read PgsqlParser::read_frame(Direction direction, State state, Bytes bytes) noexcept {
  if (direction == to_client && state == State::ssl_request) {
    return {.bytes = 1};
  }
  const bool has_type = direction == to_client || bytes[0] != 0;
  const size_t before = has_type ? type_bytes : 0;
  if (bytes.size() < before + length_bytes) {
    return {};
  }
  const size_t length = load_big32(bytes.data() + before);
  const size_t length_min = has_type ? length_bytes : 8;
  if (length < length_min || length > message_bytes_max) {
    return {.is_broken = true};
  }
  return {.bytes = before + length};
}

Consumed PgsqlParser::parse(const Input& input) {
  const auto side = static_cast<size_t>(input.direction);
  if (input.gap_bytes != 0) {
    is_lost_[side] = true;
    return {};
  }
  size_t at = 0;
  while (at < input.bytes.size()) {
    const Bytes rest = input.bytes.subspan(at);
    const Read read = read_frame(input.direction, state_, rest);
    if (read.is_broken) {
      if (is_lost_[side]) {
        return Consumed::all(input);
      }
      open();
      return Consumed::broken();
    }
    if (read.bytes == 0 || rest.size() < read.bytes) {
      return {.bytes = at, .needed = std::max(read.bytes, rest.size() + 1)};
    }
    is_lost_[side] = false;
    const Bytes message = rest.first(read.bytes);
    at += read.bytes;
    const bool goes_on =
        input.direction == to_server ? take_request(message) : take_response(message);
    if (!goes_on) {
      return {.bytes = at};
    }
  }
  return {.bytes = at};
}

bool PgsqlParser::take_request(Bytes message) {
  const Message read = read_request(message);
  if (read.outcome == Message::Outcome::malformed) {
    open().raise(to_server, AppEvent::pgsql_malformed_request);
  } else if (read.outcome == Message::Outcome::good) {
    accept_request(read);
  }
  return true;
}

bool PgsqlParser::take_response(Bytes message) {
  const bool is_answer_to_tls = state_ == State::ssl_request;
  Message read;
  if (is_answer_to_tls) {
    const bool is_accepted = message[0] == 'S';
    read = Message::good(is_accepted ? State::finished : State::ssl_rejected,
                         {.kind = Kind::ssl_answer, .first = is_accepted});
    if (message[0] != 'S' && message[0] != 'N') {
      return true;
    }
  } else {
    read = read_response(message);
  }
  if (read.outcome == Message::Outcome::malformed) {
    open().raise(to_client, AppEvent::pgsql_malformed_response);
  } else if (read.outcome == Message::Outcome::good) {
    accept_response(read);
  }
  if (is_answer_to_tls && state_ == State::finished) {
    constexpr uint16_t tls_port = 443;
    session_.change_protocol(AppProtocol::unknown, AppProtocol::tls, tls_port);
    return false;
  }
  return true;
}

PgsqlParser::Message PgsqlParser::read_startup(Bytes message) noexcept {
  ByteReader reader(message);
  reader.skip(length_bytes);
  const uint16_t major = reader.big16();
  const uint16_t minor = reader.big16();
  if (major == special_major && minor == ssl_minor && reader.left() == 0) {
    return Message::good(State::ssl_request, {.kind = Kind::ssl_request});
  }
  if (major == special_major && minor == cancel_minor && reader.left() == 8) {
    const uint32_t process = reader.big32();
    return Message::good(
        State::cancel, {.kind = Kind::cancel_request, .first = process, .second = reader.big32()});
  }
  if (major < 1 || major > 3) {
    return Message::malformed();
  }
  const Bytes parameters = reader.rest();
  Bytes name, value;
  bool has_user = false;
  while (reader.left() > 1) {
    if (!take_text(reader, name) || name.empty() || !take_text(reader, value)) {
      return Message::ignored();
    }
    has_user = has_user || (as_text(name) == "user" && !value.empty());
  }
  if (!has_user || reader.left() != 1 || reader.u8() != 0) {
    return Message::ignored();
  }
  return Message::good(
      State::startup, {.kind = Kind::startup, .text = parameters, .first = major, .second = minor});
}

PgsqlParser::Message PgsqlParser::read_request(Bytes message) const noexcept {
  if (message[0] == 0) {
    const bool is_authentication = state_ == State::sasl_asked || state_ == State::sasl_initial ||
                                   state_ == State::sasl_continued ||
                                   state_ == State::password_asked;
    return is_authentication ? Message::ignored() : read_startup(message);
  }
  return read_typed_request(message[0], message.subspan(type_bytes + length_bytes));
}

PgsqlParser::Message PgsqlParser::read_typed_request(uint8_t type, Bytes body) const noexcept {
  ByteReader reader(body);
  Bytes text;
  switch (state_) {
    case State::sasl_asked: {
      if (type != 'p' || !take_text(reader, text)) {
        return Message::ignored();
      }
      const bool is_bound = as_text(text) == "SCRAM-SHA-256-PLUS";
      const uint32_t length = reader.big32();
      if ((!is_bound && as_text(text) != "SCRAM-SHA-256") || reader.left() != length) {
        return Message::ignored();
      }
      return Message::good(State::sasl_initial,
                           {.kind = Kind::sasl_initial, .text = reader.rest(), .first = is_bound});
    }
    case State::sasl_initial:
    case State::sasl_continued:
      return type != 'p' || body.empty()
                 ? Message::ignored()
                 : Message::good(State::sasl_response, {.kind = Kind::sasl_response, .text = body});
    case State::password_asked:
      return type != 'p' || !take_text(reader, text) || text.empty()
                 ? Message::ignored()
                 : Message::good(State::password, {.kind = Kind::password});
    default:
      break;
  }
  switch (type) {
    case 'Q':
      return !take_text(reader, text) || text.empty()
                 ? Message::ignored()
                 : Message::good(State::query, {.kind = Kind::query, .text = text});
    case 'X':
      return body.empty() ? Message::good(State::terminate, {.kind = Kind::terminate})
                          : Message::ignored();
    case 'c':
      return Message::good(State::copy_done, {.kind = Kind::copy_done});
    case 'f':
      return take_text(reader, text)
                 ? Message::good(State::copy_fail, {.kind = Kind::copy_fail, .text = text})
                 : Message::ignored();
    case 'd': {
      Message read = Message::unknown();
      read.kept = {.kind = Kind::copy_data_in, .second = body.size()};
      read.changes_state = state_ == State::copy_in_response || state_ == State::copy_in_first ||
                           state_ == State::copy_in_more;
      read.state = state_ == State::copy_in_response ? State::copy_in_first : State::copy_in_more;
      return read;
    }
    default:
      return Message::unknown();
  }
}

void PgsqlParser::accept_request(const Message& read) {
  if (read.changes_state) {
    state_ = read.state;
  }
  PgsqlTransaction* const transaction = current();
  if (transaction == nullptr || !read.changes_state) {
    return;
  }
  if (state_ == State::copy_in_first || state_ == State::copy_in_more) {
    transaction->row_bytes += read.kept.second;
    transaction->row_count += 1;
    return;
  }
  if ((state_ == State::copy_done || state_ == State::copy_fail) && transaction->row_count > 0) {
    transaction->requests.push_back({.kind = Kind::copy_data_in,
                                     .first = transaction->row_count,
                                     .second = transaction->row_bytes});
  }
  PgsqlMessage kept = read.kept;
  kept.text = transaction->keep(kept.text);
  if (transaction->requests.size() < messages_max) {
    transaction->requests.push_back(kept);
  }
  if (kept.kind == Kind::query) {
    transaction->add_kept(to_server, Field::pgsql_query, kept.text);
  }
  transaction->reach(to_server, Progress::complete);
  if (state_ == State::terminate || state_ == State::cancel) {
    transaction->reach(to_client, Progress::complete);  // nothing answers these
  }
  session_.inspect_raw_now(to_server);
}

PgsqlParser::Message PgsqlParser::read_authentication(Bytes body) noexcept {
  ByteReader reader(body);
  const uint32_t type = reader.big32();
  if (reader.failed()) {
    return Message::ignored();
  }
  const auto named = [](Kind kind, std::string_view name, Bytes text = {}) {
    return PgsqlMessage{.kind = kind, .name = as_bytes(name), .text = text};
  };
  switch (type) {
    case 0:
      return Message::good(State::authenticated, named(Kind::named_only, "authentication_ok"));
    case 3:
      return Message::good(State::password_asked,
                           named(Kind::named_only, "authentication_cleartext_password"));
    case 5:
      return reader.left() != 4
                 ? Message::ignored()
                 : Message::good(
                       State::password_asked,
                       named(Kind::named_text, "authentication_md5_password", reader.rest()));
    case 9:
      return Message::unknown();
    case 10:
      return Message::good(State::sasl_asked, named(Kind::named_only, "authentication_sasl"));
    case 11:
      return Message::good(State::sasl_continued,
                           named(Kind::named_only, "authentication_sasl_continue"));
    case 12:
      return Message::good(State::sasl_final,
                           named(Kind::named_text, "authentication_sasl_final", reader.rest()));
    default:
      return Message::malformed();
  }
}

namespace {

/// What the values of a row's columns have, together; their number comes first. Null has the
/// length -1.
uint64_t row_bytes(ByteReader reader) noexcept {
  const uint32_t columns = reader.big16();
  uint64_t sum = 0;
  for (uint32_t i = 0; i < columns && reader.left() >= 4; ++i) {
    const uint32_t length = reader.big32();
    if (length > INT32_MAX) {
      continue;
    }
    if (!reader.skip(length)) {
      break;
    }
    sum += length;
  }
  return sum;
}

bool are_fields_whole(Bytes body) noexcept {
  ByteReader reader(body);
  Bytes text;
  while (reader.left() > 0) {
    if (reader.u8() == 0) {
      return true;
    }
    if (!take_text(reader, text)) {
      return false;
    }
  }
  return false;
}

}  // namespace

PgsqlParser::Message PgsqlParser::read_response(Bytes message) noexcept {
  const Bytes body = message.subspan(type_bytes + length_bytes);
  ByteReader reader(body);
  PgsqlMessage kept;
  switch (message[0]) {
    case 'E':
    case 'N':
      kept = {.kind = Kind::notice, .text = body};
      if (body.size() <= 6 || !are_fields_whole(body)) {
        return Message::ignored();
      }
      return message[0] == 'E' ? Message::good(State::error, kept) : Message::unknown();
    case 'K':
      kept = {.kind = Kind::backend_key, .first = reader.big32(), .second = 0};
      kept.second = reader.big32();
      return body.size() == 8 ? Message::good(State::backend_key, kept) : Message::ignored();
    case 'R':
      return read_authentication(body);
    case 'S':
      kept.kind = Kind::parameter;
      return take_text(reader, kept.name) && !kept.name.empty() && take_text(reader, kept.text)
                 ? Message::good(State::parameter, kept)
                 : Message::ignored();
    case 'C':
      kept = {.kind = Kind::named_text, .name = as_bytes("command_completed")};
      return take_text(reader, kept.text) ? Message::good(State::command_complete, kept)
                                          : Message::ignored();
    case 'c':
      return Message::good(State::copy_done, {.kind = Kind::copy_done});
    case 'Z':
      return body.size() == 1 && (body[0] == 'I' || body[0] == 'T' || body[0] == 'E')
                 ? Message::good(State::ready, {.kind = Kind::named_only})
                 : Message::ignored();
    case 'T':
      kept = {.kind = Kind::row_description, .first = reader.big16()};
      return body.size() > 2 ? Message::good(State::row_description, kept) : Message::ignored();
    case 'D':
      kept = {.kind = Kind::data_rows};
      kept.second = row_bytes(reader);
      return body.size() >= 2 ? Message::good(State::data_row, kept) : Message::ignored();
    case 'd':
      return Message::good(State::copy_out_data,
                           {.kind = Kind::copy_data_out, .second = body.size()});
    case 'G':
    case 'H':
      reader.skip(1);
      kept = {.kind = Kind::copy_response,
              .name = as_bytes(message[0] == 'G' ? "copy_in_response" : "copy_out_response"),
              .first = reader.big16()};
      return reader.failed() ? Message::ignored()
                             : Message::good(message[0] == 'G' ? State::copy_in_response
                                                               : State::copy_out_response,
                                             kept);
    default:
      return Message::unknown();
  }
}

void PgsqlParser::accept_response(const Message& read) {
  if (read.changes_state) {
    state_ = read.state;
  }
  PgsqlTransaction* const transaction = current();
  if (transaction == nullptr) {
    return;
  }
  transaction->reach(to_client, Progress::line);
  if (read.changes_state) {
    keep_response(*transaction, read);
  }
}

void PgsqlParser::keep_response(PgsqlTransaction& transaction, const Message& read) {
  if (state_ == State::data_row || state_ == State::copy_out_data) {
    transaction.row_count += 1;
    transaction.row_bytes += read.kept.second;
    return;
  }
  const bool sums_up = (state_ == State::command_complete || state_ == State::copy_done) &&
                       transaction.row_count > 0;
  if (transaction.responses.size() < messages_max) {
    if (sums_up) {
      transaction.responses.push_back(
          {.kind = state_ == State::copy_done ? Kind::copy_data_out : Kind::data_rows,
           .first = transaction.row_count,
           .second = transaction.row_bytes});
    }
    PgsqlMessage kept = read.kept;
    kept.name = transaction.keep(kept.name);
    kept.text = transaction.keep(kept.text);
    transaction.responses.push_back(kept);
  }
  if (sums_up) {
    transaction.row_count = 0;
    transaction.row_bytes = 0;
    return;
  }
  switch (state_) {
    case State::ready:
    case State::ssl_rejected:
    case State::password_asked:
    case State::sasl_asked:
    case State::sasl_continued:
    case State::sasl_final:
    case State::copy_in_response:
    case State::finished:
      transaction.complete();
      session_.inspect_raw_now(to_client);
      break;
    default:
      break;
  }
}

/// The transaction that the message at hand belongs to: a new one where a request was the last that
/// counted, whoever speaks now.
PgsqlTransaction* PgsqlParser::current() {
  switch (state_) {
    case State::idle:
    case State::ssl_request:
    case State::startup:
    case State::sasl_initial:
    case State::sasl_response:
    case State::password:
    case State::query:
    case State::cancel:
    case State::terminate:
    case State::copy_in_first:
      return &open();
    default:
      return session_.transactions().empty()
                 ? nullptr
                 : static_cast<PgsqlTransaction*>(session_.transactions().back());
  }
}

PgsqlTransaction& PgsqlParser::open() {
  const std::span<AppTransaction* const> all = session_.transactions();
  if (all.size() > open_max_) {
    auto oldest = std::partition_point(all.begin(), all.end(), [this](const AppTransaction* each) {
      return each->id < given_up_id_;
    });
    while (oldest != all.end() && (*oldest)->progress_in(to_client) == Progress::complete) {
      ++oldest;
    }
    if (oldest != all.end()) {
      (*oldest)->raise(to_client, AppEvent::pgsql_too_many_transactions);
      (*oldest)->complete();
      given_up_id_ = (*oldest)->id + 1;
    }
  }
  return session_.open<PgsqlTransaction>();
}

namespace {

Probe::Answer probe_request(Bytes bytes) noexcept {
  const bool has_type = bytes[0] != 0;
  const size_t before = has_type ? type_bytes : 0;
  if (bytes.size() < before + length_bytes) {
    return Probe::Answer::more;
  }
  const size_t length = load_big32(bytes.data() + before);
  if (length < (has_type ? length_bytes : 8) || (bytes[0] == 'Q' && length == length_bytes) ||
      (bytes[0] == 'X' && length != length_bytes)) {
    return Probe::Answer::no;
  }
  if (bytes.size() < before + length) {
    return Probe::Answer::more;
  }
  if (has_type) {
    return Probe::Answer::yes;
  }
  const uint16_t major = load_big16(bytes.data() + length_bytes);
  return (major >= 1 && major <= 3) || major == special_major ? Probe::Answer::yes
                                                              : Probe::Answer::more;
}

Probe::Answer probe(Bytes bytes, Direction direction) {
  if (bytes.empty()) {
    return Probe::Answer::more;
  }
  if (direction == to_server) {
    return probe_request(bytes);
  }
  if (bytes[0] == 'N' || bytes[0] == 'S') {
    return Probe::Answer::yes;  // an answer to a wish for TLS, or a parameter
  }
  if (bytes.size() < type_bytes + length_bytes) {
    return Probe::Answer::more;
  }
  const size_t length = load_big32(bytes.data() + type_bytes);
  if (length < length_bytes || length > message_bytes_max) {
    return Probe::Answer::no;
  }
  return bytes.size() < type_bytes + length ? Probe::Answer::more : Probe::Answer::yes;
}

constexpr uint16_t ports[] = {5432};
constexpr Probe probes[] = {{.transport = ip_protocol::tcp,
                             .server_ports = ports,
                             .bytes_min = 0,
                             .bytes_max = 16,
                             .probe = probe}};

}  // namespace

constinit const ParserRow pgsql_row = row_of_parser<PgsqlParser>(
    {.protocol = AppProtocol::pgsql, .probes = probes, .accepts_gaps = true});

}  // namespace shrike::protocol
