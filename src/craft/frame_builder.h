#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "shrike/craft.h"

namespace shrike::craft {

/// What a layer is: decides what the layer before calls it, and what is computed in it.
enum class Frame::Kind : uint8_t {
  ethernet,
  linux_sll,
  linux_sll2,
  null_link,
  ppp,
  cisco_hdlc,
  vlan,
  mpls,
  pppoe,
  arp,
  ipv4,
  ipv6,
  ipv6_extension,
  ipv6_fragment,
  authentication,
  esp,
  tcp,
  udp,
  icmp,
  icmpv6,
  sctp,
  gre,
  erspan,
  geneve,
  plain,    ///< nothing to compute, nothing that names it: payload, VXLAN, SCTP chunks
  trailer,  ///< counted by no length field
};

inline void store_big16(Buffer& buffer, size_t at, uint16_t value) {
  buffer[at] = static_cast<uint8_t>(value >> 8);
  buffer[at + 1] = static_cast<uint8_t>(value);
}
inline void append_big16(Buffer& buffer, uint16_t value) {
  buffer.push_back(static_cast<uint8_t>(value >> 8));
  buffer.push_back(static_cast<uint8_t>(value));
}
inline void append_big32(Buffer& buffer, uint32_t value) {
  append_big16(buffer, static_cast<uint16_t>(value >> 16));
  append_big16(buffer, static_cast<uint16_t>(value));
}
inline void append(Buffer& buffer, Bytes bytes) {
  buffer.insert(buffer.end(), bytes.begin(), bytes.end());
}
/// Zeros until the size is `remainder` modulo `unit`.
inline void fill_up(Buffer& buffer, size_t unit, size_t remainder = 0) {
  while (buffer.size() % unit != remainder) {
    buffer.push_back(0);
  }
}

/// Joins a frame's layers and computes from the inside out what they leave open.
class FrameBuilder {
 public:
  explicit FrameBuilder(const Frame& frame);

  [[nodiscard]] const Buffer& bytes() const { return bytes_; }
  /// Index of the outermost IPv4 or IPv6 layer; layers() where there is none.
  [[nodiscard]] size_t outermost_ip() const;
  [[nodiscard]] size_t layers() const { return layers_.size(); }
  /// Where a layer begins; `begin_of(layers())` is the end of the datagram, before any trailer.
  [[nodiscard]] size_t begin_of(size_t layer) const { return begins_[layer]; }
  /// Layers 0 to `ip` as built, ready for a piece of the datagram: its protocol field is kept,
  /// lengths and checksums are computed again.
  [[nodiscard]] Frame head_of_piece(size_t ip, size_t offset_bytes, bool more_fragments) const;

 private:
  using Kind = Frame::Kind;

  void finish(size_t layer);
  void finish_ipv4(size_t layer);
  void finish_authentication(size_t layer);
  void finish_gre(size_t layer);
  void finish_sctp(size_t layer);
  void finish_checksum(size_t layer, size_t checksum_offset, std::optional<uint8_t> protocol);
  [[nodiscard]] uint32_t pseudo_header_sum(size_t layer, uint8_t protocol) const;
  /// Names of the layer behind: EtherType, IP protocol, PPP protocol, BSD loopback family.
  [[nodiscard]] uint16_t next_ether_type(size_t layer) const;
  [[nodiscard]] uint8_t next_ip_protocol(size_t layer) const;
  [[nodiscard]] uint16_t next_ppp_protocol(size_t layer) const;
  [[nodiscard]] bool next_is(size_t layer, Kind kind) const;
  [[nodiscard]] size_t bytes_from(size_t layer) const { return end() - begins_[layer]; }
  [[nodiscard]] size_t end() const { return begins_.back(); }
  void set16(size_t layer, size_t offset, size_t value) {
    store_big16(bytes_, begins_[layer] + offset, static_cast<uint16_t>(value));
  }
  void set8(size_t layer, size_t offset, size_t value) {
    bytes_[begins_[layer] + offset] = static_cast<uint8_t>(value);
  }

  const std::vector<Frame::Layer>& layers_;
  std::vector<size_t> begins_;  ///< one more than layers
  Buffer bytes_;
};

}  // namespace shrike::craft
