#include "queue_source.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "shrike/base/clock.h"

namespace shrike::capture {

namespace {

/// For frames of a batch that came in several mbufs: jumbo frames on a port whose buffers are
/// smaller, 16 KiB each for a full batch.
constexpr size_t whole_frames_bytes = size_t{16384} * limits::batch_packets_max;
constexpr uint32_t ethernet_link = 1;

constexpr CounterRow rows[] = {
    {"capture.packets", "packets", "Packets that were received."},
    {"capture.bytes", "bytes", "Their bytes, as received."},
    {"capture.wire_bytes", "bytes", "Their bytes on the wire."},
    {"capture.filtered", "packets", "Packets that the filter held back."},
    {"capture.too_long", "packets", "Packets in several buffers for which there was no room."},
    {"capture.polls", "polls", "Looks into the queues."},
    {"capture.empty_polls", "polls", "Looks into the queues that found nothing."},
};
static_assert(std::size(rows) == Counters<QueueCounter>::count);

}  // namespace

QueueSource::QueueSource(std::vector<Queue> queues, const TimeStampPlace& time_stamps,
                         std::unique_ptr<PacketFilter> filter, uint32_t batch_packets)
    : queues_(std::move(queues)),
      time_stamps_(time_stamps),
      filter_(std::move(filter)),
      batch_packets_(batch_packets),
      whole_frames_(std::make_unique_for_overwrite<uint8_t[]>(whole_frames_bytes)) {
  if (filter_ != nullptr) {
    filter_->select(ethernet_link);
  }
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
  uint64_t now_ns = 0;
  taken_ = 0;
  for (size_t i = 0; i < queues_.size() && batch.size() < batch_packets_; ++i) {
    const size_t index = (next_queue_ + i) % queues_.size();
    const Queue& queue = queues_[index];
    const auto room = static_cast<uint16_t>(batch_packets_ - batch.size());
    const uint16_t count = rte_eth_rx_burst(queue.port, queue.queue, buffers, room);
    if (count == 0) {
      continue;
    }
    now_ns = now_ns != 0 ? now_ns : wall_clock_ns();
    taken_ += count;
    last_queue_ = index;
    for (uint16_t k = 0; k < count; ++k) {
      rte_prefetch0(rte_pktmbuf_mtod(buffers[k], const void*));
    }
    for (uint16_t k = 0; k < count; ++k) {
      take(buffers[k], queue, now_ns, batch);
    }
  }
  next_queue_ = queues_.empty() ? 0 : (next_queue_ + 1) % queues_.size();
  if (now_ns == 0) {
    counters_.add(QueueCounter::empty_polls);
  }
  batch.set_poll_clocks(!has_stamps_);
}

void QueueSource::take(rte_mbuf* buffer, const Queue& queue, uint64_t now_ns,
                       PacketBatch& batch) noexcept {
  counters_.add(QueueCounter::packets);
  counters_.add(QueueCounter::wire_bytes, buffer->pkt_len);
  const Bytes frame = frame_of(buffer);
  if (frame.data() == nullptr) [[unlikely]] {
    counters_.add(QueueCounter::too_long);
    rte_pktmbuf_free(buffer);
    return;
  }
  counters_.add(QueueCounter::bytes, frame.size());
  const uint64_t time_ns = time_of(buffer, now_ns);
  if (filter_ != nullptr && !filter_->passes({.frame = frame,
                                              .time_ns = time_ns,
                                              .wire_bytes = buffer->pkt_len,
                                              .link_number = ethernet_link})) {
    counters_.add(QueueCounter::filtered);
    rte_pktmbuf_free(buffer);
    return;
  }
  clock_ns_ = std::max(clock_ns_, time_ns);
  batch.push({.frame = frame,
              .time_ns = time_ns,
              .clock_ns = clock_ns_,
              .number = ++number_,
              .wire_bytes = buffer->pkt_len,
              .capture_index = queue.port_index,
              .link_type = LinkType::ethernet,
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

uint64_t QueueSource::time_of(const rte_mbuf* buffer, uint64_t now_ns) noexcept {
  if ((buffer->ol_flags & time_stamps_.flag) == 0) {
    return now_ns;
  }
  has_stamps_ = true;
  return *RTE_MBUF_DYNFIELD(buffer, time_stamps_.offset, const rte_mbuf_timestamp_t*) *
         time_stamps_.nanoseconds_a_unit;
}

/// Drivers that take descriptors by the cache line or the vector leave a few of a full batch.
bool QueueSource::has_backlog() const noexcept {
  const bool was_full = taken_ * 4 >= batch_packets_ * 3;
  if (!was_full || queues_[last_queue_].plays_file) {
    return false;
  }
  const Queue& queue = queues_[last_queue_];
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
