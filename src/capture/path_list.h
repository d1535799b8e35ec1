#pragma once
#include <optional>
#include <string>
#include <vector>

#include "shrike/base/diagnostics.h"
#include "shrike/capture.h"

namespace shrike::capture {

/// Turns what the operator named into captures, in order: files as given, directories by name.
/// Looks into every regular file; one that is no capture is an error where it was named, and a
/// note where a directory holds it. Pipes and "-" are taken as they are.
/// @return nothing where there was an error.
[[nodiscard]] std::optional<std::vector<std::string>> list_captures(
    const FileSourceOptions& options, Diagnostics& diagnostics);

}  // namespace shrike::capture
