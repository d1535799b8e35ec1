#pragma once
#include <optional>
#include <vector>

#include "ir.h"

/// Which application protocols a rule is about. Source: Suricata, app-layer-protos.h and
/// DetectSignatureSetAppProto.
namespace shrike::rule {

/// What a rule for `current` becomes when it names something of `added`: the same, or the narrower
/// of http, http1 and http2. Nothing where they exclude each other.
[[nodiscard]] std::optional<AppProtocol> common_protocol(AppProtocol current,
                                                         AppProtocol added) noexcept;

/// Whether transactions of this protocol can have files.
[[nodiscard]] bool carries_files(AppProtocol protocol) noexcept;

/// The protocols that fill a field besides that of its row: TLS fingerprints are of QUIC too, and
/// files of all that carry them. @return whether flows of `protocol` may have the field.
[[nodiscard]] bool may_have(AppProtocol protocol, Field field) noexcept;
/// Whether one protocol alone has the field, so that naming it settles the rule's protocol.
[[nodiscard]] bool settles_protocol(Field field) noexcept;

/// The protocols of flows whose transactions a rule about transactions can match, ascending.
[[nodiscard]] std::vector<AppProtocol> protocols_of(const Rule& rule);

}  // namespace shrike::rule
