#pragma once
#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <utility>

namespace shrike::output {

/// A map of bounded size: where it is full, the entry that was not touched for longest goes, and
/// is counted. Which entry that is depends only on the calls, so runs repeat exactly.
template <typename Key, typename Value, typename Hash>
class RecentTable {
 public:
  RecentTable(size_t entries_max, Hash hash) : entries_max_(entries_max), index_(0, hash) {}

  /// The entry, touched; nothing where there is none.
  Value* find(const Key& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) {
      return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->second;
  }

  /// The entry, touched, and whether it is new.
  std::pair<Value*, bool> find_or_add(const Key& key) {
    if (Value* const found = find(key); found != nullptr) {
      return {found, false};
    }
    if (index_.size() >= entries_max_) {
      index_.erase(entries_.back().first);
      entries_.pop_back();
      ++evicted_;
    }
    entries_.emplace_front(key, Value{});
    index_.emplace(key, entries_.begin());
    return {&entries_.front().second, true};
  }

  void erase(const Key& key) {
    const auto found = index_.find(key);
    if (found != index_.end()) {
      entries_.erase(found->second);
      index_.erase(found);
    }
  }

  void clear() {
    index_.clear();
    entries_.clear();
  }

  [[nodiscard]] size_t size() const noexcept { return index_.size(); }
  [[nodiscard]] uint64_t evicted() const noexcept { return evicted_; }

 private:
  using Entries = std::list<std::pair<Key, Value>>;
  size_t entries_max_;
  Entries entries_;  // most recently touched first
  std::unordered_map<Key, typename Entries::iterator, Hash> index_;
  uint64_t evicted_ = 0;
};

}  // namespace shrike::output
