#pragma once
#include <array>
#include <cstdint>

#include "shrike/model/datagram.h"

namespace shrike {

/// Which worker inspects a datagram: `owner[hash & mask]`, the one answer for the NIC's
/// redirection table and for software, so that files and wires take the same path.
///
/// The hash is the symmetric Toeplitz hash of the two addresses: with the key 0x6d5a repeated
/// (Woo and Park, "Scalable TCP Session Monitoring with Symmetric RSS", 2012) both directions give
/// the same value. As that key repeats every 16 bits, the hash of a tuple is the hash of the
/// exclusive or of its 16-bit words, which is what this computes.
///
/// Ports are left out so that all that two hosts say to each other meets one worker: a connection
/// that another one announces (FTP's data), fragments, which carry no ports, and ICMP.
class OwnerTable {
 public:
  static constexpr uint32_t buckets = 128;  ///< a power of two; the usual redirection table size

  /// Spreads the buckets over `workers` workers in turn. @param workers 1 to 128.
  explicit OwnerTable(uint32_t workers) noexcept;

  [[nodiscard]] uint32_t owner_of(const Datagram& datagram) const noexcept {
    return owners_[hash_of(datagram) & (buckets - 1)];
  }

  /// The owner of what two addresses say to each other. @param addresses from addresses_of_frame.
  [[nodiscard]] uint32_t owner_of_addresses(Bytes addresses) const noexcept;

  /// Source and target, one behind the other (8 or 32 bytes), of the first IP header behind
  /// Ethernet and VLAN tags: what a NIC hashes. Nothing where the frame has none, or is cut off.
  [[nodiscard]] static Bytes addresses_of_frame(Bytes frame) noexcept;

  /// Hash of a datagram's hosts, the same in both directions. ICMP errors hash as the datagram
  /// they carry, since they belong to its flow.
  [[nodiscard]] static uint32_t hash_of(const Datagram& datagram) noexcept;

 private:
  std::array<uint8_t, buckets> owners_{};
};

}  // namespace shrike
