#pragma once
#include <cstdint>

#include "shrike/base/bytes.h"
#include "shrike/base/hash.h"
#include "shrike/model/address.h"

namespace shrike::output {

/// The two ends of a datagram, as thresholds and host bits see them.
struct Hosts {
  uint8_t ip_version = 0;
  IpAddress source;
  IpAddress target;

  friend bool operator==(const Hosts&, const Hosts&) = default;

  /// The same pair whichever end speaks.
  [[nodiscard]] Hosts ordered() const noexcept {
    return target < source ? Hosts{ip_version, target, source} : *this;
  }
  [[nodiscard]] Hosts only_source() const noexcept { return {ip_version, source, {}}; }
  [[nodiscard]] Hosts only_target() const noexcept { return {ip_version, target, {}}; }

  [[nodiscard]] uint64_t hash(uint64_t seed) const noexcept {
    uint64_t value = combine64(seed, ip_version);
    for (const IpAddress* const address : {&source, &target}) {
      value = combine64(value, load_big64(address->bytes.data()));
      value = combine64(value, load_big64(address->bytes.data() + 8));
    }
    return value;
  }
};

/// A seed for the hash tables of one run, so that nobody can choose addresses that collide.
[[nodiscard]] uint64_t random_seed();

}  // namespace shrike::output
