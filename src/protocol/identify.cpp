#include "identify.h"

#include <algorithm>

namespace shrike::protocol {

namespace {

constexpr size_t table_of(uint8_t transport) noexcept {
  return transport == ip_protocol::udp ? 1 : 0;
}
constexpr uint64_t bit_of(AppProtocol protocol) noexcept {
  return uint64_t{1} << static_cast<unsigned>(protocol);
}
static_assert(static_cast<unsigned>(AppProtocol::count_) <= 64, "one bit a protocol");

}  // namespace

Identifier::Identifier(const ProtocolOptions& options) : tries_both_ways_(options.midstream) {
  for (const ParserRow& row : parser_rows()) {
    const ProtocolSetting& setting = options.protocols[static_cast<size_t>(row.protocol)];
    if (setting.mode != ProtocolSetting::Mode::off) {
      add_row(row, setting);
    }
  }
  for (auto& of_transport : patterns_) {
    for (PatternTable& table : of_transport) {
      table.build();
    }
  }
  index_ports();
}

void Identifier::add_row(const ParserRow& row, const ProtocolSetting& setting) {
  for (const Pattern& pattern : row.patterns) {
    patterns_[table_of(pattern.transport)][static_cast<size_t>(pattern.direction)].add(
        pattern, row.protocol);
  }
  for (const Probe& probe : row.probes) {
    PortProbe entry{.probe = &probe, .protocol = row.protocol};
    // A probe without ports is only for what was expected: the operator's ports are not for it.
    if (!probe.server_ports.empty()) {
      entry.server_ports.assign(probe.server_ports.begin(), probe.server_ports.end());
      if (!setting.server_ports.empty()) {
        entry.server_ports = setting.server_ports;
      }
      entry.client_ports = setting.client_ports;
    }
    probes_.push_back(std::move(entry));
  }
}

void Identifier::index_ports() {
  for (const PortProbe& probe : probes_) {
    std::vector<PortEntry>& table = ports_[table_of(probe.probe->transport)];
    const auto entry_of = [&table](uint16_t port) -> PortEntry& {
      const auto at = std::find_if(table.begin(), table.end(),
                                   [port](const PortEntry& each) { return each.port == port; });
      return at != table.end() ? *at : table.emplace_back(PortEntry{.port = port});
    };
    for (const uint16_t port : probe.server_ports) {
      PortEntry& entry = entry_of(port);
      entry.as_server.push_back(&probe);
      entry.mask |= bit_of(probe.protocol);
    }
    for (const uint16_t port : probe.client_ports) {
      PortEntry& entry = entry_of(port);
      entry.as_client.push_back(&probe);
      entry.mask |= bit_of(probe.protocol);
    }
  }
  for (std::vector<PortEntry>& table : ports_) {
    std::sort(table.begin(), table.end(),
              [](const PortEntry& one, const PortEntry& other) { return one.port < other.port; });
  }
}

const Identifier::PortEntry* Identifier::find_port(size_t table, uint16_t port) const noexcept {
  const std::vector<PortEntry>& entries = ports_[table];
  const auto at =
      std::lower_bound(entries.begin(), entries.end(), port,
                       [](const PortEntry& entry, uint16_t wanted) { return entry.port < wanted; });
  return at != entries.end() && at->port == port ? &*at : nullptr;
}

Identified Identifier::identify(Look look, std::array<SideIdentity, 2>& sides) const noexcept {
  SideIdentity& side = sides[static_cast<size_t>(look.direction)];
  look.other = sides[static_cast<size_t>(opposite(look.direction))].protocol;
  if (!side.patterns_done) {
    const Identified found = look_for_patterns(look, sides);
    if (found.protocol != AppProtocol::unknown) {
      // The other direction's probes get another chance: its bytes may be of this protocol.
      SideIdentity& other = sides[static_cast<size_t>(opposite(look.direction))];
      if (other.protocol == AppProtocol::unknown) {
        other.probes_done = false;
      }
      return found;
    }
  }
  return side.probes_done ? Identified{} : ask_probes(look, sides);
}

Identified Identifier::look_for_patterns(const Look& look,
                                         std::array<SideIdentity, 2>& sides) const noexcept {
  using Outcome = PatternTable::Outcome;
  SideIdentity& side = sides[static_cast<size_t>(look.direction)];
  const auto& tables = patterns_[table_of(look.transport)];
  const PatternTable::Result own =
      tables[static_cast<size_t>(look.direction)].look(look.bytes, look.direction, look.other);
  if (own.outcome == Outcome::found) {
    side.patterns_done = true;
    return own.identified;
  }
  if (!tries_both_ways_) {
    side.patterns_done = own.outcome == Outcome::never;
    return {};
  }
  const PatternTable::Result other = tables[static_cast<size_t>(opposite(look.direction))].look(
      look.bytes, look.direction, look.other);
  side.patterns_done = other.outcome == Outcome::found ||
                       (other.outcome == Outcome::never && own.outcome == Outcome::never);
  return other.outcome == Outcome::found ? other.identified : Identified{};
}

Identified Identifier::ask(const PortProbe& candidate, const Look& look,
                           uint64_t& said_no) noexcept {
  const Probe& probe = *candidate.probe;
  if (look.bytes.size() < probe.bytes_min || (said_no & bit_of(candidate.protocol)) != 0) {
    return {};
  }
  Probe::Answer answer = Probe::Answer::more;
  const bool is_asked =
      look.direction == Direction::to_server ? probe.to_server_too : probe.to_client_too;
  if (probe.probe != nullptr && is_asked && (probe.suits == nullptr || probe.suits(look.other))) {
    answer = probe.probe(look.bytes, look.direction);
  }
  if (answer == Probe::Answer::yes || answer == Probe::Answer::yes_reversed) {
    return {candidate.protocol, answer == Probe::Answer::yes_reversed};
  }
  if (answer == Probe::Answer::no ||
      (probe.bytes_max != 0 && look.bytes.size() > probe.bytes_max)) {
    said_no |= bit_of(candidate.protocol);
  }
  return {};
}

/// The probes that `as` makes candidates: by what is hinted at, then by the server's port, then by
/// the client's. `as` differs from the bytes' own direction where both are tried.
Identified Identifier::ask_ports(const Look& look, Direction as, AppProtocol hinted,
                                 SideIdentity& notes) const noexcept {
  const bool is_turned = as != look.direction;
  const size_t table = table_of(look.transport);
  const PortEntry* const server = find_port(table, is_turned ? look.client_port : look.server_port);
  const PortEntry* const client = find_port(table, is_turned ? look.server_port : look.client_port);
  bool has_candidates = server != nullptr && !server->as_server.empty();
  has_candidates |= client != nullptr && !client->as_client.empty();
  const auto expected = std::find_if(probes_.begin(), probes_.end(), [&](const PortProbe& probe) {
    return probe.protocol == hinted && probe.probe->transport == look.transport;
  });
  if (hinted != AppProtocol::unknown && expected != probes_.end()) {
    has_candidates = true;
    const Identified found = ask(*expected, look, notes.said_no);
    if (found.protocol != AppProtocol::unknown) {
      return found;
    }
  }
  const auto ask_all = [&](const Candidates& candidates) {
    Identified found;
    for (size_t i = 0; i < candidates.size() && found.protocol == AppProtocol::unknown; ++i) {
      found = ask(*candidates[i], look, notes.said_no);
    }
    return found;
  };
  Identified found;
  if (server != nullptr) {
    found = ask_all(server->as_server);
  }
  if (found.protocol == AppProtocol::unknown && client != nullptr) {
    found = ask_all(client->as_client);
  }
  if (found.protocol == AppProtocol::unknown && !is_turned) {
    const uint64_t mask =
        (server != nullptr ? server->mask : 0) | (client != nullptr ? client->mask : 0);
    notes.probes_done = !has_candidates || notes.said_no == mask;
  }
  return found;
}

Identified Identifier::ask_probes(const Look& look,
                                  std::array<SideIdentity, 2>& sides) const noexcept {
  SideIdentity& side = sides[static_cast<size_t>(look.direction)];
  const AppProtocol hinted = look.expected != AppProtocol::unknown ? look.expected : look.other;
  const Identified found = ask_ports(look, look.direction, hinted, side);
  if (found.protocol != AppProtocol::unknown || !tries_both_ways_) {
    return found;
  }
  return ask_ports(look, opposite(look.direction), side.protocol, side);
}

}  // namespace shrike::protocol
