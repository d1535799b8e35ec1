#pragma once
#include <optional>

#include "shrike/base/bytes.h"

/// Messages of the Common Industrial Protocol. Source: CIP Networks Library, volume 1, chapters 2
/// and 5, appendix C; what is looked at is as in Suricata 8.
namespace shrike::protocol {

/// One request or response. Borrows the bytes it was read from.
struct Cip {
  uint8_t service = 0;  ///< without the bit that marks a response
  bool is_response = false;
  uint8_t status = 0;     ///< of a response
  Bytes extended_status;  ///< of a response
  Bytes path;             ///< of a request, checked
  Bytes attributes;       ///< of a request for several: little endian, 16 bits each
  Bytes services;         ///< of a packet of several: from their number on, checked
  uint16_t services_count = 0;
};

/// One step of a path.
struct CipSegment {
  uint8_t type = 0;
  uint32_t value = 0;
  [[nodiscard]] constexpr uint8_t kind() const noexcept { return type >> 2; }
};
inline constexpr uint8_t cip_class_segment = 8;
inline constexpr uint8_t cip_instance_segment = 9;
inline constexpr uint8_t cip_attribute_segment = 12;

inline constexpr uint8_t cip_multiple_service = 0x0a;

/// Takes one segment off a path; nothing where there is none that can be read.
[[nodiscard]] std::optional<CipSegment> take_cip_segment(ByteReader& path) noexcept;
/// Reads a message with all that it holds.
[[nodiscard]] std::optional<Cip> read_cip(Bytes bytes) noexcept;
/// One of the services in a packet of several, that read_cip has checked.
[[nodiscard]] Cip cip_service_in(const Cip& packet, uint16_t index) noexcept;

}  // namespace shrike::protocol
