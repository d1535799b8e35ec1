#pragma once
#include "dnp3.h"

namespace shrike::protocol {

/// Reads the headers of a message's objects and passes over their points, which it counts.
/// Raises an event where there are too many, or of an unknown kind; is_decoded tells whether all
/// were read. @param objects behind the application header (and indications).
void decode_objects(Dnp3Transaction& message, Bytes objects);

}  // namespace shrike::protocol
