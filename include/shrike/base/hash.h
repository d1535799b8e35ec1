#pragma once
#include <cstdint>

namespace shrike {

/// Mixes 64 bits well enough for a table index (Stafford's Mix13, as in splitmix64). Not keyed:
/// where an attacker chooses the input, mix a per-start seed in first.
inline uint64_t mix64(uint64_t value) noexcept {
  value ^= value >> 30;
  value *= 0xbf58476d1ce4e5b9ULL;
  value ^= value >> 27;
  value *= 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

inline uint64_t combine64(uint64_t first, uint64_t second) noexcept {
  return mix64(first ^ (second + 0x9e3779b97f4a7c15ULL + (first << 6) + (first >> 2)));
}

}  // namespace shrike
