#pragma once
#include <cstdint>
#include <memory>

#include "shrike/model/limits.h"
#include "shrike/model/rule_info.h"
#include "shrike/model/stream.h"

namespace shrike::detect {

/// Tags that run: after an alert of a rule with `tag`, which of the following datagrams of its
/// session or host are to be logged. Bounded; a full table is a counted outcome.
/// Source: Suricata user guide, "tag"; DETECT_TAG_* for the bounds.
class TagTable {
 public:
  static constexpr uint32_t none = 0xffffffff;

  TagTable();

  /// A rule with a tag alerted on this datagram. @param chain the flow's tags, or null without one.
  void start(const TagOperation& operation, uint32_t rule, const Datagram& datagram,
             uint32_t* chain) noexcept;

  /// Counts a datagram that passed inspection against all tags that concern it.
  /// @return whether it is to be logged.
  [[nodiscard]] bool advance(const Datagram& datagram, uint32_t* chain) noexcept;

  void release(uint32_t& chain) noexcept;
  void clear() noexcept;
  [[nodiscard]] bool empty() const noexcept { return running_ == 0; }

  uint64_t refused = 0;

 private:
  struct Tag {
    uint32_t next;
    uint32_t rule;
    TagOperation::Metric metric;
    bool skipped_first;  ///< the alert's own datagram is logged as the alert
    uint8_t matches;
    uint32_t limit;
    uint32_t packets;
    uint32_t bytes;
    uint64_t first_seconds;
  };
  struct Host {
    IpAddress address;
    uint8_t version;
    uint32_t tags;  ///< none: a free place
  };

  [[nodiscard]] uint32_t take() noexcept;
  void add(uint32_t& chain, const TagOperation& operation, uint32_t rule,
           const Datagram& datagram) noexcept;
  [[nodiscard]] bool advance_chain(uint32_t& chain, const Datagram& datagram) noexcept;
  [[nodiscard]] Host* find_host(const IpAddress& address, uint8_t version, bool make) noexcept;

  std::unique_ptr<Tag[]> tags_;
  std::unique_ptr<Host[]> hosts_;
  uint32_t host_count_ = 0;
  uint32_t free_ = none;
  uint32_t unused_ = 0;
  uint32_t running_ = 0;
};

}  // namespace shrike::detect
