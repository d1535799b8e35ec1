// Objects of DNP3's application layer: their headers, and how long their points are.
// Source: IEEE 1815-2012, 4.2.2.7 (headers), annex A (objects).
#include "dnp3_objects.h"

#include <algorithm>

namespace shrike::protocol {

namespace {

/// Suricata: max-objects and max-points of one message.
constexpr size_t objects_max = 128;
constexpr uint64_t points_max = 16384;

/// Bytes of a point, and what else they may be.
constexpr uint8_t bits = 0xff;         ///< one bit each, packed
constexpr uint8_t double_bits = 0xfe;  ///< two bits each, packed
constexpr uint8_t prefixed = 0xfd;     ///< as long as the prefix says
constexpr uint8_t none = 0;            ///< unknown

struct Group {
  uint8_t number;
  std::array<uint8_t, 15> sizes;  ///< of the points of variation 1, 2 …
};

constexpr Group groups[] = {
    {1, {bits, 1}},
    {2, {1, 7, 3}},
    {3, {double_bits, 1}},
    {4, {1, 7, 3}},
    {10, {bits, 1}},
    {11, {1, 7}},
    {12, {11, 11, bits}},
    {13, {1, 7}},
    {20, {5, 3, 5, 3, 4, 2, 4, 2}},
    {21, {5, 3, 5, 3, 11, 9, 11, 9, 4, 2, 4, 2}},
    {22, {5, 3, 5, 3, 11, 9, 11, 9}},
    {23, {5, 3, 5, 3, 11, 9, 11, 9}},
    {30, {5, 3, 4, 2, 5, 9}},
    {31, {5, 3, 11, 9, 4, 2, 5, 9}},
    {32, {5, 3, 11, 9, 5, 9, 11, 15}},
    {33, {5, 3, 11, 9, 5, 9, 11, 15}},
    {34, {2, 4, 4}},
    {40, {5, 3, 5, 9}},
    {41, {5, 3, 5, 9}},
    {42, {5, 3, 11, 9, 5, 9, 11, 15}},
    {43, {5, 3, 11, 9, 5, 9, 11, 15}},
    {50, {6, 10, 6, 11}},
    {51, {6, 6}},
    {52, {2, 2}},
    {70, {prefixed, prefixed, prefixed, prefixed, prefixed, prefixed, prefixed, prefixed}},
    {80, {bits}},
    {81, {3}},
    {83, {prefixed}},
    {86, {prefixed, 1, prefixed}},
    {102, {1}},
    {120,
     {prefixed, prefixed, 6, prefixed, prefixed, prefixed, prefixed, prefixed, prefixed, prefixed,
      prefixed, prefixed, prefixed, prefixed, prefixed}},
    {121, {7}},
    {122, {13, 11}},
};

uint8_t point_bytes(uint8_t group, uint8_t variation) noexcept {
  for (const Group& each : groups) {
    if (each.number == group) {
      return variation >= 1 && variation <= each.sizes.size() ? each.sizes[variation - 1] : none;
    }
  }
  return none;
}

uint32_t read_number(ByteReader& reader, unsigned bytes) noexcept {
  switch (bytes) {
    case 1:
      return reader.u8();
    case 2:
      return reader.little16();
    default:
      return reader.little32();
  }
}

/// The range of an object's points. False where it is reserved, or cut short.
bool read_range(ByteReader& reader, Dnp3Transaction::Object& object) noexcept {
  const unsigned code = object.qualifier & 0x0f;
  if (code <= 5) {  // start and stop in 1, 2 or 4 bytes
    const unsigned bytes = 1u << (code % 3);
    object.start = read_number(reader, bytes);
    object.stop = read_number(reader, bytes);
    object.count = object.stop - object.start + 1;
  } else if (code >= 7 && code <= 9) {
    object.count = read_number(reader, 1u << (code - 7));
  } else if (code == 0x0b) {
    object.count = reader.u8();
  } else if (code != 6) {
    return false;
  }
  return !reader.failed();
}

/// Passes over points. False where their data ends before.
bool skip_points(ByteReader& reader, const Dnp3Transaction::Object& object, uint8_t size) noexcept {
  if (size == bits || size == double_bits) {
    const uint64_t per_byte = size == bits ? 8 : 4;
    return reader.skip(static_cast<size_t>((object.count + per_byte - 1) / per_byte));
  }
  const unsigned prefix = object.qualifier >> 4 & 7;
  const unsigned prefix_bytes = prefix == 0 ? 0 : 1u << ((prefix - 1) % 3);
  const bool is_size_prefix = prefix >= 4 && prefix <= 6;
  for (uint32_t i = 0; i < object.count && !reader.failed(); ++i) {
    const uint32_t value = prefix_bytes == 0 ? 0 : read_number(reader, prefix_bytes);
    reader.skip(size == prefixed ? (is_size_prefix ? value : 0) : size);
    if (prefix_bytes == 0 && size == prefixed) {
      return false;  // no length: cannot be told from what follows
    }
  }
  return !reader.failed();
}

}  // namespace

void decode_objects(Dnp3Transaction& message, Bytes objects) {
  ByteReader reader(objects);
  uint64_t points = 0;
  while (reader.left() != 0) {
    Dnp3Transaction::Object object;
    object.group = reader.u8();
    object.variation = reader.u8();
    object.qualifier = reader.u8();
    if (reader.failed()) {
      return;
    }
    if (message.objects.size() == objects_max) {
      message.raise(message.direction, AppEvent::dnp3_too_many_objects);
      return;
    }
    const bool has_range = read_range(reader, object);
    message.objects.push_back(object);
    if (!has_range) {
      return;
    }
    if (object.variation == 0 || object.count == 0) {
      continue;
    }
    const uint8_t size = point_bytes(object.group, object.variation);
    if (size == none) {
      message.raise(message.direction, AppEvent::dnp3_unknown_object);
      return;
    }
    points += object.count;
    if (points > points_max) {
      message.raise(message.direction, AppEvent::dnp3_too_many_points);
      return;
    }
    if (!skip_points(reader, object, size)) {
      return;
    }
  }
  message.is_decoded = true;
}

}  // namespace shrike::protocol
