#include "identified_only.h"

namespace shrike::protocol {

namespace {

constexpr Direction to_client = Direction::to_client;

/// What IMAP servers begin with, and what its clients ask first (RFC 9051). Depths are Suricata's.
constexpr std::array<Pattern, 8> imap_patterns{{
    {.direction = to_client, .text = "* OK ", .depth = 5, .is_nocase = true},
    {.direction = to_client, .text = "* NO ", .depth = 5, .is_nocase = true},
    {.direction = to_client, .text = "* BAD ", .depth = 6, .is_nocase = true},
    {.direction = to_client, .text = "* LIST ", .depth = 7, .is_nocase = true},
    {.direction = to_client, .text = "* ESEARCH ", .depth = 10, .is_nocase = true},
    {.direction = to_client, .text = "* STATUS ", .depth = 9, .is_nocase = true},
    {.direction = to_client, .text = "* FLAGS ", .depth = 8, .is_nocase = true},
    {.text = " CAPABILITY", .depth = 17, .is_nocase = true},
}};

/// Telnet's data can be anything: its port tells.
Probe::Answer probe_telnet(Bytes bytes, Direction) {
  return bytes.size() > 1 ? Probe::Answer::yes : Probe::Answer::more;
}

constexpr std::array<uint16_t, 1> telnet_ports{23};
constexpr std::array<Probe, 1> telnet_probes{{
    {.server_ports = telnet_ports, .bytes_max = 16, .probe = &probe_telnet},
}};

}  // namespace

constinit const ParserRow imap_row{.protocol = AppProtocol::imap, .patterns = imap_patterns};
constinit const ParserRow telnet_row{.protocol = AppProtocol::telnet, .probes = telnet_probes};

}  // namespace shrike::protocol
