#include "overlap_policy.h"

namespace shrike::flow {
namespace {

constexpr uint32_t bit(TargetPolicy policy) noexcept {
  return 1u << static_cast<uint8_t>(policy);
}

// Kinds that take the new bytes, by how start (row) and end (column) of the new segment lie.
using P = TargetPolicy;
constexpr uint32_t always = bit(P::last);
constexpr uint32_t eager = bit(P::solaris) | bit(P::hpux11);
constexpr uint32_t early_start = bit(P::bsd) | bit(P::hpux10) | bit(P::irix) | bit(P::windows) |
                                 bit(P::windows2k3) | bit(P::old_linux) | bit(P::linux) |
                                 bit(P::macos);
constexpr uint32_t takers[3][3] = {
    // end before the older one's end, same end, after it
    {always | early_start, always | early_start | eager, always | early_start | eager},
    {always, always | eager | bit(P::old_linux),
     always | eager | bit(P::old_linux) | bit(P::linux)},
    {always, always, always | eager},
};

}  // namespace

bool new_bytes_win(TargetPolicy policy, EndOrder start, EndOrder end) noexcept {
  return (takers[static_cast<uint8_t>(start)][static_cast<uint8_t>(end)] & bit(policy)) != 0;
}

}  // namespace shrike::flow
