#pragma once
#include <cstdint>
#include <string>

#include "shrike/model/address.h"

namespace shrike::output {

/// A flow's tuple for its community id. Either direction gives the same id.
struct CommunityTuple {
  uint8_t ip_version = 0;
  uint8_t protocol = 0;
  IpAddress source;
  IpAddress target;
  uint16_t source_port = 0;  ///< ICMP: the type of the first side
  uint16_t target_port = 0;  ///< ICMP: the type that answers it, 0 where none does
};

/// "1:" and base64 of SHA-1 over seed and ordered tuple. Source: Community ID Flow Hashing
/// specification, version 1 (github.com/corelight/community-id-spec); ICMP as Suricata does.
[[nodiscard]] std::string community_id(const CommunityTuple& tuple, uint16_t seed);

}  // namespace shrike::output
