#include "merger.h"

#include <algorithm>
#include <cstring>

#include "shrike/base/check.h"

namespace shrike::output {

namespace {

/// Records taken from one ring before the next one has its turn.
constexpr size_t take_max = 16384;

constexpr CounterRow rows[] = {
    {"output.records_late", "records", "records that came after their place had passed"},
    {"output.records_early", "records", "records let out before every worker had marked them"},
};

}  // namespace

void Merger::attach(std::span<RecordRing* const> rings) {
  inputs_.clear();
  for (RecordRing* const ring : rings) {
    inputs_.push_back({ring, std::nullopt});
  }
  releases_all_ = false;
}

size_t Merger::take() {
  size_t taken = 0;
  for (Input& input : inputs_) {
    for (size_t i = 0; i < take_max; ++i) {
      const Bytes record = input.ring->front();
      if (record.data() == nullptr) {
        break;
      }
      RecordHead head;
      check(read_head(record, head), "rings hold records");
      if (head.kind == RecordKind::mark) {
        input.mark = input.mark ? std::max(*input.mark, head.key) : head.key;
      } else {
        keep(head, record);
      }
      input.ring->pop();
      ++taken;
    }
  }
  return taken;
}

void Merger::keep(const RecordHead& head, Bytes record) {
  Pending pending{.key = head.key,
                  .generation = head.generation,
                  .arrival = arrivals_++,
                  .bytes = record.size(),
                  .memory = std::make_unique_for_overwrite<uint8_t[]>(record.size())};
  std::memcpy(pending.memory.get(), record.data(), record.size());
  pending_bytes_ += record.size();
  pending_.push_back(std::move(pending));
  std::push_heap(pending_.begin(), pending_.end(), ComesLater{});
}

uint64_t Merger::marked_clock_ns() const noexcept {
  uint64_t clock_ns = inputs_.empty() ? 0 : UINT64_MAX;
  for (const Input& input : inputs_) {
    clock_ns = std::min(clock_ns, input.mark ? input.mark->clock_ns : 0);
  }
  return clock_ns;
}

bool Merger::holds(uint64_t generation) const noexcept {
  return std::any_of(pending_.begin(), pending_.end(),
                     [&](const Pending& pending) { return pending.generation == generation; });
}

bool Merger::may_come_out(const OrderKey& key) const noexcept {
  return releases_all_ || std::all_of(inputs_.begin(), inputs_.end(), [&](const Input& input) {
           return input.mark && key <= *input.mark;
         });
}

Bytes Merger::next() {
  if (pending_.empty()) {
    return {};
  }
  if (!may_come_out(pending_.front().key)) {
    if (pending_bytes_ <= pending_bytes_max_) {
      return {};
    }
    counters_.add(Counter::early);
  }
  std::pop_heap(pending_.begin(), pending_.end(), ComesLater{});
  current_ = std::move(pending_.back());
  pending_.pop_back();
  pending_bytes_ -= current_.bytes;
  if (current_.key < last_key_) {
    counters_.add(Counter::late);
  } else {
    last_key_ = current_.key;
  }
  return {current_.memory.get(), current_.bytes};
}

CounterView Merger::counters() const noexcept {
  return counters_.view(rows);
}

}  // namespace shrike::output
