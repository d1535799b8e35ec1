#include "shrike/model/ruleset.h"

#include <algorithm>

namespace shrike {

namespace {

uint32_t to_number4(const IpAddress& address) noexcept {
  return load_big32(address.bytes.data());
}

template <typename Range, typename Value>
bool is_in(const std::vector<Range>& ranges, const Value& value) noexcept {
  const auto after = std::upper_bound(
      ranges.begin(), ranges.end(), value,
      [](const Value& wanted, const Range& range) { return wanted < range.first; });
  return after != ranges.begin() && !(std::prev(after)->last < value);
}

}  // namespace

bool AddressSet::contains(const IpAddress& address, unsigned version) const noexcept {
  return version == 4 ? is_in(ipv4, to_number4(address)) : is_in(ipv6, address);
}

TransportClass transport_class(uint8_t protocol) noexcept {
  switch (protocol) {
    case ip_protocol::tcp:
      return TransportClass::tcp;
    case ip_protocol::udp:
      return TransportClass::udp;
    case ip_protocol::sctp:
      return TransportClass::sctp;
    case ip_protocol::icmp:
      return TransportClass::icmp;
    case ip_protocol::icmpv6:
      return TransportClass::icmpv6;
    default:
      return TransportClass::other;
  }
}

AddressTable::Found AddressTable::find(const IpAddress& address, unsigned version) const noexcept {
  if (version == 4) {
    if (starts4.empty()) {
      return {};
    }
    const uint32_t value = to_number4(address);
    const auto first = starts4.begin() + prefix4[value >> 16];
    const auto last = starts4.begin() + prefix4[(value >> 16) + 1] + 1;
    const auto at = static_cast<size_t>(
        std::upper_bound(first, std::min(last, starts4.end()), value) - starts4.begin() - 1);
    return {rules4.data() + lists4[at], rules4.data() + lists4[at + 1]};
  }
  if (starts6.empty()) {
    return {};
  }
  const auto at = static_cast<size_t>(std::upper_bound(starts6.begin(), starts6.end(), address) -
                                      starts6.begin() - 1);
  return {rules6.data() + lists6[at], rules6.data() + lists6[at + 1]};
}

RuleSet::RuleSet(std::unique_ptr<const RuleTables> tables) noexcept : tables_(std::move(tables)) {}
RuleSet::~RuleSet() = default;
RuleSet::RuleSet(RuleSet&&) noexcept = default;
RuleSet& RuleSet::operator=(RuleSet&&) noexcept = default;

std::span<const RuleInfo> RuleSet::infos() const noexcept {
  return tables_->infos;
}
std::span<const std::string> RuleSet::bit_names() const noexcept {
  return tables_->bit_names;
}
std::span<const std::string> RuleSet::integer_names() const noexcept {
  return tables_->integer_names;
}

uint16_t group_of(const RuleTables& tables, const Datagram& datagram,
                  Direction direction) noexcept {
  if (datagram.ip_version == 0) {
    return tables.event_group;
  }
  const auto side = static_cast<size_t>(direction);
  const TransportClass transport = transport_class(datagram.protocol);
  if (transport == TransportClass::tcp || transport == TransportClass::udp) {
    const uint16_t port =
        direction == Direction::to_server ? datagram.target_port : datagram.source_port;
    return tables.port_groups[side][static_cast<size_t>(transport)][port];
  }
  return tables.other_groups[side][static_cast<size_t>(transport)];
}

}  // namespace shrike
