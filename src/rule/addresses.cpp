#include "addresses.h"

#include <arpa/inet.h>

#include <algorithm>

#include "lists.h"

namespace shrike::rule {

namespace {

size_t bytes_of(uint8_t version) {
  return version == 4 ? 4 : 16;
}

/// The address after or before; wraps around at the end of the space.
IpAddress step(IpAddress address, uint8_t version, bool is_up) {
  for (size_t i = bytes_of(version); i-- > 0;) {
    const uint8_t was = address.bytes[i];
    address.bytes[i] = static_cast<uint8_t>(is_up ? was + 1 : was - 1);
    if (was != (is_up ? 0xFF : 0x00)) break;
  }
  return address;
}

bool is_last(const AddressRange& range) {
  const auto* const begin = range.last.bytes.data();
  return std::all_of(begin, begin + bytes_of(range.version), [](uint8_t b) { return b == 0xFF; });
}

AddressRange everything(uint8_t version) {
  AddressRange range{version, {}, {}};
  std::fill_n(range.last.bytes.begin(), bytes_of(version), uint8_t{0xFF});
  return range;
}

/// Decimal dotted or IPv6; dotted is by far the most frequent, hence by hand.
std::optional<AddressRange> parse_address(std::string_view text) {
  AddressRange range;
  if (text.find(':') == std::string_view::npos) {
    const char* at = text.data();
    const char* const end = at + text.size();
    for (size_t i = 0; i < 4; ++i) {
      uint8_t value = 0;
      const auto [stop, fault] = std::from_chars(at, end, value);
      const bool has_leading_zero = stop - at > 1 && *at == '0';
      if (fault != std::errc{} || stop - at > 3 || has_leading_zero) return std::nullopt;
      range.first.bytes[i] = value;
      if (i < 3 && (stop == end || *stop != '.')) return std::nullopt;
      if (i == 3 && stop != end) return std::nullopt;
      at = stop + 1;
    }
    range.last = range.first;
    return range;
  }
  std::array<char, INET6_ADDRSTRLEN + 1> copy{};
  if (text.size() >= copy.size()) return std::nullopt;
  std::copy(text.begin(), text.end(), copy.begin());
  range.version = 6;
  if (inet_pton(AF_INET6, copy.data(), range.first.bytes.data()) != 1) return std::nullopt;
  range.last = range.first;
  return range;
}

/// Prefix length of "24", or of "255.255.255.0" behind an IPv4 address.
std::optional<unsigned> parse_prefix(std::string_view text, uint8_t version) {
  if (version == 4 && text.find('.') != std::string_view::npos) {
    const auto mask = parse_address(text);
    if (!mask) return std::nullopt;
    const uint32_t bits = (uint32_t{mask->first.bytes[0]} << 24) |
                          (uint32_t{mask->first.bytes[1]} << 16) |
                          (uint32_t{mask->first.bytes[2]} << 8) | mask->first.bytes[3];
    const auto length = static_cast<unsigned>(std::countl_one(bits));
    if (length < 32 && (bits << length) != 0) return std::nullopt;
    return length;
  }
  const auto length = to_number<unsigned>(text);
  return length && *length <= bytes_of(version) * 8 ? length : std::nullopt;
}

AddressRange mask(AddressRange range, unsigned prefix_bits) {
  for (size_t i = 0; i < bytes_of(range.version); ++i) {
    const unsigned kept =
        prefix_bits > i * 8 ? std::min(prefix_bits - static_cast<unsigned>(i) * 8, 8U) : 0;
    const auto host = static_cast<uint8_t>(0xFFU >> kept);
    range.first.bytes[i] = static_cast<uint8_t>(range.first.bytes[i] & ~host);
    range.last.bytes[i] = static_cast<uint8_t>(range.first.bytes[i] | host);
  }
  return range;
}

/// What a list gathers before it becomes a set.
struct Gathered {
  std::vector<AddressRange> positive;
  std::vector<AddressRange> negated;
};

std::optional<AddressSet> to_set(Gathered& all, const Word& word, RuleReport& report) {
  AddressSet set;
  set.is_any = false;
  set.has_negation = !all.negated.empty();
  if (all.positive.empty()) all.positive = {everything(4), everything(6)};
  normalize(all.positive);
  normalize(all.negated);
  const bool is_all_negated = std::any_of(
      all.negated.begin(), all.negated.end(),
      [](const AddressRange& range) { return range == everything(4) || range == everything(6); });
  set.ranges = all.negated.empty() ? std::move(all.positive) : subtract(all.positive, all.negated);
  if (is_all_negated || set.ranges.empty()) {
    report.error(word, "address-space",
                 "'{}' leaves no address: the complete IP space is negated; give the variable "
                 "behind the '!' networks instead of any",
                 word.text.substr(0, 60));
    return std::nullopt;
  }
  if (set.ranges.size() == 2 && set.ranges[0] == everything(4) && set.ranges[1] == everything(6)) {
    set.is_any = true;
    set.ranges.clear();
  }
  return set;
}

}  // namespace

void normalize(std::vector<AddressRange>& ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const AddressRange& a, const AddressRange& b) {
    return a.version != b.version ? a.version < b.version : a.first < b.first;
  });
  size_t kept = 0;
  for (size_t i = 1; i < ranges.size(); ++i) {
    AddressRange& last = ranges[kept];
    const AddressRange& next = ranges[i];
    const bool touches = next.version == last.version &&
                         (is_last(last) || next.first <= step(last.last, last.version, true));
    if (touches) {
      last.last = std::max(last.last, next.last);
    } else {
      ranges[++kept] = next;
    }
  }
  if (!ranges.empty()) ranges.resize(kept + 1);
}

std::vector<AddressRange> subtract(const std::vector<AddressRange>& ranges,
                                   const std::vector<AddressRange>& removed) {
  std::vector<AddressRange> left;
  for (AddressRange rest : ranges) {
    bool is_gone = false;
    for (const AddressRange& hole : removed) {
      if (hole.version != rest.version || hole.last < rest.first || rest.last < hole.first) {
        continue;
      }
      if (rest.first < hole.first) {
        left.push_back({rest.version, rest.first, step(hole.first, rest.version, false)});
      }
      is_gone = rest.last <= hole.last;
      if (is_gone) break;
      rest.first = step(hole.last, rest.version, true);
    }
    if (!is_gone) left.push_back(rest);
  }
  return left;
}

std::optional<AddressRange> parse_address_range(std::string_view text) {
  if (const size_t slash = text.find('/'); slash != std::string_view::npos) {
    const auto address = parse_address(text.substr(0, slash));
    if (!address) return std::nullopt;
    const auto prefix = parse_prefix(text.substr(slash + 1), address->version);
    return prefix ? std::optional(mask(*address, *prefix)) : std::nullopt;
  }
  if (const size_t dash = text.find('-'); dash != std::string_view::npos) {
    const auto first = parse_address(trim(text.substr(0, dash)));
    const auto last = parse_address(trim(text.substr(dash + 1)));
    if (!first || !last || first->version != last->version || last->first < first->first) {
      return std::nullopt;
    }
    return AddressRange{first->version, first->first, last->first};
  }
  return parse_address(text);
}

std::optional<AddressSet> AddressReader::read(const Word& word, RuleReport& report) {
  if (is_same_word(word.text, "any")) return AddressSet{};
  std::string key(word.text);
  if (const auto found = known_.find(key); found != known_.end()) return found->second;
  Gathered gathered;
  ListWalk walk(groups_, report, [&](const Word& element, const Word& at, bool is_negated) {
    auto& side = is_negated ? gathered.negated : gathered.positive;
    if (is_same_word(element.text, "any")) {
      side.push_back(everything(4));
      side.push_back(everything(6));
      return true;
    }
    const auto range = parse_address_range(element.text);
    if (range) {
      side.push_back(*range);
      return true;
    }
    report.error(
        at, "address",
        "'{}' is no address; write 10.0.0.1, 10.0.0.0/8, 10.0.0.1-10.0.0.9, 2001:db8::/32, "
        "[list], $VARIABLE or any",
        element.text.substr(0, 60));
    return false;
  });
  if (!walk.walk(word)) return std::nullopt;
  auto set = to_set(gathered, word, report);
  if (set) known_.emplace(std::move(key), *set);
  return set;
}

}  // namespace shrike::rule
