#include "buffer_checks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

namespace shrike::detect {

namespace {

constexpr uint8_t not_base64 = 0xff;

constexpr std::array<uint8_t, 256> base64_values() {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<uint8_t, 256> values{};
  values.fill(not_base64);
  for (size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<uint8_t>(alphabet[i])] = static_cast<uint8_t>(i);
  }
  return values;
}

/// Depth to which ASN.1 structures are followed (Suricata: asn1-max-frames 256, but stack-bound).
constexpr size_t asn1_depth_max = 64;

struct Asn1Object {
  uint32_t tag = 0;
  bool is_universal = false;
  bool is_constructed = false;
  size_t content_at = 0;  ///< offset of its content
  uint64_t length = 0;    ///< as it says
  bool is_indefinite = false;
};

/// A BER length (X.690 section 8.1.3). False where it does not fit.
bool read_length(ByteReader& reader, Asn1Object& object) noexcept {
  const uint8_t first = reader.u8();
  if (first < 0x80) {
    object.length = first;
    return !reader.failed();
  }
  const unsigned bytes = first & 0x7f;
  object.is_indefinite = bytes == 0;
  if (bytes > 8) {
    return false;
  }
  for (unsigned i = 0; i < bytes; ++i) {
    object.length = object.length << 8 | reader.u8();
  }
  return !reader.failed();
}

/// The tag and length at `at` (X.690 section 8.1.2).
std::optional<Asn1Object> read_object(Bytes buffer, size_t at) noexcept {
  ByteReader reader(buffer.subspan(at));
  Asn1Object object;
  const uint8_t identifier = reader.u8();
  object.is_universal = identifier >> 6 == 0;
  object.is_constructed = (identifier & 0x20) != 0;
  object.tag = identifier & 0x1f;
  if (object.tag == 0x1f) {
    object.tag = 0;
    uint8_t byte = 0;
    do {
      byte = reader.u8();
      object.tag = object.tag << 7 | (byte & 0x7f);
    } while ((byte & 0x80) != 0 && !reader.failed());
  }
  if (reader.failed() || !read_length(reader, object)) {
    return std::nullopt;
  }
  object.content_at = buffer.size() - reader.left();
  return object;
}

bool overflows(const Asn1Object& object, Bytes content, const Asn1Arguments& arguments) noexcept {
  constexpr uint32_t bit_string = 3;
  constexpr uint32_t real = 9;
  constexpr uint64_t real_bytes_max = 256;
  if (arguments.oversize_length != 0 && object.length > arguments.oversize_length) {
    return true;
  }
  if (content.empty() || !object.is_universal) {
    return false;
  }
  // More unused bits than the string has.
  const bool bits_overflow = object.tag == bit_string && content[0] > (content.size() - 1) * 8;
  // A decimal real that no double can hold.
  const bool real_overflows =
      object.tag == real && (content[0] & 0xc0) == 0 && object.length > real_bytes_max;
  return (arguments.bitstring_overflow && bits_overflow) ||
         (arguments.double_overflow && real_overflows);
}

}  // namespace

size_t base64_decoded(Bytes text, std::span<uint8_t> out) noexcept {
  static constexpr std::array<uint8_t, 256> values = base64_values();
  uint32_t block = 0;
  unsigned digits = 0;
  size_t written = 0;
  const auto flush = [&](unsigned bytes) {
    const uint32_t aligned = block << (6 * (4 - digits));
    for (unsigned i = 0; i < bytes && written < out.size(); ++i) {
      out[written++] = static_cast<uint8_t>(aligned >> (16 - 8 * i));
    }
    block = 0;
    digits = 0;
  };
  for (const uint8_t byte : text) {
    const uint8_t value = values[byte];
    if (value == not_base64) {
      break;
    }
    block = block << 6 | value;
    if (++digits == 4) {
      flush(3);
    }
  }
  if (digits > 1) {
    flush(digits - 1);
  }
  return written;
}

bool asn1_matches(Bytes buffer, uint32_t cursor, const BufferInstruction& instruction) noexcept {
  const Asn1Arguments& arguments = instruction.asn1;
  const int64_t base = (instruction.flags & buffer_flag::relative) != 0 ? cursor : 0;
  const int64_t start = base + arguments.offset;
  if (start < 0 || start >= static_cast<int64_t>(buffer.size())) {
    return false;
  }
  std::array<size_t, asn1_depth_max> ends{};  // of the structures that hold the place at hand
  size_t depth = 0;
  auto at = static_cast<size_t>(start);
  ends[0] = buffer.size();
  while (at < ends[0]) {
    while (depth > 0 && at >= ends[depth]) {
      --depth;
    }
    const auto object = read_object(buffer.first(ends[depth]), at);
    if (!object) {
      return false;
    }
    const size_t left = ends[depth] - object->content_at;
    const auto bytes = static_cast<size_t>(std::min<uint64_t>(object->length, left));
    if (overflows(*object, buffer.subspan(object->content_at, bytes), arguments)) {
      return true;
    }
    at = object->content_at;
    if (object->is_constructed && depth + 1 < ends.size()) {
      const size_t end = object->is_indefinite ? ends[depth] : at + bytes;
      ends[++depth] = end;
    } else {
      at += bytes;
    }
  }
  return false;
}

bool entropy_matches(Bytes buffer, const EntropyArguments& arguments) noexcept {
  if (arguments.offset > buffer.size()) {
    return false;
  }
  Bytes bytes = buffer.subspan(arguments.offset);
  if (arguments.bytes != 0) {
    bytes = bytes.first(std::min<size_t>(bytes.size(), arguments.bytes));
  }
  std::array<uint32_t, 256> counts{};
  for (const uint8_t byte : bytes) {
    ++counts[byte];
  }
  double entropy = 0;
  for (const uint32_t count : counts) {
    if (count != 0) {
      const double share = count / static_cast<double>(bytes.size());
      entropy -= share * std::log2(share);
    }
  }
  switch (arguments.compare) {
    case Compare::equal:
      return std::abs(entropy - arguments.first) < 1e-9;
    case Compare::not_equal:
      return std::abs(entropy - arguments.first) >= 1e-9;
    case Compare::less:
      return entropy < arguments.first;
    case Compare::less_or_equal:
      return entropy <= arguments.first;
    case Compare::greater:
      return entropy > arguments.first;
    case Compare::greater_or_equal:
      return entropy >= arguments.first;
    case Compare::between:
      return entropy > arguments.first && entropy < arguments.second;
    case Compare::not_between:
      return entropy <= arguments.first || entropy >= arguments.second;
    case Compare::masked_equal:
    case Compare::masked_not_equal:
      return false;  // of flags only
  }
  return false;
}

}  // namespace shrike::detect
