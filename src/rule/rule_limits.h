#pragma once
#include <cstddef>
#include <cstdint>

/// Bounds of the rule parser: what is beyond is refused with a diagnostic, never cut.
namespace shrike::rule {

/// Bytes of one rule. Suricata reads 8,192; the longest of ET Open has 2,449.
inline constexpr size_t rule_bytes_max = 16384;
/// Options of one rule. The longest rules of ET Open have about 80.
inline constexpr size_t options_max = 512;
/// Brackets within brackets in an address or port list, variables included (Suricata: 64).
inline constexpr unsigned nesting_max = 64;
/// Elements that one address or port list may expand to, variables included.
inline constexpr size_t list_elements_max = 65536;
/// Bytes of one content; the longest of ET Open has 660.
inline constexpr size_t content_bytes_max = 8192;
/// Flow bits in one `isset,a|b|…`.
inline constexpr size_t bit_names_max = 16;
/// Transforms of one buffer (Suricata: DETECT_TRANSFORMS_MAX 16).
inline constexpr size_t transforms_max = 16;
/// Variables of byte_extract and byte_math in one rule.
inline constexpr size_t variables_max = 16;
/// Diagnostics of one rule; what follows is rarely of use.
inline constexpr uint32_t faults_per_rule_max = 50;

}  // namespace shrike::rule
