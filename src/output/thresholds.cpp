#include "thresholds.h"

#include <algorithm>

#include "shrike/base/hash.h"

namespace shrike::output {

namespace {

constexpr uint64_t microseconds = 1'000'000;  // in a second

bool is_within(const std::vector<AddressRange>& ranges, uint8_t version, const IpAddress& address) {
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [&](const AddressRange& each) {
           return each.version == version && each.first <= address && address <= each.last;
         });
}

bool is_suppressed(const Threshold& threshold, const Hosts& hosts) {
  const bool source = is_within(threshold.addresses, hosts.ip_version, hosts.source);
  const bool target = is_within(threshold.addresses, hosts.ip_version, hosts.target);
  switch (threshold.track) {
    case ThresholdTrack::by_source:
      return source;
    case ThresholdTrack::by_target:
      return target;
    case ThresholdTrack::by_either:
    case ThresholdTrack::by_both:
    case ThresholdTrack::by_rule:
    case ThresholdTrack::by_flow:
      return source || target;
  }
  return false;
}

bool is_in_window(const Threshold& threshold, uint64_t start_us, uint64_t time_us) {
  return time_us <= start_us + threshold.seconds * microseconds;
}

}  // namespace

size_t Thresholds::KeyHash::operator()(const Key& key) const noexcept {
  uint64_t value = key.hosts.hash(seed);
  value = combine64(value, uint64_t{key.gid} << 32 | key.sid);
  value = combine64(value, uint64_t{key.rev} << 32 | static_cast<uint32_t>(key.track));
  return combine64(value, key.flow_id);
}

Thresholds::Thresholds(size_t entries_max) : entries_(entries_max, KeyHash{random_seed()}) {}

Thresholds::Key Thresholds::key_of(const RuleInfo& rule, const Threshold& threshold,
                                   const ThresholdSubject& subject) {
  Key key{.gid = rule.gid, .sid = rule.sid, .rev = rule.rev, .track = threshold.track, .hosts = {}};
  switch (threshold.track) {
    case ThresholdTrack::by_source:
      key.hosts = subject.hosts.only_source();
      break;
    case ThresholdTrack::by_target:
      key.hosts = subject.hosts.only_target();
      break;
    case ThresholdTrack::by_both:
    case ThresholdTrack::by_either:
      key.hosts = subject.hosts.ordered();
      break;
    case ThresholdTrack::by_rule:
      break;
    case ThresholdTrack::by_flow:
      key.flow_id = subject.flow_id;
      break;
  }
  return key;
}

ThresholdVerdict Thresholds::decide(const RuleInfo& rule, const ThresholdSubject& subject) {
  for (const Threshold& threshold : rule.thresholds) {
    if (threshold.type == ThresholdType::suppress && is_suppressed(threshold, subject.hosts)) {
      return {.logs = false, .new_action = std::nullopt};
    }
  }
  ThresholdVerdict verdict;
  for (const Threshold& threshold : rule.thresholds) {
    if (threshold.type == ThresholdType::suppress ||
        (threshold.type == ThresholdType::threshold && threshold.count == 1)) {
      continue;
    }
    if (threshold.track == ThresholdTrack::by_flow && subject.flow_id == 0) {
      return {.logs = false, .new_action = std::nullopt};
    }
    const auto [entry, is_new] = entries_.find_or_add(key_of(rule, threshold, subject));
    const bool logs = is_new ? first_match(threshold, *entry, subject.time_us)
                             : next_match(threshold, *entry, subject.time_us);
    if (!logs) {
      return {.logs = false, .new_action = std::nullopt};
    }
    if (threshold.type == ThresholdType::rate && !is_new &&
        apply_rate(threshold, *entry, subject.time_us)) {
      verdict.new_action = threshold.new_action;
    }
  }
  return verdict;
}

bool Thresholds::first_match(const Threshold& threshold, Entry& entry, uint64_t time_us) {
  entry = Entry{.start_us = time_us,
                .count = 1,
                .next_count = threshold.count,
                .action_start_seconds = std::nullopt};
  switch (threshold.type) {
    case ThresholdType::limit:
    case ThresholdType::rate:
      return true;
    case ThresholdType::threshold:
    case ThresholdType::both:
      return threshold.count == 1;
    case ThresholdType::backoff:
      if (threshold.count == 1) {
        entry.next_count = threshold.multiplier;
      }
      return threshold.count == 1;
    case ThresholdType::detection_filter:
    case ThresholdType::suppress:
      return false;
  }
  return false;
}

bool Thresholds::next_match(const Threshold& threshold, Entry& entry, uint64_t time_us) {
  if (threshold.type == ThresholdType::rate) {
    return true;
  }
  if (threshold.type == ThresholdType::backoff) {
    entry.count += entry.count < UINT32_MAX ? 1 : 0;
    if (entry.count != entry.next_count) {
      return false;
    }
    entry.next_count *= threshold.multiplier;
    return true;
  }
  if (!is_in_window(threshold, entry.start_us, time_us)) {
    entry.start_us = time_us;
    entry.count = 1;
    return threshold.type == ThresholdType::limit ||
           (threshold.type == ThresholdType::both && threshold.count == 1);
  }
  ++entry.count;
  switch (threshold.type) {
    case ThresholdType::limit:
      return entry.count <= threshold.count;
    case ThresholdType::both:
      return entry.count == threshold.count;
    case ThresholdType::detection_filter:
      return entry.count > threshold.count;
    case ThresholdType::threshold:
      if (entry.count < threshold.count) {
        return false;
      }
      entry.count = 0;
      return true;
    case ThresholdType::rate:
    case ThresholdType::suppress:
    case ThresholdType::backoff:
      return false;
  }
  return false;
}

/// Whether the new action holds for this match. Both ends of the timeout count in whole seconds.
bool Thresholds::apply_rate(const Threshold& threshold, Entry& entry, uint64_t time_us) {
  const uint64_t now_seconds = time_us / microseconds;
  if (entry.action_start_seconds) {
    if (now_seconds - *entry.action_start_seconds <= threshold.timeout_seconds) {
      return true;
    }
    entry.action_start_seconds.reset();
    return false;
  }
  if (!is_in_window(threshold, entry.start_us, time_us)) {
    entry.start_us = time_us;
    entry.count = 1;
    return false;
  }
  if (++entry.count <= threshold.count) {
    return false;
  }
  entry.action_start_seconds = now_seconds;
  return true;
}

}  // namespace shrike::output
