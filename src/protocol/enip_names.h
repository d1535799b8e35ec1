#pragma once
#include <cstdint>
#include <string_view>

/// Names of EtherNet/IP and CIP as EVE shows them; empty where there is none.
namespace shrike::protocol {

[[nodiscard]] std::string_view enip_command_name(uint16_t command) noexcept;
[[nodiscard]] std::string_view enip_status_name(uint32_t status) noexcept;
[[nodiscard]] std::string_view enip_vendor_name(uint16_t vendor) noexcept;
[[nodiscard]] std::string_view enip_device_name(uint16_t type) noexcept;
[[nodiscard]] std::string_view cip_service_name(uint8_t service) noexcept;
[[nodiscard]] std::string_view cip_class_name(uint32_t a_class) noexcept;
[[nodiscard]] std::string_view cip_status_name(uint8_t status) noexcept;
[[nodiscard]] std::string_view cip_extended_status_name(uint16_t status) noexcept;

}  // namespace shrike::protocol
