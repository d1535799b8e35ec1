#pragma once
#include <cstdint>

#include "shrike/flow.h"

namespace shrike::flow {

/// How one end of a new segment lies to the same end of an older one.
enum class EndOrder : uint8_t { before, same, after };

/// True where a receiver of this kind keeps the bytes that came last, false where it keeps those
/// it had. Sources: Novak and Sturges, "Target-Based TCP Stream Reassembly" (2007); where
/// Suricata decides otherwise, Suricata.
[[nodiscard]] bool new_bytes_win(TargetPolicy policy, EndOrder start, EndOrder end) noexcept;

/// The kinds that Suricata follows as another one.
[[nodiscard]] constexpr TargetPolicy followed_as(TargetPolicy policy) noexcept {
  switch (policy) {
    case TargetPolicy::none:
    case TargetPolicy::bsd_right:
      return TargetPolicy::bsd;
    case TargetPolicy::old_solaris:
      return TargetPolicy::solaris;
    default:
      return policy;
  }
}

}  // namespace shrike::flow
