#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

#include "shrike/base/bytes.h"
#include "shrike/model/address.h"
#include "shrike/model/decode_event.h"
#include "shrike/model/limits.h"
#include "shrike/model/packet.h"

namespace shrike {

/// IP protocol numbers the sensor looks into (IANA protocol-numbers).
namespace ip_protocol {
inline constexpr uint8_t hop_by_hop = 0, icmp = 1, igmp = 2, ipip = 4, tcp = 6, udp = 17, ipv6 = 41,
                         routing = 43, fragment = 44, gre = 47, esp = 50, ah = 51, icmpv6 = 58,
                         no_next = 59, destination = 60, sctp = 132, mobility = 135, hip = 139,
                         shim6 = 140;
}

/// Bits of Datagram::ipv4_options: options that were seen, and well-formed (RFC 791 and others).
namespace ipv4_option {
inline constexpr uint16_t end_of_list = 1, no_operation = 2, record_route = 4, timestamp = 8,
                          quick_start = 16, loose_source_route = 32, strict_source_route = 64,
                          stream_id = 128, security = 256, commercial_security = 512,
                          router_alert = 1024, extended_security = 2048;
}

/// Bits of Datagram::ipv6_extensions: headers that were seen between IPv6 and the transport.
namespace ipv6_extension {
inline constexpr uint8_t hop_by_hop = 1, routing = 2, fragment = 4, destination = 8,
                         authentication = 16, esp = 32;
}

/// Bits of TcpOptions::present.
namespace tcp_option {
inline constexpr uint8_t mss = 1, window_scale = 2, sack_permitted = 4, sack = 8, timestamp = 16,
                         fast_open = 32, md5 = 64, authentication = 128;
}

/// What a TCP header's options say (RFC 9293 section 3.2, RFC 7323, RFC 2018). The first of each
/// kind counts; a value means nothing unless its bit is in `present`.
struct TcpOptions {
  uint8_t present = 0;       ///< bits of tcp_option
  uint8_t window_scale = 0;  ///< 0..14; 0 where the header says more
  uint8_t sack_count = 0;    ///< blocks of 8 bytes, 0..4
  uint8_t sack_at = 0;       ///< where the first of them starts in Datagram::transport_header
  uint16_t mss = 0;
  uint32_t timestamp_value = 0;
  uint32_t timestamp_echo = 0;

  [[nodiscard]] bool has(uint8_t bits) const noexcept { return (present & bits) != 0; }
};

/// How a datagram came to be; the texts are EVE's `pkt_src`.
enum class DatagramOrigin : uint8_t {
  wire,  ///< "wire/pcap"
  gre_tunnel,
  ipv4_tunnel,
  ipv6_tunnel,
  teredo_tunnel,
  geneve_tunnel,
  vxlan_tunnel,
  erspan_tunnel,
  defrag,      ///< rebuilt from fragments
  stream_end,  ///< made by flow at the end of a connection: "stream (flow timeout)"
  /// Made where a flow becomes another protocol, for what the old one left: "stream (detect/log)"
  protocol_change,
};
[[nodiscard]] std::string_view to_text(DatagramOrigin origin) noexcept;

/// A small set of events, in order of occurrence, without allocation. Surplus is dropped.
template <typename Event>
class EventList {
 public:
  void add(Event event) noexcept {
    if (count_ < events_.size()) {
      events_[count_++] = event;
    }
  }
  [[nodiscard]] bool has(Event event) const noexcept {
    for (const Event each : all()) {
      if (each == event) {
        return true;
      }
    }
    return false;
  }
  [[nodiscard]] std::span<const Event> all() const noexcept { return {events_.data(), count_}; }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  void clear() noexcept { count_ = 0; }

 private:
  uint8_t count_ = 0;
  std::array<Event, limits::events_max> events_{};
};

/// One decoded layer-3 unit: what rules call a packet. A frame gives one, and one more for each
/// tunnelled or rebuilt datagram in it; inner ones come before the outer one that carried them
/// (Suricata's order). A frame that holds no IP gives one with ip_version 0.
/// Spans borrow from the packet or from the decoder's buffers; valid until the batch is released.
struct Datagram {
  // What every engine touches.
  uint64_t time_ns = 0;
  uint64_t clock_ns = 0;  ///< Packet::clock_ns
  uint64_t number = 0;    ///< Packet::number of the frame it came in
  IpAddress source;
  IpAddress target;
  uint16_t source_port = 0;  ///< TCP, UDP, SCTP only
  uint16_t target_port = 0;
  uint8_t ip_version = 0;  ///< 4, 6, or 0 where there is no valid IP header
  uint8_t protocol = 0;    ///< final IP protocol after IPv6 extension headers
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  /// The transport header was valid; without it ports and payload mean nothing.
  bool has_transport = false;
  bool is_fragment = false;  ///< a single fragment: no transport, never reassembled here
  /// TCP only, and only where the decoder checks (-k): the stream ignores such a segment.
  /// Rules that look at checksums ask model/checksum.h.
  bool checksum_is_bad = false;
  /// Some layer was malformed (Suricata: PKT_IS_INVALID; see `events`). What could be decoded is
  /// there all the same: look at ip_version and has_transport.
  bool is_invalid = false;
  /// Its payload is a datagram of its own (tunnelled, or rebuilt with this last fragment), which
  /// came just before: rules inspect the payload there, and only headers here.
  bool carries_inner = false;
  bool more_fragments = false;  ///< IPv4 MF, IPv6 fragment header's M
  /// A flow may be tracked (Suricata's flow hash is wanted): TCP, UDP, SCTP, ICMP, ESP, valid.
  bool wants_flow = false;
  uint8_t tcp_flags = 0;  ///< FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128
  DatagramOrigin origin = DatagramOrigin::wire;
  LinkType link_type = LinkType::ethernet;  ///< of `frame`; raw_ip for tunnelled ones
  uint8_t ipv6_extensions = 0;              ///< bits of ipv6_extension
  /// As ip_version; but also 4 where the addresses are good and the header is not (its options
  /// overrun): Suricata still tries such a datagram against address-only rules, as protocol 0.
  uint8_t address_version = 0;
  uint8_t depth = 0;  ///< 0 for the frame's own layer, 1 for the first tunnelled …
  uint8_t order = 0;  ///< position among the datagrams of its frame, in inspection order
  uint8_t vlan_count = 0;
  std::array<uint16_t, limits::vlan_tags_max> vlan_ids{};  ///< outermost first
  uint16_t ipv4_options = 0;                               ///< bits of ipv4_option
  uint16_t fragment_offset = 0;  ///< bytes; of IPv4, or of the IPv6 fragment header
  uint32_t capture_index = 0;
  /// Length this datagram counts for in flow byte counters (Suricata's): captured bytes of the
  /// frame, of the tunnelled part, or of the rebuilt frame with its first fragment's link header.
  uint32_t wire_bytes = 0;

  // Headers; empty where absent.
  Bytes ip_header;   ///< IPv4 with options; IPv6 fixed header
  Bytes ip_payload;  ///< all behind ip_header (IPv6: extension headers included)
  /// TCP with options; UDP, ICMPv4, ICMPv6, ESP 8 bytes; SCTP 12; GRE 4 (no has_transport).
  Bytes transport_header;
  Bytes payload;  ///< what content inspects and dsize counts
  /// The bytes it was decoded from: the link-layer frame, for tunnelled ones the inner bytes, for
  /// rebuilt ones the first fragment's link header and the whole datagram.
  Bytes frame;

  /// The frame's own datagram, where this one was tunnelled in it or rebuilt with it (EVE
  /// `tunnel`, which names the outermost), or null. Same batch, later in it.
  const Datagram* carrier = nullptr;
  const Packet* packet = nullptr;  ///< the frame's; null for a datagram that no frame brought
  EventList<DecodeEvent> events;
  TcpOptions tcp;

  /// For an ICMP error: the embedded original datagram's tuple, to tie it to its flow. Filled
  /// where Suricata does so: ICMPv4 destination unreachable around a whole TCP or UDP header.
  struct Embedded {
    IpAddress source;
    IpAddress target;
    uint16_t source_port = 0;
    uint16_t target_port = 0;
    uint8_t protocol = 0;
    uint8_t ip_version = 0;  ///< 0: none; then nothing here counts
  } embedded;

  /// No packet: made by the sensor to inspect what is left of a stream.
  [[nodiscard]] bool is_pseudo() const noexcept {
    return origin == DatagramOrigin::stream_end || origin == DatagramOrigin::protocol_change;
  }

  /// Makes it as good as new. Cheap: what `events`, `tcp` and `embedded` hold behind their counts
  /// stays as it was.
  void clear() noexcept;
};
static_assert(std::is_trivially_copyable_v<Datagram> && std::is_standard_layout_v<Datagram>);
static_assert(offsetof(Datagram, icmp_code) == 63, "addresses, ports and protocol: one line");

inline void Datagram::clear() noexcept {
  // All defaults are zero bits: one run of wide stores instead of forty members.
  std::memset(static_cast<void*>(this), 0, offsetof(Datagram, events));
  events.clear();
  tcp.present = 0;
  embedded.ip_version = 0;
}

/// The datagrams of one batch, in inspection order. Memory is taken once, by the constructor.
class DatagramBatch {
 public:
  DatagramBatch() : datagrams_(new Datagram[limits::batch_datagrams_max]) {}

  [[nodiscard]] std::span<Datagram> all() noexcept { return {datagrams_.get(), count_}; }
  [[nodiscard]] std::span<const Datagram> all() const noexcept {
    return {datagrams_.get(), count_};
  }
  [[nodiscard]] size_t size() const noexcept { return count_; }
  [[nodiscard]] size_t room() const noexcept { return limits::batch_datagrams_max - count_; }
  void clear() noexcept { count_ = 0; }
  /// A fresh datagram at the end. REQUIRES: room() > 0.
  Datagram& push() noexcept {
    Datagram& datagram = datagrams_[count_++];
    datagram.clear();
    return datagram;
  }

 private:
  std::unique_ptr<Datagram[]> datagrams_;
  size_t count_ = 0;
};

}  // namespace shrike
