#pragma once
#include <array>
#include <optional>

#include "memory.h"
#include "shrike/base/bytes.h"
#include "shrike/model/stream.h"

/// The keys of QUIC's Initial packets, which anybody can derive, and what they open.
/// Source: RFC 9001 section 5; RFC 9369 section 3.3 for version 2.
namespace shrike::protocol {

/// Of one direction: AES-128.
struct QuicDirectionKeys {
  std::array<uint8_t, 16> packet{};
  std::array<uint8_t, 12> nonce{};
  std::array<uint8_t, 16> header{};
};
struct QuicKeys {
  std::array<QuicDirectionKeys, 2> by_direction{};
};

/// @param connection the client's first destination connection id.
/// @return nothing for versions whose Initial packets are not protected so.
[[nodiscard]] std::optional<QuicKeys> quic_initial_keys(uint32_t version, Bytes connection);

/// Takes off the header protection and decrypts.
/// @param packet       header and protected payload.
/// @param header_bytes up to the packet number.
/// @param opened       out: the frames.
/// @return false where the packet is not what these keys protect.
[[nodiscard]] bool open_quic_packet(const QuicDirectionKeys& keys, Bytes packet,
                                    size_t header_bytes, PoolBytes& opened);

}  // namespace shrike::protocol
