#pragma once
#include <cstdint>

#include "packet_check.h"
#include "shrike/model/datagram.h"
#include "shrike/model/rule_program.h"

/// What rules read out of headers. Where the header is not there, nothing matches.
namespace shrike::detect {

/// Compares the number that the check's opcode names.
[[nodiscard]] bool number_matches(const Subject& subject, const PacketInstruction& check) noexcept;

/// 1 more fragments, 2 do not fragment, 4 reserved. 0 where there is no IPv4.
[[nodiscard]] uint32_t fragment_bits_of(const Datagram& datagram) noexcept;

[[nodiscard]] bool checksum_matches(const Datagram& datagram, ChecksumKind kind,
                                    bool must_be_valid) noexcept;

}  // namespace shrike::detect
