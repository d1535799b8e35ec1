#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "shrike/base/bytes.h"
#include "shrike/model/rule_program.h"

/// The rarer checks inside buffers. All bounded, none allocates.
namespace shrike::detect {

/// Decodes base64 as Suricata's relaxed mode does (RFC 4648, with white space and other foreign
/// bytes): bytes outside the alphabet end the decoding, spaces are skipped.
/// @return bytes written to `out`, at most its size.
[[nodiscard]] size_t base64_decoded(Bytes text, std::span<uint8_t> out) noexcept;

/// `asn1`: walks the BER structures at the offset and tells whether one overflows as asked.
/// Source: ITU-T X.690; bounds as in Suricata's ASN.1 detection.
[[nodiscard]] bool asn1_matches(Bytes buffer, uint32_t cursor,
                                const BufferInstruction& instruction) noexcept;

/// `entropy`: Shannon's measure of the bytes, in bits a byte, compared.
[[nodiscard]] bool entropy_matches(Bytes buffer, const EntropyArguments& arguments) noexcept;

}  // namespace shrike::detect
