#pragma once
#include "shrike/model/rule_tables.h"
#include "shrike/model/stream.h"

namespace shrike::detect {

/// `iprep`: whether the reputation of the datagram's addresses compares as asked. An address that
/// no list names has none, and does not.
[[nodiscard]] bool reputation_matches(const RuleTables& tables, const Datagram& datagram,
                                      const PacketInstruction& check) noexcept;

}  // namespace shrike::detect
