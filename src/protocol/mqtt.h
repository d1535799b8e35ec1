#pragma once
#include "mqtt_message.h"
#include "parser.h"

/// MQTT 3.1, 3.1.1 and 5.0. Source: OASIS MQTT 5.0, chapters 2 and 3.
namespace shrike::protocol {

/// A message with those that answer it.
class MqttTransaction : public AppTransaction {
 public:
  explicit MqttTransaction(Pool& pool) : AppTransaction(pool), messages(pool) {}

  Direction direction = Direction::to_server;  ///< of its first message: rules look there
  /// What its answers carry; connect_id for a CONNECT, none where no answer is awaited.
  uint32_t packet_id = none;
  static constexpr uint32_t none = UINT32_MAX;
  static constexpr uint32_t connect_id = 1u << 16;
  PoolVector<mqtt::Message> messages;
};

class MqttParser {
 public:
  explicit MqttParser(Session& session) : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  [[nodiscard]] MqttTransaction& open(Direction direction, const mqtt::Message& message);
  [[nodiscard]] MqttTransaction* find(uint32_t packet_id) const noexcept;
  void take(Direction direction, const mqtt::Message& message);
  void take_question(Direction direction, const mqtt::Message& message);
  void take_answer(Direction direction, const mqtt::Message& message);
  void take_truncated(Direction direction, const mqtt::Header& header);
  void complete(MqttTransaction& transaction);
  void add_values(MqttTransaction& transaction, const mqtt::Message& message) const;

  Session& session_;
  std::array<uint64_t, 2> skip_bytes_{};  ///< of a message that is too long, by Direction
  uint8_t version_ = 0;                   ///< as the last CONNECT said
  bool is_connected_ = false;
};

extern const ParserRow mqtt_row;

}  // namespace shrike::protocol
