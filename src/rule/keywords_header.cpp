#include <algorithm>
#include <array>

#include "ip_protocols.h"
#include "values.h"

/// Keywords about the headers of IP, TCP, UDP, ICMP and VLAN.
namespace shrike::rule {

namespace {

using What = HeaderNumber::What;

template <What what, typename Number>
void parse_header_number(Builder& builder, const Keyword&, const Argument& argument) {
  if (const auto comparison = parse_comparison<Number>(argument.value, builder.report())) {
    builder.add(HeaderNumber{what, *comparison});
  }
}

void parse_dsize(Builder& builder, const Keyword&, const Argument& argument) {
  if (builder.facts().has_dsize) {
    builder.report().error(argument.name, "repeated", "a second dsize; write a range 10<>20");
    return;
  }
  builder.facts().has_dsize = true;
  if (const auto comparison = parse_comparison<uint16_t>(argument.value, builder.report())) {
    builder.add(HeaderNumber{What::payload_bytes, *comparison});
  }
}

/// `tos:8`, `tos:!8`, `tos:x1f`.
void parse_tos(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Word value = argument.value;
  const bool is_negated = !value.empty() && value.text[0] == '!';
  if (is_negated) value = value.from(1).trimmed();
  std::optional<uint8_t> number;
  if (!value.empty() && value.text[0] == 'x') {
    number = to_number<uint8_t>("0" + std::string(value.text));
  } else {
    number = to_number<uint8_t>(value.text);
  }
  if (!number) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  const auto op = is_negated ? Comparison::Operator::not_equal : Comparison::Operator::equal;
  builder.add(HeaderNumber{What::tos, {op, *number, 0}});
}

/// `fragoffset:!>10`: the only header number with a sign before an operator.
void parse_fragoffset(Builder& builder, const Keyword& keyword, const Argument& argument) {
  std::string_view text = argument.value.text;
  if (!text.empty() && text[0] == '!') {
    const bool is_compared = text.size() > 1 && (text[1] == '<' || text[1] == '>');
    if (is_compared) {
      report_value(keyword, argument.value, builder.report());
      return;
    }
  }
  parse_header_number<What::fragment_offset, uint16_t>(builder, keyword, argument);
}

void parse_sameip(Builder& builder, const Keyword&, const Argument&) {
  builder.add(SameIp{});
}

struct FlagLetter {
  char letter;
  uint8_t bit;
};
constexpr FlagLetter flag_letters[] = {{'F', 0x01}, {'S', 0x02}, {'R', 0x04}, {'P', 0x08},
                                       {'A', 0x10}, {'U', 0x20}, {'E', 0x40}, {'2', 0x40},
                                       {'C', 0x80}, {'1', 0x80}};

/// Bits of "SA"; nothing where a letter is no flag. '0' means none of them.
std::optional<uint8_t> parse_flag_letters(std::string_view text) {
  unsigned bits = 0;
  for (const char letter : text) {
    if (letter == '0' || letter == ' ') continue;  // '0' is none of them
    const auto* const found =
        std::find_if(std::begin(flag_letters), std::end(flag_letters),
                     [&](const FlagLetter& flag) { return flag.letter == letter; });
    if (found == std::end(flag_letters)) return std::nullopt;
    bits |= found->bit;
  }
  return static_cast<uint8_t>(bits);
}

/// Takes the one of '+', '*', '!' that stands before or after the letters.
template <typename Mode>
Mode take_mode(std::string_view& text) {
  const auto take = [&](char letter) {
    if (text.empty() || (text.front() != letter && text.back() != letter)) return false;
    text.front() == letter ? text.remove_prefix(1) : text.remove_suffix(1);
    text = trim(text);
    return true;
  };
  if (take('+')) return Mode::all;
  if (take('*')) return Mode::any;
  if (take('!')) return Mode::none;
  return Mode::exact;
}

void parse_flags(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Word rest = argument.value;
  const bool has_ignored = rest.text.find(',') != std::string_view::npos;
  std::string_view letters = rest.take_until(',').text;
  TcpFlags check;
  check.mode = take_mode<TcpFlags::Mode>(letters);
  const auto flags = parse_flag_letters(letters);
  const auto ignored = parse_flag_letters(rest.text);
  if (letters.empty() || !flags || !ignored || (has_ignored && rest.empty())) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  check.flags = *flags;
  check.ignored = *ignored;
  builder.add(check);
}

void parse_fragbits(Builder& builder, const Keyword& keyword, const Argument& argument) {
  std::string_view letters = argument.value.text;
  FragmentBits check;
  check.mode = take_mode<FragmentBits::Mode>(letters);
  bool is_good = !letters.empty();
  for (const char letter : letters) {
    check.more |= letter == 'M';
    check.dont |= letter == 'D';
    check.reserved |= letter == 'R';
    is_good &= letter == 'M' || letter == 'D' || letter == 'R' || letter == ' ';
  }
  if (!is_good) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  builder.add(check);
}

void parse_ipopts(Builder& builder, const Keyword& keyword, const Argument& argument) {
  static constexpr std::array<std::string_view, 13> names{
      "rr", "lsrr", "eol", "nop", "ts", "sec", "esec", "ssrr", "satid", "any", "cipso", "ra", "qs"};
  const std::string name = lower_cased(argument.value.text);
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  builder.add(IpOption{name});
}

/// All ip_proto of a rule make one set: one '=' alone, or bounds and exceptions together.
void parse_ip_proto(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Word name = argument.value;
  const char sign = name.empty() ? '\0' : name.text[0];
  const bool has_sign = sign == '!' || sign == '<' || sign == '>';
  if (has_sign) name = name.from(1).trimmed();
  const auto number = find_ip_protocol(name.text);
  if (!number) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  auto* check = builder.find_check<IpProtocol>();
  const bool is_first = check == nullptr;
  if (is_first) {
    builder.add(IpProtocol{std::bitset<256>().set()});
    check = builder.find_check<IpProtocol>();
  }
  const bool is_one_already = !is_first && check->allowed.count() == 1;
  const bool is_general = builder.rule().header.ip_protocols.all();
  if (!is_general || is_one_already || (!has_sign && !is_first)) {
    builder.report().error(argument.name, "ip-proto",
                           "ip_proto is for 'alert ip' rules, one number or several '!'; name the "
                           "protocol in the header instead");
    return;
  }
  for (size_t i = 0; i < check->allowed.size(); ++i) {
    const bool is_in = sign == '!'   ? i != *number
                       : sign == '<' ? i < *number
                       : sign == '>' ? i > *number
                                     : i == *number;
    check->allowed[i] = check->allowed[i] && is_in;
  }
  if (check->allowed.none()) {
    builder.report().error(argument.value, "ip-proto",
                           "no protocol is left; write bounds that some number is within");
  }
}

void parse_l3_proto(Builder& builder, const Keyword& keyword, const Argument& argument) {
  const std::string lower = lower_cased(argument.value.text);
  const bool is_ipv4 = lower == "ipv4" || lower == "ip4";
  const bool is_ipv6 = lower == "ipv6" || lower == "ip6";
  if (!is_ipv4 && !is_ipv6) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  if (builder.find_check<Layer3>() != nullptr) {
    builder.report().error(argument.name, "repeated", "a second l3_proto; remove one of them");
    return;
  }
  builder.add(Layer3{is_ipv4, is_ipv6});
}

template <ChecksumCheck::What what>
void parse_checksum(Builder& builder, const Keyword& keyword, const Argument& argument) {
  const bool is_valid = is_same_word(argument.value.text, "valid");
  if (!is_valid && !is_same_word(argument.value.text, "invalid")) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  builder.add(ChecksumCheck{what, is_valid});
}

/// `vlan.id:!200`, `vlan.id:>10,1`, `vlan.id:any`.
void parse_vlan_id(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Word rest = argument.value;
  const Word number = rest.take_until(',');
  VlanId check;
  if (!rest.empty()) {
    static constexpr std::string_view layer_names[] = {"any", "all", "0",  "1",
                                                       "2",   "-1",  "-2", "-3"};
    static constexpr int layers[] = {VlanId::any_layer, VlanId::all_layers, 0, 1, 2, -1, -2, -3};
    const auto* const found =
        std::find(std::begin(layer_names), std::end(layer_names), rest.trimmed().text);
    if (found == std::end(layer_names)) {
      report_value(keyword, argument.value, builder.report());
      return;
    }
    check.layer = layers[found - std::begin(layer_names)];
  }
  const auto comparison = parse_comparison(number, 4095, builder.report());
  if (!comparison) return;
  check.comparison = *comparison;
  builder.add(check);
}

void parse_vlan_layers(Builder& builder, const Keyword&, const Argument& argument) {
  if (const auto comparison = parse_comparison(argument.value, 3, builder.report())) {
    builder.add(HeaderNumber{What::vlan_layers, *comparison});
  }
}

void parse_header_buffer(Builder& builder, const Keyword& keyword, const Argument& argument) {
  builder.facts().requires_packet = true;
  builder.open_buffer(keyword.field, argument.name);
}

/// `geoip:dst,DE,FR`: the countries become ranges of addresses here and now.
void parse_geoip(Builder& builder, const Keyword& keyword, const Argument& argument) {
  static constexpr std::array<std::string_view, 4> sides{"any", "src", "dst", "both"};
  const std::string& path = builder.context().options.geoip_database;
  Word rest = argument.value;
  const Word side = rest.take_until(',').trimmed();
  const bool has_side = std::find(sides.begin(), sides.end(), side.text) != sides.end();
  if (!has_side) rest = argument.value;
  std::vector<std::string_view> codes;
  bool is_negated = false;
  do {
    Word code = rest.take_until(',').trimmed();
    is_negated |= code.text.starts_with('!');
    code = code.from(code.text.starts_with('!') ? 1 : 0);
    if (code.text.size() != 2) {
      report_value(keyword, argument.value, builder.report());
      return;
    }
    codes.push_back(code.text);
  } while (!rest.empty());
  if (path.empty() || !Countries::are_built_in()) {
    builder.leave_to_later(keyword);
    return;
  }
  Countries& countries = builder.context().countries;
  if (!countries.read(path)) {
    builder.report().error(argument.name, "data-file",
                           "'{}' cannot be read: {}; write geoip-database: PATH of a database of "
                           "countries",
                           path, countries.problem());
    return;
  }
  AddressCheck check{.ranges = countries.ranges_of(codes, is_negated)};
  check.is_either = !has_side || side.text == "any";
  check.is_source = side.text == "src" || side.text == "both";
  builder.add(check);
  if (side.text == "both") {
    check.is_source = false;
    builder.add(check);
  }
}

using enum ArgumentNeed;
using namespace trait;

constexpr uint16_t packet_only = packet_match | needs_packet;
constexpr std::string_view number_syntax = "<n>|!<n>|<<n>|><n>|<n>-<n>";
constexpr std::string_view checksum_syntax = "valid|invalid";

constexpr Keyword rows[] = {
    {"ttl", "", required, number_syntax, "Compares the time to live or hop limit.",
     parse_header_number<What::ttl, uint8_t>, packet_only},
    {"tos", "", required, "[!]<n>|[!]x<hex>", "Compares IPv4's type of service byte.", parse_tos,
     packet_only | may_be_quoted},
    {"id", "", required, number_syntax, "Compares IPv4's identification.",
     parse_header_number<What::ip_id, uint16_t>, packet_only},
    {"ipopts", "", required, "rr|lsrr|eol|nop|ts|sec|esec|ssrr|satid|any",
     "True where IPv4 carries the option.", parse_ipopts, packet_only},
    {"fragbits", "", required, "[+|*|!]<M, D, R>", "Compares IPv4's fragment bits.", parse_fragbits,
     packet_only},
    {"fragoffset", "", required, "[!|<|>]<n>", "Compares the fragment offset, in units of 8 bytes.",
     parse_fragoffset, packet_only},
    {"ip_proto", "", required, "[!|<|>]<number or name>", "Compares the protocol number of IP.",
     parse_ip_proto, may_be_quoted | needs_packet},
    {"l3_proto", "", required, "ipv4|ipv6", "Chooses the version of IP.", parse_l3_proto,
     packet_match | ip_only},
    {"sameip", "", none, "", "True where source and target address are equal.", parse_sameip,
     packet_only},
    {"geoip", "", required, "[src|dst|both|any],<countries>", "Compares the country of an address.",
     parse_geoip, packet_match | needs_packet},
    {"ip.src", "", none, "", "Buffer of the source address's bytes.", parse_sticky_buffer, sticky,
     Field::ip_src},
    {"ip.dst", "", none, "", "Buffer of the target address's bytes.", parse_sticky_buffer, sticky,
     Field::ip_dst},
    {"dsize", "", required, number_syntax, "Compares the bytes of the packet's payload.",
     parse_dsize, packet_only},
    {"itype", "", required, number_syntax, "Compares the type of ICMP.",
     parse_header_number<What::icmp_type, uint8_t>, packet_only},
    {"icode", "", required, number_syntax, "Compares the code of ICMP.",
     parse_header_number<What::icmp_code, uint8_t>, packet_only},
    {"icmp_id", "", required, "<n>", "Compares the identifier of an ICMP echo.",
     parse_header_number<What::icmp_id, uint16_t>, packet_only},
    {"icmp_seq", "", required, "<n>", "Compares the sequence number of an ICMP echo.",
     parse_header_number<What::icmp_sequence, uint16_t>, packet_match},
    {"icmpv6.mtu", "", required, number_syntax, "Compares the MTU of ICMPv6 packet too big.",
     parse_header_number<What::icmpv6_mtu, uint32_t>, packet_only},
    {"tcp.flags", "flags", required, "[+|*|!]<F, S, R, P, A, U, E, C, 0>[,<ignored>]",
     "Compares the flags of TCP.", parse_flags, packet_only},
    {"tcp.seq", "seq", required, number_syntax, "Compares TCP's sequence number.",
     parse_header_number<What::tcp_sequence, uint32_t>, packet_only},
    {"tcp.ack", "ack", required, number_syntax, "Compares TCP's acknowledgement number.",
     parse_header_number<What::tcp_acknowledgement, uint32_t>, packet_only},
    {"tcp.window", "window", required, "[!]<n>", "Compares TCP's window.",
     parse_header_number<What::tcp_window, uint16_t>, packet_only},
    {"tcp.mss", "", required, number_syntax, "Compares TCP's maximum segment size option.",
     parse_header_number<What::tcp_mss, uint16_t>, packet_only},
    {"tcp.wscale", "", required, number_syntax, "Compares TCP's window scale option.",
     parse_header_number<What::tcp_wscale, uint8_t>, packet_only},
    {"vlan.id", "", required, "[!|<|>]<n>[,<layer>]", "Compares a VLAN identifier.", parse_vlan_id,
     packet_only},
    {"vlan.layers", "", required, number_syntax, "Compares the number of VLAN tags.",
     parse_vlan_layers, packet_only},
    {"ipv4-csum", "", required, checksum_syntax, "Whether the IPv4 checksum is right.",
     parse_checksum<ChecksumCheck::What::ipv4>, packet_match},
    {"tcpv4-csum", "", required, checksum_syntax, "Whether the TCP checksum over IPv4 is right.",
     parse_checksum<ChecksumCheck::What::tcpv4>, packet_match},
    {"tcpv6-csum", "", required, checksum_syntax, "Whether the TCP checksum over IPv6 is right.",
     parse_checksum<ChecksumCheck::What::tcpv6>, packet_match},
    {"udpv4-csum", "", required, checksum_syntax, "Whether the UDP checksum over IPv4 is right.",
     parse_checksum<ChecksumCheck::What::udpv4>, packet_match},
    {"udpv6-csum", "", required, checksum_syntax, "Whether the UDP checksum over IPv6 is right.",
     parse_checksum<ChecksumCheck::What::udpv6>, packet_match},
    {"icmpv4-csum", "", required, checksum_syntax, "Whether the ICMP checksum is right.",
     parse_checksum<ChecksumCheck::What::icmpv4>, packet_match},
    {"icmpv6-csum", "", required, checksum_syntax, "Whether the ICMPv6 checksum is right.",
     parse_checksum<ChecksumCheck::What::icmpv6>, packet_match},
    {"ipv4.hdr", "", none, "", "Buffer of the IPv4 header.", parse_header_buffer, sticky,
     Field::ipv4_hdr},
    {"ipv6.hdr", "", none, "", "Buffer of the IPv6 header with its extension headers.",
     parse_header_buffer, sticky, Field::ipv6_hdr},
    {"tcp.hdr", "", none, "", "Buffer of the TCP header with its options.", parse_header_buffer,
     sticky, Field::tcp_hdr},
    {"udp.hdr", "", none, "", "Buffer of the UDP header.", parse_header_buffer, sticky,
     Field::udp_hdr},
    {"icmpv4.hdr", "", none, "", "Buffer of the ICMP header.", parse_header_buffer, sticky,
     Field::icmpv4_hdr},
    {"icmpv6.hdr", "", none, "", "Buffer of the ICMPv6 header.", parse_header_buffer, sticky,
     Field::icmpv6_hdr},
    {"ether.hdr", "", none, "", "Buffer of the Ethernet header.", parse_header_buffer,
     sticky | later, Field::ether_hdr},
    {"igmp.hdr", "", none, "", "Buffer of the IGMP header.", parse_header_buffer, sticky | later,
     Field::igmp_hdr},
    {"igmp.type", "", required, number_syntax, "Compares the type of IGMP.", parse_dormant_number,
     packet_only | not_inspected | later},
    {"sctp.hdr", "", none, "", "Buffer of the SCTP header.", parse_header_buffer, sticky | later,
     Field::sctp_hdr},
    {"sctp.vtag", "", required, number_syntax, "Compares SCTP's verification tag.",
     parse_dormant_number, packet_only | not_inspected | later},
    {"sctp.chunk_cnt", "", required, number_syntax, "Compares the number of SCTP chunks.",
     parse_dormant_number, packet_only | not_inspected | later},
    {"sctp.chunk_type", "", required, "<type>[,any|all|<index>]", "Compares types of SCTP chunks.",
     parse_dormant_value, packet_only | not_inspected | later},
    {"sctp.chunk_data", "", none, "", "Buffer of an SCTP data chunk.", parse_header_buffer,
     sticky | later, Field::sctp_chunk_data},
};

}  // namespace

std::span<const Keyword> header_keywords() noexcept {
  return rows;
}

}  // namespace shrike::rule
