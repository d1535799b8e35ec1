#include <arpa/inet.h>

#include <cstdio>
#include <string>

#include "shrike/base/check.h"
#include "shrike/craft.h"

namespace shrike::craft {

Address::Address(const char* text) : Address(std::string_view(text)) {}

Address::Address(std::string_view text) {
  version = text.find(':') == std::string_view::npos ? 4 : 6;
  const int family = version == 4 ? AF_INET : AF_INET6;
  check(inet_pton(family, std::string(text).c_str(), value.bytes.data()) == 1,
        "craft: text is an IP address");
}

MacAddress::MacAddress(const char* text) {
  std::array<unsigned, 6> parts{};
  const int found = std::sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &parts[0], &parts[1], &parts[2],
                                &parts[3], &parts[4], &parts[5]);
  check(found == 6, "craft: text is an Ethernet address");
  for (size_t index = 0; index < parts.size(); ++index) {
    bytes[index] = static_cast<uint8_t>(parts[index]);
  }
}

}  // namespace shrike::craft
