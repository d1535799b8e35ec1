#pragma once
#include <string>

#include "shrike/base/diagnostics.h"
#include "shrike/worker/profile.h"

namespace shrike::app {

/// What rules cost, as a table: totals, then a line for each rule that was tried, costliest first.
/// Scanning, rules and the rest add up to the whole.
[[nodiscard]] std::string profile_text(const worker::CostSummary& costs);
/// The same as one JSON object on one line.
[[nodiscard]] std::string profile_json(const worker::CostSummary& costs);

/// Into a file in place of what is there; "-": to standard output. Errors in `diagnostics`.
void write_text(const std::string& path, const std::string& text, Diagnostics& diagnostics);

}  // namespace shrike::app
