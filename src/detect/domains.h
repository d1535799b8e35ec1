#pragma once
#include "shrike/base/bytes.h"
#include "transforms.h"

namespace shrike::detect {

/// What `domain` and `tld` leave of a host's name: from its registered domain on ("bbc.co.uk"), or
/// only the public suffix under which that is registered ("co.uk"). Empty where the name has none:
/// it is a suffix itself, or no name. One that is not listed has its last label as suffix.
/// Source: https://publicsuffix.org/list; Suricata user guide, "Transformations".
enum class DomainPart : uint8_t { registered, suffix };
[[nodiscard]] Bytes domain_part(Bytes name, DomainPart part, ByteScratch& scratch) noexcept;

}  // namespace shrike::detect
