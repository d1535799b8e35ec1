#include "queue_source.h"

#include <rte_ethdev.h>
#include <rte_interrupts.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace shrike::capture {

namespace {

/// For frames of a batch that came in several mbufs: a full batch of the longest that ports take.
/// Costs address space alone until such frames come.
constexpr size_t whole_frames_bytes = size_t{65536} * limits::batch_packets_max;
/// A stamp may be of a packet that waited in the queue so long, or be so far ahead of the machine's
/// clock; what is beyond is no time.
constexpr uint64_t stamp_age_max_ns = 10'000'000'000;
constexpr uint64_t stamp_ahead_max_ns = 1'000'000'000;
constexpr uint32_t ethernet_link = 1;

constexpr CounterRow rows[] = {
    {"capture.packets", "packets", "Packets that were received."},
    {"capture.bytes", "bytes", "Their bytes, as received."},
    {"capture.wire_bytes", "bytes", "Their bytes on the wire."},
    {"capture.filtered", "packets", "Packets that the filter held back."},
    {"capture.too_long", "packets", "Packets in several buffers for which there was no room."},
    {"capture.polls", "polls", "Looks into the queues."},
    {"capture.empty_polls", "polls", "Looks into the queues that found nothing."},
    {"capture.sums_checked", "packets", "Their transport checksum was found right by the port."},
    {"capture.tags_put_back", "packets", "VLAN tags that the port took off were put back."},
    {"capture.tags_lost", "packets", "A VLAN tag that the port took off found no room."},
    {"capture.stamped", "packets", "Packets that the port stamped with its own time."},
    {"capture.stamps_refused", "packets", "Stamps that were far off the system's clock."},
    {"capture.times_held", "packets", "Given their queue's last time, for theirs was earlier."},
    {"capture.clock_set_forward", "times", "The system's clock was set forward."},
    {"capture.clock_set_back", "times", "The system's clock was set back."},
    {"capture.waits", "times", "Sleeps until the port said that packets came."},
};
static_assert(std::size(rows) == Counters<QueueCounter>::count);

/// Some drivers (igb, ixgbe) call every sum right that the port did not find wrong, though it may
/// not have looked: it was not asked to, or it did not find a segment behind tags and headers that
/// it does not know, or behind IPv6 headers that change the addresses which are summed up.
bool found_sum_right(const rte_mbuf* buffer, const Queue& queue) noexcept {
  const uint32_t transport = buffer->packet_type & RTE_PTYPE_L4_MASK;
  return queue.checks_sums &&
         (buffer->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD &&
         (transport == RTE_PTYPE_L4_TCP || transport == RTE_PTYPE_L4_UDP) &&
         (buffer->packet_type & RTE_PTYPE_L3_MASK) != RTE_PTYPE_L3_IPV6_EXT;
}

}  // namespace

QueueSource::QueueSource(const std::vector<Queue>& queues, const PacketTimes& times,
                         std::unique_ptr<PacketFilter> filter, uint32_t batch_packets)
    : times_(times),
      filter_(std::move(filter)),
      batch_packets_(batch_packets),
      whole_frames_(std::make_unique_for_overwrite<uint8_t[]>(whole_frames_bytes)) {
  if (filter_ != nullptr) {
    filter_->select(ethernet_link);
  }
  for (const Queue& queue : queues) {
    lanes_.push_back({.queue = queue});
  }
  times_.system->refresh(line_, line_version_);
}

QueueSource::~QueueSource() = default;

/// Polls every queue once, beginning with another one each time, so that a busy queue does not
/// starve its neighbours.
void QueueSource::receive(PacketBatch& batch) noexcept {
  batch.clear();
  whole_bytes_ = 0;
  has_stamps_ = false;
  counters_.add(QueueCounter::polls);
  rte_mbuf* buffers[limits::batch_packets_max];
  uint64_t now = 0;
  taken_ = 0;
  for (size_t i = 0; i < lanes_.size() && batch.size() < batch_packets_; ++i) {
    const size_t index = (next_queue_ + i) % lanes_.size();
    Lane& lane = lanes_[index];
    const auto room = static_cast<uint16_t>(batch_packets_ - batch.size());
    const uint16_t count = rte_eth_rx_burst(lane.queue.port, lane.queue.queue, buffers, room);
    if (count == 0) {
      continue;
    }
    now = now != 0 ? now : now_ns();
    taken_ += count;
    last_queue_ = index;
    if (lane.queue.clock != nullptr) {
      lane.queue.clock->refresh(lane.line, lane.line_version);
    }
    for (uint16_t k = 0; k < count; ++k) {
      rte_prefetch0(rte_pktmbuf_mtod(buffers[k], const void*));
    }
    for (uint16_t k = 0; k < count; ++k) {
      take(buffers[k], lane, now, batch);
    }
  }
  next_queue_ = lanes_.empty() ? 0 : (next_queue_ + 1) % lanes_.size();
  if (now == 0) {
    counters_.add(QueueCounter::empty_polls);
  }
  batch.set_poll_clocks(!has_stamps_);
}

/// The machine's own clock, once a batch.
uint64_t QueueSource::now_ns() noexcept {
  const ClockLine before = line_;
  if (times_.system->refresh(line_, line_version_)) [[unlikely]] {
    counters_.add(QueueCounter::clock_set_forward,
                  line_.times_set_forward - before.times_set_forward);
    counters_.add(QueueCounter::clock_set_back, line_.times_set_back - before.times_set_back);
  }
  return line_.at(read_ticks(times_.ticks));
}

void QueueSource::take(rte_mbuf* buffer, Lane& lane, uint64_t now_ns, PacketBatch& batch) noexcept {
  counters_.add(QueueCounter::packets);
  if ((buffer->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0) [[unlikely]] {
    buffer = with_tags(buffer);
  }
  counters_.add(QueueCounter::wire_bytes, buffer->pkt_len);
  const Bytes frame = frame_of(buffer);
  if (frame.data() == nullptr) [[unlikely]] {
    counters_.add(QueueCounter::too_long);
    rte_pktmbuf_free(buffer);
    return;
  }
  counters_.add(QueueCounter::bytes, frame.size());
  const uint64_t time_ns = time_of(buffer, lane, now_ns);
  const bool sum_holds = found_sum_right(buffer, lane.queue);
  if (filter_ != nullptr && !filter_->passes({.frame = frame,
                                              .time_ns = time_ns,
                                              .wire_bytes = buffer->pkt_len,
                                              .link_number = ethernet_link})) {
    counters_.add(QueueCounter::filtered);
    rte_pktmbuf_free(buffer);
    return;
  }
  counters_.add(QueueCounter::sums_checked, sum_holds ? 1 : 0);
  clock_ns_ = std::max(clock_ns_, time_ns + (times_.stamps_of_files ? 0 : line_.behind_ns));
  batch.push({.frame = frame,
              .time_ns = time_ns,
              .clock_ns = clock_ns_,
              .number = ++number_,
              .wire_bytes = buffer->pkt_len,
              .capture_index = lane.queue.port_index,
              .link_type = LinkType::ethernet,
              .transport_sum_holds = sum_holds,
              .buffer = buffer});
}

Bytes QueueSource::frame_of(rte_mbuf* buffer) noexcept {
  if (buffer->nb_segs == 1) [[likely]] {
    return {rte_pktmbuf_mtod(buffer, const uint8_t*), buffer->data_len};
  }
  if (whole_bytes_ + buffer->pkt_len > whole_frames_bytes) {
    return {};
  }
  uint8_t* const begin = whole_frames_.get() + whole_bytes_;
  size_t at = 0;
  for (const rte_mbuf* part = buffer; part != nullptr && at < buffer->pkt_len; part = part->next) {
    const size_t bytes = std::min<size_t>(part->data_len, buffer->pkt_len - at);
    std::memcpy(begin + at, rte_pktmbuf_mtod(part, const uint8_t*), bytes);
    at += bytes;
  }
  whole_bytes_ += at;
  return {begin, at};
}

/// As if the port had left the tags where they were: what is decoded, filtered and written is the
/// frame of the wire. Headroom is where the tags' 4 bytes go.
rte_mbuf* QueueSource::with_tags(rte_mbuf* buffer) noexcept {
  const uint64_t both = RTE_MBUF_F_RX_QINQ | RTE_MBUF_F_RX_QINQ_STRIPPED;
  const uint16_t outer = buffer->vlan_tci_outer;
  const bool has_outer = (buffer->ol_flags & both) == both;
  bool is_whole = rte_vlan_insert(&buffer) == 0;
  if (is_whole && has_outer) {
    buffer->vlan_tci = outer;
    is_whole = rte_vlan_insert(&buffer) == 0;
  }
  counters_.add(is_whole ? QueueCounter::tags_put_back : QueueCounter::tags_lost);
  return buffer;
}

/// Files are as they are, with time that may run backwards. Of live packets those that a port
/// stamped and those that it did not may stand side by side in a queue, so they are kept in order.
uint64_t QueueSource::time_of(const rte_mbuf* buffer, Lane& lane, uint64_t now_ns) noexcept {
  uint64_t time_ns = now_ns;
  if ((buffer->ol_flags & times_.stamp_flag) != 0) {
    time_ns = stamp_of(buffer, lane, now_ns);
  }
  if (times_.stamps_of_files) {
    return time_ns;
  }
  if (time_ns < lane.last_ns && lane.last_ns - time_ns < ClockDiscipline::jump_ns) {
    counters_.add(QueueCounter::times_held);
    return lane.last_ns;
  }
  return lane.last_ns = time_ns;
}

uint64_t QueueSource::stamp_of(const rte_mbuf* buffer, const Lane& lane, uint64_t now_ns) noexcept {
  constexpr uint64_t ns_a_microsecond = 1000;
  const uint64_t stamp =
      *RTE_MBUF_DYNFIELD(buffer, times_.stamp_offset, const rte_mbuf_timestamp_t*);
  if (times_.stamps_of_files) {
    has_stamps_ = true;
    counters_.add(QueueCounter::stamped);
    return stamp * ns_a_microsecond;
  }
  if (lane.queue.clock == nullptr) {
    return now_ns;
  }
  const uint64_t time_ns = lane.line.at(stamp);
  if (time_ns > now_ns + stamp_ahead_max_ns || time_ns + stamp_age_max_ns < now_ns) {
    counters_.add(QueueCounter::stamps_refused);
    return now_ns;
  }
  has_stamps_ = true;
  counters_.add(QueueCounter::stamped);
  return time_ns;
}

/// The interrupts of a queue come to whoever registered for them: the worker's own thread.
bool QueueSource::set_up_interrupts() noexcept {
  interrupts_ = Interrupts::none;
  for (const Lane& lane : lanes_) {
    if (rte_eth_dev_rx_intr_ctl_q(lane.queue.port, lane.queue.queue, RTE_EPOLL_PER_THREAD,
                                  RTE_INTR_EVENT_ADD, nullptr) != 0) {
      return false;
    }
  }
  interrupts_ = Interrupts::ready;
  return true;
}

bool QueueSource::has_packets() const noexcept {
  return std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) {
    return rte_eth_rx_queue_count(lane.queue.port, lane.queue.queue) > 0;
  });
}

bool QueueSource::wait(int timeout_ms) noexcept {
  if (interrupts_ == Interrupts::none ||
      (interrupts_ == Interrupts::wanted && !set_up_interrupts())) {
    return false;
  }
  for (const Lane& lane : lanes_) {
    rte_eth_dev_rx_intr_enable(lane.queue.port, lane.queue.queue);
  }
  // What came before that rings no bell any more.
  if (!has_packets()) {
    constexpr int events_max = 16;
    rte_epoll_event events[events_max];
    counters_.add(QueueCounter::waits);
    rte_epoll_wait(RTE_EPOLL_PER_THREAD, events, events_max, timeout_ms);
  }
  for (const Lane& lane : lanes_) {
    rte_eth_dev_rx_intr_disable(lane.queue.port, lane.queue.queue);
  }
  return true;
}

/// Drivers that take descriptors by the cache line or the vector leave a few of a full batch.
bool QueueSource::has_backlog() const noexcept {
  const bool was_full = taken_ * 4 >= batch_packets_ * 3;
  if (!was_full || lanes_[last_queue_].queue.plays_file) {
    return false;
  }
  const Queue& queue = lanes_[last_queue_].queue;
  const int waiting = rte_eth_rx_queue_count(queue.port, queue.queue);
  return waiting < 0 || static_cast<uint32_t>(waiting) >= batch_packets_;
}

void QueueSource::release(PacketBatch& batch) noexcept {
  rte_mbuf* buffers[limits::batch_packets_max];
  unsigned count = 0;
  for (const Packet& packet : batch.all()) {
    buffers[count++] = static_cast<rte_mbuf*>(packet.buffer);
  }
  rte_pktmbuf_free_bulk(buffers, count);
  batch.clear();
}

CounterView QueueSource::counters() const noexcept {
  return counters_.view(rows);
}

}  // namespace shrike::capture
