#pragma once
#include <cstdint>

#include "shrike/model/app_protocol.h"

namespace shrike {

/// A buffer that rules can look into.
enum class Field : uint16_t { payload, count_ };

}  // namespace shrike
