#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "shrike/base/bytes.h"
#include "shrike/model/address.h"
#include "shrike/model/decode_event.h"
#include "shrike/model/limits.h"
#include "shrike/model/packet.h"

namespace shrike {

/// IP protocol numbers the sensor looks into (IANA protocol-numbers).
namespace ip_protocol {
inline constexpr uint8_t icmp = 1, igmp = 2, ipip = 4, tcp = 6, udp = 17, ipv6 = 41, gre = 47,
                         esp = 50, ah = 51, icmpv6 = 58, sctp = 132;
}

/// How a datagram came to be; the texts are EVE's `pkt_src`.
enum class DatagramOrigin : uint8_t {
  wire,             ///< "wire/pcap"
  gre_tunnel,
  ipv4_tunnel,
  ipv6_tunnel,
  teredo_tunnel,
  geneve_tunnel,
  vxlan_tunnel,
  erspan_tunnel,
  defrag,           ///< rebuilt from fragments
  stream_end,       ///< made by flow at the end of a connection: "stream (flow timeout)"
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

 private:
  std::array<Event, limits::events_max> events_{};
  uint8_t count_ = 0;
};

/// One decoded layer-3 unit: what rules call a packet. A frame gives one, and one more for each
/// tunnelled or rebuilt datagram in it; inner ones come before the outer one that carried them
/// (Suricata's order). A frame that holds no IP gives one with ip_version 0.
/// Spans borrow from the packet or from the decoder's buffers; valid until the batch is released.
struct Datagram {
  // What every engine touches.
  uint64_t time_ns = 0;
  uint64_t clock_ns = 0;       ///< Packet::clock_ns
  uint64_t number = 0;         ///< Packet::number of the frame it came in
  IpAddress source;
  IpAddress target;
  uint16_t source_port = 0;    ///< TCP, UDP, SCTP only
  uint16_t target_port = 0;
  uint8_t ip_version = 0;      ///< 4, 6, or 0 where there is no valid IP header
  uint8_t protocol = 0;        ///< final IP protocol after IPv6 extension headers
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  /// The transport header was valid; without it ports and payload mean nothing.
  bool has_transport = false;
  bool is_fragment = false;    ///< a single fragment: no transport, never reassembled here
  bool checksum_is_bad = false;  ///< IP or transport checksum wrong (only when checked, -k)
  /// A flow may be tracked (Suricata's flow hash is wanted): TCP, UDP, SCTP, ICMP, ESP, valid.
  bool wants_flow = false;
  uint8_t tcp_flags = 0;       ///< FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128
  DatagramOrigin origin = DatagramOrigin::wire;
  uint8_t depth = 0;           ///< 0 for the frame's own layer, 1 for the first tunnelled …
  uint8_t order = 0;           ///< position among the datagrams of its frame, in inspection order
  uint8_t vlan_count = 0;
  std::array<uint16_t, limits::vlan_tags_max> vlan_ids{};  ///< outermost first
  uint32_t capture_index = 0;
  uint32_t wire_bytes = 0;     ///< length this datagram counts for in flow byte counters

  // Headers; empty where absent.
  Bytes ip_header;             ///< IPv4 with options; IPv6 fixed header
  Bytes ip_payload;            ///< all behind ip_header (IPv6: extension headers included)
  Bytes transport_header;      ///< TCP with options, UDP, ICMP 8 bytes (ICMPv6: 8), SCTP
  Bytes payload;               ///< what content inspects and dsize counts
  Bytes frame;                 ///< the link-layer frame it came in (empty for rebuilt ones)

  /// For an ICMP error: the embedded original datagram's tuple, to tie it to its flow.
  struct Embedded {
    IpAddress source;
    IpAddress target;
    uint16_t source_port = 0;
    uint16_t target_port = 0;
    uint8_t protocol = 0;
    uint8_t ip_version = 0;  ///< 0: none
  } embedded;

  /// The datagram that carried this one through a tunnel (EVE `tunnel`), or null. Same batch.
  const Datagram* carrier = nullptr;
  const Packet* packet = nullptr;  ///< null for a pseudo datagram
  EventList<DecodeEvent> events;
};

/// The datagrams of one batch, in inspection order. Memory is taken once, by the constructor.
class DatagramBatch {
 public:
  DatagramBatch() : datagrams_(new Datagram[limits::batch_datagrams_max]) {}

  [[nodiscard]] std::span<Datagram> all() noexcept { return {datagrams_.get(), count_}; }
  [[nodiscard]] std::span<const Datagram> all() const noexcept { return {datagrams_.get(), count_}; }
  [[nodiscard]] size_t size() const noexcept { return count_; }
  [[nodiscard]] size_t room() const noexcept { return limits::batch_datagrams_max - count_; }
  void clear() noexcept { count_ = 0; }
  /// A fresh datagram at the end. REQUIRES: room() > 0.
  Datagram& push() noexcept { return datagrams_[count_++] = Datagram{}; }

 private:
  std::unique_ptr<Datagram[]> datagrams_;
  size_t count_ = 0;
};

}  // namespace shrike
