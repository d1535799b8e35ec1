#include "file_transfer.h"

#include <algorithm>

namespace shrike::protocol {

namespace {

/// Suricata: FILEDATA_CONTENT_INSPECT_MIN_SIZE and _WINDOW; all of the file passes.
constexpr BodyLimits file_limits{.bytes_max = 0, .inspect_bytes_min = 32768, .window_bytes = 4096};

}  // namespace

FileTransfer::FileTransfer(AppTransaction& transaction, Direction direction, Bytes name) noexcept
    : transaction_(transaction),
      direction_(direction),
      name_(transaction.keep(name)),
      queue_(transaction.pool()) {}

FileTransfer::Queued* FileTransfer::find_queued(uint64_t offset) noexcept {
  const auto at = std::find_if(queue_.begin(), queue_.end(),
                               [offset](const Queued& each) { return each.offset == offset; });
  return at == queue_.end() ? nullptr : &*at;
}

FileTransfer::Start FileTransfer::begin_chunk(uint64_t offset, uint64_t bytes, uint8_t fill_bytes,
                                              const Limits& limits) {
  const bool overlaps = offset < tracked_bytes_;
  if (queued_bytes_ + bytes > limits.queued_bytes_max) {
    return Start::queue_bytes_exceeded;
  }
  if (queue_.size() >= limits.queued_chunks_max) {
    return Start::queue_chunks_exceeded;
  }
  if (chunk_left_ != 0 || fill_left_ != 0) {
    truncate();  // the last one was never completed
  }
  is_ahead_ = offset > tracked_bytes_;
  chunk_offset_ = offset;
  chunk_left_ = bytes;
  known_left_ = overlaps ? std::min(bytes, tracked_bytes_ - offset) : 0;
  fill_left_ = fill_bytes;
  if (!is_truncated_ && !is_closed_ && file_ == nullptr) {
    file_ = &transaction_.open_file(direction_, name_, file_limits);
  }
  return overlaps ? Start::overlaps : Start::taken;
}

void FileTransfer::write(Bytes bytes) {
  tracked_bytes_ += bytes.size();
  transaction_.append_file(*file_, bytes);
}

/// Of so many bytes of the chunk, those that came before already.
uint64_t FileTransfer::take_known(uint64_t bytes) noexcept {
  const uint64_t known = std::min(bytes, known_left_);
  known_left_ -= known;
  return known;
}

void FileTransfer::append(Bytes bytes) {
  bytes = bytes.first(static_cast<size_t>(std::min<uint64_t>(bytes.size(), chunk_left_)));
  chunk_left_ -= bytes.size();
  bytes = bytes.subspan(static_cast<size_t>(take_known(bytes.size())));
  if (is_truncated_ || is_closed_ || file_ == nullptr || bytes.empty()) {
    return;
  }
  if (!is_ahead_) {
    write(bytes);
  } else if (!transaction_.pool().is_full()) {
    Queued* queued = find_queued(chunk_offset_);
    if (queued == nullptr) {
      queue_.push_back({chunk_offset_, PoolBytes(transaction_.pool())});
      queued = &queue_.back();
    }
    queued->bytes.insert(queued->bytes.end(), bytes.begin(), bytes.end());
    queued_bytes_ += bytes.size();
  }
  if (chunk_left_ == 0) {
    finish_chunk();
  }
}

void FileTransfer::skip(uint64_t bytes) {
  bytes = std::min(bytes, chunk_left_);
  chunk_left_ -= bytes;
  bytes -= take_known(bytes);
  if (is_truncated_ || is_closed_ || file_ == nullptr || bytes == 0) {
    return;
  }
  if (!is_ahead_) {
    tracked_bytes_ += bytes;
    transaction_.skip_in_file(*file_, bytes);
  } else {
    is_truncated_ = true;
    transaction_.close_file(*file_, FileState::truncated);
  }
  if (chunk_left_ == 0) {
    finish_chunk();
  }
}

void FileTransfer::finish_chunk() {
  if (!is_ahead_) {
    write_queued();
  }
  is_ahead_ = false;
}

/// What was ahead and has its turn now.
void FileTransfer::write_queued() {
  while (Queued* const queued = find_queued(tracked_bytes_)) {
    if (queued->bytes.empty()) {
      break;
    }
    const PoolBytes bytes = std::move(queued->bytes);
    queue_.erase(queue_.begin() + (queued - queue_.data()));
    queued_bytes_ -= bytes.size();
    write(bytes);
  }
}

void FileTransfer::close() {
  if (file_ != nullptr && !is_truncated_) {
    transaction_.close_file(*file_, FileState::closed);
  }
  is_closed_ = true;
  queue_.clear();
  queued_bytes_ = tracked_bytes_ = 0;
}

void FileTransfer::truncate() {
  if (is_truncated_ || file_ == nullptr) {
    return;
  }
  transaction_.close_file(*file_, FileState::truncated);
  is_truncated_ = true;
  queue_.clear();
  queued_bytes_ = 0;
}

}  // namespace shrike::protocol
