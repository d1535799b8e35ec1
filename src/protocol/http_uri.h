#pragma once
#include "memory.h"
#include "shrike/base/bytes.h"
#include "shrike/protocol.h"

/// Request targets: their parts, and the normal form that rules look into. Follows libhtp with
/// Suricata's personality "IDS" (rust/htp/src/uri.rs, urlencoded.rs); RFC 3986.
namespace shrike::protocol::http {

/// The parts of a request target as they stand in it; empty and absent are told apart.
struct UriParts {
  struct Part {
    Bytes text;
    bool exists = false;
  };
  Part scheme;
  Part user_info;
  Part host;
  Part port;
  Part path;
  Part query;
  Part fragment;
};

[[nodiscard]] UriParts split_uri(Bytes uri) noexcept;

/// "host:port", of a Host field or of CONNECT.
struct Authority {
  Bytes host;
  bool has_port = false;
  uint16_t port = 0;  ///< 0: none, or not a port
  bool is_valid = false;
  bool exists = false;  ///< there is something like a host at all
};
[[nodiscard]] Authority split_authority(Bytes text) noexcept;

/// 1 to 65535, or 0.
[[nodiscard]] uint16_t port_number(Bytes text) noexcept;

/// A host name or an address in brackets, generously read.
[[nodiscard]] bool is_valid_host(Bytes host) noexcept;

/// The path, decoded, with '\' for '/', no empty or dot segments.
void normalize_path(Bytes path, PoolBytes& out);

/// %HH (and %uHHHH) decoded; '+' becomes ' ' where that is wanted.
void decode_uri_part(Bytes text, bool plus_is_space, PoolBytes& out);

/// A host of a request target: decoded, lower case, without dots at its end.
void normalize_host(Bytes host, PoolBytes& out);

/// What rules see as http.uri: path, query and fragment. @return whether something was encoded
/// twice (and such decoding is wanted).
bool normalize_uri(const UriParts& parts, const HttpOptions& options, Pool& pool, PoolBytes& path,
                   PoolBytes& out);

}  // namespace shrike::protocol::http
