#pragma once
#include <array>
#include <memory>

#include "session.h"

namespace shrike::protocol {

/// Flows that other flows announced, by the pair of their addresses. Bounded: the oldest entry of
/// a pair, then of the table, gives way.
class Expectations {
 public:
  Expectations();
  void add(const Expectation& expectation, uint64_t now_ns) noexcept;
  /// Finds what was announced for a flow, and forgets it there. Either side of the flow may be the
  /// announced client (active and passive FTP). False: nothing was.
  bool take(const FlowView& flow, uint64_t now_ns, Expectation& taken) noexcept;
  /// The flow that announced it ended.
  void forget(uint64_t parent_eve_id) noexcept;
  void clear() noexcept;
  [[nodiscard]] uint64_t count() const noexcept { return count_; }

 private:
  static constexpr size_t expectations_max = 1024;
  static constexpr uint64_t lifetime_ns = 60'000'000'000;
  /// What a search looks at; the rest stands in `expectations_` at the same place.
  struct Key {
    uint64_t pair = 0;
    uint64_t time_ns = 0;
    uint64_t parent_eve_id = 0;
    uint16_t port = 0;
    bool is_used = false;
  };
  [[nodiscard]] static uint64_t pair_of(const IpAddress& one, const IpAddress& other) noexcept;
  void drop(size_t at) noexcept;

  std::unique_ptr<Key[]> keys_;
  std::unique_ptr<Expectation[]> expectations_;
  size_t next_ = 0;
  uint64_t count_ = 0;
};

}  // namespace shrike::protocol
