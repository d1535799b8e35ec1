#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "shrike/base/bytes.h"
#include "shrike/model/stream.h"
#include "shrike/model/transaction.h"

namespace shrike {

/// One match, as detect reports it. Borrows from the batch; worker copies it into a record before
/// the batch is released.
struct Alert {
  uint32_t rule_index = 0;  ///< RuleSet::infos()[rule_index]
  const Tracked* tracked = nullptr;
  bool from_stream = false;  ///< matched in a chunk, not in the packet's own payload
  bool is_silent = false;    ///< noalert or a pass: nothing to log, only host bits to set
  bool drops = false;        ///< drop or reject rule, or the flow was dropped
  /// A pass or drop would speak for the whole flow: ip-only and protocol-detection rules. Matches
  /// in the stream or a transaction do so anyway.
  bool is_about_flow = false;
  const Transaction* transaction = nullptr;  ///< it matched in; null: none
  Bytes stream_bytes;                        ///< the chunk it matched in, where from_stream
  /// `tag`: a packet of a tagged session or host; logged as event_type packet, rule_index invalid.
  bool is_tagged_packet = false;
};

/// Flow variables at the time of an alert, for EVE `metadata`. Borrowed like Alert.
struct FlowVariables {
  std::span<const uint32_t> bits;  ///< set bits: RuleSet::bit_names()[i]
  /// RuleSet::integer_names()[first] = second
  std::span<const std::pair<uint32_t, uint32_t>> integers;
};

/// The alerts of one inspect call. Memory is taken once; a full batch counts what it refuses.
class AlertBatch {
 public:
  static constexpr size_t alerts_max = 16384;
  static constexpr size_t variables_max = 65536;

  AlertBatch()
      : alerts_(new Alert[alerts_max]),
        variables_(new FlowVariables[alerts_max]),
        bits_(new uint32_t[variables_max]),
        integers_(new std::pair<uint32_t, uint32_t>[variables_max]) {}

  [[nodiscard]] std::span<const Alert> all() const noexcept { return {alerts_.get(), count_}; }
  [[nodiscard]] const FlowVariables& variables_of(size_t index) const noexcept {
    return variables_[index];
  }
  [[nodiscard]] size_t room() const noexcept { return alerts_max - count_; }
  [[nodiscard]] uint64_t refused() const noexcept { return refused_; }
  void clear() noexcept { count_ = bit_count_ = integer_count_ = 0; }

  /// Adds an alert with copies of the flow's variables; false, and counted, where it is full.
  bool push(const Alert& alert, std::span<const uint32_t> bits,
            std::span<const std::pair<uint32_t, uint32_t>> integers) noexcept {
    if (count_ == alerts_max || bit_count_ + bits.size() > variables_max ||
        integer_count_ + integers.size() > variables_max) {
      ++refused_;
      return false;
    }
    FlowVariables& variables = variables_[count_];
    variables.bits = copy_in(bits, bits_.get(), bit_count_);
    variables.integers = copy_in(integers, integers_.get(), integer_count_);
    alerts_[count_++] = alert;
    return true;
  }

 private:
  template <typename T>
  static std::span<const T> copy_in(std::span<const T> from, T* pool, size_t& used) noexcept {
    T* const to = pool + used;
    for (size_t i = 0; i < from.size(); ++i) {
      to[i] = from[i];
    }
    used += from.size();
    return {to, from.size()};
  }

  std::unique_ptr<Alert[]> alerts_;
  std::unique_ptr<FlowVariables[]> variables_;
  std::unique_ptr<uint32_t[]> bits_;
  std::unique_ptr<std::pair<uint32_t, uint32_t>[]> integers_;
  size_t count_ = 0;
  size_t bit_count_ = 0;
  size_t integer_count_ = 0;
  uint64_t refused_ = 0;
};

}  // namespace shrike
