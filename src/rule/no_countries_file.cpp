#include "countries.h"

/// In the place of countries_file.cpp where libmaxminddb is not there: `geoip` is dormant.
namespace shrike::rule {

bool Countries::are_built_in() noexcept {
  return false;
}

bool Countries::read(const std::string&) {
  state_ = State::unreadable;
  problem_ = "this build has no libmaxminddb";
  return false;
}

}  // namespace shrike::rule
