#include "transport.h"

#include "shrike/model/checksum.h"
#include "tcp_options.h"
#include "tunnel.h"

namespace shrike::decode {
namespace {

constexpr size_t tcp_header_bytes_min = 20;
constexpr size_t udp_header_bytes = 8;
constexpr size_t sctp_header_bytes = 12;
constexpr size_t esp_header_bytes = 8;

/// Cuts header and payload apart: the transport is valid.
void accept(Work& work, uint8_t protocol, Bytes header, Bytes payload) noexcept {
  Datagram& datagram = work.datagram;
  datagram.protocol = protocol;
  datagram.has_transport = true;
  datagram.wants_flow = true;
  datagram.transport_header = header;
  datagram.payload = payload;
}

void take_ports(Work& work, Bytes header) noexcept {
  work.datagram.source_port = load_big16(header.data());
  work.datagram.target_port = load_big16(header.data() + 2);
}

/// Ports sum up what stands right behind the frame's own IP header. What a tunnel or fragments
/// brought is another segment, though it came in the same frame.
bool is_checked_by_port(const Datagram& datagram) noexcept {
  return datagram.packet != nullptr && datagram.packet->transport_sum_holds &&
         datagram.depth == 0 && datagram.origin == DatagramOrigin::wire;
}

}  // namespace

void decode_tcp(Work& work, Bytes bytes) noexcept {
  work.count(Count::tcp);
  work.datagram.protocol = ip_protocol::tcp;
  if (bytes.size() < tcp_header_bytes_min) [[unlikely]] {
    work.fail(DecodeEvent::tcp_too_small);
    return;
  }
  const size_t header_bytes = size_t{bytes[12]} >> 4 << 2;
  if (bytes.size() < header_bytes) [[unlikely]] {
    work.fail(DecodeEvent::tcp_header_length_too_small);
    return;
  }
  if (header_bytes < tcp_header_bytes_min) [[unlikely]] {
    work.fail(DecodeEvent::tcp_invalid_option_length);
    return;
  }
  const Bytes header = bytes.first(header_bytes);
  if (header_bytes > tcp_header_bytes_min) {
    decode_tcp_options(work, header);
  }
  take_ports(work, header);
  work.datagram.tcp_flags = header[13];
  accept(work, ip_protocol::tcp, header, bytes.subspan(header_bytes));
  if (work.shared.options.check_checksums) {
    work.datagram.checksum_is_bad =
        !is_checked_by_port(work.datagram) && !transport_checksum_holds(work.datagram);
  }
}

void decode_udp(Work& work, Bytes bytes) noexcept {
  work.count(Count::udp);
  work.datagram.protocol = ip_protocol::udp;
  if (bytes.size() < udp_header_bytes) [[unlikely]] {
    work.fail(DecodeEvent::udp_header_length_too_small);
    return;
  }
  const size_t length = load_big16(bytes.data() + 4);
  if (bytes.size() < length) [[unlikely]] {
    work.fail(DecodeEvent::udp_too_small);
    return;
  }
  if (length < udp_header_bytes) [[unlikely]] {
    work.fail(DecodeEvent::udp_length_invalid);
    return;
  }
  const Bytes header = bytes.first(udp_header_bytes);
  take_ports(work, header);
  accept(work, ip_protocol::udp, header,
         bytes.subspan(udp_header_bytes, length - udp_header_bytes));
  decode_udp_tunnels(work);
}

void decode_sctp(Work& work, Bytes bytes) noexcept {
  work.count(Count::sctp);
  work.datagram.protocol = ip_protocol::sctp;
  if (bytes.size() < sctp_header_bytes) {
    work.fail(DecodeEvent::sctp_too_small);
    return;
  }
  take_ports(work, bytes);
  accept(work, ip_protocol::sctp, bytes.first(sctp_header_bytes), bytes.subspan(sctp_header_bytes));
}

void decode_esp(Work& work, Bytes bytes) noexcept {
  work.count(Count::esp);
  work.datagram.protocol = ip_protocol::esp;
  if (!work.enter_layer()) {
    return;
  }
  if (bytes.size() < esp_header_bytes) {
    work.fail(DecodeEvent::esp_too_small);
    return;
  }
  accept(work, ip_protocol::esp, bytes.first(esp_header_bytes), bytes.subspan(esp_header_bytes));
}

}  // namespace shrike::decode
