#include "reputation.h"

#include <algorithm>
#include <optional>
#include <tuple>

namespace shrike::detect {

namespace {

/// The score of a single address, else of the narrowest network around it.
std::optional<uint8_t> score_of(const Reputation& reputation, const IpAddress& address,
                                unsigned version, uint32_t category) noexcept {
  const auto key = std::make_tuple(version, address, category);
  const auto key_of = [](const Reputation::Entry& entry) {
    return std::make_tuple(unsigned{entry.version}, entry.first, uint32_t{entry.category});
  };
  const auto host = std::lower_bound(
      reputation.hosts.begin(), reputation.hosts.end(), key,
      [&](const Reputation::Entry& entry, const auto& wanted) { return key_of(entry) < wanted; });
  if (host != reputation.hosts.end() && key_of(*host) == key) {
    return host->score;
  }
  for (const Reputation::Entry& network : reputation.networks) {
    if (network.version == version && network.category == category && network.first <= address &&
        address <= network.last) {
      return network.score;
    }
  }
  return std::nullopt;
}

}  // namespace

bool reputation_matches(const RuleTables& tables, const Datagram& datagram,
                        const PacketInstruction& check) noexcept {
  const auto holds = [&](const IpAddress& address) {
    const auto score = score_of(tables.reputation, address, datagram.ip_version, check.index);
    return score && compares(check.compare, *score, check.first, check.second);
  };
  switch (static_cast<ReputationSide>(check.mode)) {
    case ReputationSide::any:
      return holds(datagram.source) || holds(datagram.target);
    case ReputationSide::source:
      return holds(datagram.source);
    case ReputationSide::target:
      return holds(datagram.target);
    case ReputationSide::both:
      return holds(datagram.source) && holds(datagram.target);
  }
  return false;
}

}  // namespace shrike::detect
