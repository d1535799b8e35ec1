#include "frame_builder.h"

#include "shrike/model/datagram.h"

namespace shrike::craft {

namespace {

/// For private use and experiments: what nothing else names.
constexpr uint16_t ether_type_local = 0x88b5;
constexpr uint8_t ip_protocol_experimental = 253;
constexpr uint8_t ip_protocol_none = 59;

}  // namespace

FrameBuilder::FrameBuilder(const Frame& frame) : layers_(frame.layers_) {
  size_t datagram_end = 0;
  for (const Frame::Layer& layer : layers_) {
    begins_.push_back(bytes_.size());
    append(bytes_, layer.header);
    if (layer.kind != Kind::trailer) {
      datagram_end = bytes_.size();
    }
  }
  begins_.push_back(datagram_end);
  for (size_t layer = layers_.size(); layer-- > 0;) {
    finish(layer);
  }
}

size_t FrameBuilder::outermost_ip() const {
  size_t layer = 0;
  while (layer < layers_.size() && layers_[layer].kind != Kind::ipv4 &&
         layers_[layer].kind != Kind::ipv6) {
    ++layer;
  }
  return layer;
}

void FrameBuilder::finish(size_t layer) {
  const Frame::Layer& given = layers_[layer];
  const bool fill_next = !given.keep_next;
  const bool fill_length = !given.keep_length;
  switch (given.kind) {
    case Kind::ethernet:
      return fill_next ? set16(layer, 12, next_ether_type(layer)) : void();
    case Kind::linux_sll:
      return fill_next ? set16(layer, 14, next_ether_type(layer)) : void();
    case Kind::linux_sll2:
      return fill_next ? set16(layer, 0, next_ether_type(layer)) : void();
    case Kind::null_link:
      return fill_next ? set8(layer, 0, next_is(layer, Kind::ipv6) ? 24 : 2) : void();
    case Kind::ppp:
      return fill_next ? set16(layer, 2, next_ppp_protocol(layer)) : void();
    case Kind::cisco_hdlc:
    case Kind::vlan:
    case Kind::geneve:
      return fill_next ? set16(layer, 2, next_ether_type(layer)) : void();
    case Kind::mpls:
      return fill_next && !next_is(layer, Kind::mpls) ? set8(layer, 2, given.header[2] | 1)
                                                      : void();
    case Kind::pppoe:
      if (fill_length) set16(layer, 4, bytes_from(layer) - 6);
      return fill_next ? set16(layer, 6, next_ppp_protocol(layer)) : void();
    case Kind::ipv4:
      return finish_ipv4(layer);
    case Kind::ipv6:
      if (fill_length) set16(layer, 4, bytes_from(layer) - 40);
      return fill_next ? set8(layer, 6, next_ip_protocol(layer)) : void();
    case Kind::ipv6_extension:
    case Kind::ipv6_fragment:
      return fill_next ? set8(layer, 0, next_ip_protocol(layer)) : void();
    case Kind::authentication:
      return finish_authentication(layer);
    case Kind::tcp:
      return finish_checksum(layer, 16, ip_protocol::tcp);
    case Kind::udp:
      if (fill_length) set16(layer, 4, bytes_from(layer));
      return finish_checksum(layer, 6, ip_protocol::udp);
    case Kind::icmp:
      return finish_checksum(layer, 2, std::nullopt);
    case Kind::icmpv6:
      return finish_checksum(layer, 2, ip_protocol::icmpv6);
    case Kind::sctp:
      return finish_sctp(layer);
    case Kind::gre:
      return finish_gre(layer);
    case Kind::arp:
    case Kind::esp:
    case Kind::erspan:
    case Kind::plain:
    case Kind::trailer:
      return;
  }
}

void FrameBuilder::finish_ipv4(size_t layer) {
  const Frame::Layer& given = layers_[layer];
  if (!given.keep_length) set16(layer, 2, bytes_from(layer));
  if (!given.keep_next) set8(layer, 9, next_ip_protocol(layer));
  if (!given.keep_checksum) {
    set16(layer, 10, 0);
    set16(layer, 10, internet_checksum({bytes_.data() + begins_[layer], given.header.size()}));
  }
}

void FrameBuilder::finish_authentication(size_t layer) {
  const Frame::Layer& given = layers_[layer];
  if (!given.keep_length) set8(layer, 1, given.header.size() / 4 - 2);
  if (!given.keep_next) set8(layer, 0, next_ip_protocol(layer));
}

void FrameBuilder::finish_gre(size_t layer) {
  constexpr uint8_t checksum_present = 0x80;
  constexpr uint16_t ether_type_ppp = 0x880b;
  const Frame::Layer& given = layers_[layer];
  const bool is_pptp = (given.header[1] & 7) == 1;
  if (!given.keep_next) set16(layer, 2, is_pptp ? ether_type_ppp : next_ether_type(layer));
  if (is_pptp) {
    set16(layer, 4, end() - begins_[layer] - given.header.size());
  } else if ((given.header[0] & checksum_present) != 0) {
    set16(layer, 4, 0);
    set16(layer, 4, internet_checksum({bytes_.data() + begins_[layer], bytes_from(layer)}));
  }
}

void FrameBuilder::finish_sctp(size_t layer) {
  if (layers_[layer].keep_checksum) {
    return;
  }
  const uint32_t sum = crc32c({bytes_.data() + begins_[layer], bytes_from(layer)});
  // RFC 9260 appendix A: the remainder is transmitted with its bytes in reverse.
  set16(layer, 8, __builtin_bswap16(static_cast<uint16_t>(sum)));
  set16(layer, 10, __builtin_bswap16(static_cast<uint16_t>(sum >> 16)));
}

void FrameBuilder::finish_checksum(size_t layer, size_t checksum_offset,
                                   std::optional<uint8_t> protocol) {
  if (layers_[layer].keep_checksum) {
    return;
  }
  const uint32_t before = protocol ? pseudo_header_sum(layer, *protocol) : 0;
  set16(layer, checksum_offset, 0);
  uint16_t sum = internet_checksum({bytes_.data() + begins_[layer], bytes_from(layer)}, before);
  if (layers_[layer].kind == Kind::udp && sum == 0) {
    sum = 0xffff;  // RFC 768: zero on the wire means "none"
  }
  set16(layer, checksum_offset, sum);
}

uint32_t FrameBuilder::pseudo_header_sum(size_t layer, uint8_t protocol) const {
  const size_t bytes = bytes_from(layer);
  uint32_t sum = static_cast<uint32_t>((bytes >> 16) + (bytes & 0xffff) + protocol);
  while (layer-- > 0) {
    const uint8_t* const header = bytes_.data() + begins_[layer];
    if (layers_[layer].kind == Kind::ipv4) {
      return partial_checksum({header + 12, 8}, sum);
    }
    if (layers_[layer].kind == Kind::ipv6) {
      return partial_checksum({header + 8, 32}, sum);
    }
  }
  return sum;
}

bool FrameBuilder::next_is(size_t layer, Kind kind) const {
  return layer + 1 < layers_.size() && layers_[layer + 1].kind == kind;
}

uint16_t FrameBuilder::next_ether_type(size_t layer) const {
  if (layer + 1 == layers_.size()) {
    return ether_type_local;
  }
  switch (const Frame::Layer& next = layers_[layer + 1]; next.kind) {
    case Kind::ipv4:
      return 0x0800;
    case Kind::ipv6:
      return 0x86dd;
    case Kind::arp:
      return 0x0806;
    case Kind::mpls:
      return 0x8847;
    case Kind::ethernet:
      return 0x6558;  // transparent Ethernet bridging, RFC 1701
    case Kind::ppp:
      return 0x880b;
    case Kind::vlan:
    case Kind::pppoe:
    case Kind::erspan:
      return next.tag;
    case Kind::linux_sll:
    case Kind::linux_sll2:
    case Kind::null_link:
    case Kind::cisco_hdlc:
    case Kind::ipv6_extension:
    case Kind::ipv6_fragment:
    case Kind::authentication:
    case Kind::esp:
    case Kind::tcp:
    case Kind::udp:
    case Kind::icmp:
    case Kind::icmpv6:
    case Kind::sctp:
    case Kind::gre:
    case Kind::geneve:
    case Kind::plain:
    case Kind::trailer:
      return ether_type_local;
  }
  return ether_type_local;
}

uint8_t FrameBuilder::next_ip_protocol(size_t layer) const {
  if (layer + 1 == layers_.size()) {
    return ip_protocol_none;
  }
  switch (const Frame::Layer& next = layers_[layer + 1]; next.kind) {
    case Kind::tcp:
      return ip_protocol::tcp;
    case Kind::udp:
      return ip_protocol::udp;
    case Kind::icmp:
      return ip_protocol::icmp;
    case Kind::icmpv6:
      return ip_protocol::icmpv6;
    case Kind::sctp:
      return ip_protocol::sctp;
    case Kind::gre:
      return ip_protocol::gre;
    case Kind::ipv4:
      return ip_protocol::ipip;
    case Kind::ipv6:
      return ip_protocol::ipv6;
    case Kind::esp:
      return ip_protocol::esp;
    case Kind::authentication:
      return ip_protocol::ah;
    case Kind::mpls:
      return 137;
    case Kind::ethernet:
      return 143;
    case Kind::ipv6_fragment:
      return 44;
    case Kind::ipv6_extension:
      return static_cast<uint8_t>(next.tag);
    case Kind::trailer:
      return ip_protocol_none;
    case Kind::linux_sll:
    case Kind::linux_sll2:
    case Kind::null_link:
    case Kind::ppp:
    case Kind::cisco_hdlc:
    case Kind::vlan:
    case Kind::pppoe:
    case Kind::arp:
    case Kind::erspan:
    case Kind::geneve:
    case Kind::plain:
      return ip_protocol_experimental;
  }
  return ip_protocol_experimental;
}

uint16_t FrameBuilder::next_ppp_protocol(size_t layer) const {
  if (next_is(layer, Kind::ipv6)) {
    return 0x0057;
  }
  if (next_is(layer, Kind::mpls)) {
    return 0x0281;
  }
  return next_is(layer, Kind::ipv4) ? 0x0021 : 0xc021;  // else: LCP
}

Frame FrameBuilder::head_of_piece(size_t ip, size_t offset_bytes, bool more_fragments) const {
  Frame head;
  for (size_t layer = 0; layer <= ip; ++layer) {
    head.add(layers_[layer]);
  }
  Frame::Layer& header = head.layers_.back();
  header.header.assign(bytes_.begin() + static_cast<ptrdiff_t>(begins_[ip]),
                       bytes_.begin() + static_cast<ptrdiff_t>(begins_[ip + 1]));
  if (header.kind == Kind::ipv6) {
    return head.ipv6_fragment({.offset_bytes = static_cast<uint16_t>(offset_bytes),
                               .more_fragments = more_fragments,
                               .next_header = header.header[6]});
  }
  header.keep_next = true;
  const uint16_t was = load_big16(header.header.data() + 6);
  const unsigned field = (was & 0xe000U) | ((was & 0x1fffU) + offset_bytes / 8);
  store_big16(header.header, 6, static_cast<uint16_t>(field | (more_fragments ? 0x2000U : 0U)));
  return head;
}

}  // namespace shrike::craft
