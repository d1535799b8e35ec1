#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "shrike/model/app_protocol.h"
#include "shrike/model/field.h"
#include "shrike/model/stream.h"

/// The steps of a protocol that rules name: `alert tls:client_hello_done …`, `app-layer-state`.
/// Source: Suricata user guide, "Explicit rule hook (states)".
namespace shrike::rule {

/// A step that transactions reach in one direction.
struct Hook {
  Progress progress = Progress::started;
  Direction direction = Direction::to_server;
};

/// The step of that name; nothing where the protocol has none such.
[[nodiscard]] std::optional<Hook> find_hook(AppProtocol protocol, std::string_view name);

/// A step that the reference knows and no parser tells apart: `ssh:request_banner_wait_eol`.
[[nodiscard]] bool is_untold_hook(AppProtocol protocol, std::string_view name);

/// All that find_hook knows of a protocol, for messages: "request_started, request_complete …".
[[nodiscard]] std::string hook_names(AppProtocol protocol);

}  // namespace shrike::rule
