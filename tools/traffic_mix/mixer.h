#pragma once
#include <cstdint>
#include <span>

#include "recording.h"
#include "shrike/craft.h"

namespace shrike::traffic_mix {

struct MixOptions {
  uint64_t bytes = uint64_t{500} << 20;  ///< of the file that is written, at least
  uint64_t window_ns = 60'000'000'000;   ///< all conversations begin and end within
  uint64_t begin_ns = 1'700'000'000'000'000'000;
  uint64_t seed = 1;
};

struct MixReport {
  uint64_t frames = 0;
  uint64_t copies = 0;  ///< of recordings
};

/// Writes copies of recordings, each under addresses of its own, all at the same time. Whole
/// rounds of all recordings as long as they fit, then of some of them until the size is reached.
/// A recording longer than the window is sped up to fit. The same input gives the same file.
MixReport write_mix(std::span<const Recording> recordings, const MixOptions& options,
                    craft::PcapWriter& writer);

}  // namespace shrike::traffic_mix
