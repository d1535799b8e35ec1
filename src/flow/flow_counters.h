#pragma once
#include <array>

#include "shrike/base/counters.h"
#include "shrike/flow.h"

namespace shrike::flow {

/// What flow counts, in the order of counter_rows. Names are those of EVE stats where it has one.
/// The law: stream.payload_bytes = stream.kept_bytes + all stream.skipped.*; and, once finish()
/// has ended all flows, stream.kept_bytes = stream.inspected_bytes + stream.discarded_bytes.
enum class FlowCounter : uint8_t {
  flows,
  flows_active,
  flows_tcp,
  flows_udp,
  flows_icmpv4,
  flows_icmpv6,
  flows_other,
  flow_tcp_reuse,
  flow_get_used,
  flow_memcap,
  flow_timeouts,
  end_fresh,
  end_established,
  end_closed,
  end_bypassed,
  end_none,
  end_listen,
  end_syn_sent,
  end_syn_received,
  end_state_established,
  end_fin_wait1,
  end_fin_wait2,
  end_time_wait,
  end_last_ack,
  end_close_wait,
  end_closing,
  end_state_closed,
  end_liberal,
  bypassed_packets,
  bypassed_bytes,
  dropped_packets,
  no_flow_packets,
  tcp_sessions,
  tcp_active_sessions,
  tcp_pseudo,
  tcp_invalid_checksum,
  tcp_midstream_pickups,
  tcp_syn,
  tcp_synack,
  tcp_rst,
  tcp_urg,
  tcp_invalid,
  tcp_ack_unseen_data,
  tcp_segment_memcap_drop,
  tcp_stream_depth_reached,
  tcp_reassembly_gap,
  tcp_overlap,
  tcp_overlap_diff_data,
  tcp_insert_data_normal_fail,
  tcp_insert_data_overlap_fail,
  tcp_urgent_oob_data,
  tcp_reassembly_memuse,
  payload_bytes,
  kept_bytes,
  inspected_bytes,
  discarded_bytes,
  skipped_no_session,
  skipped_invalid,
  skipped_repeated,
  skipped_depth,
  skipped_memory,
  skipped_urgent,
  skipped_reset,
  skipped_checksum,
  skipped_bypassed,
  skipped_not_followed,
  count_,
};

using FlowCounters = Counters<FlowCounter>;

extern const std::array<CounterRow, FlowCounters::count> counter_rows;

/// What was given up: a counter for each ShedCause and ShedCount, in that order. Part of
/// flow_bypassed.local_pkts and its bytes.
class ShedCounters {
 public:
  static constexpr size_t causes = static_cast<size_t>(ShedCause::count_);
  static constexpr size_t counts = static_cast<size_t>(ShedCount::count_);

  void add(ShedCause cause, ShedCount count, uint64_t by) noexcept {
    relaxed::add(values_[static_cast<size_t>(cause) * counts + static_cast<size_t>(count)], by);
  }
  [[nodiscard]] CounterView view() const noexcept { return {rows, values_}; }

 private:
  static const std::array<CounterRow, causes * counts> rows;
  std::array<uint64_t, causes * counts> values_{};
};

}  // namespace shrike::flow
