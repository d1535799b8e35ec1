#include <algorithm>

#include "frame_builder.h"
#include "shrike/base/check.h"

namespace shrike::craft {

namespace {

constexpr uint16_t ether_type_pppoe_discovery = 0x8863;
constexpr uint16_t ether_type_pppoe_session = 0x8864;
constexpr uint16_t ether_type_service_tag = 0x88a8;
constexpr uint16_t ether_type_erspan_2 = 0x88be;

void append_address(Buffer& buffer, const Address& address, unsigned version) {
  check(address.version == version, "craft: address of the header's IP version");
  append(buffer, Bytes(address.value.bytes).first(version == 4 ? 4 : 16));
}

Buffer filled_to_words(Buffer options) {
  fill_up(options, 4);
  return options;
}

/// One TCP option, after as many NOPs as end it on a word.
void append_option(Buffer& buffer, const Buffer& option) {
  while ((buffer.size() + option.size()) % 4 != 0) {
    buffer.push_back(1);
  }
  append(buffer, option);
}

}  // namespace

Buffer to_bytes(const TcpOptions& options) {
  Buffer bytes;
  if (options.segment_bytes_max) {
    Buffer option{2, 4};
    append_big16(option, *options.segment_bytes_max);
    append_option(bytes, option);
  }
  if (options.window_scale) {
    append_option(bytes, {3, 3, *options.window_scale});
  }
  if (options.sack_permitted) {
    append_option(bytes, {4, 2});
  }
  if (options.timestamp) {
    Buffer option{8, 10};
    append_big32(option, *options.timestamp);
    append_big32(option, options.timestamp_echo);
    append_option(bytes, option);
  }
  return bytes;
}

Frame& Frame::add(Layer layer) {
  layers_.push_back(std::move(layer));
  return *this;
}

Frame& Frame::append(const Frame& inner) {
  const std::vector<Layer> copies = inner.layers_;  // `inner` may be this frame
  layers_.insert(layers_.end(), copies.begin(), copies.end());
  return *this;
}

Frame& Frame::ethernet(const Ethernet& fields) {
  Layer layer{.kind = Kind::ethernet, .keep_next = fields.type.has_value(), .header = {}};
  craft::append(layer.header, fields.target.bytes);
  craft::append(layer.header, fields.source.bytes);
  append_big16(layer.header, fields.type.value_or(0));
  return add(std::move(layer));
}

Frame& Frame::linux_sll(const LinuxSll& fields) {
  Layer layer{.kind = Kind::linux_sll, .keep_next = fields.protocol.has_value(), .header = {}};
  append_big16(layer.header, fields.packet_type);
  append_big16(layer.header, fields.hardware_type);
  append_big16(layer.header, 6);
  craft::append(layer.header, Buffer{2, 0, 0, 0, 0, 1, 0, 0});
  append_big16(layer.header, fields.protocol.value_or(0));
  return add(std::move(layer));
}

Frame& Frame::linux_sll2(const LinuxSll& fields) {
  Layer layer{.kind = Kind::linux_sll2, .keep_next = fields.protocol.has_value(), .header = {}};
  append_big16(layer.header, fields.protocol.value_or(0));
  append_big16(layer.header, 0);
  append_big32(layer.header, 1);
  append_big16(layer.header, fields.hardware_type);
  layer.header.push_back(static_cast<uint8_t>(fields.packet_type));
  craft::append(layer.header, Buffer{6, 2, 0, 0, 0, 0, 1, 0, 0});
  return add(std::move(layer));
}

Frame& Frame::null_link(std::optional<uint32_t> family) {
  const uint32_t value = family.value_or(0);
  Buffer header;
  for (unsigned shift = 0; shift < 32; shift += 8) {
    header.push_back(static_cast<uint8_t>(value >> shift));
  }
  return add({.kind = Kind::null_link, .keep_next = family.has_value(), .header = header});
}

Frame& Frame::ppp(std::optional<uint16_t> protocol) {
  Layer layer{.kind = Kind::ppp, .keep_next = protocol.has_value(), .header = {0xff, 3}};
  append_big16(layer.header, protocol.value_or(0));
  return add(std::move(layer));
}

Frame& Frame::cisco_hdlc(std::optional<uint16_t> protocol) {
  Layer layer{.kind = Kind::cisco_hdlc, .keep_next = protocol.has_value(), .header = {0x0f, 0}};
  append_big16(layer.header, protocol.value_or(0));
  return add(std::move(layer));
}

Frame& Frame::vlan(const Vlan& fields) {
  Layer layer{.kind = Kind::vlan,
              .keep_next = fields.type.has_value(),
              .tag = fields.tag_type,
              .header = {}};
  append_big16(layer.header, static_cast<uint16_t>(fields.priority << 13 | (fields.id & 0xfff)));
  append_big16(layer.header, fields.type.value_or(0));
  return add(std::move(layer));
}

Frame& Frame::qinq(uint16_t outer_id, uint16_t inner_id) {
  return vlan({.id = outer_id, .tag_type = ether_type_service_tag}).vlan({.id = inner_id});
}

Frame& Frame::mpls(const Mpls& fields) {
  Layer layer{.kind = Kind::mpls, .keep_next = fields.is_bottom.has_value(), .header = {}};
  const uint32_t bottom = fields.is_bottom.value_or(false) ? 0x100 : 0;
  append_big32(layer.header, fields.label << 12 | bottom | fields.ttl);
  return add(std::move(layer));
}

Frame& Frame::pppoe(const Pppoe& fields) {
  const bool is_session = fields.code == 0;
  Layer layer{.kind = Kind::pppoe,
              .keep_next = fields.protocol.has_value() || !is_session,
              .keep_length = fields.length.has_value(),
              .tag = is_session ? ether_type_pppoe_session : ether_type_pppoe_discovery,
              .header = {0x11, fields.code}};
  append_big16(layer.header, fields.session);
  append_big16(layer.header, fields.length.value_or(0));
  if (is_session) {
    append_big16(layer.header, fields.protocol.value_or(0));
  }
  return add(std::move(layer));
}

Frame& Frame::arp(const Arp& fields) {
  Layer layer{.kind = Kind::arp, .header = {0, 1, 8, 0, 6, 4}};
  append_big16(layer.header, fields.operation);
  craft::append(layer.header, fields.sender_mac.bytes);
  append_address(layer.header, fields.sender, 4);
  craft::append(layer.header, fields.target_mac.bytes);
  append_address(layer.header, fields.target, 4);
  return add(std::move(layer));
}

Frame& Frame::ipv4(const Ipv4& fields) {
  check(fields.fragment_offset_bytes % 8 == 0, "craft: fragment offsets count 8 bytes");
  const Buffer options = filled_to_words(fields.options);
  Layer layer{.kind = Kind::ipv4,
              .keep_next = fields.protocol.has_value(),
              .keep_length = fields.total_length.has_value(),
              .keep_checksum = fields.checksum.has_value(),
              .header = {}};
  const size_t words = fields.header_words.value_or(static_cast<uint8_t>(5 + options.size() / 4));
  layer.header = {static_cast<uint8_t>(fields.version << 4 | (words & 15)), fields.tos};
  append_big16(layer.header, fields.total_length.value_or(0));
  append_big16(layer.header, fields.id);
  append_big16(layer.header, static_cast<uint16_t>((fields.reserved_flag ? 0x8000 : 0) |
                                                   (fields.dont_fragment ? 0x4000 : 0) |
                                                   (fields.more_fragments ? 0x2000 : 0) |
                                                   fields.fragment_offset_bytes / 8));
  layer.header.push_back(fields.ttl);
  layer.header.push_back(fields.protocol.value_or(0));
  append_big16(layer.header, fields.checksum.value_or(0));
  append_address(layer.header, fields.source, 4);
  append_address(layer.header, fields.target, 4);
  craft::append(layer.header, options);
  return add(std::move(layer));
}

Frame& Frame::ipv6(const Ipv6& fields) {
  Layer layer{.kind = Kind::ipv6,
              .keep_next = fields.next_header.has_value(),
              .keep_length = fields.payload_length.has_value(),
              .header = {}};
  append_big32(layer.header, static_cast<uint32_t>(fields.version) << 28 |
                                 static_cast<uint32_t>(fields.traffic_class) << 20 |
                                 (fields.flow_label & 0xfffff));
  append_big16(layer.header, fields.payload_length.value_or(0));
  layer.header.push_back(fields.next_header.value_or(0));
  layer.header.push_back(fields.hop_limit);
  append_address(layer.header, fields.source, 6);
  append_address(layer.header, fields.target, 6);
  return add(std::move(layer));
}

Frame& Frame::ipv6_extension(const Ipv6Extension& fields) {
  Layer layer{.kind = Kind::ipv6_extension,
              .keep_next = fields.next_header.has_value(),
              .tag = fields.type,
              .header = {fields.next_header.value_or(0), 0}};
  craft::append(layer.header, fields.content);
  fill_up(layer.header, 8);
  const auto words = static_cast<uint8_t>(layer.header.size() / 8 - 1);
  layer.header[1] = fields.length_words.value_or(words);
  return add(std::move(layer));
}

Frame& Frame::ipv6_fragment(const Ipv6Fragment& fields) {
  check(fields.offset_bytes % 8 == 0, "craft: fragment offsets count 8 bytes");
  Layer layer{.kind = Kind::ipv6_fragment,
              .keep_next = fields.next_header.has_value(),
              .header = {fields.next_header.value_or(0), 0}};
  append_big16(layer.header,
               static_cast<uint16_t>(fields.offset_bytes | (fields.more_fragments ? 1 : 0)));
  append_big32(layer.header, fields.id);
  return add(std::move(layer));
}

Frame& Frame::authentication(const Authentication& fields) {
  Layer layer{.kind = Kind::authentication,
              .keep_next = fields.next_header.has_value(),
              .keep_length = fields.length_words.has_value(),
              .header = {fields.next_header.value_or(0), fields.length_words.value_or(0), 0, 0}};
  append_big32(layer.header, fields.security_index);
  append_big32(layer.header, fields.sequence);
  craft::append(layer.header, filled_to_words(fields.check_value));
  return add(std::move(layer));
}

Frame& Frame::esp(uint32_t security_index, uint32_t sequence) {
  Layer layer{.kind = Kind::esp, .header = {}};
  append_big32(layer.header, security_index);
  append_big32(layer.header, sequence);
  return add(std::move(layer));
}

Frame& Frame::tcp(const Tcp& fields) {
  const Buffer options = filled_to_words(fields.options);
  const size_t words = fields.header_words.value_or(static_cast<uint8_t>(5 + options.size() / 4));
  Layer layer{.kind = Kind::tcp, .keep_checksum = fields.checksum.has_value(), .header = {}};
  append_big16(layer.header, fields.source_port);
  append_big16(layer.header, fields.target_port);
  append_big32(layer.header, fields.sequence);
  append_big32(layer.header, fields.acknowledgment);
  layer.header.push_back(static_cast<uint8_t>(words << 4));
  layer.header.push_back(fields.flags);
  append_big16(layer.header, fields.window);
  append_big16(layer.header, fields.checksum.value_or(0));
  append_big16(layer.header, fields.urgent_pointer);
  craft::append(layer.header, options);
  return add(std::move(layer));
}

Frame& Frame::udp(const Udp& fields) {
  Layer layer{.kind = Kind::udp,
              .keep_length = fields.length.has_value(),
              .keep_checksum = fields.checksum.has_value(),
              .header = {}};
  append_big16(layer.header, fields.source_port);
  append_big16(layer.header, fields.target_port);
  append_big16(layer.header, fields.length.value_or(0));
  append_big16(layer.header, fields.checksum.value_or(0));
  return add(std::move(layer));
}

Frame& Frame::icmp(const Icmp& fields) {
  Layer layer{.kind = Kind::icmp,
              .keep_checksum = fields.checksum.has_value(),
              .header = {fields.type, fields.code}};
  append_big16(layer.header, fields.checksum.value_or(0));
  append_big16(layer.header, fields.id);
  append_big16(layer.header, fields.sequence);
  return add(std::move(layer));
}

Frame& Frame::icmpv6(const Icmp& fields) {
  icmp(fields);
  layers_.back().kind = Kind::icmpv6;
  return *this;
}

Frame& Frame::sctp(const Sctp& fields) {
  Layer layer{.kind = Kind::sctp, .keep_checksum = fields.checksum.has_value(), .header = {}};
  append_big16(layer.header, fields.source_port);
  append_big16(layer.header, fields.target_port);
  append_big32(layer.header, fields.verification_tag);
  append_big32(layer.header, fields.checksum.value_or(0));
  return add(std::move(layer));
}

Frame& Frame::sctp_chunk(const SctpChunk& fields) {
  Layer layer{.kind = Kind::plain, .header = {fields.type, fields.flags}};
  append_big16(layer.header,
               fields.length.value_or(static_cast<uint16_t>(4 + fields.value.size())));
  craft::append(layer.header, fields.value);
  fill_up(layer.header, 4);
  return add(std::move(layer));
}

Frame& Frame::sctp_data(std::string_view text, uint32_t transmission_sequence) {
  SctpChunk chunk;
  append_big32(chunk.value, transmission_sequence);
  append_big32(chunk.value, 0);  // stream 0, message 0
  append_big32(chunk.value, 0);  // payload protocol: none
  craft::append(chunk.value, as_bytes(text));
  return sctp_chunk(chunk);
}

Frame& Frame::gre(const Gre& fields) {
  const bool is_pptp = fields.version == 1;
  Layer layer{.kind = Kind::gre, .keep_next = fields.protocol.has_value(), .header = {}};
  const bool has_key = fields.key.has_value() || is_pptp;
  const unsigned flags = (fields.has_checksum ? 0x8000U : 0U) | (has_key ? 0x2000U : 0U) |
                         (fields.sequence ? 0x1000U : 0U) | (fields.acknowledgment ? 0x0080U : 0U) |
                         (fields.version & 7U);
  append_big16(layer.header, static_cast<uint16_t>(flags));
  append_big16(layer.header, fields.protocol.value_or(0));
  if (fields.has_checksum) {
    append_big32(layer.header, 0);
  }
  if (has_key) {
    append_big32(layer.header, fields.key.value_or(1));  // PPTP: payload length and call
  }
  if (fields.sequence) {
    append_big32(layer.header, *fields.sequence);
  }
  if (fields.acknowledgment) {
    append_big32(layer.header, *fields.acknowledgment);
  }
  return add(std::move(layer));
}

Frame& Frame::erspan(const Erspan& fields) {
  Layer layer{.kind = Kind::erspan, .tag = ether_type_erspan_2, .header = {}};
  append_big16(layer.header, static_cast<uint16_t>(fields.version << 12 | (fields.vlan & 0xfff)));
  append_big16(layer.header, fields.session & 0x3ff);
  append_big32(layer.header, 0);
  return add(std::move(layer));
}

Frame& Frame::vxlan(const Vxlan& fields) {
  Layer layer{.kind = Kind::plain, .header = {fields.flags, 0, 0, 0}};
  append_big32(layer.header, fields.network << 8);
  return add(std::move(layer));
}

Frame& Frame::geneve(const Geneve& fields) {
  const Buffer options = filled_to_words(fields.options);
  Layer layer{.kind = Kind::geneve,
              .keep_next = fields.protocol.has_value(),
              .header = {static_cast<uint8_t>(options.size() / 4), fields.flags}};
  append_big16(layer.header, fields.protocol.value_or(0));
  append_big32(layer.header, fields.network << 8);
  craft::append(layer.header, options);
  return add(std::move(layer));
}

Frame& Frame::teredo_origin(const Address& address, uint16_t port) {
  Layer layer{.kind = Kind::plain, .header = {0, 0}};
  // RFC 4380 5.1.1: port and address are obfuscated by inverting every bit.
  append_big16(layer.header, static_cast<uint16_t>(~port));
  append_address(layer.header, address, 4);
  std::transform(layer.header.begin() + 4, layer.header.end(), layer.header.begin() + 4,
                 [](uint8_t byte) { return static_cast<uint8_t>(~byte); });
  return add(std::move(layer));
}

Frame& Frame::payload(std::string_view text) {
  return payload(as_bytes(text));
}

Frame& Frame::payload(Bytes content) {
  return add({.kind = Kind::plain, .header = Buffer(content.begin(), content.end())});
}

Frame& Frame::trailer(Bytes content) {
  return add({.kind = Kind::trailer, .header = Buffer(content.begin(), content.end())});
}

Buffer Frame::bytes() const {
  return FrameBuilder(*this).bytes();
}

TimedFrame Frame::at(uint64_t time_ns) const {
  return {.bytes = bytes(), .time_ns = time_ns, .link_type = link_type()};
}

LinkType Frame::link_type() const {
  if (layers_.empty()) {
    return LinkType::ethernet;
  }
  switch (layers_.front().kind) {
    case Kind::linux_sll:
      return LinkType::linux_sll;
    case Kind::linux_sll2:
      return LinkType::linux_sll2;
    case Kind::null_link:
      return LinkType::null;
    case Kind::ppp:
      return LinkType::ppp;
    case Kind::cisco_hdlc:
      return LinkType::cisco_hdlc;
    case Kind::ipv4:
    case Kind::ipv6:
      return LinkType::raw_ip;
    default:
      return LinkType::ethernet;
  }
}

}  // namespace shrike::craft
