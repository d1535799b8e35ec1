#include "defragmenter.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <random>

#include "fragment_policy.h"
#include "shrike/base/hash.h"
#include "shrike/model/checksum.h"
#include "work.h"

namespace shrike::decode {
namespace {

constexpr uint32_t datagram_bytes_max = 65535;
constexpr uint64_t second_ns = 1'000'000'000;
/// Rebuilt datagrams of one batch. Pages that are not touched cost nothing.
constexpr size_t arena_bytes = 16 << 20;
constexpr uint32_t ipv4_header_bytes_min = 20;
constexpr uint32_t ipv6_header_bytes = 40;

uint64_t pick_seed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

bool is_within(const AddressRange& range, const Datagram& datagram) noexcept {
  return range.version == datagram.ip_version && range.first <= datagram.target &&
         datagram.target <= range.last;
}

/// Of two ranges that hold an address the smaller one is the closer description.
bool is_narrower(const AddressRange& range, const AddressRange& than) noexcept {
  return range.first >= than.first && range.last <= than.last;
}

void store_big16(uint8_t* at, uint32_t value) noexcept {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

/// Says the whole length, and that nothing is fragmented; a right checksum stays right. A header
/// with options may lift the length above what its field holds: Suricata then sees the rest.
/// @return the length that the header says.
size_t mend_ipv4_header(uint8_t* header, size_t bytes) noexcept {
  const size_t header_bytes = size_t{header[0] & 0xfu} * 4;
  const bool had_right_checksum = internet_sum({header, header_bytes}) == 0xffff;
  store_big16(header + 2, static_cast<uint16_t>(bytes));
  store_big16(header + 6, 0);
  if (had_right_checksum) {
    store_big16(header + 10, 0);
    store_big16(header + 10, static_cast<uint16_t>(~internet_sum({header, header_bytes})));
  }
  return static_cast<uint16_t>(bytes);
}

size_t mend_ipv6_header(uint8_t* header, size_t bytes) noexcept {
  store_big16(header + 4, static_cast<uint16_t>(bytes - ipv6_header_bytes));
  return ipv6_header_bytes + static_cast<uint16_t>(bytes - ipv6_header_bytes);
}

}  // namespace

/// What all fragments of one datagram have in common. Either direction finds the same tracker, as
/// in Suricata.
struct Defragmenter::Key {
  Key() = default;
  Key(const Datagram& datagram, uint32_t id, bool vlan_separates) noexcept
      : low(std::min(datagram.source, datagram.target)),
        high(std::max(datagram.source, datagram.target)),
        identification(id),
        protocol(datagram.protocol),
        ip_version(datagram.ip_version) {
    if (vlan_separates) {
      vlan_ids = datagram.vlan_ids;
    }
  }
  friend bool operator==(const Key&, const Key&) = default;

  [[nodiscard]] uint64_t hash(uint64_t seed) const noexcept {
    for (const IpAddress* address : {&low, &high}) {
      seed = combine64(seed, load_big64(address->bytes.data()));
      seed = combine64(seed, load_big64(address->bytes.data() + 8));
    }
    const uint64_t tags = uint64_t{vlan_ids[0]} << 32 | uint64_t{vlan_ids[1]} << 16 | vlan_ids[2];
    seed = combine64(seed, uint64_t{identification} << 16 | uint64_t{protocol} << 8 | ip_version);
    return combine64(seed, tags);
  }

  IpAddress low;
  IpAddress high;
  uint32_t identification = 0;
  uint8_t protocol = 0;
  uint8_t ip_version = 0;
  std::array<uint16_t, limits::vlan_tags_max> vlan_ids{};
};

/// One datagram of which fragments are held.
struct Defragmenter::Tracker {
  Key key;
  uint64_t expires_ns = 0;
  uint32_t first_piece = no_index;
  uint32_t bucket = 0;
  uint32_t next_in_bucket = no_index;  ///< or the next free one
  uint32_t older = no_index;
  uint32_t newer = no_index;
  OverlapPolicy policy = OverlapPolicy::bsd;
  bool seen_last = false;
};

Defragmenter::Defragmenter(const DecoderOptions& options)
    : policies_(options.target_policies),
      timeout_ns_(options.defrag_timeout_seconds * second_ns),
      vlan_separates_(options.vlan_separates_fragments),
      seed_(pick_seed()),
      store_(options.defrag_fragments_max, options.defrag_bytes_max),
      trackers_max_(std::max(options.defrag_trackers_max, 1u)),
      bucket_mask_(std::bit_ceil(trackers_max_) - 1),
      trackers_(new Tracker[trackers_max_]),
      buckets_(new uint32_t[size_t{bucket_mask_} + 1]),
      arena_(std::make_unique_for_overwrite<uint8_t[]>(arena_bytes)) {
  std::fill_n(buckets_.get(), size_t{bucket_mask_} + 1, no_index);
}

Defragmenter::~Defragmenter() = default;

void Defragmenter::reset() noexcept {
  if (trackers_touched_ == 0) {
    return;  // captures without fragments are the rule: resetting costs nothing
  }
  store_.reset();
  std::fill_n(buckets_.get(), size_t{bucket_mask_} + 1, no_index);
  free_tracker_ = oldest_ = newest_ = no_index;
  trackers_touched_ = 0;
  count_memory();
}

bool Defragmenter::has_room(unsigned layers_max) const noexcept {
  return arena_bytes - arena_used_ >= (size_t{layers_max} + 1) * 2 * limits::frame_bytes_max;
}

Inner Defragmenter::insert(Datagram& datagram, const Fragment& fragment) noexcept {
  const bool is_ipv4 = datagram.ip_version == 4;
  counts_.add(is_ipv4 ? FragmentCount::ipv4_fragments : FragmentCount::ipv6_fragments);
  const Key key(datagram, fragment.id, vlan_separates_);
  const auto bucket = static_cast<uint32_t>(key.hash(seed_)) & bucket_mask_;
  uint32_t index = find(key, bucket, datagram.time_ns);
  if (index == no_index) {
    index = open(key, bucket, datagram);
  }
  Inner inner;
  if (keep(trackers_[index], datagram, fragment) && is_whole(trackers_[index])) {
    prime(trackers_[index], datagram);
    inner = rebuild(trackers_[index]);
    close(index);
  }
  if (inner.kind != InnerKind::none) {
    counts_.add(is_ipv4 ? FragmentCount::ipv4_reassembled : FragmentCount::ipv6_reassembled);
  }
  count_memory();
  return inner;
}

void Defragmenter::count_memory() noexcept {
  counts_.add(FragmentCount::memory_bytes,
              store_.used_bytes() - counts_.get(FragmentCount::memory_bytes));
}

uint32_t Defragmenter::find(const Key& key, uint32_t bucket, uint64_t time_ns) noexcept {
  uint32_t index = buckets_[bucket];
  while (index != no_index) {
    const uint32_t next = trackers_[index].next_in_bucket;
    if (trackers_[index].expires_ns <= time_ns) {
      counts_.add(FragmentCount::tracker_timeout);
      close(index);
    } else if (trackers_[index].key == key) {
      return index;
    }
    index = next;
  }
  return no_index;
}

uint32_t Defragmenter::open(const Key& key, uint32_t bucket, const Datagram& datagram) noexcept {
  if (free_tracker_ == no_index && trackers_touched_ == trackers_max_) {
    counts_.add(FragmentCount::trackers_full);
    counts_.add(FragmentCount::tracker_evicted);
    close(oldest_);
  }
  uint32_t index = free_tracker_;
  if (index != no_index) {
    free_tracker_ = trackers_[index].next_in_bucket;
  } else {
    index = trackers_touched_++;
  }
  Tracker& tracker = trackers_[index];
  tracker = Tracker{};
  tracker.key = key;
  tracker.policy = overlap_policy(policy_of(datagram));
  tracker.bucket = bucket;
  tracker.next_in_bucket = buckets_[bucket];
  buckets_[bucket] = index;
  link_newest(index);
  return index;
}

void Defragmenter::close(uint32_t index) noexcept {
  Tracker& tracker = trackers_[index];
  while (tracker.first_piece != no_index) {
    const uint32_t piece = tracker.first_piece;
    tracker.first_piece = store_[piece].next;
    store_.give_back(piece);
  }
  uint32_t* link = &buckets_[tracker.bucket];
  while (*link != index) {
    link = &trackers_[*link].next_in_bucket;
  }
  *link = tracker.next_in_bucket;
  unlink_age(index);
  tracker.next_in_bucket = free_tracker_;
  free_tracker_ = index;
}

void Defragmenter::link_newest(uint32_t index) noexcept {
  trackers_[index].older = newest_;
  trackers_[index].newer = no_index;
  (newest_ != no_index ? trackers_[newest_].newer : oldest_) = index;
  newest_ = index;
}

void Defragmenter::unlink_age(uint32_t index) noexcept {
  const Tracker& tracker = trackers_[index];
  (tracker.older != no_index ? trackers_[tracker.older].newer : oldest_) = tracker.newer;
  (tracker.newer != no_index ? trackers_[tracker.newer].older : newest_) = tracker.older;
}

TargetPolicy Defragmenter::policy_of(const Datagram& datagram) const noexcept {
  const TargetPolicyRange* found = nullptr;
  for (const TargetPolicyRange& each : policies_) {
    if (is_within(each.range, datagram) &&
        (found == nullptr || is_narrower(each.range, found->range))) {
      found = &each;
    }
  }
  return found != nullptr ? found->policy : TargetPolicy::bsd;
}

/// @return whether the fragment, or a part of it, was kept.
bool Defragmenter::keep(Tracker& tracker, Datagram& datagram, const Fragment& fragment) noexcept {
  const bool is_ipv4 = datagram.ip_version == 4;
  const auto data_bytes = static_cast<uint32_t>(fragment.data.size());
  Arrival arrival{datagram.fragment_offset, datagram.fragment_offset + data_bytes, 0};
  if (arrival.end + (is_ipv4 ? ipv4_header_bytes_min : 0) > datagram_bytes_max) {
    datagram.events.add(is_ipv4 ? DecodeEvent::ipv4_fragment_too_large
                                : DecodeEvent::ipv6_fragment_too_large);
    return false;
  }
  const auto index = static_cast<uint32_t>(&tracker - trackers_.get());
  tracker.expires_ns = datagram.time_ns / second_ns * second_ns + timeout_ns_;
  unlink_age(index);
  link_newest(index);
  if (!settle_overlaps(tracker, datagram, arrival) || arrival.trim >= data_bytes) {
    return false;
  }
  const bool is_first = datagram.fragment_offset + arrival.trim == 0;
  const Bytes lead = is_first ? fragment.lead : Bytes{};
  const Bytes data = fragment.data.subspan(arrival.trim);
  if (lead.size() > limits::frame_bytes_max || !make_room(tracker, lead.size() + data.size())) {
    counts_.add(FragmentCount::fragments_full);
    datagram.events.add(is_ipv4 ? DecodeEvent::ipv4_fragment_ignored
                                : DecodeEvent::ipv6_fragment_ignored);
    return false;
  }
  const uint32_t piece_index = store_.take(lead, data);
  Piece& piece = store_[piece_index];
  piece.offset = static_cast<uint16_t>(arrival.offset + arrival.trim);
  piece.ip_header_at = fragment.ip_header_at;
  piece.more_fragments = datagram.more_fragments;
  if (is_first && !is_ipv4) {
    store_.patch(piece, fragment.next_header_at, fragment.next_header);
  }
  link_piece(tracker, piece_index);
  tracker.seen_last = tracker.seen_last || !datagram.more_fragments;
  return true;
}

/// Compares the arrival with those before, from the last one that starts below it. Where none
/// starts at or behind it, from the first (Suricata's search does so).
/// @return false where it is dropped.
bool Defragmenter::settle_overlaps(Tracker& tracker, Datagram& datagram,
                                   Arrival& arrival) noexcept {
  uint32_t at = tracker.first_piece;
  bool starts_behind_all = true;
  for (uint32_t each = tracker.first_piece; each != no_index; each = store_[each].next) {
    if (arrival.offset > 0 && store_[each].offset >= arrival.offset) {
      starts_behind_all = false;
      break;
    }
    at = each;
  }
  if (starts_behind_all) {
    at = tracker.first_piece;
  }
  bool overlaps = false;
  Settlement settlement = Settlement::look_on;
  while (at != no_index && settlement == Settlement::look_on) {
    Piece& older = store_[at];
    const uint32_t next = older.next;
    overlaps = overlaps || (arrival.offset < older.end() && older.offset < arrival.end);
    settlement = settle(tracker.policy, arrival, older, next != no_index ? &store_[next] : nullptr);
    if (settlement == Settlement::insert && older.trim >= older.data_bytes) {
      unlink_piece(tracker, at);
    }
    at = next;
  }
  if (overlaps) {
    datagram.events.add(datagram.ip_version == 4 ? DecodeEvent::ipv4_fragment_overlap
                                                 : DecodeEvent::ipv6_fragment_overlap);
  }
  return settlement != Settlement::drop;
}

/// Gives up the oldest other datagrams until a fragment fits.
bool Defragmenter::make_room(const Tracker& tracker, size_t bytes) noexcept {
  while (!store_.has_room(bytes)) {
    if (oldest_ == no_index || &trackers_[oldest_] == &tracker) {
      return false;
    }
    counts_.add(FragmentCount::tracker_evicted);
    close(oldest_);
  }
  return true;
}

void Defragmenter::link_piece(Tracker& tracker, uint32_t index) noexcept {
  uint32_t* link = &tracker.first_piece;
  while (*link != no_index && store_[*link].offset <= store_[index].offset) {
    link = &store_[*link].next;
  }
  store_[index].next = *link;
  *link = index;
}

void Defragmenter::unlink_piece(Tracker& tracker, uint32_t index) noexcept {
  uint32_t* link = &tracker.first_piece;
  while (*link != index) {
    link = &store_[*link].next;
  }
  *link = store_[index].next;
  store_.give_back(index);
}

/// From the start without a hole, and the last one was among them.
bool Defragmenter::is_whole(const Tracker& tracker) const noexcept {
  if (!tracker.seen_last) {
    return false;
  }
  uint32_t end = 0;
  for (uint32_t at = tracker.first_piece; at != no_index; at = store_[at].next) {
    if (store_[at].offset > end) {
      return false;
    }
    end = std::max(end, store_[at].end());
  }
  return end > 0;
}

/// BSD's trimming can leave bytes that no piece covers. They must not hold what other datagrams
/// left there; in IPv6, Suricata starts from the fragment at hand.
void Defragmenter::prime(const Tracker& tracker, const Datagram& datagram) noexcept {
  uint8_t* const frame = arena_.get() + arena_used_;
  uint32_t lead_bytes = 0;
  uint32_t data_bytes = 0;
  for (uint32_t at = tracker.first_piece; at != no_index; at = store_[at].next) {
    lead_bytes = std::max(lead_bytes, store_[at].lead_bytes);
    data_bytes = std::max(data_bytes, store_[at].end());
  }
  const size_t bytes = size_t{lead_bytes} + data_bytes;
  std::memset(frame, 0, bytes);
  if (datagram.ip_version == 6) {
    const size_t at_hand = datagram.ip_header.size() + datagram.ip_payload.size();
    std::memcpy(frame, datagram.ip_header.data(), std::min(at_hand, bytes));
  }
}

/// Copies the pieces in their order, so that of what overlaps still the later wins. Behind a last
/// fragment, only others of the same offset count.
Inner Defragmenter::rebuild(const Tracker& tracker) noexcept {
  uint8_t* const frame = arena_.get() + arena_used_;
  uint32_t data_at = 0;
  uint32_t data_bytes = 0;
  uint32_t ip_header_at = 0;
  bool more_fragments = true;
  uint32_t offset_before = 0;
  for (uint32_t at = tracker.first_piece; at != no_index; at = store_[at].next) {
    const Piece& piece = store_[at];
    if (!more_fragments && piece.offset > offset_before) {
      break;
    }
    if (piece.trim >= piece.data_bytes) {
      continue;
    }
    if (piece.offset == 0) {
      store_.copy_out(piece, 0, size_t{piece.lead_bytes} + piece.data_bytes, frame);
      data_at = piece.lead_bytes;
      data_bytes = piece.data_bytes;
      ip_header_at = piece.ip_header_at;
    } else {
      store_.copy_out(piece, size_t{piece.lead_bytes} + piece.trim,
                      size_t{piece.data_bytes} - piece.trim,
                      frame + data_at + piece.offset + piece.trim);
      data_bytes = std::max(data_bytes, piece.end());
    }
    more_fragments = piece.more_fragments;
    offset_before = piece.offset;
  }
  if (data_at == 0) {
    return {};  // nothing is left of the first fragment
  }
  const size_t frame_bytes = size_t{data_at} + data_bytes;
  arena_used_ += (frame_bytes + 15) & ~size_t{15};
  uint8_t* const header = frame + ip_header_at;
  const size_t datagram_bytes = tracker.key.ip_version == 4
                                    ? mend_ipv4_header(header, frame_bytes - ip_header_at)
                                    : mend_ipv6_header(header, frame_bytes - ip_header_at);
  return {.kind = InnerKind::rebuilt,
          .origin = DatagramOrigin::defrag,
          .bytes = {header, datagram_bytes},
          .frame = {frame, frame_bytes}};
}

}  // namespace shrike::decode
