#include "shrike/model/owner.h"

#include "shrike/base/check.h"

namespace shrike {

namespace {

constexpr uint32_t key_period = 0x6d5a;
constexpr uint32_t key_window = key_period << 16 | key_period;

/// Toeplitz hash of one 16-bit word under the repeating key: bit i, counted from the top, adds
/// the 32 key bits that start at i (Microsoft, "RSS Hashing Functions").
constexpr uint32_t hash_word(uint16_t word) {
  uint32_t hash = 0;
  for (unsigned bit = 0; bit < 16; ++bit) {
    if ((word & (0x8000U >> bit)) != 0) {
      hash ^= bit == 0 ? key_window : key_window << bit | key_window >> (32 - bit);
    }
  }
  return hash;
}

/// Hashes of all values of the upper and of the lower byte of a word.
constexpr auto byte_hashes = [] {
  std::array<std::array<uint32_t, 256>, 2> table{};
  for (uint32_t value = 0; value < 256; ++value) {
    table[0][value] = hash_word(static_cast<uint16_t>(value << 8));
    table[1][value] = hash_word(static_cast<uint16_t>(value));
  }
  return table;
}();

uint16_t fold(const IpAddress& address) noexcept {
  uint64_t halves[2];
  std::memcpy(halves, address.bytes.data(), sizeof halves);
  uint64_t folded = halves[0] ^ halves[1];
  folded ^= folded >> 32;
  folded ^= folded >> 16;
  return __builtin_bswap16(static_cast<uint16_t>(folded));
}

}  // namespace

OwnerTable::OwnerTable(uint32_t workers) noexcept {
  check(workers >= 1 && workers <= buckets, "1 to 128 workers");
  for (uint32_t bucket = 0; bucket < buckets; ++bucket) {
    owners_[bucket] = static_cast<uint8_t>(bucket % workers);
  }
}

uint32_t OwnerTable::owner_of_addresses(Bytes addresses) const noexcept {
  std::array<uint8_t, 2> folded{};
  for (size_t i = 0; i < addresses.size(); ++i) {
    folded[i % 2] ^= addresses[i];
  }
  return owners_[(byte_hashes[0][folded[0]] ^ byte_hashes[1][folded[1]]) & (buckets - 1)];
}

uint32_t OwnerTable::hash_of(const Datagram& datagram) noexcept {
  uint16_t word = 0;
  if (datagram.embedded.ip_version != 0) [[unlikely]] {
    const Datagram::Embedded& inner = datagram.embedded;
    word = fold(inner.source) ^ fold(inner.target);
  } else {
    word = fold(datagram.source) ^ fold(datagram.target);
  }
  return byte_hashes[0][word >> 8] ^ byte_hashes[1][word & 0xff];
}

}  // namespace shrike
