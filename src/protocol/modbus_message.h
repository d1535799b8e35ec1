#pragma once
#include "shrike/base/bytes.h"
#include "shrike/model/app_protocol.h"
#include "shrike/model/device_numbers.h"
#include "shrike/model/transaction.h"

/// One message of Modbus/TCP. Sources: MODBUS Application Protocol V1.1b; what counts as a fault is
/// as in Suricata 8 (sawp-modbus).
namespace shrike::protocol {

namespace modbus_fault {
inline constexpr uint8_t value = 0x01;
inline constexpr uint8_t length = 0x02;
inline constexpr uint8_t exception_code = 0x04;
inline constexpr uint8_t function_code = 0x08;
inline constexpr uint8_t protocol_id = 0x10;
}  // namespace modbus_fault

struct ModbusMessage {
  /// What follows the function code.
  enum class Shape : uint8_t {
    empty,
    bytes,
    exception,
    diagnostic,
    mei,
    read_request,
    read_response,
    write_values,  ///< a request to write several
    write_mask,
    write_other,  ///< one value, or how many were written
    read_write,   ///< a request to read and to write
  };

  [[nodiscard]] bool is_exception() const noexcept { return function_raw >= 0x80; }
  /// First and last address, counted from 1.
  [[nodiscard]] bool find_addresses(uint16_t& first, uint16_t& last) const noexcept;
  /// What it writes to an address (counted from 1).
  [[nodiscard]] bool find_value(uint16_t at, uint16_t& value) const noexcept;
  /// Whether this answers, or asks for, the other one; may add a fault to this.
  [[nodiscard]] bool matches(const ModbusMessage& other) noexcept;

  uint16_t transaction_id = 0;
  uint16_t protocol_id = 0;
  uint16_t length = 0;
  uint8_t unit = 0;
  uint8_t function_raw = 0;
  uint8_t function = modbus_number::unknown_function;
  uint8_t access = 0;
  uint8_t category = 0;
  uint8_t faults = 0;
  Shape shape = Shape::empty;
  uint16_t code = 0;  ///< of an exception, a diagnostic or MEI message
  uint16_t read_address = 0;
  uint16_t read_quantity = 0;
  uint16_t address = 0;   ///< written to
  uint16_t quantity = 0;  ///< to write; the value or count of write_other; the and-mask
  uint16_t or_mask = 0;
  Bytes data;

 private:
  [[nodiscard]] bool agrees(const ModbusMessage& other) noexcept;
  [[nodiscard]] bool agrees_about_writing(const ModbusMessage& other) noexcept;
};

/// How a message is read: as a request, a response, or (to identify it) as either.
enum class ModbusRole : uint8_t { request, response, unknown };

struct ModbusRead {
  size_t bytes = 0;   ///< of the message; 0: it is not whole
  size_t needed = 0;  ///< where it is not
  ModbusMessage message;
};
/// Reads the message that `bytes` start with. Its data points into them.
[[nodiscard]] ModbusRead read_modbus(Bytes bytes, ModbusRole role) noexcept;

[[nodiscard]] std::string_view modbus_diagnostic_name(uint16_t code) noexcept;
[[nodiscard]] std::string_view modbus_exception_name(uint16_t code) noexcept;
[[nodiscard]] std::string_view modbus_mei_name(uint16_t code) noexcept;

}  // namespace shrike::protocol
