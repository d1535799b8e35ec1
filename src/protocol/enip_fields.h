#pragma once
#include "enip.h"

/// What rules see of EtherNet/IP.
namespace shrike::protocol {

/// Adds the fields of a message; its data lives as long as the transaction.
void add_enip_fields(EnipTransaction& transaction, Direction direction, const EnipMessage& message);

}  // namespace shrike::protocol
