#include "rate.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <string>

namespace shrike::generate {

namespace {

struct UnitName {
  std::string_view text;
  Rate::Unit unit;
};

constexpr std::array<UnitName, 6> unit_names{{{"pps", Rate::Unit::frames},
                                              {"", Rate::Unit::frames},
                                              {"bit/s", Rate::Unit::bits},
                                              {"bits/s", Rate::Unit::bits},
                                              {"bit", Rate::Unit::bits},
                                              {"bps", Rate::Unit::bits}}};

/// More than any port does; keeps the arithmetic below in 64 bits.
constexpr double rate_max = 1e13;

double take_prefix(std::string_view& text) {
  constexpr std::string_view prefixes = "kMG";
  const size_t place = text.empty() ? std::string_view::npos : prefixes.find(text[0]);
  if (place == std::string_view::npos) {
    return 1;
  }
  text.remove_prefix(1);
  return std::pow(1000.0, static_cast<double>(place + 1));
}

}  // namespace

std::optional<Rate> parse_rate(std::string_view text) {
  if (text == "max") {
    return Rate{};
  }
  const size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string number(text.substr(0, digits));
  char* end = nullptr;
  double value = std::strtod(number.c_str(), &end);
  if (number.empty() || *end != '\0') {
    return std::nullopt;
  }
  text.remove_prefix(digits);
  value *= take_prefix(text);
  if (!(value >= 1) || value > rate_max) {
    return std::nullopt;
  }
  for (const UnitName& name : unit_names) {
    if (name.text == text) {
      return Rate{name.unit, static_cast<uint64_t>(value + 0.5)};
    }
  }
  return std::nullopt;
}

Pacer::Pacer(const Rate& rate, uint64_t ticks_per_second, uint64_t now)
    : rate_(rate), ticks_per_second_(ticks_per_second), begin_(now) {}

uint64_t Pacer::ticks_to_wait(uint64_t now) {
  if (rate_.unit == Rate::Unit::unlimited) {
    return 0;
  }
  // Whole seconds move into begin_, so that the product below stays small and exact enough.
  begin_ += counted_ / rate_.per_second * ticks_per_second_;
  counted_ %= rate_.per_second;
  const double share = static_cast<double>(counted_) / static_cast<double>(rate_.per_second);
  const uint64_t due =
      begin_ + static_cast<uint64_t>(share * static_cast<double>(ticks_per_second_));
  if (due > now) {
    return due - now;
  }
  const uint64_t lag_max = ticks_per_second_ / 10;
  const uint64_t lag = now - due;
  begin_ += lag > lag_max ? lag - lag_max : 0;
  return 0;
}

void Pacer::count(uint64_t frame_bytes) {
  counted_ += rate_.unit == Rate::Unit::bits ? frame_bytes * 8 : 1;
}

}  // namespace shrike::generate
