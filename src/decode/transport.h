#pragma once
#include "work.h"

namespace shrike::decode {

// Each takes all bytes behind the IP headers. What is wrong is in the events; where the header
// itself is unusable, has_transport stays false.

void decode_tcp(Work& work, Bytes bytes) noexcept;
void decode_udp(Work& work, Bytes bytes) noexcept;
void decode_sctp(Work& work, Bytes bytes) noexcept;
void decode_esp(Work& work, Bytes bytes) noexcept;
void decode_icmpv4(Work& work, Bytes bytes) noexcept;
void decode_icmpv6(Work& work, Bytes bytes) noexcept;

}  // namespace shrike::decode
