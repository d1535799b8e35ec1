#pragma once
#include <cstdint>
#include <optional>

#include "hosts.h"
#include "recent_table.h"
#include "shrike/model/rule_info.h"

namespace shrike::output {

/// What thresholds look at.
struct ThresholdSubject {
  Hosts hosts;
  uint64_t flow_id = 0;  ///< EVE flow_id, 0 without a flow
  uint64_t time_us = 0;  ///< packet time, not the clock: windows are Suricata's
};

struct ThresholdVerdict {
  bool logs = true;
  std::optional<Action> new_action;  ///< rate_filter is in force
};

/// Counts matches and says which are logged: threshold (limit, threshold, both, backoff),
/// detection_filter, rate_filter, suppress. Semantics are Suricata 8's (detect-engine-threshold.c):
/// windows begin with a match, are fixed, and include their last microsecond; a rule's counters
/// are shared by its thresholds that track alike.
class Thresholds {
 public:
  explicit Thresholds(size_t entries_max);

  /// Suppressions first, then the others in order; the first that keeps the match back decides.
  ThresholdVerdict decide(const RuleInfo& rule, const ThresholdSubject& subject);

  void clear() { entries_.clear(); }
  [[nodiscard]] uint64_t evicted() const noexcept { return entries_.evicted(); }

 private:
  struct Key {
    uint32_t gid = 0;
    uint32_t sid = 0;
    uint32_t rev = 0;
    ThresholdTrack track{};
    Hosts hosts;
    uint64_t flow_id = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    uint64_t seed = 0;
    size_t operator()(const Key& key) const noexcept;
  };
  struct Entry {
    uint64_t start_us = 0;
    uint32_t count = 0;
    uint64_t next_count = 0;                       // backoff: the count that alerts next
    std::optional<uint64_t> action_start_seconds;  // rate_filter: since when the action holds
  };

  static Key key_of(const RuleInfo& rule, const Threshold& threshold,
                    const ThresholdSubject& subject);
  static bool first_match(const Threshold& threshold, Entry& entry, uint64_t time_us);
  static bool next_match(const Threshold& threshold, Entry& entry, uint64_t time_us);
  static bool apply_rate(const Threshold& threshold, Entry& entry, uint64_t time_us);

  RecentTable<Key, Entry, KeyHash> entries_;
};

}  // namespace shrike::output
