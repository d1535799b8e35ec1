#include "file_input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace shrike::capture {

namespace {

/// How long a read from a pipe may wait: short enough for a stop to be felt as immediate.
constexpr int pipe_wait_ms = 100;
constexpr int pipe_bytes = 1 << 20;

}  // namespace

FileInput::FileInput(const std::string& path) {
  descriptor_ = path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) {
    error_ = errno;
    return;
  }
  struct stat status {};
  if (fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode)) {
    is_regular_ = true;
    size_bytes_ = static_cast<uint64_t>(status.st_size);
    posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);
  } else {
    // Sixteen times fewer turns between writer and reader than with 64 KiB. Not all may be allowed,
    // and not all is a pipe: then nothing changes.
    fcntl(descriptor_, F_SETPIPE_SZ, pipe_bytes);
  }
}

FileInput::~FileInput() {
  if (descriptor_ > STDIN_FILENO) {
    close(descriptor_);
  }
}

ByteInput::Result FileInput::read(std::span<uint8_t> room) noexcept {
  if (descriptor_ < 0) {
    return {.status = ReadStatus::fault};
  }
  if (!is_regular_) {
    pollfd waited{.fd = descriptor_, .events = POLLIN, .revents = 0};
    if (poll(&waited, 1, pipe_wait_ms) <= 0) {
      return {.status = ReadStatus::later};
    }
  }
  const ssize_t got = ::read(descriptor_, room.data(), room.size());
  if (got > 0) {
    read_bytes_ += static_cast<uint64_t>(got);
    return {.bytes = static_cast<size_t>(got)};
  }
  if (got == 0) {
    return {.status = ReadStatus::end};
  }
  if (errno == EINTR || errno == EAGAIN) {
    return {.status = ReadStatus::later};
  }
  error_ = errno;
  return {.status = ReadStatus::fault};
}

std::string FileInput::fault() const {
  return fmt::format("cannot be read at byte {}: {}", read_bytes_,
                     std::generic_category().message(error_));
}

}  // namespace shrike::capture
