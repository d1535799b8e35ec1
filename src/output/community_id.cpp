#include "community_id.h"

#include <array>
#include <cstring>
#include <tuple>

#include "shrike/base/bytes.h"
#include "shrike/base/digest.h"
#include "shrike/base/json_writer.h"

namespace shrike::output {

std::string community_id(const CommunityTuple& tuple, uint16_t seed) {
  CommunityTuple ordered = tuple;
  if (std::tie(tuple.target, tuple.target_port) < std::tie(tuple.source, tuple.source_port)) {
    std::swap(ordered.source, ordered.target);
    std::swap(ordered.source_port, ordered.target_port);
  }
  std::array<uint8_t, 2 + 16 + 16 + 2 + 4> bytes{};
  size_t used = 0;
  const auto put16 = [&](uint16_t value) {
    bytes[used++] = static_cast<uint8_t>(value >> 8);
    bytes[used++] = static_cast<uint8_t>(value);
  };
  const size_t address_bytes = tuple.ip_version == 4 ? 4 : 16;
  put16(seed);
  for (const IpAddress* const address : {&ordered.source, &ordered.target}) {
    std::memcpy(bytes.data() + used, address->bytes.data(), address_bytes);
    used += address_bytes;
  }
  put16(static_cast<uint16_t>(tuple.protocol << 8));  // protocol, then a zero byte
  put16(ordered.source_port);
  put16(ordered.target_port);

  Digest digest(Digest::Kind::sha1);
  digest.update(Bytes(bytes).first(used));
  std::string text = "1:";
  append_base64(text, digest.finish());
  return text;
}

}  // namespace shrike::output
