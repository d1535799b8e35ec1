#include <array>

#include "shrike/base/check.h"
#include "shrike/craft.h"

namespace shrike::craft {

namespace {

uint16_t fold(uint64_t sum) {
  while (sum > 0xffff) {
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint16_t>(sum);
}

/// The table of the reflected Castagnoli polynomial, a byte at a time.
constexpr std::array<uint32_t, 256> make_crc32c_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t index = 0; index < table.size(); ++index) {
    uint32_t value = index;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1) != 0 ? (value >> 1) ^ 0x82f63b78U : value >> 1;
    }
    table[index] = value;
  }
  return table;
}

}  // namespace

uint32_t partial_checksum(Bytes bytes, uint32_t sum) {
  uint64_t total = sum;
  size_t at = 0;
  for (; at + 2 <= bytes.size(); at += 2) {
    total += load_big16(bytes.data() + at);
  }
  if (at < bytes.size()) {
    total += static_cast<uint32_t>(bytes[at]) << 8;
  }
  return fold(total);
}

uint16_t internet_checksum(Bytes bytes, uint32_t sum) {
  return static_cast<uint16_t>(~partial_checksum(bytes, sum));
}

uint16_t updated_checksum(uint16_t checksum, Bytes before, Bytes after) {
  check(before.size() == after.size() && before.size() % 2 == 0, "craft: whole words change");
  uint64_t sum = static_cast<uint16_t>(~checksum);
  for (size_t at = 0; at < before.size(); at += 2) {
    sum += static_cast<uint16_t>(~load_big16(before.data() + at));
    sum += load_big16(after.data() + at);
  }
  return static_cast<uint16_t>(~fold(sum));
}

uint32_t crc32c(Bytes bytes) {
  static constexpr std::array<uint32_t, 256> table = make_crc32c_table();
  uint32_t value = 0xffffffff;
  for (const uint8_t byte : bytes) {
    value = table[(value ^ byte) & 0xff] ^ (value >> 8);
  }
  return ~value;
}

}  // namespace shrike::craft
