#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace shrike {

/// Borrowed bytes. The header that hands them out names the end of the loan.
using Bytes = std::span<const uint8_t>;

inline Bytes as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Loads in network or host-independent order from memory that the caller has checked.
inline uint16_t load_big16(const uint8_t* at) noexcept {
  uint16_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return __builtin_bswap16(value);
}
inline uint32_t load_big32(const uint8_t* at) noexcept {
  uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return __builtin_bswap32(value);
}
inline uint64_t load_big64(const uint8_t* at) noexcept {
  uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return __builtin_bswap64(value);
}
inline uint16_t load_little16(const uint8_t* at) noexcept {
  return __builtin_bswap16(load_big16(at));
}
inline uint32_t load_little32(const uint8_t* at) noexcept {
  return __builtin_bswap32(load_big32(at));
}
inline uint64_t load_little64(const uint8_t* at) noexcept {
  return __builtin_bswap64(load_big64(at));
}

/// The only way to read bytes that came from the network: it carries the end with the start and
/// never reads past it. A read that does not fit gives zero, consumes nothing, and makes the
/// reader fail for good, so a parser may read a whole header and ask `failed()` once.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) noexcept : at_(bytes.data()), end_(at_ + bytes.size()) {}

  [[nodiscard]] size_t left() const noexcept { return static_cast<size_t>(end_ - at_); }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] Bytes rest() const noexcept { return {at_, left()}; }

  uint8_t u8() noexcept { return fits(1) ? *at_++ : uint8_t{0}; }
  uint16_t big16() noexcept { return fits(2) ? load_big16(advance(2)) : uint16_t{0}; }
  uint32_t big32() noexcept { return fits(4) ? load_big32(advance(4)) : 0; }
  uint64_t big64() noexcept { return fits(8) ? load_big64(advance(8)) : 0; }
  uint16_t little16() noexcept { return fits(2) ? load_little16(advance(2)) : uint16_t{0}; }
  uint32_t little32() noexcept { return fits(4) ? load_little32(advance(4)) : 0; }
  uint64_t little64() noexcept { return fits(8) ? load_little64(advance(8)) : 0; }
  Bytes take(size_t count) noexcept { return fits(count) ? Bytes{advance(count), count} : Bytes{}; }
  bool skip(size_t count) noexcept { return fits(count) && advance(count) != nullptr; }

 private:
  [[nodiscard]] bool fits(size_t count) noexcept {
    if (left() >= count) [[likely]] {
      return true;
    }
    failed_ = true;
    return false;
  }
  const uint8_t* advance(size_t count) noexcept {
    const uint8_t* const was = at_;
    at_ += count;
    return was;
  }

  const uint8_t* at_;
  const uint8_t* end_;
  bool failed_ = false;
};

}  // namespace shrike
