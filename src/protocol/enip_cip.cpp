#include "enip_cip.h"

namespace shrike::protocol {

namespace {

constexpr uint8_t response_bit = 0x80;
constexpr uint8_t get_attributes = 3;
constexpr uint8_t set_attributes = 4;
/// Services in one packet: they may overlap, so their number is no longer bounded by its size.
constexpr uint16_t services_max = 4096;

bool is_good_path(Bytes path) noexcept {
  ByteReader reader(path);
  while (reader.left() > 0) {
    if (!take_cip_segment(reader)) {
      return false;
    }
  }
  return true;
}

bool read_services(ByteReader& reader, Cip& cip) noexcept;

bool read_request(ByteReader& reader, Cip& cip, bool may_hold_services) noexcept {
  const size_t path_bytes = size_t{reader.u8()} * 2;
  cip.path = reader.take(path_bytes);
  if (reader.failed() || !is_good_path(cip.path)) {
    return false;
  }
  if (cip.service == get_attributes) {
    const size_t count = reader.little16();
    cip.attributes = reader.take(count * 2);
  } else if (cip.service == set_attributes) {
    // What follows the first one is as its class wants.
    const bool has_one = reader.little16() > 0;
    cip.attributes = reader.take(has_one ? 2 : 0);
  } else if (cip.service == cip_multiple_service && may_hold_services) {
    return read_services(reader, cip);
  }
  return !reader.failed();
}

bool read_response(ByteReader& reader, Cip& cip, bool may_hold_services) noexcept {
  reader.skip(1);
  cip.status = reader.u8();
  const size_t extended_bytes = reader.u8();
  cip.extended_status = reader.take(extended_bytes);
  if (cip.service == cip_multiple_service && may_hold_services) {
    return read_services(reader, cip);
  }
  return !reader.failed();
}

std::optional<Cip> read_one(Bytes bytes, bool may_hold_services) noexcept {
  ByteReader reader(bytes);
  const uint8_t service = reader.u8();
  Cip cip;
  cip.service = service & static_cast<uint8_t>(~response_bit);
  cip.is_response = (service & response_bit) != 0;
  if (reader.failed()) {
    return std::nullopt;
  }
  const bool is_good = cip.is_response ? read_response(reader, cip, may_hold_services)
                                       : read_request(reader, cip, may_hold_services);
  return is_good ? std::optional(cip) : std::nullopt;
}

Bytes service_bytes(Bytes services, uint16_t index) noexcept {
  const size_t offset = load_little16(services.data() + 2 + size_t{index} * 2);
  return offset < services.size() ? services.subspan(offset) : Bytes{};
}

bool read_services(ByteReader& reader, Cip& cip) noexcept {
  cip.services = reader.rest();
  cip.services_count = reader.little16();
  reader.take(size_t{cip.services_count} * 2);
  if (reader.failed() || cip.services_count > services_max) {
    return false;
  }
  for (uint16_t i = 0; i < cip.services_count; ++i) {
    if (!read_one(service_bytes(cip.services, i), false)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<CipSegment> take_cip_segment(ByteReader& path) noexcept {
  constexpr uint8_t logical = 1;
  CipSegment segment{.type = path.u8()};
  if (path.failed() || segment.type >> 5 != logical) {
    return std::nullopt;
  }
  switch (segment.type & 3) {
    case 0:
      segment.value = path.u8();
      break;
    case 1:
      path.skip(1);
      segment.value = path.little16();
      break;
    case 2:
      path.skip(1);
      segment.value = path.little32();
      break;
    default:
      return std::nullopt;
  }
  return path.failed() ? std::nullopt : std::optional(segment);
}

std::optional<Cip> read_cip(Bytes bytes) noexcept {
  return read_one(bytes, true);
}

Cip cip_service_in(const Cip& packet, uint16_t index) noexcept {
  return read_one(service_bytes(packet.services, index), false).value_or(Cip{});
}

}  // namespace shrike::protocol
