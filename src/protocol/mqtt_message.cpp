#include "mqtt_message.h"

namespace shrike::protocol::mqtt {

namespace {

constexpr uint8_t version_with_properties = 5;

/// Source: MQTT 5.0, 1.5.5. Four bytes at most.
std::optional<uint32_t> take_variable_integer(ByteReader& reader) noexcept {
  uint32_t value = 0;
  for (unsigned shift = 0; shift < 28; shift += 7) {
    const uint8_t byte = reader.u8();
    value |= static_cast<uint32_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      return reader.failed() ? std::nullopt : std::optional(value);
    }
  }
  return std::nullopt;
}

/// Properties are passed over. False where they are cut short.
bool skip_properties(ByteReader& reader, bool has_them) noexcept {
  if (!has_them) {
    return true;
  }
  const auto bytes = take_variable_integer(reader);
  return bytes && reader.skip(*bytes);
}

bool read_connect(ByteReader& reader, Message& message) noexcept {
  message.protocol = take_text(reader);
  message.version = reader.u8();
  message.connect_flags = reader.u8();
  reader.skip(2);  // keep alive
  const bool has_properties = message.version == version_with_properties;
  const bool has_will = (message.connect_flags & flag_will) != 0;
  if (!skip_properties(reader, has_properties)) {
    return false;
  }
  message.client_id = take_text(reader);
  if (!skip_properties(reader, has_properties && has_will)) {
    return false;
  }
  if (has_will) {
    message.will_topic = take_text(reader);
    message.will_message = take_text(reader);
  }
  if ((message.connect_flags & flag_username) != 0) {
    message.username = take_text(reader);
  }
  if ((message.connect_flags & flag_password) != 0) {
    message.password = take_text(reader);
  }
  return !reader.failed();
}

bool read_publish(ByteReader& reader, uint8_t version, Message& message) noexcept {
  message.topic = take_text(reader);
  if (message.header.quality > 0) {
    message.message_id = reader.big16();
    message.has_message_id = true;
  }
  if (!skip_properties(reader, version == version_with_properties)) {
    return false;
  }
  message.content = reader.rest();
  return !reader.failed();
}

/// PUBACK and its relatives. Version 5 may leave out a reason of 0, and properties behind it.
bool read_message_id_only(ByteReader& reader, uint8_t version, Message& message) noexcept {
  message.message_id = reader.big16();
  message.has_message_id = true;
  if (version < version_with_properties || reader.failed()) {
    return !reader.failed();
  }
  message.reason = reader.left() == 0 ? uint8_t{0} : reader.u8();
  return reader.left() == 0 || skip_properties(reader, true);
}

bool read_list(ByteReader& reader, uint8_t version, Message& message) noexcept {
  message.message_id = reader.big16();
  message.has_message_id = true;
  if (!skip_properties(reader, version == version_with_properties)) {
    return false;
  }
  message.list = reader.rest();
  const bool is_empty_subscribe = message.header.type == Type::subscribe && message.list.empty();
  return !reader.failed() && !is_empty_subscribe;
}

bool read_disconnect(ByteReader& reader, uint8_t version, Message& message) noexcept {
  if (version < version_with_properties) {
    return true;
  }
  constexpr size_t reason_alone = 1;
  if (reader.left() <= reason_alone) {
    message.reason = uint8_t{0};
    return true;
  }
  message.reason = reader.u8();
  return skip_properties(reader, true);
}

}  // namespace

Bytes take_text(ByteReader& reader) noexcept {
  const uint16_t bytes = reader.big16();
  return reader.take(bytes);
}

std::optional<Header> read_header(Bytes bytes, Fault& fault) noexcept {
  constexpr size_t header_bytes_max = 5;
  ByteReader reader(bytes);
  const uint8_t first = reader.u8();
  const auto body_bytes = take_variable_integer(reader);
  if (!body_bytes) {
    fault =
        bytes.size() < header_bytes_max && reader.failed() ? Fault::cut_short : Fault::malformed;
    return std::nullopt;
  }
  fault = Fault::none;
  return Header{.type = static_cast<Type>(first >> 4),
                .is_duplicate = (first & 8) != 0,
                .quality = static_cast<uint8_t>(first >> 1 & 3),
                .is_retained = (first & 1) != 0,
                .body_bytes = *body_bytes,
                .header_bytes = static_cast<uint32_t>(bytes.size() - reader.left())};
}

std::optional<Message> read_message(const Header& header, uint8_t version, Bytes body) noexcept {
  Message message;
  message.header = header;
  ByteReader reader(body);
  bool is_read = true;
  switch (header.type) {
    case Type::connect:
      is_read = read_connect(reader, message);
      break;
    case Type::connect_acknowledged:
      message.is_session_present = (reader.u8() & 1) != 0;
      message.reason = reader.u8();
      is_read = !reader.failed() && skip_properties(reader, version == version_with_properties);
      break;
    case Type::publish:
      is_read = read_publish(reader, version, message);
      break;
    case Type::publish_acknowledged:
    case Type::publish_received:
    case Type::publish_released:
    case Type::publish_completed:
      is_read = read_message_id_only(reader, version, message);
      break;
    case Type::subscribe:
    case Type::subscribe_acknowledged:
    case Type::unsubscribe:
    case Type::unsubscribe_acknowledged:
      is_read = read_list(reader, version, message);
      break;
    case Type::disconnect:
      is_read = read_disconnect(reader, version, message);
      break;
    case Type::authenticate:
      message.reason = reader.u8();
      is_read = !reader.failed() && skip_properties(reader, true);
      break;
    case Type::ping_request:
    case Type::ping_response:
    case Type::unassigned:
      break;
  }
  return is_read ? std::optional(message) : std::nullopt;
}

std::string_view to_text(Type type) noexcept {
  static constexpr std::string_view names[] = {"unassigned", "connect",  "connack",     "publish",
                                               "puback",     "pubrec",   "pubrel",      "pubcomp",
                                               "subscribe",  "suback",   "unsubscribe", "unsuback",
                                               "pingreq",    "pingresp", "disconnect",  "auth"};
  return names[static_cast<size_t>(type) % std::size(names)];
}

}  // namespace shrike::protocol::mqtt
