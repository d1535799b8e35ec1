#pragma once
#include <optional>

#include "shrike/base/bytes.h"

/// Headers of QUIC packets, of IETF's and of Google's versions. Sources: RFC 9000 section 17,
/// RFC 9369 section 3.2; "QUIC Wire Layout Specification" for Q043 to Q046.
namespace shrike::protocol {

enum class QuicPacketType : uint8_t {
  initial,
  zero_rtt,
  handshake,
  retry,
  version_negotiation,
  short_header,
};

struct QuicHeader {
  QuicPacketType type = QuicPacketType::short_header;
  bool is_long = false;
  uint32_t version = 0;
  Bytes version_bytes;  ///< as on the wire; empty where there is none
  Bytes target;         ///< destination connection id
  size_t header_bytes = 0;
  size_t payload_bytes = 0;  ///< behind the header, of this packet
};

namespace quic_version {
inline constexpr uint32_t q039 = 0x51303339;
inline constexpr uint32_t q043 = 0x51303433;
inline constexpr uint32_t q044 = 0x51303434;
inline constexpr uint32_t q045 = 0x51303435;
inline constexpr uint32_t q046 = 0x51303436;
inline constexpr uint32_t version2 = 0x6b3343cf;
}  // namespace quic_version

/// Nothing where the bytes are no QUIC packet. Spans are of `bytes`.
[[nodiscard]] std::optional<QuicHeader> read_quic_header(Bytes bytes) noexcept;

/// A number of 1, 2, 4 or 8 bytes. Source: RFC 9000 section 16.
uint64_t read_quic_number(ByteReader& reader) noexcept;

}  // namespace shrike::protocol
