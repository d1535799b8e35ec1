#include <algorithm>
#include <array>
#include <string_view>

#include "backend/program.h"
#include "shrike/model/datagram.h"

/// The checks on headers and flow as instructions, with the facts that a datagram must have before
/// any of them can hold (Suricata: SignatureCreateMask). See program.h.
namespace shrike::rule {

namespace {

constexpr PacketOpcode opcode_of(HeaderNumber::What what) noexcept {
  return static_cast<PacketOpcode>(static_cast<int>(PacketOpcode::ttl) + static_cast<int>(what));
}
static_assert(opcode_of(HeaderNumber::What::flow_bytes_either) == PacketOpcode::flow_bytes_either);
static_assert(opcode_of(HeaderNumber::What::vlan_layers) == PacketOpcode::vlan_layers);

/// IPv4 options by the names that `ipopts` knows.
struct OptionName {
  std::string_view name;
  uint16_t bits;
};
constexpr std::array option_names{
    OptionName{"eol", ipv4_option::end_of_list},
    OptionName{"nop", ipv4_option::no_operation},
    OptionName{"rr", ipv4_option::record_route},
    OptionName{"ts", ipv4_option::timestamp},
    OptionName{"qs", ipv4_option::quick_start},
    OptionName{"lsrr", ipv4_option::loose_source_route},
    OptionName{"ssrr", ipv4_option::strict_source_route},
    OptionName{"satid", ipv4_option::stream_id},
    OptionName{"sec", ipv4_option::security},
    OptionName{"cipso", ipv4_option::commercial_security},
    OptionName{"rtralt", ipv4_option::router_alert},
    OptionName{"esec", ipv4_option::extended_security},
    OptionName{"any", 0xffff},
};

bool is_flow_number(HeaderNumber::What what) noexcept {
  return what >= HeaderNumber::What::flow_age_seconds;
}

/// What `dsize` asks for: bytes, none, or either where the bound allows both (Suricata's mask).
uint32_t payload_need(const Comparison& comparison) noexcept {
  switch (comparison.op) {
    case Comparison::Operator::equal:
      return comparison.first > 0 ? need::payload : need::no_payload;
    case Comparison::Operator::not_equal:
    case Comparison::Operator::greater:
    case Comparison::Operator::greater_or_equal:
    case Comparison::Operator::between:
      return need::payload;
    case Comparison::Operator::less:
    case Comparison::Operator::less_or_equal:
    case Comparison::Operator::not_between:
    case Comparison::Operator::masked_equal:
    case Comparison::Operator::masked_not_equal:
      return 0;
  }
  return 0;
}

/// What a header number asks of a datagram, apart from its value.
uint32_t number_needs(HeaderNumber::What what) noexcept {
  using What = HeaderNumber::What;
  if (is_flow_number(what)) {
    return need::flow;
  }
  switch (what) {
    case What::ip_id:
      return need::real_packet | need::ipv4;
    case What::icmp_type:
    case What::icmp_code:
    case What::icmp_id:
    case What::icmp_sequence:
    case What::icmpv6_mtu:
      return need::real_packet | need::icmp;
    case What::tcp_sequence:
    case What::tcp_acknowledgement:
    case What::tcp_window:
    case What::tcp_mss:
    case What::tcp_wscale:
      return need::real_packet | need::tcp;
    default:
      return need::real_packet;
  }
}

}  // namespace

void PacketCheckWriter::put(PacketOpcode opcode, uint64_t first, uint8_t mode) const {
  PacketInstruction instruction;
  instruction.opcode = opcode;
  instruction.first = first;
  instruction.mode = mode;
  builder.put(instruction);
}

void PacketCheckWriter::operator()(const FlowCheck& check) const {
  // A direction alone asks for no flow: such a rule just stands in one direction's groups only.
  compiled.needs |= check.to_server && !check.to_client ? need::to_server : 0;
  compiled.needs |= check.to_client && !check.to_server ? need::to_client : 0;
  const bool has_more = check.established || check.not_established || check.stateless ||
                        check.only_stream || check.no_stream || check.only_frag || check.no_frag ||
                        check.opens_flow;
  compiled.needs |= has_more || check.opens_flow ? need::flow : 0;
  compiled.needs |= check.established ? need::established : 0;
  compiled.needs |= check.not_established ? need::not_established : 0;
  compiled.stream_only = compiled.stream_only || check.only_stream;
  if (check.opens_flow) {
    put(PacketOpcode::flow_start);
  }
  if (check.opens_flow) {
    put(PacketOpcode::first_of_side);
  }
  if (check.only_frag || check.no_frag) {
    put(PacketOpcode::rebuilt, 0, check.only_frag ? 1 : 0);
  }
}

void PacketCheckWriter::operator()(const TcpFlags& check) const {
  compiled.needs |= need::real_packet | need::tcp;
  // Suricata asks for one of these bits whatever the mode, so `flags:!S` means FIN or RST.
  compiled.needs |= (check.flags & 0x07) != 0 ? need::tcp_opens_or_ends : 0;
  compiled.needs |= (check.flags & 0xe0) != 0 ? need::tcp_unusual : 0;
  const auto kept = static_cast<uint32_t>(check.flags & ~check.ignored & 0xff);
  if (check.mode == TcpFlags::Mode::exact || check.mode == TcpFlags::Mode::all) {
    compiled.needs |= kept << need::tcp_flags_shift;
  }
  PacketInstruction instruction;
  instruction.opcode = PacketOpcode::tcp_flags;
  instruction.mode = static_cast<uint8_t>(check.mode);
  instruction.first = check.flags;
  instruction.second = check.ignored;
  builder.put(instruction);
}

void PacketCheckWriter::operator()(const FragmentBits& check) const {
  compiled.needs |= need::real_packet | need::ipv4;
  put(PacketOpcode::fragment_bits,
      (check.more ? 1u : 0u) | (check.dont ? 2u : 0u) | (check.reserved ? 4u : 0u),
      static_cast<uint8_t>(check.mode));
}

void PacketCheckWriter::operator()(const IpOption& check) const {
  compiled.needs |= need::real_packet | need::ipv4;
  for (const OptionName& option : option_names) {
    if (option.name == check.name) {
      put(PacketOpcode::ip_option, option.bits);
      return;
    }
  }
  put(PacketOpcode::never);
}

void PacketCheckWriter::operator()(const HeaderNumber& check) const {
  compiled.needs |= number_needs(check.what);
  const Comparison& comparison = check.comparison;
  if (check.what == HeaderNumber::What::payload_bytes) {
    compiled.needs |= payload_need(comparison);
  }
  PacketInstruction instruction;
  instruction.opcode = opcode_of(check.what);
  instruction.compare = compare_of(comparison.op);
  instruction.first = comparison.first;
  instruction.second = comparison.second;
  builder.put(instruction);
}

void PacketCheckWriter::operator()(const IpProtocol& check) const {
  PacketInstruction instruction;
  instruction.opcode = PacketOpcode::ip_protocol;
  instruction.index = builder.interner_.protocols(check.allowed);
  builder.put(instruction);
}

void PacketCheckWriter::operator()(const SameIp&) const {
  put(PacketOpcode::same_ip);
}

void PacketCheckWriter::operator()(const VlanId& check) const {
  compiled.needs |= need::real_packet;
  PacketInstruction instruction;
  instruction.opcode = PacketOpcode::vlan_id;
  instruction.mode = static_cast<uint8_t>(check.layer >= 0 ? check.layer : 4 - check.layer);
  instruction.compare = compare_of(check.comparison.op);
  instruction.first = check.comparison.first;
  instruction.second = check.comparison.second;
  builder.put(instruction);
}

void PacketCheckWriter::operator()(const StreamSize& check) const {
  PacketInstruction instruction;
  instruction.opcode = PacketOpcode::stream_size;
  instruction.mode = static_cast<uint8_t>(check.side);
  instruction.compare = compare_of(check.comparison.op);
  instruction.first = check.comparison.first;
  instruction.second = check.comparison.second;
  builder.put(instruction);
}

void PacketCheckWriter::operator()(const DecodeEventCheck& check) const {
  compiled.needs |= need::event;
  put(PacketOpcode::decode_event, static_cast<uint64_t>(check.event));
}

void PacketCheckWriter::operator()(const StreamEventCheck& check) const {
  compiled.needs |= need::event;
  put(PacketOpcode::stream_event, static_cast<uint64_t>(check.event));
}

void PacketCheckWriter::operator()(const AppEventCheck& check) const {
  // Those of transactions are programs: see ProgramBuilder::add_buffers.
  if (is_of_flows(check.event)) {
    put(PacketOpcode::app_event, static_cast<uint64_t>(check.event));
  }
}

/// A program of the transaction: see ProgramBuilder::add_buffers.
void PacketCheckWriter::operator()(const ProgressCheck&) const {}

void PacketCheckWriter::operator()(const AppProtocolCheck& check) const {
  constexpr uint8_t negated = 16;
  put(PacketOpcode::app_protocol, static_cast<uint64_t>(check.protocol),
      static_cast<uint8_t>(static_cast<uint8_t>(check.side) | (check.is_negated ? negated : 0)));
}

void PacketCheckWriter::operator()(const AddressCheck& check) const {
  PacketInstruction instruction;
  instruction.opcode = PacketOpcode::address;
  instruction.index = builder.interner_.addresses(check.ranges);
  instruction.mode = static_cast<uint8_t>(
      (check.is_source ? 1u : 0u) | (check.is_negated ? 2u : 0u) | (check.is_either ? 4u : 0u));
  builder.put(instruction);
}

void PacketCheckWriter::operator()(const ChecksumCheck& check) const {
  compiled.needs |= need::real_packet;
  put(PacketOpcode::checksum, check.must_be_valid ? 1 : 0, static_cast<uint8_t>(check.what));
}

void PacketCheckWriter::operator()(const Layer3& check) const {
  put(PacketOpcode::layer3, (check.ipv4 ? 1u : 0u) | (check.ipv6 ? 2u : 0u));
}

void PacketCheckWriter::operator()(const FlowBits& check) const {
  const bool is_set = check.command == FlowBits::Command::is_set;
  if (!is_set && check.command != FlowBits::Command::is_not_set) {
    return;  // what a match does is no condition: without a flow it just does nothing
  }
  compiled.needs |= need::flow;
  std::vector<uint32_t> bits;
  for (const std::string& name : check.names) {
    bits.push_back(builder.interner_.bit(name));
  }
  PacketInstruction instruction;
  instruction.opcode = is_set ? PacketOpcode::bits_any_set : PacketOpcode::bits_any_unset;
  instruction.index = builder.interner_.list(bits);
  instruction.count = static_cast<uint32_t>(bits.size());
  builder.put(instruction);
}

void PacketCheckWriter::operator()(const FlowInteger& check) const {
  using Command = FlowInteger::Command;
  if (check.command <= Command::assign) {
    return;
  }
  compiled.needs |= need::flow;
  PacketInstruction instruction;
  instruction.index = builder.interner_.integer(check.name);
  if (check.command == Command::is_set || check.command == Command::not_set) {
    instruction.opcode = check.command == Command::is_set ? PacketOpcode::integer_is_set
                                                          : PacketOpcode::integer_not_set;
  } else {
    instruction.opcode = PacketOpcode::integer_compare;
    instruction.compare =
        static_cast<Compare>(static_cast<int>(check.command) - static_cast<int>(Command::equal));
    instruction.mode = check.value_of.empty() ? 0 : 1;
    instruction.first =
        check.value_of.empty() ? check.value : builder.interner_.integer(check.value_of);
  }
  builder.put(instruction);
}

void PacketCheckWriter::operator()(const FlowVariableCheck& check) const {
  compiled.needs |= check.is_packet ? 0 : need::flow;
  PacketInstruction instruction;
  instruction.opcode = PacketOpcode::variable_contains;
  instruction.index = builder.interner_.variable(check.name);
  instruction.count = builder.interner_.text(check.bytes);
  instruction.mode =
      static_cast<uint8_t>((check.is_packet ? 1u : 0u) | (check.is_negated ? 2u : 0u));
  builder.put(instruction);
}

void PacketCheckWriter::operator()(const ReputationCheck& check) const {
  PacketInstruction instruction;
  instruction.opcode = PacketOpcode::ip_reputation;
  instruction.compare = compare_of(check.comparison.op);
  instruction.mode = static_cast<uint8_t>(check.side);
  instruction.index = check.category;
  instruction.first = check.comparison.first;
  instruction.second = check.comparison.second;
  builder.put(instruction);
}

void PacketCheckWriter::operator()(const NotInspected&) const {
  put(PacketOpcode::never);
}

}  // namespace shrike::rule
