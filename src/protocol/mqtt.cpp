#include "mqtt.h"

#include <algorithm>

namespace shrike::protocol {

using mqtt::Type;

namespace {

/// Suricata: max-msg-length. Longer ones are passed over.
constexpr uint32_t message_bytes_max = 1 << 20;
/// Topics of one message that are values.
constexpr size_t topics_max = 100;  // Suricata: subscribe-topic-match-limit
constexpr uint8_t quality_max = 2;

Probe::Answer probe(Bytes bytes, Direction) {
  mqtt::Fault fault{};
  const auto header = mqtt::read_header(bytes, fault);
  if (!header) {
    return fault == mqtt::Fault::cut_short ? Probe::Answer::more : Probe::Answer::no;
  }
  return header->type == Type::unassigned || header->quality > quality_max ? Probe::Answer::no
                                                                           : Probe::Answer::yes;
}

constexpr uint16_t ports[] = {1883};
constexpr Probe probes[] = {{ip_protocol::tcp, ports, 2, 16, probe, true}};

AppEvent event_of_missing(Type answer) noexcept {
  switch (answer) {
    case Type::connect_acknowledged:
      return AppEvent::mqtt_missing_connect;
    case Type::subscribe_acknowledged:
      return AppEvent::mqtt_missing_subscribe;
    case Type::unsubscribe_acknowledged:
      return AppEvent::mqtt_missing_unsubscribe;
    default:
      return AppEvent::mqtt_missing_publish;
  }
}

bool is_answer(Type type) noexcept {
  switch (type) {
    case Type::connect_acknowledged:
    case Type::publish_acknowledged:
    case Type::publish_received:
    case Type::publish_released:
    case Type::publish_completed:
    case Type::subscribe_acknowledged:
    case Type::unsubscribe_acknowledged:
      return true;
    default:
      return false;
  }
}

}  // namespace

Consumed MqttParser::parse(const Input& input) {
  uint64_t& skip = skip_bytes_[static_cast<size_t>(input.direction)];
  size_t at = 0;
  while (at < input.bytes.size()) {
    const Bytes rest = input.bytes.subspan(at);
    if (skip != 0) {
      const auto skipped = static_cast<size_t>(std::min<uint64_t>(skip, rest.size()));
      skip -= skipped;
      at += skipped;
      continue;
    }
    mqtt::Fault fault{};
    const auto header = mqtt::read_header(rest, fault);
    if (!header && fault == mqtt::Fault::cut_short) {
      return {.bytes = at, .needed = rest.size() + 1};
    }
    if (header && header->body_bytes > message_bytes_max) {
      take_truncated(input.direction, *header);
      skip = uint64_t{header->header_bytes} + header->body_bytes;
      continue;
    }
    const size_t whole = header ? size_t{header->header_bytes} + header->body_bytes : 0;
    if (header && rest.size() < whole) {
      return {.bytes = at, .needed = whole};
    }
    const auto message =
        header ? mqtt::read_message(*header, version_,
                                    rest.subspan(header->header_bytes, header->body_bytes))
               : std::nullopt;
    if (!message) {
      MqttTransaction& transaction = open(input.direction, {});
      transaction.messages.clear();
      transaction.raise(input.direction, AppEvent::mqtt_malformed_traffic);
      transaction.complete();
      return Consumed::broken();
    }
    take(input.direction, *message);
    at += whole;
  }
  return {.bytes = at};
}

/// Rules look at it in the direction of its first message alone.
MqttTransaction& MqttParser::open(Direction direction, const mqtt::Message& message) {
  auto& transaction = session_.open<MqttTransaction>();
  transaction.direction = direction;
  transaction.skip(opposite(direction));
  transaction.messages.push_back(message);
  return transaction;
}

MqttTransaction* MqttParser::find(uint32_t packet_id) const noexcept {
  for (AppTransaction* const each : session_.transactions()) {
    auto* const transaction = static_cast<MqttTransaction*>(each);
    if (transaction->packet_id == packet_id && !transaction->is_complete()) {
      return transaction;
    }
  }
  return nullptr;
}

namespace {

/// Makes the texts of a message live as long as its transaction.
void keep_texts(MqttTransaction& transaction, mqtt::Message& message) {
  for (Bytes* const text :
       {&message.protocol, &message.client_id, &message.will_topic, &message.will_message,
        &message.username, &message.password, &message.topic, &message.content, &message.list}) {
    *text = transaction.keep(*text);
  }
}

}  // namespace

void MqttParser::take(Direction direction, const mqtt::Message& message) {
  const Type type = message.header.type;
  if (type == Type::connect) {
    version_ = message.version;
    MqttTransaction& transaction = open(direction, message);
    keep_texts(transaction, transaction.messages.back());
    if (is_connected_) {
      transaction.raise(direction, AppEvent::mqtt_double_connect);
    } else {
      transaction.packet_id = MqttTransaction::connect_id;
    }
    return;
  }
  if (type == Type::unassigned) {
    MqttTransaction& transaction = open(direction, message);
    transaction.raise(direction, AppEvent::mqtt_unassigned_msg_type);
    complete(transaction);
    return;
  }
  if (!is_connected_ && type != Type::connect_acknowledged) {
    MqttTransaction& transaction = open(direction, message);
    keep_texts(transaction, transaction.messages.back());
    transaction.raise(direction, AppEvent::mqtt_unintroduced_message);
    return;
  }
  if (is_answer(type)) {
    take_answer(direction, message);
  } else {
    take_question(direction, message);
  }
}

void MqttParser::take_question(Direction direction, const mqtt::Message& message) {
  MqttTransaction& transaction = open(direction, message);
  keep_texts(transaction, transaction.messages.back());
  const Type type = message.header.type;
  const bool has_quality =
      type == Type::publish || type == Type::subscribe || type == Type::unsubscribe;
  if (!has_quality || message.header.quality == 0) {
    complete(transaction);
  } else if (message.header.quality > quality_max) {
    transaction.raise(direction, AppEvent::mqtt_invalid_qos_level);
  } else {
    transaction.packet_id = message.message_id;
  }
}

void MqttParser::take_answer(Direction direction, const mqtt::Message& message) {
  const Type type = message.header.type;
  const bool is_of_connect = type == Type::connect_acknowledged;
  MqttTransaction* const transaction =
      find(is_of_connect ? MqttTransaction::connect_id : message.message_id);
  if (transaction == nullptr) {
    MqttTransaction& lone = open(direction, message);
    keep_texts(lone, lone.messages.back());
    lone.raise(direction, event_of_missing(type));
    return;
  }
  constexpr size_t messages_max = 16;  // a talk about one publication has four
  if (transaction->messages.size() < messages_max) {
    transaction->messages.push_back(message);
    keep_texts(*transaction, transaction->messages.back());
  }
  if (is_of_connect) {
    is_connected_ = true;
  }
  if (type != Type::publish_received && type != Type::publish_released) {
    complete(*transaction);
  }
}

void MqttParser::take_truncated(Direction direction, const mqtt::Header& header) {
  mqtt::Message message;
  message.header = header;
  message.is_truncated = true;
  complete(open(direction, message));
}

/// Rules look at fields once all messages are there.
void MqttParser::complete(MqttTransaction& transaction) {
  transaction.packet_id = MqttTransaction::none;
  transaction.add_number(transaction.direction, Field::mqtt_protocol_version, version_);
  for (const mqtt::Message& message : transaction.messages) {
    add_values(transaction, message);
  }
  transaction.reach(transaction.direction, Progress::complete);
}

void MqttParser::add_values(MqttTransaction& transaction, const mqtt::Message& message) const {
  const Direction side = transaction.direction;
  const mqtt::Header& header = message.header;
  transaction.add_number(side, Field::mqtt_type, static_cast<uint8_t>(header.type));
  transaction.add_number(side, Field::mqtt_flags,
                         (header.is_duplicate ? 8u : 0u) | (header.is_retained ? 1u : 0u));
  transaction.add_number(side, Field::mqtt_qos, header.quality);
  if (message.is_truncated) {
    return;
  }
  if (message.reason) {
    transaction.add_number(side, Field::mqtt_reason_code, *message.reason);
  }
  if (header.type == Type::connect) {
    transaction.add_number(side, Field::mqtt_connect_flags, message.connect_flags);
  }
  if (header.type == Type::connect_acknowledged) {
    transaction.add_number(side, Field::mqtt_connack_session_present,
                           message.is_session_present ? 1 : 0);
  }
  struct Text {
    Field field;
    Bytes bytes;
  };
  const Text texts[] = {
      {Field::mqtt_connect_clientid, message.client_id},
      {Field::mqtt_connect_username, message.username},
      {Field::mqtt_connect_password, message.password},
      {Field::mqtt_connect_willtopic, message.will_topic},
      {Field::mqtt_connect_willmessage, message.will_message},
      {Field::mqtt_connect_protocol_string, message.protocol},
      {Field::mqtt_publish_topic, message.topic},
      {Field::mqtt_publish_message, message.content},
  };
  for (const Text& text : texts) {
    if (!text.bytes.empty()) {
      transaction.add_kept(side, text.field, text.bytes);
    }
  }
  const bool subscribes = header.type == Type::subscribe;
  ByteReader list(message.list);
  if (subscribes || header.type == Type::unsubscribe) {
    for (size_t i = 0; i < topics_max && list.left() != 0; ++i) {
      const Bytes topic = mqtt::take_text(list);
      if (subscribes) {
        list.skip(1);
      }
      if (list.failed()) {
        break;
      }
      transaction.add_kept(
          side, subscribes ? Field::mqtt_subscribe_topic : Field::mqtt_unsubscribe_topic, topic);
    }
    return;
  }
  for (size_t i = 0; i < topics_max && list.left() != 0; ++i) {
    transaction.add_number(side, Field::mqtt_reason_code, list.u8());
  }
}

constinit const ParserRow mqtt_row =
    row_of_parser<MqttParser>({.protocol = AppProtocol::mqtt, .probes = probes});

}  // namespace shrike::protocol
