#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "counts.h"
#include "fragment_store.h"
#include "shrike/base/bytes.h"
#include "shrike/base/counters.h"
#include "shrike/decode.h"
#include "shrike/model/datagram.h"

namespace shrike::decode {

struct Inner;
struct Arrival;

/// One fragment, as the IP decoders hand it over; addresses, protocol, offset, flags, tags and
/// time stand in its Datagram. Borrowed for the call.
struct Fragment {
  uint32_t id = 0;
  Bytes lead;                 ///< the frame up to the data; IPv6: up to the fragment header
  uint32_t ip_header_at = 0;  ///< in lead
  Bytes data;                 ///< the fragmented part
  // IPv6 only: which byte of lead must name what follows once the fragment header is gone.
  uint8_t next_header = 0;
  uint32_t next_header_at = 0;
};

/// Rebuilds datagrams from their fragments, as the target would (Suricata's policies). Memory:
/// trackers, fragments and bytes as the options say, taken by the constructor; touched when used.
class Defragmenter {
 public:
  explicit Defragmenter(const DecoderOptions& options);
  ~Defragmenter();

  /// Keeps a fragment. Notes what is odd with it in `datagram`, which stays as it is otherwise.
  /// @return the rebuilt datagram where this fragment completed one (kind rebuilt), else none. It
  /// lives until `release`.
  [[nodiscard]] Inner insert(Datagram& datagram, const Fragment& fragment) noexcept;

  /// Whether another packet may be decoded: it could complete one datagram a layer.
  [[nodiscard]] bool has_room(unsigned layers_max) const noexcept;

  /// Rebuilt datagrams are no longer looked at.
  void release() noexcept { arena_used_ = 0; }
  [[nodiscard]] bool has_lent() const noexcept { return arena_used_ != 0; }

  /// Forgets all fragments.
  void reset() noexcept;

  [[nodiscard]] const Counters<FragmentCount>& counts() const noexcept { return counts_; }

 private:
  struct Tracker;
  struct Key;

  [[nodiscard]] uint32_t find(const Key& key, uint32_t bucket, uint64_t time_ns) noexcept;
  [[nodiscard]] uint32_t open(const Key& key, uint32_t bucket, const Datagram& datagram) noexcept;
  void close(uint32_t index) noexcept;
  void link_newest(uint32_t index) noexcept;
  void unlink_age(uint32_t index) noexcept;
  bool keep(Tracker& tracker, Datagram& datagram, const Fragment& fragment) noexcept;
  bool settle_overlaps(Tracker& tracker, Datagram& datagram, Arrival& arrival) noexcept;
  bool make_room(const Tracker& tracker, size_t bytes) noexcept;
  void link_piece(Tracker& tracker, uint32_t index) noexcept;
  void unlink_piece(Tracker& tracker, uint32_t index) noexcept;
  [[nodiscard]] bool is_whole(const Tracker& tracker) const noexcept;
  void prime(const Tracker& tracker, const Datagram& datagram) noexcept;
  [[nodiscard]] Inner rebuild(const Tracker& tracker) noexcept;
  void count_memory() noexcept;
  [[nodiscard]] TargetPolicy policy_of(const Datagram& datagram) const noexcept;

  const std::vector<TargetPolicyRange> policies_;
  const uint64_t timeout_ns_;
  const bool vlan_separates_;
  const uint64_t seed_;
  Counters<FragmentCount> counts_;
  FragmentStore store_;
  const uint32_t trackers_max_;
  const uint32_t bucket_mask_;
  const std::unique_ptr<Tracker[]> trackers_;
  const std::unique_ptr<uint32_t[]> buckets_;  ///< first tracker of each
  uint32_t free_tracker_ = no_index;
  uint32_t trackers_touched_ = 0;  ///< those beyond have never been used
  uint32_t oldest_ = no_index;     ///< trackers by their last fragment
  uint32_t newest_ = no_index;
  const std::unique_ptr<uint8_t[]> arena_;
  size_t arena_used_ = 0;
};

}  // namespace shrike::decode
