#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "shrike/base/bytes.h"

namespace shrike::traffic_mix {

/// Gives the IP addresses of Ethernet frames other values, one-to-one, so that a conversation
/// stays a conversation but meets none of another rewriter's. IPv4 keeps the first octet, IPv6 all
/// but bytes 8 to 11, so networks and kinds of address (multicast, loopback) stay what they are.
/// Not by exclusive or: that would leave the exclusive or of two hosts, and with it the queue and
/// the worker that owns them (model/owner.h), what they were.
/// Follows VLAN tags, IP in IP, GRE, VXLAN, GENEVE and Teredo, and the datagrams that ICMP errors
/// quote. Checksums move by what changed (RFC 1624): right ones stay right, wrong ones wrong.
class AddressRewriter {
 public:
  /// @param mix   random bits; another value, other addresses.
  explicit AddressRewriter(uint64_t mix);

  /// Whether an Ethernet frame has an IP header that rewrite() would find.
  [[nodiscard]] static bool carries_ip(Bytes frame) { return ip_begin(frame) != 0; }

  /// Rewrites a frame in place.
  /// @return false where there is no IP header behind the Ethernet header; nothing was changed.
  bool rewrite(std::span<uint8_t> frame);

 private:
  /// Where a checksum stands; at 0, the Ethernet header's place, there is none.
  struct Checksum {
    size_t at = 0;
    bool is_udp = false;  ///< zero says "no checksum"
  };

  /// Gives a number another value, one-to-one within the bits that may change.
  struct Mix {
    uint32_t factor = 1;  ///< odd
    uint32_t addend = 0;
    uint32_t mask = 0xffffffff;

    [[nodiscard]] uint32_t of(uint32_t value) const {
      return (value & ~mask) | ((value * factor + addend) & mask);
    }
  };

  static size_t ip_begin(Bytes frame);
  void rewrite_link(size_t at);
  void rewrite_ether_type(uint16_t ether_type, size_t at);
  void rewrite_ip(size_t at);
  void rewrite_ipv4(size_t at);
  void rewrite_ipv6(size_t at);
  void rewrite_transport(uint8_t protocol, size_t at);
  void rewrite_udp(size_t at);
  void rewrite_gre(size_t at);
  void rewrite_quoted(size_t at, const Checksum& checksum);
  /// Writes new bytes over old ones, and moves every checksum that covers them.
  void change(size_t at, Bytes after, size_t covers);
  /// Mixes four bytes of an address, which two more checksums cover than are around the header.
  void mix_in(size_t at, const Mix& mix, const Checksum& header, const Checksum& transport);
  void move_checksum(const Checksum& checksum, Bytes before, Bytes after, size_t covers);
  [[nodiscard]] Checksum find_checksum(uint8_t protocol, size_t transport) const;
  [[nodiscard]] bool has(size_t at, size_t bytes) const { return at + bytes <= frame_.size(); }
  [[nodiscard]] const uint8_t* from(size_t at) const { return frame_.data() + at; }

  Mix mix_ipv4_;  ///< the first octet stays
  Mix mix_ipv6_;  ///< for bytes 8 to 11
  std::span<uint8_t> frame_;
  /// The checksums that cover what is being rewritten, outermost first.
  std::vector<Checksum> covers_;
  unsigned depth_ = 0;
};

}  // namespace shrike::traffic_mix
