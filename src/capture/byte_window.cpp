#include "byte_window.h"

#include <algorithm>
#include <cstring>

#include "shrike/base/check.h"

namespace shrike::capture {

ByteWindow::ByteWindow(std::unique_ptr<ByteInput> input)
    : input_(std::move(input)), buffer_(new uint8_t[capacity_bytes]) {
  at_ = end_ = buffer_.get();
}

ReadStatus ByteWindow::refill(size_t bytes) noexcept {
  if (input_ == nullptr) {
    return ReadStatus::end;
  }
  check(bytes <= capacity_bytes, "a window holds what is needed at once");
  const size_t kept = left();
  std::memmove(buffer_.get(), at_, kept);
  at_ = buffer_.get();
  end_ = at_ + kept;
  while (left() < bytes) {
    const size_t room =
        std::min(capacity_bytes - left(), std::max(next_read_bytes_, bytes - left()));
    const auto got = input_->read({buffer_.get() + left(), room});
    if (got.status != ReadStatus::ok) {
      return got.status;
    }
    end_ += got.bytes;
    next_read_bytes_ = std::min(next_read_bytes_ * 4, read_bytes_max);
  }
  return ReadStatus::ok;
}

}  // namespace shrike::capture
