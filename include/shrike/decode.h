#pragma once
#include <memory>
#include <span>
#include <vector>

#include "shrike/base/counters.h"
#include "shrike/model/datagram.h"
#include "shrike/model/packet.h"
#include "shrike/model/rule_info.h"

/// Frames to whole datagrams: link types, tags, tunnels, extension headers, checksums, fragments.
namespace shrike::decode {

/// Who keeps which bytes where fragments overlap (Suricata: host-os-policy, defrag).
enum class TargetPolicy : uint8_t {
  bsd,
  bsd_right,
  linux,
  old_linux,
  old_solaris,
  solaris,
  hpux10,
  hpux11,
  irix,
  macos,
  windows,
  vista,
  windows2k3,
  first,
  last
};
struct TargetPolicyRange {
  AddressRange range;
  TargetPolicy policy = TargetPolicy::bsd;
};

/// Defaults are those of Suricata's stock configuration.
struct DecoderOptions {
  bool check_checksums = true;  ///< -k; marks Datagram::checksum_is_bad of TCP
  bool vxlan_enabled = true;    ///< known by its target port
  bool geneve_enabled = true;   ///< by either port
  bool teredo_enabled = true;   ///< by either port, and if it is IPv6 without a flaw
  bool erspan_type1_enabled = true;
  std::vector<uint16_t> vxlan_ports{4789};
  std::vector<uint16_t> geneve_ports{6081};
  std::vector<uint16_t> teredo_ports{3544};  ///< empty: any port
  unsigned layers_max = 16;                  ///< at most limits::layers_max
  uint32_t defrag_trackers_max = 65535;      ///< datagrams under way; then the oldest idle one goes
  uint32_t defrag_fragments_max = 65535;     ///< fragments held; then the same
  uint64_t defrag_bytes_max = 32u << 20;     ///< of their content, in blocks of 512; then the same
  uint32_t defrag_timeout_seconds = 60;      ///< since the last fragment, by packet time
  std::vector<TargetPolicyRange> target_policies{};  ///< longest prefix wins; default bsd
  bool vlan_separates_fragments = true;
};

/// One core's decoder. Not thread-safe. Memory is taken by the constructor.
class Decoder {
 public:
  explicit Decoder(const DecoderOptions& options);
  ~Decoder();
  Decoder(Decoder&&) noexcept;

  /// Decodes packets in order into `datagrams` (appended): for each packet what its tunnels and
  /// fragments hold, innermost first, and then its own datagram, always one. Stops early when the
  /// batch or the memory for rebuilt datagrams may have too little room for one more packet; into
  /// an empty batch, after `release`, at least one goes. Datagrams borrow from the packets and from
  /// this decoder until `release`.
  /// @return packets taken, 0..packets.size().
  size_t decode(std::span<const Packet> packets, DatagramBatch& datagrams) noexcept;

  /// Says that datagrams handed out before are no longer used: rebuild buffers may be reused.
  void release() noexcept;

  /// Datagrams handed out since the last `release` borrow from rebuild buffers.
  [[nodiscard]] bool has_lent() const noexcept;

  /// Forgets all fragments (a new capture begins).
  void reset() noexcept;

  /// packets, bytes, per-protocol counts, and one counter for every decode event.
  [[nodiscard]] std::vector<CounterView> counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shrike::decode
