#include "kernel_drops.h"

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>

namespace shrike::capture {

namespace {

bool is_packet_socket(int descriptor) {
  int domain = 0;
  socklen_t bytes = sizeof domain;
  return getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &bytes) == 0 && domain == AF_PACKET;
}

std::vector<int> packet_sockets() {
  std::vector<int> found;
  std::error_code fault;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", fault)) {
    const std::string name = entry.path().filename().string();
    int descriptor = -1;
    std::from_chars(name.data(), name.data() + name.size(), descriptor);
    if (descriptor >= 0 && is_packet_socket(descriptor)) {
      found.push_back(descriptor);
    }
  }
  return found;
}

}  // namespace

KernelDrops::KernelDrops() : sockets_before_(packet_sockets()) {}

void KernelDrops::adopt_new_sockets() {
  for (const int descriptor : packet_sockets()) {
    if (std::find(sockets_before_.begin(), sockets_before_.end(), descriptor) ==
        sockets_before_.end()) {
      sockets_.push_back(descriptor);
    }
  }
}

uint64_t KernelDrops::read() noexcept {
  for (const int descriptor : sockets_) {
    tpacket_stats_v3 statistics{};  // the longest form; older rings fill less of it
    socklen_t bytes = sizeof statistics;
    if (getsockopt(descriptor, SOL_PACKET, PACKET_STATISTICS, &statistics, &bytes) == 0) {
      dropped_ += statistics.tp_drops;
    }
  }
  return dropped_;
}

}  // namespace shrike::capture
