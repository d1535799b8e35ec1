#pragma once
#include "shrike/base/bytes.h"

/// Elements of DER, one level at a time. Source: X.690 section 8.
namespace shrike::protocol {

namespace der_tag {
inline constexpr uint8_t boolean = 0x01;
inline constexpr uint8_t integer = 0x02;
inline constexpr uint8_t bit_string = 0x03;
inline constexpr uint8_t octet_string = 0x04;
inline constexpr uint8_t oid = 0x06;
inline constexpr uint8_t object_descriptor = 0x07;
inline constexpr uint8_t utf8_string = 0x0c;
inline constexpr uint8_t numeric_string = 0x12;
inline constexpr uint8_t printable_string = 0x13;
inline constexpr uint8_t t61_string = 0x14;
inline constexpr uint8_t videotex_string = 0x15;
inline constexpr uint8_t ia5_string = 0x16;
inline constexpr uint8_t utc_time = 0x17;
inline constexpr uint8_t generalized_time = 0x18;
inline constexpr uint8_t graphic_string = 0x19;
inline constexpr uint8_t visible_string = 0x1a;
inline constexpr uint8_t general_string = 0x1b;
inline constexpr uint8_t universal_string = 0x1c;
inline constexpr uint8_t bmp_string = 0x1e;
inline constexpr uint8_t sequence = 0x30;
inline constexpr uint8_t set = 0x31;
/// Explicitly tagged: [number].
[[nodiscard]] constexpr uint8_t context(uint8_t number) noexcept {
  return static_cast<uint8_t>(0xa0 | number);
}
}  // namespace der_tag

/// An element, borrowed from the bytes it was read from.
struct Der {
  uint8_t tag = 0;  ///< class, constructed bit and number; numbers above 30 are not read
  Bytes content;
};

/// Reads elements that follow each other. Fails for good, like a ByteReader.
class DerReader {
 public:
  explicit DerReader(Bytes bytes) noexcept : bytes_(bytes) {}

  [[nodiscard]] size_t left() const noexcept { return failed_ ? 0 : bytes_.size(); }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  /// Failed because the bytes ended within an element.
  [[nodiscard]] bool is_cut() const noexcept { return is_cut_; }
  [[nodiscard]] Bytes rest() const noexcept { return failed_ ? Bytes{} : bytes_; }
  [[nodiscard]] bool next_is(uint8_t tag) const noexcept { return left() > 0 && bytes_[0] == tag; }

  Der next() noexcept {
    if (failed_) {
      return {};
    }
    ByteReader reader(bytes_);
    const uint8_t tag = reader.u8();
    const size_t length = read_length(reader);
    const Bytes content = reader.take(failed_ ? 0 : length);
    if (reader.failed()) {
      is_cut_ = failed_ = true;
    }
    if (failed_) {
      return {};
    }
    bytes_ = reader.rest();
    return {tag, content};
  }

  /// Steps into the next element. @return all that stands behind its length, whatever it says
  Bytes enter() noexcept {
    ByteReader reader(bytes_);
    reader.u8();
    read_length(reader);
    is_cut_ = reader.failed();
    failed_ |= is_cut_;
    return failed_ ? Bytes{} : reader.rest();
  }

  /// The next element, which must be of that tag.
  Der next(uint8_t tag) noexcept {
    if (left() > 0 && bytes_[0] != tag) {
      failed_ = true;
    }
    return next();
  }

 private:
  size_t read_length(ByteReader& reader) noexcept {
    const uint8_t first = reader.u8();
    if (first < 0x80) {
      return first;
    }
    const size_t digits = first & 0x7fU;
    if (digits == 0 || digits > sizeof(uint32_t)) {  // indefinite, or beyond any message
      failed_ = true;
      return 0;
    }
    size_t length = 0;
    for (size_t i = 0; i < digits; ++i) {
      length = length << 8 | reader.u8();
    }
    return length;
  }

  Bytes bytes_;
  bool failed_ = false;
  bool is_cut_ = false;
};

}  // namespace shrike::protocol
