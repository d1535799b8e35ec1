#include "modbus_message.h"

namespace shrike::protocol {

namespace {

using Shape = ModbusMessage::Shape;
namespace access = modbus_number::access;
namespace category = modbus_number::category;
namespace fault = modbus_fault;

constexpr size_t header_bytes = 6;
constexpr uint16_t length_min = 2;  ///< unit and function
constexpr uint16_t length_max = 254;
constexpr uint16_t bits_max = 2000;
constexpr uint16_t words_max = 125;
constexpr uint8_t read_bytes_max = 250;
constexpr uint8_t bit_access = access::discretes | access::coils;

namespace function {
constexpr uint8_t read_exception_status = 7;
constexpr uint8_t diagnostic = 8;
constexpr uint8_t event_counter = 11;
constexpr uint8_t event_log = 12;
constexpr uint8_t report_server_id = 17;
constexpr uint8_t read_file = 20;
constexpr uint8_t write_file = 21;
constexpr uint8_t read_write_registers = 23;
constexpr uint8_t read_queue = 24;
constexpr uint8_t mei = 43;
}  // namespace function

uint8_t access_of(uint8_t code) noexcept {
  switch (code) {
    case 1:
      return access::coils | access::read;
    case 2:
      return access::discretes | access::read;
    case 3:
      return access::holding | access::read;
    case 4:
      return access::input | access::read;
    case 5:
      return access::coils | access::write | access::single;
    case 6:
      return access::holding | access::write | access::single;
    case 15:
      return access::coils | access::write | access::multiple;
    case 16:
      return access::holding | access::write | access::multiple;
    case 22:
      return access::holding | access::write;
    case 23:
      return access::holding | access::read | access::write | access::multiple;
    default:
      return 0;
  }
}

/// Of a function without a name. Source: V1.1b, chapter 5.
uint8_t category_of_unknown(uint8_t raw) noexcept {
  if (raw == 0 || raw >= 128) return 0;
  if ((raw >= 65 && raw < 73) || (raw >= 100 && raw < 111)) return category::user_defined;
  const bool is_reserved =
      (raw >= 9 && raw < 15) || raw == 41 || raw == 42 || raw == 90 || raw == 91 || raw >= 125;
  return is_reserved ? category::reserved : category::public_unassigned;
}

uint8_t category_of(const ModbusMessage& message) noexcept {
  switch (message.function) {
    case function::diagnostic:
      if (message.shape != Shape::diagnostic) return 0;
      return modbus_diagnostic_name(message.code) == "Reserved" ? category::reserved
                                                                : category::public_assigned;
    case function::mei:
      if (message.shape != Shape::mei) return 0;
      return modbus_mei_name(message.code) == "Unknown" ? category::reserved
                                                        : category::public_assigned;
    case modbus_number::unknown_function:
      return category_of_unknown(message.function_raw);
    default:
      return category::public_assigned;
  }
}

/// Reads what follows the function code into a message. What does not fit makes the reader fail.
class BodyReader {
 public:
  BodyReader(Bytes body, ModbusMessage& message) noexcept : reader_(body), message_(message) {}

  void read(ModbusRole role) noexcept {
    const Bytes all = reader_.rest();
    if (role == ModbusRole::request) {
      read_request();
    } else if (role == ModbusRole::response) {
      read_response();
    } else {
      read_as_either();
    }
    if (reader_.failed() || reader_.left() > 0) {
      add(fault::length);
    }
    if (reader_.failed() && message_.shape == Shape::empty) {
      message_.shape = Shape::bytes;
      message_.data = all;
    }
  }

 private:
  [[nodiscard]] bool has(uint8_t any_of) const noexcept { return (message_.access & any_of) != 0; }
  void add(uint8_t faults) noexcept { message_.faults |= faults; }
  void add_if(bool is_wrong, uint8_t faults) noexcept {
    if (is_wrong) add(faults);
  }
  void take_rest(Shape shape) noexcept {
    message_.shape = shape;
    message_.data = reader_.take(reader_.left());
  }

  void read_as_either() noexcept {
    if (message_.is_exception()) {
      read_exception();
    } else if (message_.function == function::diagnostic) {
      read_diagnostic();
    } else if (message_.function == function::mei) {
      read_mei();
    } else {
      take_rest(Shape::bytes);
    }
  }

  void read_request() noexcept {
    const size_t left = reader_.left();
    switch (message_.function) {
      case function::diagnostic:
        add_if(left != 4, fault::length);
        read_diagnostic();
        check_diagnostic();
        return;
      case function::mei:
        read_mei();
        return;
      default:
        break;
    }
    if (has_wrong_size(left)) {
      add(fault::length);
      take_rest(Shape::bytes);
      return;
    }
    add_if(message_.function_raw == 0 || message_.is_exception(), fault::function_code);
    if (has(access::read)) {
      read_read_request();
      if (!has(access::write) || reader_.failed()) return;
    }
    if (has(access::write)) {
      read_write_request();
    } else {
      take_rest(Shape::bytes);
    }
  }

  /// Of requests whose size is fixed.
  [[nodiscard]] bool has_wrong_size(size_t left) const noexcept {
    switch (message_.function) {
      case function::read_file:
      case function::write_file:
        return left == 0;
      case function::read_exception_status:
      case function::event_counter:
      case function::event_log:
      case function::report_server_id:
        return left > 0;
      case function::read_queue:
        return left != 2;
      default:
        return false;
    }
  }

  void read_response() noexcept {
    if (message_.is_exception()) {
      read_exception();
    } else if (message_.function == function::diagnostic) {
      read_diagnostic();
    } else if (message_.function == function::mei) {
      read_mei();
    } else if (has(access::read)) {
      read_read_response();
    } else if (has(access::write)) {
      read_write_response();
    } else {
      add_if(message_.function == function::read_exception_status && reader_.left() != 1,
             fault::length);
      add_if(message_.function == function::event_counter && reader_.left() != 4, fault::length);
      take_rest(Shape::bytes);
    }
  }

  void read_exception() noexcept {
    const uint8_t code = reader_.u8();
    if (reader_.failed()) return;
    message_.shape = Shape::exception;
    message_.code = code;
    // Suricata has more of these checks, on a function code that has its highest bit set by now:
    // they never hold.
    constexpr uint8_t parity = 8;
    const bool is_file =
        message_.function == function::read_file || message_.function == function::write_file;
    add_if((code == parity && !is_file) || modbus_exception_name(code) == "Unknown",
           fault::exception_code);
  }

  void read_diagnostic() noexcept {
    if (reader_.left() < 2) {
      add(fault::length);
      return;
    }
    message_.code = reader_.big16();
    take_rest(Shape::diagnostic);
  }

  /// The two bytes of data that a request brings.
  void check_diagnostic() noexcept {
    if (message_.shape != Shape::diagnostic || message_.data.size() != 2) return;
    const uint8_t first = message_.data[0];
    const uint8_t second = message_.data[1];
    constexpr uint16_t query = 0;
    constexpr uint16_t restart = 1;
    constexpr uint16_t delimiter = 3;
    constexpr uint16_t listen_only = 4;
    switch (message_.code) {
      case query:
      case listen_only:
        return;
      case restart:
        add_if(second != 0 || (first != 0 && first != 0xff), fault::value);
        return;
      case delimiter:
        add_if(second != 0, fault::value);
        return;
      default:
        add_if(modbus_diagnostic_name(message_.code) != "Reserved" && (first != 0 || second != 0),
               fault::value);
    }
  }

  void read_mei() noexcept {
    if (reader_.left() < 1) {
      add(fault::length);
      return;
    }
    message_.code = reader_.u8();
    take_rest(Shape::mei);
  }

  void read_read_request() noexcept {
    const size_t whole = reader_.left();
    const uint16_t address = reader_.big16();
    const uint16_t quantity = reader_.big16();
    if (reader_.failed()) return;
    add_if(quantity == 0, fault::value);
    add_if(message_.function != function::read_write_registers && whole > 4, fault::length);
    add_if(quantity > (has(bit_access) ? bits_max : words_max), fault::value);
    message_.shape = Shape::read_request;
    message_.read_address = address;
    message_.read_quantity = quantity;
  }

  void read_read_response() noexcept {
    if (reader_.left() < 1) {
      add(fault::length);
      return;
    }
    const uint8_t count = reader_.u8();
    add_if(count == 0 || count > read_bytes_max, fault::value);
    add_if(reader_.left() != count, fault::value);
    take_rest(Shape::read_response);
  }

  void read_write_request() noexcept {
    const uint16_t address = reader_.big16();
    if (has(access::single)) {
      const uint16_t value = reader_.big16();
      if (reader_.failed()) return;
      add_if(has(access::coils) && value != 0 && value != 0xff00, fault::value);
      set_write(Shape::write_other, address, value);
    } else if (has(access::multiple)) {
      read_values(address);
    } else {
      read_masks(address);
    }
  }

  void read_values(uint16_t address) noexcept {
    const uint16_t quantity = reader_.big16();
    const uint8_t count = reader_.u8();
    if (reader_.failed()) return;
    add_if(quantity == 0 || reader_.left() != count, fault::length);
    if (has(bit_access)) {
      add_if(quantity > bits_max || count != quantity / 8 + (quantity % 8 != 0 ? 1 : 0),
             fault::value);
    } else {
      add_if(quantity > words_max || count != 2 * quantity, fault::value);
    }
    set_write(message_.shape == Shape::read_request ? Shape::read_write : Shape::write_values,
              address, quantity);
    message_.data = reader_.take(reader_.left());
  }

  void read_masks(uint16_t address) noexcept {
    const uint16_t and_mask = reader_.big16();
    const uint16_t or_mask = reader_.big16();
    if (reader_.failed()) return;
    set_write(Shape::write_mask, address, and_mask);
    message_.or_mask = or_mask;
  }

  void read_write_response() noexcept {
    const uint16_t address = reader_.big16();
    if (!has(access::single | access::multiple)) {
      read_masks(address);
      return;
    }
    const uint16_t value = reader_.big16();
    if (reader_.failed()) return;
    if (!has(access::single)) {
      // The two limits the other way round: so it is in Suricata.
      add_if(value == 0 || value > (has(bit_access) ? words_max : bits_max), fault::value);
    }
    set_write(Shape::write_other, address, value);
  }

  void set_write(Shape shape, uint16_t address, uint16_t quantity) noexcept {
    message_.shape = shape;
    message_.address = address;
    message_.quantity = quantity;
  }

  ByteReader reader_;
  ModbusMessage& message_;
};

}  // namespace

bool ModbusMessage::find_addresses(uint16_t& first, uint16_t& last) const noexcept {
  uint32_t start = address;
  uint32_t count = quantity;
  switch (shape) {
    case Shape::write_other:
    case Shape::write_mask:
      count = 1;
      break;
    case Shape::read_request:
      start = read_address;
      count = read_quantity;
      break;
    case Shape::write_values:
    case Shape::read_write:
      break;
    default:
      return false;
  }
  if (count == 0 || count > UINT16_MAX - start) {
    return false;
  }
  first = static_cast<uint16_t>(start + 1);
  last = static_cast<uint16_t>(start + count);
  return true;
}

bool ModbusMessage::find_value(uint16_t at, uint16_t& value) const noexcept {
  const bool is_coil = (access & modbus_number::access::coils) != 0;
  if ((access & modbus_number::access::single) != 0) {
    value = is_coil ? static_cast<uint16_t>(quantity != 0) : quantity;
    return shape == Shape::write_other;
  }
  if ((shape != Shape::write_values && shape != Shape::read_write) || at <= address) {
    return false;
  }
  // Suricata's way to find a coil: two bytes from a place that is not the coil's own beyond the
  // first few, the bit out of the second of them.
  const size_t index = at - (size_t{address} + 1);
  const size_t offset = is_coil ? index * 2 / 8 : index * 2;
  if (offset + 1 >= data.size()) {
    return false;
  }
  value = load_big16(data.data() + offset);
  if (is_coil) {
    value = static_cast<uint16_t>(value >> (index & 7) & 1);
  }
  return true;
}

bool ModbusMessage::matches(const ModbusMessage& other) noexcept {
  if (transaction_id != other.transaction_id || unit != other.unit || function != other.function ||
      access != other.access) {
    return false;
  }
  if (category != modbus_number::category::public_assigned || other.shape == Shape::exception ||
      shape == Shape::exception) {
    return true;
  }
  return agrees(other);
}

bool ModbusMessage::agrees(const ModbusMessage& other) noexcept {
  if (shape == Shape::bytes || other.shape == Shape::bytes) {
    if (shape == other.shape) return true;
    return ((shape == Shape::bytes ? faults : other.faults) & fault::length) != 0;
  }
  const bool is_response = shape == Shape::read_response;
  if (is_response || other.shape == Shape::read_response) {
    const ModbusMessage& request = is_response ? other : *this;
    const size_t got = is_response ? data.size() : other.data.size();
    const size_t count = request.read_quantity;
    if (request.shape == Shape::read_request) {
      // As if registers were bits: so it is in Suricata.
      faults |= got != (count + 7) / 8 ? fault::value : uint8_t{0};
      return true;
    }
    if (request.shape == Shape::read_write) {
      faults |= got != 2 * count ? fault::value : uint8_t{0};
      return true;
    }
    return false;
  }
  if (shape == Shape::diagnostic || shape == Shape::mei) {
    return shape == other.shape && code == other.code;
  }
  return agrees_about_writing(other);
}

bool ModbusMessage::agrees_about_writing(const ModbusMessage& other) noexcept {
  const bool is_other = shape == Shape::write_other;
  const bool has_values = shape == Shape::write_values;
  const bool fits =
      (is_other && (other.shape == Shape::write_other || other.shape == Shape::write_values)) ||
      (has_values && other.shape == Shape::write_other) ||
      (shape == Shape::write_mask && other.shape == Shape::write_mask);
  if (!fits) {
    return false;
  }
  const bool is_same = address == other.address && quantity == other.quantity &&
                       (shape != Shape::write_mask || or_mask == other.or_mask);
  faults |= is_same ? uint8_t{0} : fault::value;
  return true;
}

ModbusRead read_modbus(Bytes bytes, ModbusRole role) noexcept {
  ModbusRead read;
  if (bytes.size() < header_bytes) {
    read.needed = header_bytes;
    return read;
  }
  ModbusMessage& message = read.message;
  message.transaction_id = load_big16(bytes.data());
  message.protocol_id = load_big16(bytes.data() + 2);
  message.length = load_big16(bytes.data() + 4);
  if (message.protocol_id != 0) {
    message.faults |= fault::protocol_id;
  }
  if (message.length < length_min || message.length > length_max) {
    // As much of it as there is goes with it; what comes later is looked at as a message again.
    message.faults |= fault::length;
    read.bytes = header_bytes + std::min<size_t>(message.length, bytes.size() - header_bytes);
    return read;
  }
  const size_t whole = header_bytes + message.length;
  if (bytes.size() < whole) {
    read.needed = whole;
    return read;
  }
  message.unit = bytes[header_bytes];
  message.function_raw = bytes[header_bytes + 1];
  message.function = modbus_number::function_of(message.function_raw & 0x7f);
  message.access = access_of(message.function);
  BodyReader(bytes.first(whole).subspan(header_bytes + length_min), message).read(role);
  message.category = category_of(message);
  read.bytes = whole;
  return read;
}

}  // namespace shrike::protocol
