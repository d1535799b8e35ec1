#include "search.h"

#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace shrike::detect {

namespace {

uint8_t lower(uint8_t byte) noexcept {
  return byte >= 'A' && byte <= 'Z' ? static_cast<uint8_t>(byte + ('a' - 'A')) : byte;
}

bool is_letter(uint8_t byte) noexcept {
  return byte >= 'a' && byte <= 'z';
}

const uint8_t* find_plain(const uint8_t* first, const uint8_t* last, Bytes needle,
                          bool is_nocase) noexcept {
  const uint8_t head = needle[0];
  for (; first < last; ++first) {
    const uint8_t byte = is_nocase ? lower(*first) : *first;
    if (byte == head && equals_bytes(first, needle.data(), needle.size(), is_nocase)) {
      return first;
    }
  }
  return nullptr;
}

}  // namespace

bool equals_bytes(const uint8_t* at, const uint8_t* needle, size_t length,
                  bool is_nocase) noexcept {
  if (!is_nocase) {
    return std::memcmp(at, needle, length) == 0;
  }
  for (size_t i = 0; i < length; ++i) {
    if (lower(at[i]) != needle[i]) {
      return false;
    }
  }
  return true;
}

/// Compares the needle's first and last byte with sixteen places at once, and all of it only where
/// both fit. Source: W. Mula, "SIMD-friendly algorithms for substring searching", generic SIMD.
const uint8_t* find_bytes(Bytes haystack, Bytes needle, bool is_nocase) noexcept {
  if (needle.size() > haystack.size()) {
    return nullptr;
  }
  if (needle.empty()) {
    return haystack.data();
  }
  const uint8_t* at = haystack.data();
  const uint8_t* const last = at + (haystack.size() - needle.size()) + 1;  // of starting places
#if defined(__SSE2__)
  const size_t behind = needle.size() - 1;
  // Setting bit 5 makes upper case lower; the few other bytes that it confuses fail the compare.
  const auto fold = [&](uint8_t byte) {
    return _mm_set1_epi8(static_cast<char>(is_nocase && is_letter(byte) ? 0x20 : 0));
  };
  const __m128i fold_first = fold(needle[0]);
  const __m128i fold_last = fold(needle[behind]);
  const __m128i want_first = _mm_set1_epi8(static_cast<char>(needle[0]));
  const __m128i want_last = _mm_set1_epi8(static_cast<char>(needle[behind]));
  for (; last - at >= 16; at += 16) {
    const __m128i here = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i there = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + behind));
    const __m128i both = _mm_and_si128(_mm_cmpeq_epi8(_mm_or_si128(here, fold_first), want_first),
                                       _mm_cmpeq_epi8(_mm_or_si128(there, fold_last), want_last));
    for (auto mask = static_cast<unsigned>(_mm_movemask_epi8(both)); mask != 0; mask &= mask - 1) {
      const uint8_t* const place = at + std::countr_zero(mask);
      if (equals_bytes(place, needle.data(), needle.size(), is_nocase)) {
        return place;
      }
    }
  }
#endif
  return find_plain(at, last, needle, is_nocase);
}

}  // namespace shrike::detect
