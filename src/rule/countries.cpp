#include "countries.h"

#include <algorithm>

namespace shrike::rule {

namespace {

IpAddress address_of(uint32_t number) noexcept {
  IpAddress address;
  for (unsigned i = 0; i < 4; ++i) {
    address.bytes[i] = static_cast<uint8_t>(number >> (24 - 8 * i));
  }
  return address;
}

}  // namespace

std::vector<AddressRange> Countries::ranges_of(std::span<const std::string_view> codes,
                                               bool is_negated) const {
  std::vector<bool> is_asked(codes_.size());
  for (size_t i = 0; i < codes_.size(); ++i) {
    is_asked[i] = (std::find(codes.begin(), codes.end(), codes_[i]) != codes.end()) != is_negated;
  }
  std::vector<AddressRange> found;
  uint64_t next = 0;  // behind the last range found
  for (const Range& range : ranges_) {
    if (!is_asked[range.country]) continue;
    if (found.empty() || range.first != next) {
      found.push_back({.version = 4, .first = address_of(range.first), .last = {}});
    }
    found.back().last = address_of(range.last);
    next = uint64_t{range.last} + 1;
  }
  return found;
}

}  // namespace shrike::rule
