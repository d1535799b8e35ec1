#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "app_transaction.h"

/// What rules and records ask of a certificate. The DER is walked here and not by a library: the
/// texts must be as Suricata writes them, a fault must name its place, and no memory may be taken
/// from the system for each certificate. Source: RFC 5280 section 4.1, X.690.
namespace shrike::protocol {

/// Texts live as long as the transaction that keeps them.
struct Certificate {
  explicit Certificate(Pool& pool) noexcept : alternative_names(pool) {}
  std::string_view subject;  ///< "C=US, O=Example, CN=example.com"
  std::string_view issuer;
  std::string_view serial;  ///< "00:AB:…"
  int64_t not_before = 0;   ///< seconds since the Unix epoch
  int64_t not_after = 0;
  PoolVector<std::string_view> alternative_names;
};

/// Reads a certificate. Texts are kept in `keeper`.
/// @return what is wrong with it, where something is; nothing of it is then to be used.
[[nodiscard]] std::optional<AppEvent> read_certificate(Bytes der, AppTransaction& keeper,
                                                       Certificate& certificate);

/// "2024-01-31T23:59:59", UTC.
using IsoTime = std::array<char, 19>;
[[nodiscard]] IsoTime iso_time_of(int64_t seconds) noexcept;

}  // namespace shrike::protocol
