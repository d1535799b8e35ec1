#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shrike/model/address.h"

namespace shrike {

enum class Action : uint8_t {
  alert,
  pass,
  drop,
  reject,
  reject_source,
  reject_target,
  reject_both,
  config
};

/// Inclusive range of addresses of one IP version.
struct AddressRange {
  uint8_t version = 4;
  IpAddress first;
  IpAddress last;
  friend bool operator==(const AddressRange&, const AddressRange&) = default;
};

enum class ThresholdType : uint8_t {
  limit,
  threshold,
  both,
  detection_filter,
  rate,
  suppress,
  backoff
};
enum class ThresholdTrack : uint8_t { by_source, by_target, by_both, by_rule, by_flow, by_either };

/// One threshold, detection_filter, rate_filter or suppression, from the rule or threshold.config.
struct Threshold {
  ThresholdType type = ThresholdType::limit;
  ThresholdTrack track = ThresholdTrack::by_source;
  uint32_t count = 0;
  uint32_t seconds = 0;
  uint32_t timeout_seconds = 0;         ///< rate_filter: how long the new action holds
  Action new_action = Action::alert;    ///< rate_filter
  uint32_t multiplier = 0;              ///< backoff
  std::vector<AddressRange> addresses;  ///< suppress: empty means every address
};

enum class RuleTarget : uint8_t { none, source_ip, target_ip };

/// A bit on a host or pair of hosts (xbits, hostbits). Decided by the collector, in time order.
struct HostBitOperation {
  enum class Command : uint8_t { set, unset, toggle, is_set, is_not_set } command = Command::set;
  enum class Track : uint8_t { source, target, pair, both } track = Track::source;
  bool is_hostbit = false;         ///< hostbits have a name space of their own
  std::vector<std::string> names;  ///< is_set, is_not_set of hostbits: any of
  uint32_t expire_seconds = 0;     ///< 0: never
};

/// `tag:session|host,count,packets|seconds|bytes[,src|dst]`
struct TagOperation {
  bool by_host = false;
  bool host_is_target = false;
  enum class Metric : uint8_t { packets, seconds, bytes } metric = Metric::packets;
  uint32_t count = 0;
};

/// `filestore`: the files that a match asks to store.
struct FileStoreWish {
  enum class Scope : uint8_t { none, transaction, flow } scope = Scope::none;
  enum class Side : uint8_t { matched, to_server, to_client, both } side = Side::matched;
};

/// What is said about a rule when it fires. Immutable, part of the RuleSet, shared by all threads.
struct RuleInfo {
  uint32_t gid = 1;
  uint32_t sid = 0;
  uint32_t rev = 0;
  Action action = Action::alert;
  bool is_noalert = false;
  FileStoreWish file_store;
  uint32_t priority = 3;
  std::string message;
  std::string class_name;               ///< "trojan-activity"
  std::string class_description;        ///< EVE category
  std::vector<std::string> references;  ///< expanded, "https://…"
  std::vector<std::pair<std::string, std::vector<std::string>>> metadata;
  RuleTarget target = RuleTarget::none;
  std::vector<Threshold> thresholds;
  std::vector<HostBitOperation> host_bits;
  std::optional<TagOperation> tag;
  std::string text;  ///< the rule as written, one line
  std::string file;
  uint32_t line = 0;
};

}  // namespace shrike
