#include "ipv6_extensions.h"

#include "network.h"
#include "transport.h"

namespace shrike::decode {
namespace {

constexpr size_t fragment_header_bytes = 8;
constexpr size_t authentication_bytes_min = 12;

/// Where the walk stands.
struct Chain {
  uint8_t type;                     ///< of the header at the start of `rest`
  Bytes rest;                       ///< from that header to the end of the datagram
  const uint8_t* before = nullptr;  ///< the extension header before it, if there is one
  unsigned destination_headers = 0;
  Fragment fragment;  ///< of the first fragment header
  bool is_fragment = false;
};

/// Goes past the header at hand. @return true: the walk goes on.
bool pass(Chain& chain, size_t bytes) noexcept {
  chain.before = chain.rest.data();
  chain.type = chain.rest[0];
  chain.rest = chain.rest.subspan(bytes);
  return true;
}

/// Notes the first header of a kind. @return false where there was one before.
bool is_first(Work& work, uint8_t bit) noexcept {
  const bool seen = (work.datagram.ipv6_extensions & bit) != 0;
  work.datagram.ipv6_extensions |= bit;
  return !seen;
}

/// Length of a header that says it in units of 8 bytes behind the first.
size_t header_bytes(Bytes header) noexcept {
  return (size_t{header[1]} + 1) * 8;
}

bool pass_routing(Work& work, Chain& chain) noexcept {
  const size_t bytes = header_bytes(chain.rest);
  if (bytes > chain.rest.size()) {
    return work.fail(DecodeEvent::ipv6_truncated_extension);
  }
  if (!is_first(work, ipv6_extension::routing)) {
    work.note(DecodeEvent::ipv6_duplicate_routing_header);
  } else if (chain.rest[2] == 0) {
    work.note(DecodeEvent::ipv6_routing_header_type_0);
  }
  return pass(chain, bytes);
}

/// Destination options may stand before and behind a routing header: twice (RFC 8200 4.1).
bool is_duplicate_options(Work& work, Chain& chain, bool is_hop_by_hop) noexcept {
  if (is_hop_by_hop) {
    return !is_first(work, ipv6_extension::hop_by_hop);
  }
  is_first(work, ipv6_extension::destination);
  return ++chain.destination_headers > 2;
}

bool pass_options(Work& work, Chain& chain) noexcept {
  const size_t bytes = header_bytes(chain.rest);
  if (bytes > chain.rest.size()) {
    return work.fail(DecodeEvent::ipv6_truncated_extension);
  }
  const bool is_hop_by_hop = chain.type == ip_protocol::hop_by_hop;
  if (is_duplicate_options(work, chain, is_hop_by_hop)) {
    work.note(is_hop_by_hop ? DecodeEvent::ipv6_duplicate_hop_by_hop_header
                            : DecodeEvent::ipv6_duplicate_destination_header);
  } else {
    decode_ipv6_options(work, chain.rest.subspan(2, bytes - 2), is_hop_by_hop);
  }
  return pass(chain, bytes);
}

/// A fragment header in a datagram that is whole is odd, and decoding goes on behind it.
bool pass_fragment(Work& work, Chain& chain) noexcept {
  if (chain.rest.size() < fragment_header_bytes) {
    return work.fail(DecodeEvent::ipv6_truncated_extension);
  }
  const Bytes header = chain.rest.first(fragment_header_bytes);
  if (header[1] != 0) {
    work.note(DecodeEvent::ipv6_fragment_header_reserved_field);
  }
  if (!is_first(work, ipv6_extension::fragment)) {
    work.note(DecodeEvent::ipv6_duplicate_fragment_header);
    return pass(chain, fragment_header_bytes);
  }
  Datagram& datagram = work.datagram;
  const uint16_t field = load_big16(header.data() + 2);
  datagram.fragment_offset = field & 0xfff8;
  datagram.more_fragments = (field & 1) != 0;
  if (!datagram.more_fragments && datagram.fragment_offset == 0) {
    work.note(DecodeEvent::ipv6_useless_fragment_header);
    return pass(chain, fragment_header_bytes);
  }
  const Bytes data = chain.rest.subspan(fragment_header_bytes);
  if (datagram.more_fragments && data.size() % 8 != 0) {
    work.note(DecodeEvent::ipv6_fragment_invalid_length);
  }
  const auto lead_bytes = static_cast<size_t>(header.data() - datagram.frame.data());
  chain.fragment = {
      .id = load_big32(header.data() + 4),
      .lead = datagram.frame.first(lead_bytes),
      .ip_header_at = static_cast<uint32_t>(datagram.ip_header.data() - datagram.frame.data()),
      .data = data,
      .next_header = header[0],
      .next_header_at = static_cast<uint32_t>(
          (chain.before != nullptr ? chain.before : datagram.ip_header.data() + 6) -
          datagram.frame.data()),
  };
  chain.is_fragment = true;
  datagram.is_fragment = true;
  return false;
}

bool pass_authentication(Work& work, Chain& chain) noexcept {
  size_t bytes = authentication_bytes_min;
  if (chain.rest[1] > 0) {
    bytes += (size_t{chain.rest[1]} - 1) * 4;
  }
  if (bytes > chain.rest.size()) {
    return work.fail(DecodeEvent::ipv6_truncated_extension);
  }
  if (load_big16(chain.rest.data() + 2) != 0) {
    work.note(DecodeEvent::ipv6_authentication_header_reserved);
  }
  if (!is_first(work, ipv6_extension::authentication)) {
    work.note(DecodeEvent::ipv6_duplicate_authentication_header);
  }
  return pass(chain, bytes);
}

/// Headers that are only skipped: mobility, host identity, shim6.
bool pass_unread(Work& work, Chain& chain) noexcept {
  const size_t bytes = header_bytes(chain.rest);
  return bytes > chain.rest.size() ? work.fail(DecodeEvent::ipv6_truncated_extension)
                                   : pass(chain, bytes);
}

/// The end of the chain: a transport, a tunnel, or nothing that is known. Suricata knows fewer
/// tunnels here than right behind the IPv6 header. Always false.
bool end_chain(Work& work, const Chain& chain) noexcept {
  switch (chain.type) {
    case ip_protocol::tcp:
      decode_tcp(work, chain.rest);
      return false;
    case ip_protocol::udp:
      decode_udp(work, chain.rest);
      return false;
    case ip_protocol::icmpv6:
      decode_icmpv6(work, chain.rest);
      return false;
    case ip_protocol::sctp:
      decode_sctp(work, chain.rest);
      return false;
    case ip_protocol::esp:
      decode_esp(work, chain.rest);
      return false;
    case ip_protocol::ipip:
      carry_ip_in_ipv6(work, chain.rest, 4);
      return false;
    case ip_protocol::icmp:
      work.note(DecodeEvent::ipv6_icmpv4);
      return false;
    default:
      work.note(DecodeEvent::ipv6_unknown_next_header);
      return false;
  }
}

/// Headers that give the datagram its protocol, should it end with them.
bool names_protocol(uint8_t type) noexcept {
  return type != ip_protocol::mobility && type != ip_protocol::hip && type != ip_protocol::shim6 &&
         type != ip_protocol::icmp;
}

/// One header. @return true where another follows.
bool step(Work& work, Chain& chain) noexcept {
  if (names_protocol(chain.type)) {
    work.datagram.protocol = chain.type;
  }
  switch (chain.type) {
    case ip_protocol::hop_by_hop:
    case ip_protocol::destination:
      return pass_options(work, chain);
    case ip_protocol::routing:
      return pass_routing(work, chain);
    case ip_protocol::fragment:
      return pass_fragment(work, chain);
    case ip_protocol::ah:
      return pass_authentication(work, chain);
    case ip_protocol::mobility:
    case ip_protocol::hip:
    case ip_protocol::shim6:
      return pass_unread(work, chain);
    default:
      return end_chain(work, chain);
  }
}

}  // namespace

void decode_ipv6_extensions(Work& work, uint8_t next_header) noexcept {
  Chain chain{.type = next_header, .rest = work.datagram.ip_payload, .fragment = {}};
  for (;;) {
    if (chain.type == ip_protocol::no_next) {
      if (!chain.rest.empty()) {
        work.note(DecodeEvent::ipv6_data_after_none_header);
      }
      break;
    }
    if (chain.rest.size() < 2) {
      work.fail(DecodeEvent::ipv6_truncated_extension);
      break;
    }
    if (!step(work, chain)) {
      break;
    }
  }
  if (chain.is_fragment) {
    work.inner = work.shared.defragmenter.insert(work.datagram, chain.fragment);
  }
}

}  // namespace shrike::decode
