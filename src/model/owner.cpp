#include "shrike/model/owner.h"

#include "shrike/base/check.h"
#include "shrike/model/limits.h"

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

/// Hash of a word by its bytes in the order of the network.
uint32_t hash_of_word(uint8_t first, uint8_t second) noexcept {
  return byte_hashes[0][first] ^ byte_hashes[1][second];
}

uint16_t fold(const IpAddress& address) noexcept {
  uint64_t halves[2];
  std::memcpy(halves, address.bytes.data(), sizeof halves);
  uint64_t folded = halves[0] ^ halves[1];
  folded ^= folded >> 32;
  folded ^= folded >> 16;
  return __builtin_bswap16(static_cast<uint16_t>(folded));
}

bool is_vlan(uint16_t ethertype) noexcept {
  return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100;
}

}  // namespace

OwnerTable::OwnerTable(uint32_t workers) noexcept {
  check(workers >= 1 && workers <= buckets, "1 to 128 workers");
  for (uint32_t bucket = 0; bucket < buckets; ++bucket) {
    owners_[bucket] = static_cast<uint8_t>(bucket % workers);
  }
}

Bytes OwnerTable::addresses_of_frame(Bytes frame) noexcept {
  constexpr uint16_t ipv4 = 0x0800, ipv6 = 0x86dd;
  ByteReader reader(frame);
  reader.skip(12);
  uint16_t ethertype = reader.big16();
  for (size_t tags = 0; is_vlan(ethertype) && tags < limits::vlan_tags_max; ++tags) {
    reader.skip(2);
    ethertype = reader.big16();
  }
  if (ethertype != ipv4 && ethertype != ipv6) {
    return {};
  }
  reader.skip(ethertype == ipv4 ? 12 : 8);
  const Bytes addresses = reader.take(ethertype == ipv4 ? 8 : 32);
  return reader.failed() ? Bytes{} : addresses;
}

uint32_t OwnerTable::owner_of_addresses(Bytes addresses) const noexcept {
  std::array<uint8_t, 2> folded{};
  for (size_t i = 0; i < addresses.size(); ++i) {
    folded[i % 2] ^= addresses[i];
  }
  return owners_[hash_of_word(folded[0], folded[1]) & (buckets - 1)];
}

uint32_t OwnerTable::hash_of(const Datagram& datagram) noexcept {
  uint16_t word = 0;
  if (datagram.embedded.ip_version != 0) [[unlikely]] {
    const Datagram::Embedded& inner = datagram.embedded;
    word = fold(inner.source) ^ fold(inner.target);
  } else {
    word = fold(datagram.source) ^ fold(datagram.target);
  }
  return hash_of_word(static_cast<uint8_t>(word >> 8), static_cast<uint8_t>(word));
}

}  // namespace shrike
