#pragma once
#include <cstdint>
#include <optional>

#include "shrike/base/bytes.h"

/// The addresses that FTP writes into its commands and replies. Sources: RFC 959, 2428.
namespace shrike::protocol {

struct FtpAddress {
  uint32_t ipv4 = 0;
  uint16_t port = 0;
};

/// "PORT 192,168,0,13,234,10"
[[nodiscard]] std::optional<FtpAddress> read_port_command(Bytes line) noexcept;
/// The port of "EPRT |2|2001:db8::1|41813|"; 0 where there is none.
[[nodiscard]] uint16_t read_eprt_command(Bytes line) noexcept;
/// The port of "227 Entering Passive Mode (192,0,2,1,221,243)."; 0 where there is none.
[[nodiscard]] uint16_t read_pasv_reply(Bytes line) noexcept;
/// The port of "229 Entering Extended Passive Mode (|||48758|)."; 0 where there is none.
[[nodiscard]] uint16_t read_epsv_reply(Bytes line) noexcept;

}  // namespace shrike::protocol
