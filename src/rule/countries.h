#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir.h"

namespace shrike::rule {

/// Which country the addresses of IPv4 are in, out of a database of MaxMind's format with
/// `country.iso_code`, as `geoip` asks. Read when a rule first asks, as a whole: rules hold ranges
/// of addresses, and detection needs no database.
class Countries {
 public:
  enum class State : uint8_t { unread, ready, unreadable };

  /// False in a build without libmaxminddb: nothing can be read.
  [[nodiscard]] static bool are_built_in() noexcept;

  /// Reads the database, at the first call. @return whether it is there.
  bool read(const std::string& path);
  /// Why it could not be read.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

  /// Addresses that are in one of these countries; with `is_negated`, those that are in another.
  /// Addresses of no country are never among them.
  [[nodiscard]] std::vector<AddressRange> ranges_of(std::span<const std::string_view> codes,
                                                    bool is_negated) const;

 private:
  struct Range {
    uint32_t first, last;  ///< host order
    uint16_t country;      ///< index into codes_
  };
  class Reader;

  State state_ = State::unread;
  std::string problem_;
  std::vector<std::string> codes_;
  std::vector<Range> ranges_;  ///< ascending, apart
};

}  // namespace shrike::rule
