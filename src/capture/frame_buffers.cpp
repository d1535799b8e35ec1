#include "frame_buffers.h"

#include <rte_malloc.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>

#include "packet_memory.h"
#include "shrike/base/check.h"

namespace shrike::capture {

/// Head of a block from EAL's heap; the frame's bytes follow it. Freed when the last mbuf that
/// is attached to it lets go.
struct LongFrame {
  rte_mbuf_ext_shared_info shared;
  FrameBuffers* owner;
  size_t bytes;  ///< of the frame

  [[nodiscard]] uint8_t* data() noexcept { return reinterpret_cast<uint8_t*>(this + 1); }
};

namespace {

/// What one mbuf can describe: its lengths have 16 bits.
constexpr size_t segment_bytes_max = 65535;

}  // namespace

FrameBuffers::FrameBuffers(uint32_t buffers_max)
    : pool_(packet_pool()), buffers_max_(buffers_max), frame_bytes_max_(0) {
  check(pool_ != nullptr, "packet memory is started before sources are opened");
  frame_bytes_max_ = rte_pktmbuf_data_room_size(pool_) - RTE_PKTMBUF_HEADROOM;
  free_.reserve(buffers_max_);
}

FrameBuffers::~FrameBuffers() {
  rte_pktmbuf_free_bulk(free_.data(), static_cast<unsigned>(free_.size()));
}

const uint8_t* FrameBuffers::data_of(const rte_mbuf* buffer) noexcept {
  return rte_pktmbuf_mtod(buffer, const uint8_t*);
}

rte_mbuf* FrameBuffers::copy(Bytes frame) noexcept {
  if (is_long(frame.size())) [[unlikely]] {
    return copy_long(frame);
  }
  rte_mbuf* const buffer = take();
  if (buffer == nullptr) [[unlikely]] {
    return nullptr;
  }
  buffer->data_len = static_cast<uint16_t>(frame.size());
  buffer->pkt_len = static_cast<uint32_t>(frame.size());
  if (!frame.empty()) {
    std::memcpy(rte_pktmbuf_mtod(buffer, uint8_t*), frame.data(), frame.size());
  }
  return buffer;
}

void FrameBuffers::release(rte_mbuf* buffer) noexcept {
  while (buffer != nullptr) {
    rte_mbuf* const next = buffer->next;
    if (RTE_MBUF_HAS_EXTBUF(buffer)) [[unlikely]] {
      rte_pktmbuf_detach(buffer);
      buffer->next = nullptr;
      buffer->nb_segs = 1;
      rte_pktmbuf_reset_headroom(buffer);
    }
    free_.push_back(buffer);
    buffer = next;
  }
}

rte_mbuf* FrameBuffers::take() noexcept {
  if (free_.empty() && !refill()) [[unlikely]] {
    return nullptr;
  }
  rte_mbuf* const buffer = free_.back();
  free_.pop_back();
  return buffer;
}

/// Takes some more mbufs from the pool, never all at once: few used often stay in the cache.
bool FrameBuffers::refill() noexcept {
  constexpr size_t step = 32;
  const size_t wanted = std::min(step, buffers_max_ - taken_);
  if (wanted == 0) {
    return false;
  }
  free_.resize(wanted);
  if (rte_pktmbuf_alloc_bulk(pool_, free_.data(), static_cast<unsigned>(wanted)) != 0) {
    free_.clear();
    return false;
  }
  taken_ += wanted;
  return true;
}

rte_mbuf* FrameBuffers::copy_long(Bytes frame) noexcept {
  if (long_bytes_held_ + frame.size() > long_frame_bytes_max) {
    return nullptr;
  }
  void* const memory = rte_malloc("long_frame", sizeof(LongFrame) + frame.size(), 0);
  if (memory == nullptr) {
    return nullptr;
  }
  auto* const block = new (memory) LongFrame{{free_long_frame, memory, 0}, this, frame.size()};
  long_bytes_held_ += frame.size();
  std::memcpy(block->data(), frame.data(), frame.size());
  rte_mbuf* first = nullptr;
  rte_mbuf* last = nullptr;
  for (size_t at = 0; at < frame.size(); at += segment_bytes_max) {
    rte_mbuf* const segment = take();
    if (segment == nullptr) {
      give_up(first, *block);
      return nullptr;
    }
    const auto bytes = static_cast<uint16_t>(std::min(segment_bytes_max, frame.size() - at));
    rte_mbuf_ext_refcnt_set(&block->shared, static_cast<uint16_t>(at / segment_bytes_max + 1));
    rte_pktmbuf_attach_extbuf(segment, block->data() + at, RTE_BAD_IOVA, bytes, &block->shared);
    segment->data_len = bytes;
    segment->data_off = 0;
    first == nullptr ? first = segment : last->next = segment;
    last = segment;
  }
  first->pkt_len = static_cast<uint32_t>(frame.size());
  first->nb_segs = static_cast<uint16_t>((frame.size() - 1) / segment_bytes_max + 1);
  return first;
}

void FrameBuffers::give_up(rte_mbuf* first, LongFrame& block) noexcept {
  if (first == nullptr) {
    free_long_frame(nullptr, &block);
  } else {
    release(first);
  }
}

void FrameBuffers::free_long_frame(void*, void* block) noexcept {
  auto* const frame = static_cast<LongFrame*>(block);
  frame->owner->long_bytes_held_ -= frame->bytes;
  rte_free(frame);
}

}  // namespace shrike::capture
