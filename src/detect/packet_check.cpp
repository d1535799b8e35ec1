#include "packet_check.h"

#include <algorithm>

#include "header_numbers.h"
#include "reputation.h"
#include "search.h"

namespace shrike::detect {

namespace {

bool flags_match(FlagMode mode, uint32_t found, uint32_t wanted) noexcept {
  if (wanted == 0 && found != 0) {
    return mode == FlagMode::none;
  }
  switch (mode) {
    case FlagMode::exact:
      return found == wanted;
    case FlagMode::all:
      return (found & wanted) == wanted;
    case FlagMode::any:
      return (found & wanted) != 0;
    case FlagMode::none:
      return (found & wanted) != wanted;
  }
  return false;
}

bool ports_contain(const shrike::PortSet& set, uint16_t port) noexcept {
  for (const PortRange& range : set) {
    if (port <= range.last) {
      return port >= range.first;
    }
  }
  return false;
}

bool addresses_match(const RuleTables& tables, uint32_t set, const IpAddress& address,
                     unsigned version) noexcept {
  return set == no_index || version == 0 || tables.address_sets[set].contains(address, version);
}

bool vlan_matches(const Datagram& datagram, const PacketInstruction& check) noexcept {
  const unsigned count = datagram.vlan_count;
  const auto compare = [&](unsigned layer) {
    return layer < count &&
           compares(check.compare, datagram.vlan_ids[layer], check.first, check.second);
  };
  constexpr uint8_t any_layer = 3;
  constexpr uint8_t all_layers = 4;
  if (check.mode < any_layer) {
    return compare(check.mode);
  }
  if (check.mode > all_layers) {
    const unsigned from_inside = check.mode - all_layers;
    return from_inside <= count && compare(count - from_inside);
  }
  unsigned matching = 0;
  for (unsigned layer = 0; layer < count; ++layer) {
    matching += compare(layer) ? 1 : 0;
  }
  return check.mode == any_layer ? matching != 0 : count != 0 && matching == count;
}

bool stream_size_matches(const Subject& subject, const PacketInstruction& check) noexcept {
  if (subject.slot == nullptr || subject.datagram->protocol != ip_protocol::tcp) {
    return false;
  }
  const auto& bytes = subject.tracked->flow.stream_bytes;
  const auto compare = [&](Direction direction) {
    return compares(check.compare, bytes[static_cast<size_t>(direction)], check.first,
                    check.second);
  };
  switch (static_cast<StreamSide>(check.mode)) {
    case StreamSide::client:
      return compare(Direction::to_server);
    case StreamSide::server:
      return compare(Direction::to_client);
    case StreamSide::both:
      return compare(Direction::to_server) && compare(Direction::to_client);
    case StreamSide::either:
      return compare(Direction::to_server) || compare(Direction::to_client);
  }
  return false;
}

/// A Sun RPC call (RFC 5531 section 9) in the packet's own payload; over TCP behind the four
/// bytes of a record mark.
bool rpc_matches(const Subject& subject, const PacketInstruction& check) noexcept {
  const Datagram& datagram = *subject.datagram;
  const bool is_tcp = datagram.protocol == ip_protocol::tcp;
  if (!datagram.has_transport || (!is_tcp && datagram.protocol != ip_protocol::udp)) {
    return false;
  }
  ByteReader reader(datagram.payload);
  reader.skip(is_tcp ? 4 + 4 : 4);  // record mark, transaction id
  const uint32_t type = reader.big32();
  reader.skip(4);  // version of RPC itself
  const uint32_t program = reader.big32();
  const uint32_t version = reader.big32();
  const uint32_t procedure = reader.big32();
  constexpr uint32_t call = 0;
  return !reader.failed() && type == call && program == check.first &&
         ((check.mode & 1) != 0 || version == check.second >> 32) &&
         ((check.mode & 2) != 0 || procedure == (check.second & 0xffffffff));
}

/// How the flow was identified. Not identified yet (unknown) equals no protocol.
/// Suricata: DetectAppLayerProtocolPacketMatch.
bool app_protocol_matches(const Subject& subject, const PacketInstruction& check) noexcept {
  constexpr uint8_t negated = 16;
  const bool is_negated = (check.mode & negated) != 0;
  if (!subject.tracked->flow.id.exists()) {
    return false;
  }
  static const AppView nothing;
  const AppView& app = subject.app == nullptr ? nothing : *subject.app;
  const auto wanted = static_cast<AppProtocol>(check.first);
  const auto is_wanted = [&](AppProtocol found) {
    return wanted == AppProtocol::unknown
               ? found == wanted
               : found != AppProtocol::unknown && is_kind_of(found, wanted);
  };
  const auto in = [&](Direction direction) {
    return is_wanted(app.by_direction[static_cast<size_t>(direction)]);
  };
  bool holds = false;
  switch (static_cast<ProtocolSide>(check.mode & ~negated)) {
    case ProtocolSide::any:
      holds = in(subject.tracked->flow.id.direction());
      break;
    case ProtocolSide::to_server:
      holds = in(Direction::to_server);
      break;
    case ProtocolSide::to_client:
      holds = in(Direction::to_client);
      break;
    case ProtocolSide::either:
      holds = in(Direction::to_server) || in(Direction::to_client);
      break;
    case ProtocolSide::final:
      holds = is_wanted(app.protocol);
      break;
    case ProtocolSide::original:
      holds = is_wanted(app.original);
      break;
  }
  return holds != is_negated;
}

/// An event of the flow's identification or of its parser as a whole.
bool app_event_matches(const Subject& subject, const PacketInstruction& check) noexcept {
  if (subject.app == nullptr) {
    return false;
  }
  const auto direction = static_cast<size_t>(subject.tracked->flow.id.direction());
  const std::span<const AppEvent> events = subject.app->events[direction];
  return std::find(events.begin(), events.end(), static_cast<AppEvent>(check.first)) !=
         events.end();
}

}  // namespace

void PacketVariables::set(uint32_t variable, Bytes value) noexcept {
  for (size_t i = 0; i < count_; ++i) {
    if (entries_[i].variable == variable) {
      entries_[i].value = value;
      return;
    }
  }
  if (count_ < entries_.size()) {
    entries_[count_++] = {variable, value};
  }
}

Bytes PacketVariables::find(uint32_t variable) const noexcept {
  for (size_t i = 0; i < count_; ++i) {
    if (entries_[i].variable == variable) {
      return entries_[i].value;
    }
  }
  return {};
}

uint32_t facts_of(const Tracked& tracked, const AppView* app, size_t payload_bytes) noexcept {
  const Datagram& datagram = *tracked.datagram;
  const bool is_real = !datagram.is_pseudo();
  const bool has_stream = tracked.chunk_count != 0;
  uint32_t facts = payload_bytes != 0 || has_stream ? need::payload : need::no_payload;
  facts |= has_stream ? need::stream : 0;
  const bool has_app_event = app != nullptr && (!app->events[0].empty() || !app->events[1].empty());
  facts |= !datagram.events.empty() || !tracked.events.empty() || has_app_event ? need::event : 0;
  facts |= is_real ? need::real_packet : 0;
  facts |= datagram.ip_version == 4 ? need::ipv4 : datagram.ip_version == 6 ? need::ipv6 : 0;
  if (tracked.flow.id.exists()) {
    facts |= need::flow;
    facts |= tracked.flow.is_established ? need::established : need::not_established;
    facts |=
        tracked.flow.id.direction() == Direction::to_server ? need::to_server : need::to_client;
  } else {
    facts |= need::to_server | need::not_established;
  }
  if (!is_real || !datagram.has_transport) {
    return facts;
  }
  if (datagram.protocol == ip_protocol::tcp) {
    facts |= need::tcp | static_cast<uint32_t>(datagram.tcp_flags) << need::tcp_flags_shift;
    facts |= (datagram.tcp_flags & 0x07) != 0 ? need::tcp_opens_or_ends : 0;
    facts |= (datagram.tcp_flags & 0xe0) != 0 ? need::tcp_unusual : 0;
  } else if (datagram.protocol == ip_protocol::icmp || datagram.protocol == ip_protocol::icmpv6) {
    facts |= need::icmp;
  }
  return facts;
}

bool PacketChecker::header_matches(const Subject& subject, const CompiledRule& rule) noexcept {
  const RuleTables& tables = *subject.tables;
  const Datagram& datagram = *subject.datagram;
  if (!tables.protocol_sets[rule.protocol_set].test(datagram.protocol)) {
    return false;
  }
  if (rule.source_ports != no_index || rule.target_ports != no_index) {
    const bool has_ports = datagram.protocol == ip_protocol::tcp ||
                           datagram.protocol == ip_protocol::udp ||
                           datagram.protocol == ip_protocol::sctp;
    if (!has_ports || datagram.is_fragment) {
      return false;
    }
    const auto matches = [&](uint32_t set, uint16_t port) {
      return set == no_index || ports_contain(tables.port_sets[set], port);
    };
    if (!matches(rule.target_ports, datagram.target_port) ||
        !matches(rule.source_ports, datagram.source_port)) {
      return false;
    }
  }
  return addresses_match(tables, rule.target_addresses, datagram.target, datagram.ip_version) &&
         addresses_match(tables, rule.source_addresses, datagram.source, datagram.ip_version);
}

bool PacketChecker::checks_match(const Subject& subject, const CompiledRule& rule) noexcept {
  const PacketInstruction* const first =
      subject.tables->packet_instructions.data() + rule.packet_index;
  return std::all_of(first, first + rule.packet_count,
                     [&](const PacketInstruction& check) { return matches(subject, check); });
}

bool PacketChecker::matches(const Subject& subject, const PacketInstruction& check) noexcept {
  const Datagram& datagram = *subject.datagram;
  switch (check.opcode) {
    case PacketOpcode::never:
      return false;
    case PacketOpcode::flow_start:
      return subject.tracked->flow
                 .packets[static_cast<size_t>(subject.tracked->flow.id.direction())] == 1;
    case PacketOpcode::rebuilt:
      return (datagram.origin == DatagramOrigin::defrag) == (check.mode != 0);
    case PacketOpcode::first_of_side: {
      const FlowView& flow = subject.tracked->flow;
      return flow.id.exists() && flow.packets[static_cast<size_t>(flow.id.direction())] == 1;
    }
    case PacketOpcode::tcp_flags: {
      const auto ignored = static_cast<uint32_t>(check.second);
      return flags_match(static_cast<FlagMode>(check.mode), datagram.tcp_flags & ~ignored,
                         static_cast<uint32_t>(check.first) & ~ignored);
    }
    case PacketOpcode::fragment_bits:
      return flags_match(static_cast<FlagMode>(check.mode), fragment_bits_of(datagram),
                         static_cast<uint32_t>(check.first));
    case PacketOpcode::ip_option:
      return (datagram.ipv4_options & check.first) != 0;
    case PacketOpcode::ip_protocol:
      return subject.tables->protocol_sets[check.index].test(datagram.protocol);
    case PacketOpcode::same_ip:
      return datagram.ip_version != 0 && datagram.source == datagram.target;
    case PacketOpcode::address: {
      const auto holds = [&](const IpAddress& address) {
        return subject.tables->address_sets[check.index].contains(address, datagram.ip_version) !=
               ((check.mode & 2) != 0);
      };
      const bool asks_source = (check.mode & 5) != 0;
      const bool asks_target = (check.mode & 1) == 0 || (check.mode & 4) != 0;
      return datagram.ip_version != 0 &&
             ((asks_source && holds(datagram.source)) || (asks_target && holds(datagram.target)));
    }
    case PacketOpcode::layer3:
      return (check.first & (datagram.ip_version == 4   ? 1u
                             : datagram.ip_version == 6 ? 2u
                                                        : 0u)) != 0;
    case PacketOpcode::checksum:
      return checksum_matches(datagram, static_cast<ChecksumKind>(check.mode), check.first != 0);
    case PacketOpcode::decode_event:
      return datagram.events.has(static_cast<DecodeEvent>(check.first));
    case PacketOpcode::stream_event:
      return subject.tracked->events.has(static_cast<StreamEvent>(check.first));
    case PacketOpcode::vlan_id:
      return vlan_matches(datagram, check);
    case PacketOpcode::stream_size:
      return stream_size_matches(subject, check);
    case PacketOpcode::rpc:
      return rpc_matches(subject, check);
    case PacketOpcode::bits_any_set:
    case PacketOpcode::bits_any_unset:
    case PacketOpcode::integer_is_set:
    case PacketOpcode::integer_not_set:
    case PacketOpcode::integer_compare:
    case PacketOpcode::variable_contains:
      return variable_matches(subject, check);
    case PacketOpcode::app_protocol:
      return app_protocol_matches(subject, check);
    case PacketOpcode::app_event:
      return app_event_matches(subject, check);
    case PacketOpcode::ip_reputation:
      return reputation_matches(*subject.tables, datagram, check);
    default:
      return number_matches(subject, check);
  }
}

bool PacketChecker::has_bit(const Subject& subject, uint32_t bit) noexcept {
  return variables_.find(subject.slot->variables, VariableKind::bit, bit) != nullptr;
}

bool PacketChecker::variable_matches(const Subject& subject,
                                     const PacketInstruction& check) noexcept {
  if (check.opcode == PacketOpcode::variable_contains) {
    const bool is_packet = (check.mode & 1) != 0;
    const Bytes value = is_packet ? packet_variables_.find(check.index)
                        : subject.slot != nullptr
                            ? captures_.find(subject.slot->captures, check.index)
                            : Bytes{};
    const Bytes wanted = as_bytes(subject.tables->texts[check.count]);
    return value.data() != nullptr &&
           (find_bytes(value, wanted, false) != nullptr) != ((check.mode & 2) != 0);
  }
  if (subject.slot == nullptr) {
    return false;
  }
  const uint32_t chain = subject.slot->variables;
  if (check.opcode == PacketOpcode::bits_any_set || check.opcode == PacketOpcode::bits_any_unset) {
    const bool wanted = check.opcode == PacketOpcode::bits_any_set;
    const uint32_t* const first = subject.tables->variable_lists.data() + check.index;
    return std::any_of(first, first + check.count,
                       [&](uint32_t bit) { return has_bit(subject, bit) == wanted; });
  }
  const uint32_t* const value = variables_.find(chain, VariableKind::integer, check.index);
  if (check.opcode == PacketOpcode::integer_is_set) {
    return value != nullptr;
  }
  if (check.opcode == PacketOpcode::integer_not_set) {
    return value == nullptr;
  }
  if (value == nullptr) {
    return false;
  }
  uint64_t wanted = check.first;
  if (check.mode == 1) {
    const uint32_t* const other =
        variables_.find(chain, VariableKind::integer, static_cast<uint32_t>(check.first));
    wanted = other == nullptr ? 0 : *other;
  }
  return compares(check.compare, *value, wanted, check.second);
}

}  // namespace shrike::detect
