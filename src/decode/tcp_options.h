#pragma once
#include "work.h"

namespace shrike::decode {

/// Fills Datagram::tcp from a TCP header of more than 20 bytes, and notes what is wrong with it.
/// Source: RFC 9293 section 3.1, RFC 7323, RFC 2018, RFC 7413, RFC 2385, RFC 5925, RFC 6994.
void decode_tcp_options(Work& work, Bytes header) noexcept;

}  // namespace shrike::decode
