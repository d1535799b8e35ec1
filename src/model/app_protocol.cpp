#include "shrike/model/app_protocol.h"

#include <algorithm>
#include <array>

namespace shrike {

namespace {

constexpr std::array<std::string_view, static_cast<size_t>(AppProtocol::count_)> names{
    "unknown", "failed", "http",  "http1",  "http2",     "ftp",    "ftp-data", "smtp",
    "tls",     "ssh",    "imap",  "pop3",   "irc",       "jabber", "smb",      "dcerpc",
    "dns",     "mdns",   "llmnr", "doh2",   "modbus",    "enip",   "dnp3",     "nfs",
    "ntp",     "tftp",   "ike",   "krb5",   "quic",      "dhcp",   "sip",      "rfb",
    "rdp",     "mqtt",   "pgsql", "telnet", "websocket", "ldap",   "snmp",     "bittorrent-dht",
    "template"};
static_assert(names.back() == "template", "a name is missing");

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 32) : letter;
}

bool is_same(std::string_view first, std::string_view second) {
  if (first.size() != second.size()) return false;
  for (size_t i = 0; i < first.size(); ++i) {
    if (lower(first[i]) != lower(second[i])) return false;
  }
  return true;
}

}  // namespace

std::string_view to_text(AppProtocol protocol) noexcept {
  const auto index = static_cast<size_t>(protocol);
  return index < names.size() ? names[index] : names[0];
}

std::string_view to_eve_text(AppProtocol protocol) noexcept {
  return to_text(protocol == AppProtocol::http1 ? AppProtocol::http : protocol);
}

std::optional<AppProtocol> find_app_protocol(std::string_view name) noexcept {
  for (size_t i = 0; i < names.size(); ++i) {
    if (is_same(names[i], name)) return static_cast<AppProtocol>(i);
  }
  if (is_same(name, "ssl")) return AppProtocol::tls;
  if (is_same(name, "ikev2")) return AppProtocol::ike;
  return std::nullopt;
}

bool is_kind_of(AppProtocol actual, AppProtocol wanted) noexcept {
  if (actual == wanted) return true;
  switch (wanted) {
    case AppProtocol::http:
      return actual == AppProtocol::http1 || actual == AppProtocol::http2;
    case AppProtocol::dns:
    case AppProtocol::http2:
      return actual == AppProtocol::doh2;
    case AppProtocol::doh2:
      return actual == AppProtocol::http2 || actual == AppProtocol::dns;
    case AppProtocol::dcerpc:
      return actual == AppProtocol::smb;
    default:
      return false;
  }
}

bool is_identified(AppProtocol protocol) noexcept {
  // In the order of protocol/parsers.cpp's rows, which a test compares.
  static constexpr AppProtocol identified[] = {
      AppProtocol::dns,       AppProtocol::mdns,   AppProtocol::llmnr,
      AppProtocol::tls,       AppProtocol::ssh,    AppProtocol::quic,
      AppProtocol::smtp,      AppProtocol::ftp,    AppProtocol::ftp_data,
      AppProtocol::pop3,      AppProtocol::imap,   AppProtocol::telnet,
      AppProtocol::smb,       AppProtocol::dcerpc, AppProtocol::mqtt,
      AppProtocol::dnp3,      AppProtocol::rfb,    AppProtocol::ldap,
      AppProtocol::http1,     AppProtocol::http2,  AppProtocol::doh2,
      AppProtocol::websocket, AppProtocol::sip,    AppProtocol::krb5,
      AppProtocol::snmp,      AppProtocol::tftp,   AppProtocol::ike,
      AppProtocol::dhcp,      AppProtocol::ntp,    AppProtocol::modbus,
      AppProtocol::enip,      AppProtocol::rdp,    AppProtocol::bittorrent_dht,
      AppProtocol::pgsql,     AppProtocol::nfs,
  };
  return std::find(std::begin(identified), std::end(identified), protocol) != std::end(identified);
}

}  // namespace shrike
