#include "counts.h"

#include <array>
#include <string>

#include "shrike/model/decode_event.h"

namespace shrike::decode {
namespace {

constexpr std::array rows = {
    CounterRow{"decoder.pkts", "packets", "frames taken in"},
    CounterRow{"decoder.bytes", "bytes", "captured bytes of these frames"},
    CounterRow{"decoder.invalid", "packets", "frames with a malformation that makes them invalid"},
    CounterRow{"decoder.ethernet", "layers", "Ethernet headers"},
    CounterRow{"decoder.vlan", "layers", "first VLAN tags"},
    CounterRow{"decoder.vlan_qinq", "layers", "second VLAN tags"},
    CounterRow{"decoder.vlan_qinqinq", "layers", "third VLAN tags"},
    CounterRow{"decoder.ieee8021ah", "layers", "provider backbone tags (802.1ah)"},
    CounterRow{"decoder.vntag", "layers", "VN tags"},
    CounterRow{"decoder.etag", "layers", "E-tags (802.1BR)"},
    CounterRow{"decoder.mpls", "layers", "MPLS label stacks"},
    CounterRow{"decoder.pppoe", "layers", "PPPoE headers, discovery and session"},
    CounterRow{"decoder.ppp", "layers", "PPP headers"},
    CounterRow{"decoder.chdlc", "layers", "Cisco HDLC headers"},
    CounterRow{"decoder.sll", "layers", "Linux cooked headers"},
    CounterRow{"decoder.sll2", "layers", "Linux cooked headers, version 2"},
    CounterRow{"decoder.raw", "packets", "frames that start with IP"},
    CounterRow{"decoder.null", "layers", "BSD loopback headers"},
    CounterRow{"decoder.nsh", "layers", "network service headers"},
    CounterRow{"decoder.arp", "packets", "ARP"},
    CounterRow{"decoder.unknown_ethertype", "layers", "EtherTypes that are not looked into"},
    CounterRow{"decoder.ipv4", "datagrams", "IPv4 headers, rebuilt ones included"},
    CounterRow{"decoder.ipv6", "datagrams", "IPv6 headers, rebuilt ones included"},
    CounterRow{"decoder.tcp", "datagrams", "TCP"},
    CounterRow{"decoder.udp", "datagrams", "UDP"},
    CounterRow{"decoder.icmpv4", "datagrams", "ICMP over IPv4"},
    CounterRow{"decoder.icmpv6", "datagrams", "ICMP over IPv6"},
    CounterRow{"decoder.sctp", "datagrams", "SCTP"},
    CounterRow{"decoder.esp", "datagrams", "ESP"},
    CounterRow{"decoder.gre", "layers", "GRE headers"},
    CounterRow{"decoder.erspan", "layers", "ERSPAN headers"},
    CounterRow{"decoder.vxlan", "layers", "VXLAN headers"},
    CounterRow{"decoder.geneve", "layers", "Geneve headers"},
    CounterRow{"decoder.teredo", "datagrams", "IPv6 in UDP (Teredo)"},
    CounterRow{"decoder.ipv4_in_ipv4", "datagrams", "IPv4 in IPv4"},
    CounterRow{"decoder.ipv6_in_ipv4", "datagrams", "IPv6 in IPv4"},
    CounterRow{"decoder.ipv4_in_ipv6", "datagrams", "IPv4 in IPv6"},
    CounterRow{"decoder.ipv6_in_ipv6", "datagrams", "IPv6 in IPv6"},
    CounterRow{"decoder.skipped_ieee80211", "packets", "802.11 frames, not looked into"},
    CounterRow{"decoder.skipped_link_type", "packets", "frames of a link type not known here"},
};
static_assert(rows.size() == static_cast<size_t>(Count::count_));

constexpr std::array fragment_rows = {
    CounterRow{"defrag.ipv4.fragments", "datagrams", "IPv4 fragments"},
    CounterRow{"defrag.ipv4.reassembled", "datagrams", "IPv4 datagrams rebuilt"},
    CounterRow{"defrag.ipv6.fragments", "datagrams", "IPv6 fragments"},
    CounterRow{"defrag.ipv6.reassembled", "datagrams", "IPv6 datagrams rebuilt"},
    CounterRow{"defrag.max_trackers_reached", "fragments",
               "fragments that found all trackers busy"},
    CounterRow{"defrag.max_frags_reached", "fragments", "fragments that found no memory"},
    CounterRow{"defrag.wrk.tracker_timeout", "datagrams", "given up because of their age"},
    CounterRow{"defrag.tracker_hard_reuse", "datagrams", "given up, oldest first, to make room"},
    CounterRow{"defrag.memuse", "bytes", "fragments held now"},
};
static_assert(fragment_rows.size() == static_cast<size_t>(FragmentCount::count_));

/// Names with their prefix, which the rows borrow.
struct EventRows {
  EventRows() {
    for (size_t i = 0; i < rows.size(); ++i) {
      names[i] = "decoder.event.";
      names[i] += to_text(static_cast<DecodeEvent>(i));
      rows[i] = {names[i], "datagrams", "datagrams with this event"};
    }
  }
  std::array<std::string, decode_events_count> names;
  std::array<CounterRow, decode_events_count> rows;
};

}  // namespace

std::span<const CounterRow> count_rows() noexcept {
  return rows;
}
std::span<const CounterRow> fragment_count_rows() noexcept {
  return fragment_rows;
}

std::span<const CounterRow> event_count_rows() {
  static const EventRows event_rows;
  return event_rows.rows;
}

}  // namespace shrike::decode
