#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace shrike {

/// What is odd about a TCP session; the names are Suricata's stream-event names, without "stream.".
/// `wrong_thread` never occurs here: one worker owns a flow.
enum class StreamEvent : uint8_t {
  three_way_handshake_ack_in_wrong_direction,
  three_way_handshake_async_wrong_sequence,
  three_way_handshake_right_sequence_wrong_ack_evasion,
  three_way_handshake_synack_in_wrong_direction,
  three_way_handshake_synack_resend_with_different_ack,
  three_way_handshake_synack_resend_with_different_sequence,
  three_way_handshake_synack_to_server_on_syn_received,
  three_way_handshake_synack_with_wrong_ack,
  three_way_handshake_synack_flood,
  three_way_handshake_syn_flood,
  three_way_handshake_syn_resend_different_sequence_on_syn_received,
  three_way_handshake_syn_to_client_on_syn_received,
  three_way_handshake_wrong_sequence_wrong_ack,
  three_way_handshake_ack_data_inject,
  three_way_handshake_synack_fast_open_data_ignored,
  four_way_handshake_synack_with_wrong_ack,
  four_way_handshake_synack_with_wrong_syn,
  four_way_handshake_wrong_sequence,
  four_way_handshake_invalid_ack,
  close_wait_ack_out_of_window,
  close_wait_fin_out_of_window,
  close_wait_packet_before_last_ack,
  close_wait_invalid_ack,
  closing_ack_wrong_sequence,
  closing_invalid_ack,
  established_packet_out_of_window,
  established_packet_before_last_ack,
  established_synack_resend,
  established_synack_resend_with_different_ack,
  established_synack_resend_with_different_sequence,
  established_synack_to_server,
  established_syn_resend,
  established_syn_resend_different_sequence,
  established_syn_to_client,
  established_invalid_ack,
  established_ack_of_zero_window_probe_data,
  fin_invalid_ack,
  fin1_ack_wrong_sequence,
  fin1_fin_wrong_sequence,
  fin1_invalid_ack,
  fin2_ack_wrong_sequence,
  fin2_fin_wrong_sequence,
  fin2_invalid_ack,
  fin_but_no_session,
  fin_out_of_window,
  fin_syn,
  last_ack_ack_wrong_sequence,
  last_ack_invalid_ack,
  reset_but_no_session,
  time_wait_ack_wrong_sequence,
  time_wait_invalid_ack,
  shutdown_syn_resend,
  packet_invalid_timestamp,
  packet_invalid_ack,
  packet_broken_ack,
  reset_invalid_ack,
  reset_with_data,
  packet_retransmission,
  packet_spurious_retransmission,
  packet_bad_window_update,
  suspected_reset_inject,
  wrong_thread,
  reassembly_segment_before_base_sequence,
  reassembly_no_segment,
  reassembly_sequence_gap,
  reassembly_overlap_different_data,
  reassembly_depth_reached,
  reassembly_insert_memory_full,
  reassembly_insert_limit,
  reassembly_insert_invalid,
  reassembly_urgent_out_of_band_limit_reached,
  count_,
};

/// "3whs_ack_in_wrong_dir"
[[nodiscard]] std::string_view to_text(StreamEvent event) noexcept;
/// Finds an event by the name that rules use, in either case; also Suricata's other spelling
/// ("..._resend_with_diff_ack") of two of them.
[[nodiscard]] std::optional<StreamEvent> find_stream_event(std::string_view name) noexcept;

}  // namespace shrike
