#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "shrike/control.h"

namespace shrike::control {

namespace {

/// What the environment says, where it is a number; 0 otherwise.
uint64_t number_in_environment(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

}  // namespace

ServiceManager::ServiceManager() {
  if (const char* const address = std::getenv("NOTIFY_SOCKET"); address != nullptr) {
    address_ = address;
  }
  // The manager wants to hear of us within this time; half of it leaves room for a slow moment.
  const uint64_t process = number_in_environment("WATCHDOG_PID");
  if (process == 0 || process == static_cast<uint64_t>(getpid())) {
    watchdog_interval_ = std::chrono::microseconds(number_in_environment("WATCHDOG_USEC") / 2);
  }
}

void ServiceManager::tell(const char* text) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (address_.empty() || address_.size() >= sizeof address.sun_path) {
    return;
  }
  std::memcpy(address.sun_path, address_.data(), address_.size());
  if (address_.front() == '@') {
    address.sun_path[0] = 0;  // of the abstract namespace
  }
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) {
    return;
  }
  const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  sendto(descriptor, text, std::strlen(text), MSG_NOSIGNAL,
         reinterpret_cast<const sockaddr*>(&address), bytes);
  close(descriptor);
}

void ServiceManager::tell_ready() const {
  tell("READY=1");
}

void ServiceManager::tell_stopping() const {
  tell("STOPPING=1");
}

void ServiceManager::tick() {
  if (watchdog_interval_.count() == 0) {
    return;
  }
  if (const auto now = std::chrono::steady_clock::now(); now >= next_) {
    next_ = now + watchdog_interval_;
    tell("WATCHDOG=1");
  }
}

}  // namespace shrike::control
