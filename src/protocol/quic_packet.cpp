#include "quic_packet.h"

namespace shrike::protocol {

namespace {

constexpr size_t authentication_bytes = 12;  ///< Google's versions: hash behind the packet number

/// Google's, with a header of IETF's kind.
constexpr bool is_google_long(uint32_t version) noexcept {
  return version >= quic_version::q043 && version <= quic_version::q046;
}

std::optional<QuicPacketType> type_of(uint8_t first, uint32_t version) noexcept {
  using enum QuicPacketType;
  if (version == 0) {
    return version_negotiation;
  }
  if (is_google_long(version) && version != quic_version::q046) {
    switch (first & 0x7f) {
      case 0x7f:
        return initial;
      case 0x7e:
        return retry;
      case 0x7d:
        return handshake;
      case 0x7c:
        return zero_rtt;
      default:
        return std::nullopt;
    }
  }
  static constexpr QuicPacketType types[] = {initial, zero_rtt, handshake, retry};
  const unsigned bits = first >> 4 & 3U;
  // Version 2 counts on by one (RFC 9369 section 3.2).
  return types[version == quic_version::version2 ? (bits + 3) & 3U : bits];
}

/// Lengths of four bits each, 0 or three less than they mean.
void read_google_connections(ByteReader& reader, QuicHeader& header) noexcept {
  const uint8_t lengths = reader.u8();
  const size_t target = lengths >> 4;
  const size_t source = lengths & 15;
  header.target = reader.take(target == 0 ? 0 : target + 3);
  reader.skip(source == 0 ? 0 : source + 3);
}

bool read_long(ByteReader& reader, uint8_t first, QuicHeader& header) noexcept {
  header.is_long = true;
  header.version_bytes = reader.take(4);
  if (reader.failed()) {
    return false;
  }
  header.version = load_big32(header.version_bytes.data());
  const auto type = type_of(first, header.version);
  if (!type) {
    return false;
  }
  header.type = *type;
  const bool is_google = is_google_long(header.version);
  if (is_google) {
    read_google_connections(reader, header);
  } else {
    header.target = reader.take(reader.u8());
    reader.skip(reader.u8());
  }
  header.payload_bytes = reader.left();
  if (header.type != QuicPacketType::initial) {
    return !reader.failed();
  }
  if (is_google) {
    reader.skip(sizeof(uint32_t) + authentication_bytes);
    header.payload_bytes = reader.left();
    return !reader.failed();
  }
  const uint64_t token_bytes = read_quic_number(reader);
  if (token_bytes > reader.left() || !reader.skip(static_cast<size_t>(token_bytes))) {
    return false;
  }
  const uint64_t payload_bytes = read_quic_number(reader);
  if (reader.failed() || payload_bytes > reader.left()) {
    return false;
  }
  header.payload_bytes = static_cast<size_t>(payload_bytes);
  return true;
}

/// The public header of Google's first versions; bits say what is there.
void read_google_public(ByteReader& reader, uint8_t first, QuicHeader& header) noexcept {
  constexpr uint8_t has_connection = 0x08;
  constexpr uint8_t has_nonce = 0x04;
  constexpr uint8_t has_version = 0x01;
  if ((first & has_connection) != 0) {
    header.target = reader.take(8);
  } else if ((first & has_nonce) != 0) {
    reader.skip(32);
  }
  if ((first & has_version) != 0) {
    header.type = QuicPacketType::initial;
    header.version_bytes = reader.take(4);
    header.version = header.version_bytes.empty() ? 0 : load_big32(header.version_bytes.data());
  }
  reader.skip(1U + (first >> 4 & 3U));
  if ((first & has_connection) != 0) {
    reader.skip(authentication_bytes);
  }
  header.payload_bytes = reader.left();
}

}  // namespace

uint64_t read_quic_number(ByteReader& reader) noexcept {
  const uint8_t first = reader.u8();
  uint64_t value = first & 0x3f;
  for (unsigned more = (1U << (first >> 6)) - 1; more > 0; --more) {
    value = value << 8 | reader.u8();
  }
  return value;
}

std::optional<QuicHeader> read_quic_header(Bytes bytes) noexcept {
  constexpr uint8_t long_form = 0x80;
  constexpr uint8_t fixed_bit = 0x40;
  ByteReader reader(bytes);
  QuicHeader header;
  const uint8_t first = reader.u8();
  if ((first & long_form) != 0) {
    if (!read_long(reader, first, header)) {
      return std::nullopt;
    }
  } else if ((first & fixed_bit) == 0) {
    read_google_public(reader, first, header);
  } else {
    header.payload_bytes = reader.left();
  }
  if (reader.failed()) {
    return std::nullopt;
  }
  header.header_bytes = bytes.size() - reader.left();
  return header;
}

}  // namespace shrike::protocol
