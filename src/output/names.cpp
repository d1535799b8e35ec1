#include "names.h"

#include <array>

namespace shrike::output {

namespace {

/// By number, from 0. "Any" stands for what IANA describes but does not name.
constexpr std::array<std::string_view, 144> protocol_names = {
    "HOPOPT",      "ICMP",       "IGMP",        "GGP",        "IP-in-IP",
    "ST",          "TCP",        "CBT",         "EGP",        "IGP",
    "BBN-RCC-MON", "NVP-II",     "PUP",         "ARGUS",      "EMCON",
    "XNET",        "CHAOS",      "UDP",         "MUX",        "DCN-MEAS",
    "HMP",         "PRM",        "XNS-IDP",     "TRUNK-1",    "TRUNK-2",
    "LEAF-1",      "LEAF-2",     "RDP",         "IRTP",       "ISO-TP4",
    "NETBLT",      "MFE-NSP",    "MERIT-INP",   "DCCP",       "3PC",
    "IDPR",        "XTP",        "DDP",         "IDPR-CMTP",  "TP++",
    "IL",          "IPv6",       "SDRP",        "IPv6-Route", "IPv6-Frag",
    "IDRP",        "RSVP",       "GRE",         "DSR",        "BNA",
    "ESP",         "AH",         "I-NLSP",      "SwIPe",      "NARP",
    "MOBILE",      "TLSP",       "SKIP",        "IPv6-ICMP",  "IPv6-NoNxt",
    "IPv6-Opts",   "Any",        "CFTP",        "Any",        "SAT-EXPAK",
    "KRYPTOLAN",   "RVD",        "IPPC",        "Any",        "SAT-MON",
    "VISA",        "IPCU",       "CPNX",        "CPHB",       "WSN",
    "PVP",         "BR-SAT-MON", "SUN-ND",      "WB-MON",     "WB-EXPAK",
    "ISO-IP",      "VMTP",       "SECURE-VMTP", "VINES",      "TTP",
    "NSFNET-IGP",  "DGP",        "TCF",         "EIGRP",      "OSPF",
    "Sprite-RPC",  "LARP",       "MTP",         "AX.25",      "OS",
    "MICP",        "SCC-SP",     "ETHERIP",     "ENCAP",      "Any",
    "GMTP",        "IFMP",       "PNNI",        "PIM",        "ARIS",
    "SCPS",        "QNX",        "A/N",         "IPComp",     "SNP",
    "Compaq-Peer", "IPX-in-IP",  "VRRP",        "PGM",        "Any",
    "L2TP",        "DDX",        "IATP",        "STP",        "SRP",
    "UTI",         "SMP",        "SM",          "PTP",        "IS-IS",
    "FIRE",        "CRTP",       "CRUDP",       "SSCOPMCE",   "IPLT",
    "SPS",         "PIPE",       "SCTP",        "FC",         "RSVP-E2E-IGNORE",
    "Mobility",    "UDPLite",    "MPLS-in-IP",  "manet",      "HIP",
    "Shim6",       "WESP",       "ROHC",        "Ethernet",
};

struct IcmpPair {
  uint8_t first = 0;
  uint8_t second = 0;
};
// Question and answer, both ways. RFC 792, 950, 1256; RFC 4443, 4861, 2710, 8106.
constexpr IcmpPair icmp4_pairs[] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}, {10, 9}};
constexpr IcmpPair icmp6_pairs[] = {{128, 129}, {133, 134}, {135, 136},
                                    {130, 131}, {139, 140}, {144, 145}};

}  // namespace

std::string_view protocol_name(uint8_t protocol) noexcept {
  return protocol < protocol_names.size() ? protocol_names[protocol] : std::string_view{};
}

std::string protocol_text(uint8_t protocol) {
  const std::string_view name = protocol_name(protocol);
  return name.empty() ? std::to_string(protocol) : std::string(name);
}

std::string_view to_text(Direction direction) noexcept {
  return direction == Direction::to_server ? "to_server" : "to_client";
}

std::string_view to_text(FlowState state) noexcept {
  switch (state) {
    case FlowState::fresh:
      return "new";
    case FlowState::established:
      return "established";
    case FlowState::closed:
      return "closed";
    case FlowState::bypassed:
      return "bypassed";
  }
  return "";
}

std::string_view to_text(FlowEndReason reason) noexcept {
  switch (reason) {
    case FlowEndReason::timeout:
      return "timeout";
    case FlowEndReason::forced:
      return "forced";
    case FlowEndReason::shutdown:
      return "shutdown";
    case FlowEndReason::tcp_reuse:
      return "tcp_reuse";
  }
  return "unknown";
}

std::string_view to_text(TcpState state) noexcept {
  switch (state) {
    case TcpState::none:
      return "none";
    case TcpState::listen:
      return "listen";
    case TcpState::syn_sent:
      return "syn_sent";
    case TcpState::syn_received:
      return "syn_recv";
    case TcpState::established:
      return "established";
    case TcpState::fin_wait1:
      return "fin_wait1";
    case TcpState::fin_wait2:
      return "fin_wait2";
    case TcpState::time_wait:
      return "time_wait";
    case TcpState::last_ack:
      return "last_ack";
    case TcpState::close_wait:
      return "close_wait";
    case TcpState::closing:
      return "closing";
    case TcpState::closed:
      return "closed";
  }
  return "";
}

LinkTypeName link_type_name(LinkType type) noexcept {
  switch (type) {
    case LinkType::ethernet:
      return {1, "EN10MB"};
    case LinkType::linux_sll:
      return {113, "LINUX_SLL"};
    case LinkType::linux_sll2:
      return {276, "LINUX_SLL2"};
    case LinkType::raw_ip:
      return {12, "RAW"};
    case LinkType::null:
      return {0, "NULL"};
    case LinkType::ppp:
      return {9, "PPP"};
    case LinkType::cisco_hdlc:
      return {104, "C_HDLC"};
    case LinkType::ieee80211_radiotap:
      return {127, "IEEE802_11_RADIO"};
    case LinkType::unknown:
      break;
  }
  return {0, "n/a"};
}

uint8_t icmp_counterpart(uint8_t type, bool is_version6) noexcept {
  const std::span<const IcmpPair> pairs =
      is_version6 ? std::span<const IcmpPair>(icmp6_pairs) : std::span<const IcmpPair>(icmp4_pairs);
  for (const IcmpPair& pair : pairs) {
    if (pair.first == type) {
      return pair.second;
    }
    if (pair.second == type) {
      return pair.first;
    }
  }
  return 0;
}

}  // namespace shrike::output
