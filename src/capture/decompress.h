#pragma once
#include <memory>

#include "byte_window.h"

namespace shrike::capture {

enum class Compression : uint8_t { none, gzip, zstd };

/// Bytes that tell_compression wants to see.
inline constexpr size_t compression_magic_bytes = 4;
/// Tells by the first bytes. Source: RFC 1952 2.3.1; RFC 8878 3.1.1 (and skippable frames, 3.1.2).
[[nodiscard]] Compression tell_compression(Bytes first) noexcept;

/// Decompresses what a window shows, several members or frames in a row included. Broken and
/// cut-off data are faults that name the byte of the compressed file.
[[nodiscard]] std::unique_ptr<ByteInput> decompress(Compression compression, ByteWindow compressed);

}  // namespace shrike::capture
