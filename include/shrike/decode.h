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

struct DecoderOptions {
  bool check_checksums = true;  ///< -k; marks Datagram::checksum_is_bad
  bool vxlan_enabled = true;
  bool geneve_enabled = true;
  bool teredo_enabled = true;
  bool erspan_type1_enabled = false;
  std::vector<uint16_t> vxlan_ports{4789};
  std::vector<uint16_t> geneve_ports{6081};
  std::vector<uint16_t> teredo_ports{3544};  ///< empty: any port
  unsigned layers_max = 16;
  uint32_t defrag_trackers_max = 65535;
  uint32_t defrag_fragments_max = 65535;
  uint64_t defrag_bytes_max = 32u << 20;
  uint32_t defrag_timeout_seconds = 60;
  std::vector<TargetPolicyRange> target_policies{};  ///< longest prefix wins; default bsd
  bool vlan_separates_fragments = true;
};

/// One core's decoder. Not thread-safe. Memory is taken by the constructor.
class Decoder {
 public:
  explicit Decoder(const DecoderOptions& options);
  ~Decoder();
  Decoder(Decoder&&) noexcept;

  /// Decodes packets in order into `datagrams` (appended). Stops early when the batch has too
  /// little room for one more packet. Datagrams borrow from the packets and from this decoder's
  /// rebuild buffers until `release`.
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
