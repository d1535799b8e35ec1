#pragma once
#include "work.h"

namespace shrike::decode {

/// EtherTypes that lead to a decoder (IEEE registry).
namespace ethertype {
inline constexpr uint16_t ipv4 = 0x0800, arp = 0x0806, bridge = 0x6558, vlan = 0x8100,
                          ipv6 = 0x86dd, ppp = 0x880b, mpls = 0x8847, mpls_multicast = 0x8848,
                          pppoe_discovery = 0x8863, pppoe_session = 0x8864, service_vlan = 0x88a8,
                          erspan = 0x88be, ieee8021ah = 0x88e7, fabric_path = 0x8903,
                          vntag = 0x8926, etag = 0x893f, nsh = 0x894f, qinq = 0x9100;
}

/// The frame of a packet, by its link type.
void decode_link(Work& work, LinkType type, Bytes bytes) noexcept;

bool decode_ethernet(Work& work, Bytes bytes) noexcept;
bool decode_vlan(Work& work, Bytes bytes) noexcept;
bool decode_ppp(Work& work, Bytes bytes) noexcept;
bool decode_pppoe_discovery(Work& work, Bytes bytes) noexcept;
bool decode_pppoe_session(Work& work, Bytes bytes) noexcept;
bool decode_mpls(Work& work, Bytes bytes) noexcept;
bool decode_nsh(Work& work, Bytes bytes) noexcept;
bool decode_arp(Work& work, Bytes bytes) noexcept;

/// What an EtherType announces. @return false where no decoder knows that type.
bool decode_network(Work& work, uint16_t type, Bytes bytes) noexcept;

}  // namespace shrike::decode
