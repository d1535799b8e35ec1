#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace shrike {

/// Application protocols that rules can name, whether a parser exists yet or not. The order is
/// free; values are not stored anywhere.
enum class AppProtocol : uint8_t {
  unknown,  ///< not identified yet; in rules: `app-layer-protocol:unknown`
  failed,   ///< identification gave up
  http,     ///< only in rules: http1 or http2
  http1,
  http2,
  ftp,
  ftp_data,
  smtp,
  tls,
  ssh,
  imap,
  pop3,
  irc,
  jabber,
  smb,
  dcerpc,
  dns,
  mdns,
  llmnr,
  doh2,  ///< DNS over HTTP/2
  modbus,
  enip,
  dnp3,
  nfs,
  ntp,
  tftp,
  ike,
  krb5,
  quic,
  dhcp,
  sip,
  rfb,
  rdp,
  mqtt,
  pgsql,
  telnet,
  websocket,
  ldap,
  snmp,
  bittorrent_dht,
  template_protocol,  ///< Suricata's example protocol
  count_,
};

/// The name rules use: "http1", "ftp-data".
[[nodiscard]] std::string_view to_text(AppProtocol protocol) noexcept;

/// The name EVE's app_proto uses: HTTP/1 is "http" there, everything else as in rules.
[[nodiscard]] std::string_view to_eve_text(AppProtocol protocol) noexcept;

/// By the name or an alias ("ssl", "ikev2") that rules use, any case.
[[nodiscard]] std::optional<AppProtocol> find_app_protocol(std::string_view name) noexcept;

/// Whether a rule for `wanted` concerns a flow of `actual`: the same, or one of its family (http:
/// http1 and http2; dns and http2: doh2 too; doh2: http2 and dns; dcerpc: smb too).
/// Source: Suricata, app-layer-protos.h.
[[nodiscard]] bool is_kind_of(AppProtocol actual, AppProtocol wanted) noexcept;

/// Whether flows are identified as this protocol, so that rules can ask for it; each has a row in
/// protocol/parsers.cpp.
[[nodiscard]] bool is_identified(AppProtocol protocol) noexcept;

}  // namespace shrike
