#pragma once
#include "shrike/model/app_protocol.h"
#include "shrike/model/field.h"

/// The one place that says what the sensor can evaluate so far. What is not available makes a rule
/// dormant, never true.
namespace shrike::rule {

/// Whether something fills the field; see its row in model/field.h.
[[nodiscard]] constexpr bool is_available(Field field) noexcept {
  return is_inspected(field);
}

/// Whether flows are identified as this protocol, or, for names that only rules use, as one of its
/// kind. Its events are raised then too.
[[nodiscard]] inline bool is_available(AppProtocol protocol) noexcept {
  switch (protocol) {
    case AppProtocol::unknown:
    case AppProtocol::failed:
      return true;
    case AppProtocol::http:
      return is_identified(AppProtocol::http1) || is_identified(AppProtocol::http2);
    default:
      return is_identified(protocol);
  }
}

}  // namespace shrike::rule
