#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "shrike/base/bytes.h"
#include "shrike/model/limits.h"

namespace shrike {

/// The frame formats that the decoder starts from. Numbers of files map to these in capture.
enum class LinkType : uint8_t {
  ethernet,
  linux_sll,
  linux_sll2,
  raw_ip,  ///< IPv4 or IPv6, told by the first nibble
  null,    ///< BSD loopback, host byte order of the writer
  ppp,
  cisco_hdlc,
  ieee80211_radiotap,
  unknown,
};

/// One frame as it was received. Borrowed from its source until PacketSource::release.
struct Packet {
  Bytes frame;           ///< captured bytes
  uint64_t time_ns = 0;  ///< ns since the Unix epoch
  /// The running maximum of time_ns over the capture: the sensor's clock, never runs backwards.
  uint64_t clock_ns = 0;
  uint64_t number = 0;         ///< 1-based position in the capture (EVE pcap_cnt)
  uint32_t wire_bytes = 0;     ///< length on the wire, at least frame.size()
  uint32_t capture_index = 0;  ///< which file; indexes PacketSource::captures()
  LinkType link_type = LinkType::ethernet;
  /// The port summed up the frame's TCP segment or UDP datagram and found its checksum right.
  bool transport_sum_holds = false;
  void* buffer = nullptr;  ///< the source's own handle (an rte_mbuf)
};

/// The packets of one receive call.
class PacketBatch {
 public:
  [[nodiscard]] std::span<const Packet> all() const noexcept { return {packets_.data(), count_}; }
  [[nodiscard]] std::span<Packet> all() noexcept { return {packets_.data(), count_}; }
  [[nodiscard]] size_t size() const noexcept { return count_; }
  [[nodiscard]] bool is_full() const noexcept { return count_ == limits::batch_packets_max; }
  void clear() noexcept {
    count_ = 0;
    has_poll_clocks_ = false;
  }
  /// REQUIRES: !is_full().
  void push(const Packet& packet) noexcept { packets_[count_++] = packet; }
  /// Whether all clocks were read after the packets were polled: then whatever is polled later, on
  /// any core, has later ones. Stamps of files and of cards are not like that.
  [[nodiscard]] bool has_poll_clocks() const noexcept { return has_poll_clocks_; }
  void set_poll_clocks(bool are_of_polls) noexcept { has_poll_clocks_ = are_of_polls; }

 private:
  std::array<Packet, limits::batch_packets_max> packets_{};
  size_t count_ = 0;
  bool has_poll_clocks_ = false;
};

}  // namespace shrike
