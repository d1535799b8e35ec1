#include "enip.h"

#include "enip_fields.h"

namespace shrike::protocol {

namespace {

using Payload = EnipMessage::Payload;

constexpr size_t header_bytes = 24;
constexpr size_t probe_bytes = 16;
/// Suricata: max-tx; with more at once all of them are given up.
constexpr size_t kept_max = 1024;

namespace command {
constexpr uint16_t nop = 0;
constexpr uint16_t list_services = 4;
constexpr uint16_t list_identity = 0x63;
constexpr uint16_t list_interfaces = 0x64;
constexpr uint16_t register_session = 0x65;
constexpr uint16_t unregister_session = 0x66;
constexpr uint16_t send_request = 0x6f;
constexpr uint16_t send_unit = 0x70;
constexpr uint16_t indicate_status = 0x72;
constexpr uint16_t cancel = 0x73;
}  // namespace command

namespace item_type {
constexpr uint16_t identity = 0x0c;
constexpr uint16_t connected = 0xb1;
constexpr uint16_t unconnected = 0xb2;
constexpr uint16_t services = 0x100;
}  // namespace item_type

bool is_known_status(uint32_t status) noexcept {
  return status <= 3 || status == 0x64 || status == 0x65 || status == 0x69 || status == 0x6a;
}

/// The header, and whether what follows may be of its command.
bool is_message(Bytes bytes) noexcept {
  if (bytes.size() < header_bytes || !is_known_status(load_little32(bytes.data() + 8))) {
    return false;
  }
  const uint16_t length = load_little16(bytes.data() + 2);
  switch (load_little16(bytes.data())) {
    case command::nop:
      return load_little32(bytes.data() + 20) == 0;
    case command::register_session:
      return length == 4;
    case command::unregister_session:
      return length == 4 || length == 0;
    case command::list_interfaces: {
      ByteReader reader(bytes.subspan(header_bytes));
      return reader.skip(size_t{reader.little16()} * 2) && !reader.failed();
    }
    case command::list_services:
    case command::list_identity:
    case command::send_request:
    case command::send_unit:
    case command::indicate_status:
    case command::cancel:
      return true;
    default:
      return false;
  }
}

Probe::Answer probe_tcp(Bytes bytes, Direction) {
  if (bytes.size() < header_bytes) {
    return Probe::Answer::more;
  }
  return is_message(bytes) ? Probe::Answer::yes : Probe::Answer::no;
}
Probe::Answer probe_udp(Bytes bytes, Direction) {
  return is_message(bytes) ? Probe::Answer::yes : Probe::Answer::no;
}

constexpr uint16_t ports[] = {44818};
constexpr Probe probes[] = {{ip_protocol::tcp, ports, 0, probe_bytes, probe_tcp, true},
                            {ip_protocol::udp, ports, 0, probe_bytes, probe_udp, true}};

/// Reads one item into the message; the first that has what its payload is about counts.
bool read_item(ByteReader& reader, size_t index, EnipMessage& message) noexcept {
  const uint16_t type = reader.little16();
  const size_t length = reader.little16();
  Bytes data = reader.take(length);
  if (reader.failed()) {
    return false;
  }
  if (type == item_type::identity || type == item_type::services) {
    const bool is_identity = type == item_type::identity;
    const bool is_good =
        is_identity ? read_enip_identity(data).has_value() : read_enip_service(data).has_value();
    const Payload wanted = is_identity ? Payload::identity : Payload::services;
    if (index == 0 && message.payload == wanted) {
      message.data = data;
    }
    return is_good;
  }
  if (type != item_type::connected && type != item_type::unconnected) {
    return true;
  }
  if (type == item_type::connected) {
    ByteReader connected(data);
    const uint16_t sequence = connected.little16();
    if (connected.failed()) {
      return false;
    }
    data = connected.rest();
    if (index == 1) {
      message.has_items = true;
      message.sequence = sequence;
    }
  }
  if (message.payload == Payload::cip && message.data.empty()) {
    message.data = data;
  }
  return read_cip(data).has_value();
}

bool read_items(ByteReader& reader, EnipMessage& message) noexcept {
  const size_t count = reader.little16();
  for (size_t i = 0; i < count; ++i) {
    if (!read_item(reader, i, message)) {
      return false;
    }
  }
  return !reader.failed();
}

Payload payload_of(uint16_t command, size_t bytes) noexcept {
  switch (command) {
    case command::register_session:
      return Payload::session;
    case command::list_services:
      return bytes > 0 ? Payload::services : Payload::none;
    case command::list_identity:
      return bytes > 0 ? Payload::identity : Payload::none;
    case command::list_interfaces:
      return bytes > 0 ? Payload::interfaces : Payload::none;
    case command::send_request:
    case command::send_unit:
      return Payload::cip;
    default:
      return Payload::none;
  }
}

EnipMessage read_message(Bytes header, Bytes body) noexcept {
  EnipMessage message;
  message.command = load_little16(header.data());
  message.session = load_little32(header.data() + 4);
  message.status = load_little32(header.data() + 8);
  message.options = load_little32(header.data() + 20);
  message.payload = payload_of(message.command, body.size());
  ByteReader reader(body);
  bool is_good = true;
  switch (message.payload) {
    case Payload::session:
      message.data = reader.take(4);
      is_good = !reader.failed();
      break;
    case Payload::cip:
      reader.skip(6);  // handle, timeout
      is_good = !reader.failed() && read_items(reader, message);
      break;
    case Payload::none:
      break;
    default:
      is_good = read_items(reader, message);
  }
  if (!is_good) {
    message.payload = Payload::none;
    message.data = {};
    message.is_invalid = true;
  }
  return message;
}

bool answers(const EnipMessage& response, const EnipMessage& request) noexcept {
  if (request.command != response.command) {
    return false;
  }
  // The session's number comes with the response that opens it.
  if (request.session != response.session && request.command != command::register_session) {
    return false;
  }
  if ((request.payload == Payload::cip) != (response.payload == Payload::cip)) {
    return false;
  }
  const bool have_sequences =
      request.payload == Payload::cip && request.has_items && response.has_items;
  return !have_sequences || request.sequence == response.sequence;
}

}  // namespace

std::optional<EnipIdentity> read_enip_identity(Bytes item) noexcept {
  ByteReader reader(item);
  EnipIdentity identity;
  identity.version = reader.little16();
  reader.skip(16);  // the device's address
  identity.vendor = reader.little16();
  identity.device_type = reader.little16();
  identity.product = reader.little16();
  identity.revision_major = reader.u8();
  identity.revision_minor = reader.u8();
  identity.status = reader.little16();
  identity.serial = reader.little32();
  const size_t name_bytes = reader.u8();
  identity.name = reader.take(name_bytes);
  identity.state = reader.u8();
  return reader.failed() ? std::nullopt : std::optional(identity);
}

std::optional<EnipService> read_enip_service(Bytes item) noexcept {
  constexpr size_t name_bytes = 16;
  ByteReader reader(item);
  EnipService service;
  service.version = reader.little16();
  service.capabilities = reader.little16();
  service.name = reader.take(name_bytes);
  return reader.failed() ? std::nullopt : std::optional(service);
}

Consumed EnipParser::parse(const Input& input) {
  bool& is_lost = is_lost_[static_cast<size_t>(input.direction)];
  if (input.gap_bytes > 0) {
    is_lost = true;
    return Consumed::all(input);
  }
  if (is_lost && !is_message(input.bytes)) {
    return Consumed::all(input);
  }
  is_lost = false;
  const bool is_datagram = session_.tracked().datagram->protocol == ip_protocol::udp;
  size_t at = 0;
  while (at < input.bytes.size()) {
    const Bytes rest = input.bytes.subspan(at);
    const size_t whole =
        rest.size() < header_bytes ? header_bytes : header_bytes + load_little16(rest.data() + 2);
    if (rest.size() < whole) {
      return is_datagram ? Consumed::broken() : Consumed{.bytes = at, .needed = whole};
    }
    take(input.direction,
         read_message(rest.first(header_bytes), rest.first(whole).subspan(header_bytes)));
    at += whole;
    if (is_datagram) {
      break;
    }
  }
  return is_datagram ? Consumed::all(input) : Consumed{.bytes = at};
}

/// Requests that are passed over on the way are given up, as in Suricata.
EnipTransaction* EnipParser::find_request(const EnipMessage& response) {
  for (AppTransaction* const each : session_.transactions()) {
    auto* const one = static_cast<EnipTransaction*>(each);
    if (one->has_request && !one->has_response) {
      if (answers(response, one->request)) {
        return one;
      }
      one->complete();
    }
  }
  return nullptr;
}

void EnipParser::take(Direction direction, EnipMessage message) {
  const bool is_request = direction == Direction::to_server;
  EnipTransaction* transaction = is_request ? nullptr : find_request(message);
  if (transaction == nullptr) {
    const auto all = session_.transactions();
    if (all.size() >= kept_max) {
      all.front()->raise(direction, AppEvent::enip_too_many_transactions);
      for (AppTransaction* const each : all) {
        each->complete();
      }
      return;
    }
    transaction = &session_.open<EnipTransaction>();
  }
  message.data = transaction->keep(message.data);
  if (message.is_invalid) {
    transaction->raise(direction, AppEvent::enip_invalid_pdu);
  }
  add_enip_fields(*transaction, direction, message);
  (is_request ? transaction->request : transaction->response) = message;
  (is_request ? transaction->has_request : transaction->has_response) = true;
  transaction->reach(direction, Progress::complete);
  if (!is_request) {
    transaction->complete();
  }
}

constinit const ParserRow enip_row = row_of_parser<EnipParser>(
    {.protocol = AppProtocol::enip, .probes = probes, .accepts_gaps = true});

}  // namespace shrike::protocol
