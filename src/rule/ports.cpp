#include "ports.h"

#include <bitset>
#include <memory>

#include "lists.h"

namespace shrike::rule {

namespace {

constexpr size_t ports_count = 65536;
using PortBits = std::bitset<ports_count>;

std::optional<uint16_t> parse_port(std::string_view text, uint16_t if_empty, const Word& at,
                                   RuleReport& report) {
  if (text.empty()) return if_empty;
  const auto port = to_number<uint16_t>(text);
  if (!port) report.error(at, "port", "'{}' is not a port; write 0 to 65535", text.substr(0, 40));
  return port;
}

void add(const Range<uint16_t>& range, PortBits& bits) {
  for (size_t port = range.first; port <= range.last; ++port) bits.set(port);
}

std::vector<Range<uint16_t>> to_ranges(const PortBits& bits) {
  std::vector<Range<uint16_t>> ranges;
  for (size_t port = 0; port < ports_count; ++port) {
    if (!bits[port]) continue;
    const size_t first = port;
    while (port + 1 < ports_count && bits[port + 1]) ++port;
    ranges.push_back({static_cast<uint16_t>(first), static_cast<uint16_t>(port)});
  }
  return ranges;
}

}  // namespace

std::optional<Range<uint16_t>> parse_port_range(const Word& word, const Word& at,
                                                RuleReport& report) {
  const size_t colon = word.text.find(':');
  const std::string_view first = trim(word.text.substr(0, colon));
  if (colon == std::string_view::npos) {
    const auto port = to_number<uint16_t>(first);
    if (port) return Range<uint16_t>{*port, *port};
    report.error(at, "port", "'{}' is not a port; write 0 to 65535, 1024:, 80:90, [list] or any",
                 word.text.substr(0, 40));
    return std::nullopt;
  }
  const auto low = parse_port(first, 0, at, report);
  const auto high = parse_port(trim(word.text.substr(colon + 1)), 65535, at, report);
  if (!low || !high) return std::nullopt;
  if (*low <= *high) return Range<uint16_t>{*low, *high};
  report.error(at, "port-order", "{0} is above {1}; write {1}:{0}", *low, *high);
  return std::nullopt;
}

std::optional<PortSet> PortReader::read(const Word& word, RuleReport& report) {
  if (is_same_word(word.text, "any")) return PortSet{};
  std::string key(word.text);
  if (const auto found = known_.find(key); found != known_.end()) return found->second;

  const auto positive = std::make_unique<PortBits>();
  const auto negated = std::make_unique<PortBits>();
  bool has_positive = false;
  ListWalk walk(groups_, report, [&](const Word& element, const Word& at, bool is_negated) {
    std::optional<Range<uint16_t>> range = Range<uint16_t>{0, 65535};
    if (!is_same_word(element.text, "any")) range = parse_port_range(element, at, report);
    if (!range) return false;
    has_positive |= !is_negated;
    add(*range, is_negated ? *negated : *positive);
    return true;
  });
  if (!walk.walk(word)) return std::nullopt;
  if (!has_positive) positive->set();
  *positive &= ~*negated;
  if (positive->none()) {
    report.error(word, "port-space", "'{}' leaves no port; remove a negation",
                 word.text.substr(0, 60));
    return std::nullopt;
  }
  PortSet set;
  set.is_any = positive->all();
  if (!set.is_any) set.ranges = to_ranges(*positive);
  known_.emplace(std::move(key), set);
  return set;
}

}  // namespace shrike::rule
