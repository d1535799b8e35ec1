// What EVE shows of MQTT.
#include "mqtt.h"

namespace shrike::protocol {

using mqtt::Type;

namespace {

void describe_connect(const mqtt::Message& message, JsonWriter& json) {
  json.text("protocol_string", as_text(message.protocol));
  json.number("protocol_version", message.version);
  json.text("client_id", as_text(message.client_id));
  json.begin_object("flags");
  json.boolean("username", (message.connect_flags & mqtt::flag_username) != 0);
  json.boolean("password", (message.connect_flags & mqtt::flag_password) != 0);
  json.boolean("will_retain", (message.connect_flags & mqtt::flag_will_retain) != 0);
  json.boolean("will", (message.connect_flags & mqtt::flag_will) != 0);
  json.boolean("clean_session", (message.connect_flags & mqtt::flag_clean_session) != 0);
  json.end_object();
  if ((message.connect_flags & mqtt::flag_username) != 0) {
    json.text("username", as_text(message.username));
  }
  if ((message.connect_flags & mqtt::flag_password) != 0) {
    json.text("password", as_text(message.password));
  }
  if ((message.connect_flags & mqtt::flag_will) != 0) {
    json.begin_object("will");
    json.text("topic", as_text(message.will_topic));
    json.text("message", as_text(message.will_message));
    json.end_object();
  }
}

void describe_topics(const mqtt::Message& message, JsonWriter& json) {
  const bool subscribes = message.header.type == Type::subscribe;
  ByteReader list(message.list);
  json.begin_array("topics");
  while (list.left() != 0) {
    const Bytes topic = mqtt::take_text(list);
    const uint8_t quality = subscribes ? list.u8() : uint8_t{0};
    if (list.failed()) {
      break;
    }
    if (subscribes) {
      json.begin_element_object();
      json.text("topic", as_text(topic));
      json.number("qos", quality);
      json.end_object();
    } else {
      json.element(as_text(topic));
    }
  }
  json.end_array();
}

void describe_codes(std::string_view key, const mqtt::Message& message, JsonWriter& json) {
  json.begin_array(key);
  for (const uint8_t code : message.list) {
    json.element(uint64_t{code});
  }
  json.end_array();
}

void describe_body(const mqtt::Message& message, JsonWriter& json) {
  switch (message.header.type) {
    case Type::connect:
      return describe_connect(message, json);
    case Type::connect_acknowledged:
      json.boolean("session_present", message.is_session_present);
      json.number("return_code", message.reason.value_or(0));
      return;
    case Type::publish:
      json.text("topic", as_text(message.topic));
      break;
    case Type::subscribe:
    case Type::unsubscribe:
      json.number("message_id", message.message_id);
      return describe_topics(message, json);
    case Type::subscribe_acknowledged:
      json.number("message_id", message.message_id);
      return describe_codes("qos_granted", message, json);
    case Type::unsubscribe_acknowledged:
      json.number("message_id", message.message_id);
      if (!message.list.empty()) {
        describe_codes("reason_codes", message, json);
      }
      return;
    default:
      break;
  }
  if (message.has_message_id) {
    json.number("message_id", message.message_id);
  }
  if (message.header.type == Type::publish) {
    json.text("message", as_text(message.content));
  }
  if (message.reason) {
    json.number("reason_code", *message.reason);
  }
}

}  // namespace

void MqttParser::describe(const AppTransaction& transaction, JsonWriter& json) {
  const auto& shown = static_cast<const MqttTransaction&>(transaction);
  json.begin_object("mqtt");
  for (const mqtt::Message& message : shown.messages) {
    const mqtt::Header& header = message.header;
    if (header.type == Type::unassigned) {
      continue;
    }
    json.begin_object(mqtt::to_text(header.type));
    json.number("qos", header.quality);
    json.boolean("retain", header.is_retained);
    json.boolean("dup", header.is_duplicate);
    if (message.is_truncated) {
      json.boolean("truncated", true);
      json.number("skipped_length", uint64_t{header.header_bytes} + header.body_bytes);
    } else {
      describe_body(message, json);
    }
    json.end_object();
  }
  json.end_object();
}

}  // namespace shrike::protocol
