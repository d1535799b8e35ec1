#include "modbus.h"

namespace shrike::protocol {

namespace {

namespace access = modbus_number::access;
using modbus_number::Kind;

/// Suricata: requests without a response that are a flood.
constexpr size_t kept_max = 500;
constexpr size_t probe_bytes = 16;

Probe::Answer probe(Bytes bytes, Direction) {
  const ModbusRead read = read_modbus(bytes, ModbusRole::unknown);
  if (read.bytes == 0) {
    return Probe::Answer::more;
  }
  const bool is_known = read.message.function != modbus_number::unknown_function;
  return read.message.faults == 0 && is_known ? Probe::Answer::yes : Probe::Answer::no;
}

constexpr uint16_t ports[] = {502};
constexpr Probe probes[] = {{ip_protocol::tcp, ports, 0, probe_bytes, probe, true}};

void raise_faults(ModbusTransaction& transaction, Direction direction, uint8_t faults) {
  static constexpr std::pair<uint8_t, AppEvent> events[] = {
      {modbus_fault::function_code, AppEvent::modbus_invalid_function_code},
      {modbus_fault::value, AppEvent::modbus_invalid_value},
      {modbus_fault::length, AppEvent::modbus_invalid_length},
      {modbus_fault::exception_code, AppEvent::modbus_invalid_exception_code},
      {modbus_fault::protocol_id, AppEvent::modbus_invalid_protocol_id}};
  for (const auto& [fault, event] : events) {
    if ((faults & fault) != 0) {
      transaction.raise(direction, event);
    }
  }
}

/// What rules see of a message. They look for it among what goes to the server, where Suricata has
/// the keyword's only inspection, even for a response that nobody asked for.
void add_numbers(ModbusTransaction& transaction, const ModbusMessage& message) {
  const auto add = [&](Kind kind, uint64_t number) {
    transaction.add_number(Direction::to_server, Field::modbus, modbus_number::make(kind, number));
  };
  add(Kind::unit, message.unit);
  add(Kind::function, message.function);
  if (message.shape == ModbusMessage::Shape::diagnostic) {
    add(Kind::subfunction, message.code);
  }
  add(Kind::category, message.category);
  for (unsigned bit = 1; bit <= access::holding; bit <<= 1) {
    if ((message.access & bit) != 0) {
      add(Kind::access, bit);
    }
  }
  uint16_t first = 0;
  uint16_t last = 0;
  if (!message.find_addresses(first, last)) {
    return;
  }
  add(Kind::first_address, first);
  add(Kind::last_address, last);
  // No more values than a message of 254 bytes has.
  uint16_t value = 0;
  for (uint32_t at = first; at <= last; ++at) {
    if (!message.find_value(static_cast<uint16_t>(at), value)) {
      break;
    }
    add(Kind::value, uint64_t{at} << 16 | value);
  }
}

}  // namespace

Consumed ModbusParser::parse(const Input& input) {
  const ModbusRole role =
      input.direction == Direction::to_server ? ModbusRole::request : ModbusRole::response;
  size_t at = 0;
  while (at < input.bytes.size()) {
    ModbusRead read = read_modbus(input.bytes.subspan(at), role);
    if (read.bytes == 0) {
      return {.bytes = at, .needed = read.needed};
    }
    if (!take(input.direction, read.message)) {
      return Consumed::all(input);
    }
    at += read.bytes;
  }
  return {.bytes = at};
}

ModbusTransaction* ModbusParser::find_partner(Direction direction,
                                              ModbusMessage& message) const noexcept {
  for (AppTransaction* const each : session_.transactions()) {
    auto* const one = static_cast<ModbusTransaction*>(each);
    if (direction == Direction::to_server) {
      if (one->has_response && !one->has_request && message.matches(one->response)) return one;
    } else if (one->has_request && !one->has_response && message.matches(one->request)) {
      return one;
    }
  }
  return nullptr;
}

/// Null in a flood: the message is not looked at.
ModbusTransaction* ModbusParser::open(Direction direction) {
  const bool is_full = session_.transactions().size() >= kept_max;
  if (is_flooded_ && is_full) {
    return nullptr;
  }
  is_flooded_ = is_full;
  auto& transaction = session_.open<ModbusTransaction>();
  if (is_full) {
    transaction.raise(direction, AppEvent::modbus_flooded);
  }
  return &transaction;
}

bool ModbusParser::take(Direction direction, ModbusMessage& message) {
  const bool is_request = direction == Direction::to_server;
  ModbusTransaction* const partner = find_partner(direction, message);
  ModbusTransaction* const transaction = partner != nullptr ? partner : open(direction);
  if (transaction == nullptr) {
    return false;
  }
  message.data = transaction->keep(message.data);
  constexpr uint8_t mismatch = modbus_fault::length | modbus_fault::value;
  if (!is_request && (message.access & (access::read | access::write)) != 0 &&
      (message.faults & mismatch) != 0) {
    transaction->raise(direction, AppEvent::modbus_value_mismatch);
  } else {
    raise_faults(*transaction, direction, message.faults);
  }
  if (!is_request && partner == nullptr) {
    transaction->raise(direction, AppEvent::modbus_unsolicited_response);
  }
  if (partner == nullptr) {
    add_numbers(*transaction, message);
  }
  (is_request ? transaction->request : transaction->response) = message;
  (is_request ? transaction->has_request : transaction->has_response) = true;
  if (transaction->has_response) {
    transaction->complete();
  }
  return true;
}

constinit const ParserRow modbus_row =
    row_of_parser<ModbusParser>({.protocol = AppProtocol::modbus, .probes = probes});

}  // namespace shrike::protocol
