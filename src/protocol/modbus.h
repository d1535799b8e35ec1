#pragma once
#include "modbus_message.h"
#include "parser.h"

/// Modbus over TCP. Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b.
namespace shrike::protocol {

/// A request and its response, or either alone.
class ModbusTransaction : public AppTransaction {
 public:
  explicit ModbusTransaction(Pool& pool) : AppTransaction(pool) {}

  bool has_request = false;
  bool has_response = false;
  ModbusMessage request;  ///< data lives as long as the transaction
  ModbusMessage response;
};

class ModbusParser {
 public:
  explicit ModbusParser(Session& session) : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  [[nodiscard]] bool take(Direction direction, ModbusMessage& message);
  [[nodiscard]] ModbusTransaction* find_partner(Direction direction,
                                                ModbusMessage& message) const noexcept;
  [[nodiscard]] ModbusTransaction* open(Direction direction);

  Session& session_;
  bool is_flooded_ = false;
};

extern const ParserRow modbus_row;

}  // namespace shrike::protocol
