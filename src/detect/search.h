#pragma once
#include <cstdint>

#include "shrike/base/bytes.h"

namespace shrike::detect {

/// Where `needle` first begins in `haystack`, or null. An empty needle is found at the start.
/// @param needle  with `is_nocase` in lower case (ASCII); then letters of the haystack match in
///                either case.
[[nodiscard]] const uint8_t* find_bytes(Bytes haystack, Bytes needle, bool is_nocase) noexcept;

/// Tells whether `length` bytes at `at` are the needle; `needle` as above.
[[nodiscard]] bool equals_bytes(const uint8_t* at, const uint8_t* needle, size_t length,
                                bool is_nocase) noexcept;

}  // namespace shrike::detect
