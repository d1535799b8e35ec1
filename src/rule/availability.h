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

/// Whether flows are identified as this protocol. None is yet.
[[nodiscard]] constexpr bool is_available(AppProtocol protocol) noexcept {
  return protocol == AppProtocol::unknown;
}

/// Whether rules can ask how a protocol was identified, or for the events of its parser.
inline constexpr bool are_protocols_identified = false;
inline constexpr bool are_app_events_raised = false;

}  // namespace shrike::rule
