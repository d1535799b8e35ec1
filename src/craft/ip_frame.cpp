#include "ip_frame.h"

#include "shrike/model/datagram.h"

namespace shrike::craft {

namespace {

constexpr size_t ethernet_bytes = 14;
constexpr size_t ipv4_bytes_min = 20;
constexpr size_t ipv6_bytes = 40;
constexpr size_t ipv6_fragment_bytes = 8;
constexpr size_t tcp_bytes_min = 20;
constexpr uint16_t more_fragments = 0x2000;
constexpr uint8_t protocol_ipv6_fragment = 44;

void store_big16(uint8_t* at, size_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

void store_big32(uint8_t* at, uint32_t value) {
  store_big16(at, value >> 16);
  store_big16(at + 2, value & 0xffff);
}

bool is_extension(uint8_t next) {
  return next == 0 || next == 43 || next == protocol_ipv6_fragment || next == 51 || next == 60 ||
         next == 135;
}

/// Behind the link header and tags; 0 where no IP stands there.
std::optional<size_t> ip_begin(const TimedFrame& frame) {
  const Buffer& bytes = frame.bytes;
  if (frame.link_type == LinkType::raw_ip) {
    return 0;
  }
  if (frame.link_type != LinkType::ethernet) {
    return std::nullopt;
  }
  size_t at = ethernet_bytes - 2;
  while (at + 6 <= bytes.size() &&
         (load_big16(&bytes[at]) == 0x8100 || load_big16(&bytes[at]) == 0x88a8)) {
    at += 4;
  }
  if (at + 2 > bytes.size()) {
    return std::nullopt;
  }
  const uint16_t type = load_big16(&bytes[at]);
  return type == 0x0800 || type == 0x86dd ? std::optional(at + 2) : std::nullopt;
}

std::optional<IpFrame> find_ipv4(const Buffer& bytes, size_t ip) {
  if (bytes.size() < ip + ipv4_bytes_min) {
    return std::nullopt;
  }
  const size_t header_bytes = size_t{bytes[ip] & 15U} * 4;
  const size_t total_bytes = load_big16(&bytes[ip + 2]);
  const bool is_fragment = (load_big16(&bytes[ip + 6]) & 0x3fff) != 0;
  if (is_fragment || header_bytes < ipv4_bytes_min || total_bytes < header_bytes ||
      ip + total_bytes > bytes.size()) {
    return std::nullopt;
  }
  return IpFrame{ip, ip + header_bytes, ip + total_bytes, true, bytes[ip + 9]};
}

std::optional<IpFrame> find_ipv6(const Buffer& bytes, size_t ip) {
  if (bytes.size() < ip + ipv6_bytes) {
    return std::nullopt;
  }
  const size_t end = ip + ipv6_bytes + load_big16(&bytes[ip + 4]);
  if (end > bytes.size() || is_extension(bytes[ip + 6])) {
    return std::nullopt;
  }
  return IpFrame{ip, ip + ipv6_bytes, end, false, bytes[ip + 6]};
}

/// Of the pseudo header, RFC 9293 3.1 and RFC 8200 8.1.
uint32_t pseudo_sum(const Buffer& bytes, const IpFrame& datagram, size_t segment_bytes) {
  const size_t address_bytes = datagram.is_ipv4 ? 4 : 16;
  const size_t addresses = datagram.ip + (datagram.is_ipv4 ? 12 : 8);
  return partial_checksum(Bytes(bytes).subspan(addresses, 2 * address_bytes),
                          static_cast<uint32_t>(datagram.protocol + segment_bytes));
}

void set_ip_length(Buffer& bytes, const IpFrame& datagram) {
  const size_t total_bytes = bytes.size() - datagram.ip;
  if (!datagram.is_ipv4) {
    store_big16(&bytes[datagram.ip + 4], total_bytes - ipv6_bytes);
    return;
  }
  uint8_t* const header = &bytes[datagram.ip];
  const Buffer before(header, header + 4);
  store_big16(header + 2, total_bytes);
  store_big16(header + 10, updated_checksum(load_big16(header + 10), before, Bytes(header, 4)));
}

Buffer head_of(const Buffer& bytes, size_t end) {
  return {bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(end)};
}

void append(Buffer& bytes, Bytes more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

}  // namespace

std::optional<IpFrame> find_ip(const TimedFrame& frame) {
  const std::optional<size_t> ip = ip_begin(frame);
  if (!ip || *ip >= frame.bytes.size() || frame.wire_bytes > frame.bytes.size()) {
    return std::nullopt;
  }
  switch (frame.bytes[*ip] >> 4) {
    case 4:
      return find_ipv4(frame.bytes, *ip);
    case 6:
      return find_ipv6(frame.bytes, *ip);
    default:
      return std::nullopt;
  }
}

std::optional<TcpFrame> find_tcp(const TimedFrame& frame) {
  const std::optional<IpFrame> datagram = find_ip(frame);
  if (!datagram || datagram->protocol != ip_protocol::tcp ||
      datagram->end - datagram->transport < tcp_bytes_min) {
    return std::nullopt;
  }
  const Buffer& bytes = frame.bytes;
  const size_t header_bytes = size_t{bytes[datagram->transport + 12]} / 16 * 4;
  const size_t segment_bytes = datagram->end - datagram->transport;
  if (header_bytes < tcp_bytes_min || header_bytes > segment_bytes) {
    return std::nullopt;
  }
  const bool is_right = internet_checksum(Bytes(bytes).subspan(datagram->transport, segment_bytes),
                                          pseudo_sum(bytes, *datagram, segment_bytes)) == 0;
  return TcpFrame{*datagram, datagram->transport + header_bytes, bytes[datagram->transport + 13],
                  is_right};
}

Buffer piece_of(const TimedFrame& frame, const TcpFrame& tcp, size_t begin, size_t end) {
  Buffer bytes = head_of(frame.bytes, tcp.payload);
  append(bytes, Bytes(frame.bytes).subspan(tcp.payload + begin, end - begin));
  set_ip_length(bytes, tcp.datagram);
  uint8_t* const header = &bytes[tcp.datagram.transport];
  store_big32(header + 4, load_big32(header + 4) + static_cast<uint32_t>(begin));
  if (end < tcp.payload_bytes()) {
    header[13] &= static_cast<uint8_t>(~(tcp_flag::fin | tcp_flag::psh));
  }
  store_big16(header + 16, 0);
  const Bytes segment = Bytes(bytes).subspan(tcp.datagram.transport);
  const uint16_t checksum =
      internet_checksum(segment, pseudo_sum(bytes, tcp.datagram, segment.size()));
  constexpr uint16_t damage = 0x5555;
  store_big16(header + 16, tcp.is_checksum_right ? checksum : checksum ^ damage);
  return bytes;
}

Buffer fragment_of(const TimedFrame& frame, const IpFrame& datagram, size_t begin, size_t end,
                   uint16_t id) {
  const bool more = datagram.transport + end < datagram.end;
  Buffer bytes = head_of(frame.bytes, datagram.transport);
  if (!datagram.is_ipv4) {
    uint8_t header[ipv6_fragment_bytes] = {datagram.protocol};
    store_big16(header + 2, begin | (more ? 1 : 0));
    store_big32(header + 4, id);
    bytes[datagram.ip + 6] = protocol_ipv6_fragment;
    append(bytes, header);
  }
  append(bytes, Bytes(frame.bytes).subspan(datagram.transport + begin, end - begin));
  set_ip_length(bytes, datagram);
  if (datagram.is_ipv4) {
    uint8_t* const header = &bytes[datagram.ip];
    const Buffer before(header + 4, header + 8);
    store_big16(header + 4, id);
    store_big16(header + 6, begin / 8 | (more ? more_fragments : 0));
    store_big16(header + 10,
                updated_checksum(load_big16(header + 10), before, Bytes(header + 4, 4)));
  }
  return bytes;
}

}  // namespace shrike::craft
