#pragma once
#include "builder.h"

namespace shrike::rule {

/// Checks that need the whole rule: what contradicts itself or can never match is an error, as in
/// Suricata, so that a rule that loads there loads here and the other way round.
void validate(Builder& builder);

/// Decides how the rule is inspected (RuleKind, needs_packet, needs_stream) and why it is dormant,
/// once all keywords are read. Reports what cannot be inspected together.
/// Source: Suricata, detect-engine-build.c, SignatureSetType; rules/README.md, "Kinds of rules".
void settle_kind(Builder& builder);

/// The least number of bytes a buffer must have for all positive contents; 0 where none.
uint64_t required_bytes(const Builder& builder, size_t list);

}  // namespace shrike::rule
