#pragma once
#include <algorithm>
#include <cstdint>

/// What the numbers of the fields `modbus` and `cip_service` mean, for those who write them (the
/// parsers) and those who compare them (the keywords). A message has many of these numbers; a rule
/// asks for each of its conditions on its own.
namespace shrike::modbus_number {

enum class Kind : uint8_t {
  unit = 1,
  function,     ///< as `function_of` gives it
  subfunction,  ///< of a diagnostic message
  category,     ///< the one bit, see `category`
  access,       ///< one bit of `access`; a message may have several
  first_address,
  last_address,
  value,  ///< address << 16 | what is written there
};

[[nodiscard]] constexpr uint64_t make(Kind kind, uint64_t number) noexcept {
  return static_cast<uint64_t>(kind) << 56 | number;
}

/// Functions that have no name count as the same one.
inline constexpr uint8_t unknown_function = 0x2c;
[[nodiscard]] constexpr uint8_t function_of(uint8_t raw) noexcept {
  return (raw >= 0x01 && raw <= 0x18) || raw == 0x2b ? raw : unknown_function;
}

namespace access {
inline constexpr uint8_t read = 0x01;
inline constexpr uint8_t write = 0x02;
inline constexpr uint8_t discretes = 0x04;
inline constexpr uint8_t coils = 0x08;
inline constexpr uint8_t input = 0x10;
inline constexpr uint8_t holding = 0x20;
inline constexpr uint8_t single = 0x40;
inline constexpr uint8_t multiple = 0x80;
}  // namespace access

namespace category {
inline constexpr uint8_t public_assigned = 0x01;
inline constexpr uint8_t public_unassigned = 0x02;
inline constexpr uint8_t user_defined = 0x04;
inline constexpr uint8_t reserved = 0x08;
}  // namespace category

}  // namespace shrike::modbus_number

namespace shrike::cip_number {

/// Classes and attributes above this count as the same one: both fit beside the service.
inline constexpr uint32_t part_max = 0xffffff;

[[nodiscard]] constexpr uint64_t service(uint8_t service) noexcept {
  return uint64_t{1} << 56 | service;
}
[[nodiscard]] constexpr uint64_t service_class(uint8_t service, uint32_t a_class) noexcept {
  return uint64_t{2} << 56 | uint64_t{service} << 48 | std::min(a_class, part_max);
}
[[nodiscard]] constexpr uint64_t service_class_attribute(uint8_t service, uint32_t a_class,
                                                         uint32_t attribute) noexcept {
  return (uint64_t{0x80} | service) << 56 | uint64_t{std::min(a_class, part_max)} << 24 |
         std::min(attribute, part_max);
}

}  // namespace shrike::cip_number
