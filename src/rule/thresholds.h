#pragma once
#include "addresses.h"
#include "ir.h"
#include "report.h"

namespace shrike::rule {

/// `type limit, track by_src, count 1, seconds 60`; without `type` for a detection_filter. Keys in
/// any order, each once. Every fault is reported.
std::optional<Threshold> parse_threshold(const Word& value, bool is_detection_filter,
                                         RuleReport& report);

std::optional<ThresholdTrack> find_track(std::string_view name);

/// Reads threshold.config (`suppress`, `threshold`/`event_filter`, `rate_filter`) and puts what it
/// says onto the rules with those gid and sid; 0 means every one. A threshold takes the place of
/// the rule's own; suppressions and rate filters add up. Source: Suricata user guide, "Global-
/// Thresholds".
void apply_threshold_file(const Source& source, const Groups& groups, std::vector<Rule>& rules,
                          Diagnostics& diagnostics);

}  // namespace shrike::rule
