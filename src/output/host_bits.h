#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hosts.h"
#include "recent_table.h"
#include "shrike/model/rule_info.h"

namespace shrike::output {

/// Bits on hosts and on pairs of hosts (xbits, hostbits), with expiry in packet time. As in
/// Suricata, hostbits and xbits of one host share their names, pairs have a name space of their
/// own, and a bit that is set already keeps its first expiry.
class HostBits {
 public:
  explicit HostBits(size_t bits_max);

  /// A HostBitOperation with its names turned into numbers, which stay the same over reloads.
  struct Operation {
    HostBitOperation::Command command{};
    HostBitOperation::Track track{};
    std::vector<uint32_t> names;
    uint32_t expire_seconds = 0;
  };
  std::vector<Operation> prepare(const std::vector<HostBitOperation>& operations);

  /// Whether all is_set and is_not_set of a rule hold.
  [[nodiscard]] bool conditions_hold(const std::vector<Operation>& operations, const Hosts& hosts,
                                     uint64_t time_us);
  /// Does a rule's set, unset and toggle.
  void apply(const std::vector<Operation>& operations, const Hosts& hosts, uint64_t time_us);

  void clear() { bits_.clear(); }
  [[nodiscard]] uint64_t evicted() const noexcept { return bits_.evicted(); }

 private:
  struct Key {
    uint32_t name = 0;
    bool is_pair = false;
    Hosts hosts;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    uint64_t seed = 0;
    size_t operator()(const Key& key) const noexcept {
      return combine64(key.hosts.hash(seed), uint64_t{key.name} << 1 | (key.is_pair ? 1 : 0));
    }
  };

  [[nodiscard]] bool is_set(const Key& key, uint64_t time_us);
  [[nodiscard]] bool any_is_set(const Operation& operation, const Hosts& hosts, uint64_t time_us);
  void change(const Operation& operation, const Key& key, uint64_t time_us);

  std::map<std::string, uint32_t, std::less<>> names_;
  RecentTable<Key, uint64_t, KeyHash> bits_;  // last microsecond of the bit
};

}  // namespace shrike::output
