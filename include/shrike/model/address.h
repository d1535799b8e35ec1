#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <string>

namespace shrike {

/// An IPv4 or IPv6 address in network order. IPv4 fills the first four bytes, the rest is zero;
/// which of the two it is stands beside it (Datagram::ip_version, AddressRange::version).
struct IpAddress {
  std::array<uint8_t, 16> bytes{};

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

/// Text of an address: dotted, or IPv6 in full ("2001:0db8:0000:…") as EVE writes it; with
/// `compressed`, RFC 5952. @param version 4 or 6.
[[nodiscard]] std::string to_text(const IpAddress& address, unsigned version,
                                  bool compressed = false);

}  // namespace shrike
