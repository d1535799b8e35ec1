#include "rfb.h"

#include <string>

namespace shrike::protocol {

namespace {

using enum Direction;

constexpr std::array<Pattern, 2> patterns{{
    {.direction = to_server, .text = "RFB ", .depth = 4},
    {.direction = to_client, .text = "RFB ", .depth = 4},
}};

constexpr uint32_t no_authentication = 1, vnc_authentication = 2;
constexpr size_t server_init_bytes = 24;  // in front of the name
/// Longer names and reasons are not awaited.
constexpr size_t text_bytes_max = 1 << 16;

bool is_version(Bytes bytes) noexcept {
  return as_text(bytes.first(4)) == "RFB " && bytes[7] == '.' && bytes[11] == '\n';
}

}  // namespace

constinit const ParserRow rfb_row =
    row_of_parser<RfbParser>({.protocol = AppProtocol::rfb, .patterns = patterns});

Direction RfbParser::speaker(State state) noexcept {
  switch (state) {
    case State::client_version:
    case State::security_choice:
    case State::response:
    case State::client_init:
      return to_server;
    default:
      return to_client;
  }
}

Consumed RfbParser::parse(const Input& input) {
  size_t at = 0;
  while (at < input.bytes.size()) {
    if (state_ == State::passed_over) {
      return Consumed::all(input);
    }
    if (speaker(state_) != input.direction) {
      if (transaction_ == nullptr) {
        return Consumed::broken();  // the server speaks first
      }
      transaction_->raise(input.direction, AppEvent::rfb_confused_state);
      return Consumed::all(input);
    }
    const Bytes rest = input.bytes.subspan(at);
    const Step step = take(rest);
    if (step.is_broken) {
      if (transaction_ == nullptr) {
        return Consumed::broken();
      }
      transaction_->raise(input.direction, AppEvent::rfb_malformed_message);
      pass_over();
      return Consumed::all(input);
    }
    if (step.bytes == 0) {
      return {.bytes = at, .needed = step.needed};
    }
    at += step.bytes;
  }
  return {.bytes = at};
}

/// A length of four bytes at `length_at`, behind it a text.
RfbParser::Step RfbParser::take_text(Bytes bytes, size_t before, size_t length_at) {
  if (bytes.size() < before) {
    return {.needed = before};
  }
  const size_t length = load_big32(bytes.data() + length_at);
  if (length > text_bytes_max) {
    return {.is_broken = true};
  }
  if (bytes.size() < before + length) {
    return {.needed = before + length};
  }
  return {.bytes = before + length};
}

// NOLINTNEXTLINE(readability-function-size): a state machine reads best in one piece
RfbParser::Step RfbParser::take(Bytes bytes) {
  constexpr size_t number_bytes = 4;
  switch (state_) {
    case State::server_version:
    case State::client_version: {
      constexpr size_t count = RfbTransaction::version_bytes;
      if (bytes.size() < count) {
        return {.needed = count};
      }
      if (!is_version(bytes)) {
        return {.is_broken = true};
      }
      if (state_ == State::server_version) {
        transaction_ = &session_.open<RfbTransaction>();
        transaction_->stay();
        transaction_->server_version = transaction_->keep(bytes.first(count));
        state_ = State::client_version;
      } else {
        transaction_->client_version = transaction_->keep(bytes.first(count));
        state_ = as_text(bytes.subspan(4, 7)) == "003.003" ? State::server_choice
                                                           : State::security_types;
      }
      return {.bytes = count};
    }
    case State::security_types: {
      const size_t count = 1 + size_t{bytes[0]};
      if (bytes.size() < count) {
        return {.needed = count};
      }
      state_ = count == 1 ? State::failure_reason : State::security_choice;
      return {.bytes = count};
    }
    case State::security_choice:
      choose(to_server, bytes[0]);
      return {.bytes = 1};
    case State::server_choice:
      if (bytes.size() < number_bytes) {
        return {.needed = number_bytes};
      }
      choose(to_client, load_big32(bytes.data()));
      return {.bytes = number_bytes};
    case State::challenge:
    case State::response: {
      constexpr size_t count = RfbTransaction::secret_bytes;
      if (bytes.size() < count) {
        return {.needed = count};
      }
      const bool is_challenge = state_ == State::challenge;
      (is_challenge ? transaction_->challenge : transaction_->response) =
          transaction_->keep(bytes.first(count));
      state_ = is_challenge ? State::response : State::result;
      return {.bytes = count};
    }
    case State::result:
      if (bytes.size() < number_bytes) {
        return {.needed = number_bytes};
      }
      transaction_->has_result = true;
      transaction_->result = load_big32(bytes.data());
      transaction_->add_number(to_client, Field::rfb_secresult, transaction_->result);
      if (transaction_->result == 0) {
        state_ = State::client_init;
      } else if (transaction_->result == 1) {
        state_ = State::failure_reason;
      } else {
        transaction_->raise(to_client, AppEvent::rfb_unknown_security_result);
        pass_over();
      }
      return {.bytes = number_bytes};
    case State::failure_reason: {
      const Step step = take_text(bytes, number_bytes, 0);
      if (step.bytes != 0) {
        transaction_->failure_reason =
            transaction_->keep(bytes.first(step.bytes).subspan(number_bytes));
        pass_over();
      }
      return step;
    }
    case State::client_init:
      transaction_->has_client_init = true;
      transaction_->is_shared = bytes[0] != 0;
      state_ = State::server_init;
      return {.bytes = 1};
    case State::server_init: {
      const Step step = take_text(bytes, server_init_bytes, server_init_bytes - number_bytes);
      if (step.bytes != 0) {
        transaction_->server_init = transaction_->keep(bytes.first(server_init_bytes));
        transaction_->name = transaction_->keep(bytes.first(step.bytes).subspan(server_init_bytes));
        transaction_->add(to_client, Field::rfb_name, transaction_->name);
        pass_over();
      }
      return step;
    }
    case State::passed_over:
      break;
  }
  return {.bytes = bytes.size()};
}

/// Rules look for the type among what the client says, though a server of version 3.3 chooses it.
void RfbParser::choose(Direction direction, uint32_t type) {
  transaction_->has_security_type = true;
  transaction_->security_type = type;
  transaction_->add_number(to_server, Field::rfb_sectype, type);
  if (type == vnc_authentication) {
    state_ = State::challenge;
  } else if (type == no_authentication) {
    state_ = State::client_init;
  } else if (type == 0) {
    state_ = State::failure_reason;
  } else {
    transaction_->raise(direction, AppEvent::rfb_unimplemented_security_type);
    pass_over();
  }
}

void RfbParser::pass_over() {
  transaction_->complete();
  state_ = State::passed_over;
}

namespace {

void describe_version(std::string_view key, Bytes version, JsonWriter& json) {
  if (version.empty()) {
    return;
  }
  json.begin_object(key);
  json.printable("major", version.subspan(4, 3));
  json.printable("minor", version.subspan(8, 3));
  json.end_object();
}

void describe_server_init(const RfbTransaction& transaction, JsonWriter& json) {
  ByteReader reader(transaction.server_init);
  json.begin_object("framebuffer");
  json.number("width", reader.big16());
  json.number("height", reader.big16());
  json.printable("name", transaction.name);
  json.begin_object("pixel_format");
  json.number("bits_per_pixel", reader.u8());
  json.number("depth", reader.u8());
  json.boolean("big_endian", reader.u8() != 0);
  json.boolean("true_color", reader.u8() != 0);
  for (const char* const key : {"red_max", "green_max", "blue_max"}) {
    json.number(key, reader.big16());
  }
  for (const char* const key : {"red_shift", "green_shift", "blue_shift"}) {
    json.number(key, reader.u8());
  }
  json.end_object();
  json.end_object();
}

}  // namespace

void RfbParser::describe(const AppTransaction& each, JsonWriter& json) {
  const auto& transaction = static_cast<const RfbTransaction&>(each);
  json.begin_object("rfb");
  describe_version("server_protocol_version", transaction.server_version, json);
  describe_version("client_protocol_version", transaction.client_version, json);
  json.begin_object("authentication");
  if (transaction.has_security_type) {
    json.number("security_type", transaction.security_type);
  }
  if (transaction.security_type == vnc_authentication) {
    json.begin_object("vnc");
    if (!transaction.challenge.empty()) {
      json.hex("challenge", transaction.challenge);
    }
    if (!transaction.response.empty()) {
      json.hex("response", transaction.response);
    }
    json.end_object();
  }
  if (transaction.has_result) {
    static constexpr std::string_view names[] = {"OK", "FAIL", "TOOMANY"};
    json.text("security_result", transaction.result < std::size(names)
                                     ? std::string(names[transaction.result])
                                     : "UNKNOWN (" + std::to_string(transaction.result) + ")");
  }
  json.end_object();
  if (!transaction.failure_reason.empty()) {
    json.printable("server_security_failure_reason", transaction.failure_reason);
  }
  if (transaction.has_client_init) {
    json.boolean("screen_shared", transaction.is_shared);
  }
  if (!transaction.server_init.empty()) {
    describe_server_init(transaction, json);
  }
  json.end_object();
}

}  // namespace shrike::protocol
