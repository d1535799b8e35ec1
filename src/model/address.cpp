#include "shrike/model/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

namespace shrike {

std::string to_text(const IpAddress& address, unsigned version, bool compressed) {
  const auto& b = address.bytes;
  if (version == 4) {
    return fmt::format("{}.{}.{}.{}", b[0], b[1], b[2], b[3]);
  }
  if (compressed) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(AF_INET6, b.data(), text.data(), text.size());
    return text.data();
  }
  std::string text;
  for (size_t i = 0; i < b.size(); i += 2) {
    text += fmt::format("{}{:02x}{:02x}", i == 0 ? "" : ":", b[i], b[i + 1]);
  }
  return text;
}

}  // namespace shrike
