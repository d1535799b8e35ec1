#pragma once
#include <cstdint>

#include "fragment_store.h"
#include "shrike/decode.h"

namespace shrike::decode {

/// How a target treats overlapping fragments. Source: Novak, "Target-Based Fragmentation
/// Reassembly" (2005), as Suricata put it into practice.
enum class OverlapPolicy : uint8_t { bsd, bsd_right, linux, first, last, solaris, windows };

[[nodiscard]] OverlapPolicy overlap_policy(TargetPolicy target) noexcept;

/// The fragment that just came, with how much of its start others have already.
struct Arrival {
  uint32_t offset = 0;
  uint32_t end = 0;
  uint32_t trim = 0;
};

enum class Settlement : uint8_t {
  look_on,  ///< compare with the next older fragment
  insert,   ///< no more comparing: keep what is left of it
  drop,     ///< others have all of it
};

/// Settles who keeps what between the arrival and one older fragment. May trim either; an older
/// one that is trimmed to nothing is to be forgotten.
/// @param after the fragment behind `older`, or null; BSD trims that as well.
[[nodiscard]] Settlement settle(OverlapPolicy policy, Arrival& arrival, Piece& older,
                                Piece* after) noexcept;

}  // namespace shrike::decode
