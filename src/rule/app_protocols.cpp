#include "app_protocols.h"

#include <algorithm>

namespace shrike::rule {

namespace {

bool is_of_file(Field field) noexcept {
  return field == Field::file_data || field == Field::file_name || field == Field::file_magic ||
         field == Field::filesize;
}

/// Fingerprints of a TLS hello, which QUIC carries too.
bool is_of_hello(Field field) noexcept {
  return field == Field::ja3_hash || field == Field::ja3_string || field == Field::ja3s_hash ||
         field == Field::ja3s_string || field == Field::ja4_hash;
}

/// Protocols of flows, not of rules alone.
bool is_of_flows(AppProtocol protocol) noexcept {
  return protocol != AppProtocol::unknown && protocol != AppProtocol::failed &&
         protocol != AppProtocol::http && protocol != AppProtocol::count_;
}

}  // namespace

std::optional<AppProtocol> common_protocol(AppProtocol current, AppProtocol added) noexcept {
  if (current == AppProtocol::unknown || current == added) return added;
  switch (current) {
    case AppProtocol::smb:
      if (added == AppProtocol::dcerpc) return current;
      break;
    case AppProtocol::http:
      if (added == AppProtocol::http1 || added == AppProtocol::http2) return added;
      break;
    case AppProtocol::http1:
    case AppProtocol::http2:
      if (added == AppProtocol::http) return current;
      break;
    case AppProtocol::doh2:
      if (added == AppProtocol::http || added == AppProtocol::http2 || added == AppProtocol::dns) {
        return current;
      }
      break;
    default:
      break;
  }
  return std::nullopt;
}

bool carries_files(AppProtocol protocol) noexcept {
  switch (protocol) {
    case AppProtocol::http:
    case AppProtocol::http1:
    case AppProtocol::http2:
    case AppProtocol::doh2:
    case AppProtocol::smtp:
    case AppProtocol::ftp:
    case AppProtocol::ftp_data:
    case AppProtocol::smb:
    case AppProtocol::nfs:
      return true;
    default:
      return false;
  }
}

bool may_have(AppProtocol protocol, Field field) noexcept {
  if (is_of_file(field)) return carries_files(protocol);
  if (is_of_hello(field)) return protocol == AppProtocol::tls || protocol == AppProtocol::quic;
  const AppProtocol own = row_of(field).protocol;
  return own == AppProtocol::unknown || is_kind_of(protocol, own) ||
         common_protocol(protocol, own).has_value();
}

bool settles_protocol(Field field) noexcept {
  return row_of(field).protocol != AppProtocol::unknown && !is_of_hello(field);
}

std::vector<AppProtocol> protocols_of(const Rule& rule) {
  std::vector<AppProtocol> protocols;
  const AppProtocol wanted = rule.header.app_protocol;
  for (size_t i = 0; i < static_cast<size_t>(AppProtocol::count_); ++i) {
    const auto protocol = static_cast<AppProtocol>(i);
    if (!is_of_flows(protocol)) continue;
    const bool is_of_rule =
        wanted == AppProtocol::unknown
            ? std::all_of(rule.buffers.begin(), rule.buffers.end(),
                          [&](const Buffer& buffer) { return may_have(protocol, buffer.field); })
            : is_kind_of(protocol, wanted);
    if (is_of_rule) protocols.push_back(protocol);
  }
  return protocols;
}

}  // namespace shrike::rule
