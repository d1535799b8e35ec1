#include "hpack.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>

namespace shrike::protocol {

namespace {

/// nghttp2 does not say how large a block is that it gives back: each carries its size.
constexpr size_t size_bytes = 16;

void* take(size_t size, void* pool) {
  auto* const block = static_cast<uint8_t*>(static_cast<Pool*>(pool)->take(size + size_bytes));
  std::memcpy(block, &size, sizeof size);
  return block + size_bytes;
}

size_t size_of(const void* memory) {
  size_t size = 0;
  std::memcpy(&size, static_cast<const uint8_t*>(memory) - size_bytes, sizeof size);
  return size;
}

void give(void* memory, void* pool) {
  if (memory != nullptr) {
    static_cast<Pool*>(pool)->give(static_cast<uint8_t*>(memory) - size_bytes,
                                   size_of(memory) + size_bytes);
  }
}

void* take_zeroed(size_t count, size_t each, void* pool) {
  void* const memory = take(count * each, pool);
  std::memset(memory, 0, count * each);
  return memory;
}

void* take_again(void* memory, size_t size, void* pool) {
  void* const grown = take(size, pool);
  if (memory != nullptr) {
    std::memcpy(grown, memory, std::min(size, size_of(memory)));
    give(memory, pool);
  }
  return grown;
}

}  // namespace

/// Whom nghttp2 asks for memory.
struct HpackDecoder::Memory {
  nghttp2_mem functions;
};

HpackDecoder::~HpackDecoder() {
  forget();
  if (memory_ != nullptr) {
    destroy_in(pool_, memory_);
  }
}

void HpackDecoder::forget() {
  if (inflater_ != nullptr) {
    nghttp2_hd_inflate_del(inflater_);
    inflater_ = nullptr;
  }
}

bool HpackDecoder::is_ready() {
  if (inflater_ != nullptr) {
    return true;
  }
  if (memory_ == nullptr) {
    memory_ = make_in<Memory>(pool_, Memory{{.mem_user_data = &pool_,
                                             .malloc = take,
                                             .free = give,
                                             .calloc = take_zeroed,
                                             .realloc = take_again}});
  }
  if (nghttp2_hd_inflate_new2(&inflater_, &memory_->functions) != 0) {
    inflater_ = nullptr;
    return false;
  }
  // The encoder may use what the other side allows; which settings it has seen is not known here.
  nghttp2_hd_inflate_change_table_size(inflater_, table_bytes_max);
  return true;
}

HpackDecoder::Step HpackDecoder::next(Bytes& block, Header& header) {
  if (!is_ready()) {
    return Step::fault;
  }
  for (;;) {
    nghttp2_nv pair{};
    int flags = 0;
    const ssize_t taken =
        nghttp2_hd_inflate_hd2(inflater_, &pair, &flags, block.data(), block.size(), 1);
    if (taken < 0) {
      forget();
      return Step::fault;
    }
    block = block.subspan(static_cast<size_t>(taken));
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      header = {{pair.name, pair.namelen}, {pair.value, pair.valuelen}};
      return Step::header;
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
      nghttp2_hd_inflate_end_headers(inflater_);
      return Step::end;
    }
    if (taken == 0) {
      forget();
      return Step::fault;
    }
  }
}

bool take_table_size_update(Bytes& block, uint64_t& bytes) noexcept {
  constexpr uint8_t prefix_max = 0x1f;
  constexpr unsigned shift_max = 28;
  if (block.empty() || (block[0] & 0xe0) != 0x20) {
    return false;
  }
  size_t at = 1;
  bytes = block[0] & prefix_max;
  if (bytes == prefix_max) {
    for (unsigned shift = 0;; shift += 7) {
      if (at == block.size() || shift > shift_max) {
        return false;
      }
      const uint8_t byte = block[at++];
      bytes += uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0) {
        break;
      }
    }
  }
  block = block.subspan(at);
  return true;
}

}  // namespace shrike::protocol
