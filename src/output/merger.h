#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "record.h"
#include "shrike/base/ring.h"

namespace shrike::output {

/// Brings the records of several rings into one order. A record comes out when every worker has
/// marked that it can write nothing before it. Records are copied out of the rings at once, so a
/// fast worker is not held up by a slow one.
class Merger {
 public:
  explicit Merger(size_t pending_bytes_max) : pending_bytes_max_(pending_bytes_max) {}

  /// Borrowed until the next attach. Nothing may be left in the old ones.
  void attach(std::span<RecordRing* const> rings);

  /// Takes what is in the rings now. @return records, marks included.
  size_t take();

  /// The next record in order that may come out, or nothing. Valid until the next call.
  Bytes next();
  /// From now on everything may come out: no worker writes any more.
  void release_all() noexcept { releases_all_ = true; }

  /// The clock up to which every worker has marked its records; 0: not all have yet.
  [[nodiscard]] uint64_t marked_clock_ns() const noexcept;
  /// Whether a record that waits here names this rule set.
  [[nodiscard]] bool holds(uint64_t generation) const noexcept;

  enum class Counter : uint8_t { late, early, count_ };
  [[nodiscard]] CounterView counters() const noexcept;

 private:
  struct Input {
    RecordRing* ring = nullptr;
    std::optional<OrderKey> mark;
  };
  struct Pending {
    OrderKey key;
    uint64_t generation = 0;
    uint64_t arrival = 0;  // of equal keys the first to arrive goes first
    size_t bytes = 0;
    std::unique_ptr<uint8_t[]> memory;
  };
  struct ComesLater {
    bool operator()(const Pending& a, const Pending& b) const noexcept {
      return a.key != b.key ? a.key > b.key : a.arrival > b.arrival;
    }
  };

  void keep(const RecordHead& head, Bytes record);
  [[nodiscard]] bool may_come_out(const OrderKey& key) const noexcept;

  size_t pending_bytes_max_;
  std::vector<Input> inputs_;
  std::vector<Pending> pending_;  // a heap, the first in order on top
  size_t pending_bytes_ = 0;
  uint64_t arrivals_ = 0;
  bool releases_all_ = false;
  Pending current_;
  OrderKey last_key_;  // that came out
  Counters<Counter> counters_;
};

}  // namespace shrike::output
