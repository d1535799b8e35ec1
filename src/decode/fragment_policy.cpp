#include "fragment_policy.h"

#include <algorithm>

namespace shrike::decode {
namespace {

void trim_to(Piece& piece, uint32_t end) noexcept {
  piece.trim = static_cast<uint16_t>(end - piece.offset);
}
void forget(Piece& piece) noexcept {
  piece.trim = piece.data_bytes;
}

/// The older data wins where it starts first, else the newer does, over everything it covers.
Settlement settle_bsd(Arrival& arrival, Piece& older, Piece* after) noexcept {
  if (arrival.offset >= older.end()) {
    return Settlement::look_on;
  }
  if (older.offset <= arrival.offset) {
    if (older.end() > arrival.end) {
      return Settlement::drop;
    }
    arrival.trim = older.end() - arrival.offset;
  } else if (arrival.end > uint32_t{older.offset} + older.trim) {
    trim_to(older, arrival.end);
  }
  if (after != nullptr && arrival.end > after->offset) {
    trim_to(*after, arrival.end);
  }
  return Settlement::insert;
}

/// As BSD, but what starts at the same place and reaches as far is replaced.
Settlement settle_linux(Arrival& arrival, Piece& older) noexcept {
  const uint32_t older_start = uint32_t{older.offset} + older.trim;
  if (older_start < arrival.offset + arrival.trim && older.end() > arrival.offset + arrival.trim) {
    arrival.trim += older.end() - arrival.offset;
  }
  const uint32_t start = arrival.offset + arrival.trim;
  if (start < older_start && arrival.end > older_start) {
    trim_to(older, arrival.end);
    return Settlement::insert;
  }
  if (start <= older_start && arrival.end >= older.end()) {
    forget(older);
    return Settlement::insert;
  }
  return Settlement::look_on;
}

/// Whole fragments give way: one inside another is dropped, one around another replaces it.
Settlement settle_windows(Arrival& arrival, Piece& older) noexcept {
  if (arrival.offset >= older.offset && arrival.end <= older.end()) {
    return Settlement::drop;
  }
  if (arrival.offset < older.offset && arrival.end > older.end()) {
    forget(older);
    return Settlement::insert;
  }
  const uint32_t start = arrival.offset + arrival.trim;
  const bool starts_within = start > uint32_t{older.offset} + older.trim && start < older.end();
  if (starts_within || (arrival.offset == older.offset && arrival.end > older.end())) {
    arrival.trim += older.end() - arrival.offset;
    return Settlement::insert;
  }
  return Settlement::look_on;
}

Settlement settle_solaris(Arrival& arrival, Piece& older) noexcept {
  if (arrival.offset >= older.end()) {
    return Settlement::look_on;
  }
  if (arrival.offset >= older.offset) {
    arrival.trim = older.end() - arrival.offset;
  } else if (arrival.end >= older.end()) {
    forget(older);
  }
  return Settlement::insert;
}

Settlement settle_first(Arrival& arrival, Piece& older) noexcept {
  if (arrival.offset >= older.offset && arrival.end <= older.end()) {
    return Settlement::drop;
  }
  if (arrival.offset < older.offset) {
    return Settlement::insert;
  }
  if (arrival.offset < older.end()) {
    arrival.trim = older.end() - arrival.offset;
    return Settlement::insert;
  }
  return Settlement::look_on;
}

Settlement settle_last(Arrival& arrival, Piece& older) noexcept {
  if (arrival.offset > older.offset) {
    return Settlement::look_on;
  }
  if (arrival.end > older.offset) {
    trim_to(older, arrival.end);
  }
  return Settlement::insert;
}

}  // namespace

OverlapPolicy overlap_policy(TargetPolicy target) noexcept {
  switch (target) {
    case TargetPolicy::bsd:
    case TargetPolicy::hpux10:
    case TargetPolicy::irix:
      return OverlapPolicy::bsd;
    case TargetPolicy::bsd_right:
      return OverlapPolicy::bsd_right;
    case TargetPolicy::linux:
    case TargetPolicy::old_linux:
      return OverlapPolicy::linux;
    case TargetPolicy::old_solaris:
    case TargetPolicy::hpux11:
    case TargetPolicy::macos:
    case TargetPolicy::first:
      return OverlapPolicy::first;
    case TargetPolicy::solaris:
      return OverlapPolicy::solaris;
    case TargetPolicy::windows:
    case TargetPolicy::vista:
    case TargetPolicy::windows2k3:
      return OverlapPolicy::windows;
    case TargetPolicy::last:
      return OverlapPolicy::last;
  }
  return OverlapPolicy::bsd;
}

Settlement settle(OverlapPolicy policy, Arrival& arrival, Piece& older, Piece* after) noexcept {
  switch (policy) {
    case OverlapPolicy::bsd:
      return settle_bsd(arrival, older, after);
    case OverlapPolicy::bsd_right:
      return Settlement::look_on;  // all is kept; what starts later is copied over the rest
    case OverlapPolicy::linux:
      return settle_linux(arrival, older);
    case OverlapPolicy::windows:
      return settle_windows(arrival, older);
    case OverlapPolicy::solaris:
      return settle_solaris(arrival, older);
    case OverlapPolicy::first:
      return settle_first(arrival, older);
    case OverlapPolicy::last:
      return settle_last(arrival, older);
  }
  return Settlement::look_on;
}

}  // namespace shrike::decode
