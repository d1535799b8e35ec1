#include "shrike/model/stream_event.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

namespace shrike {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, static_cast<size_t>(StreamEvent::count_)> names = {
    "3whs_ack_in_wrong_dir",
    "3whs_async_wrong_seq",
    "3whs_right_seq_wrong_ack_evasion",
    "3whs_synack_in_wrong_direction",
    "3whs_synack_resend_with_different_ack",
    "3whs_synack_resend_with_diff_seq",
    "3whs_synack_toserver_on_syn_recv",
    "3whs_synack_with_wrong_ack",
    "3whs_synack_flood",
    "3whs_syn_flood",
    "3whs_syn_resend_diff_seq_on_syn_recv",
    "3whs_syn_toclient_on_syn_recv",
    "3whs_wrong_seq_wrong_ack",
    "3whs_ack_data_inject",
    "3whs_synack_tfo_data_ignored",
    "4whs_synack_with_wrong_ack",
    "4whs_synack_with_wrong_syn",
    "4whs_wrong_seq",
    "4whs_invalid_ack",
    "closewait_ack_out_of_window",
    "closewait_fin_out_of_window",
    "closewait_pkt_before_last_ack",
    "closewait_invalid_ack",
    "closing_ack_wrong_seq",
    "closing_invalid_ack",
    "est_packet_out_of_window",
    "est_pkt_before_last_ack",
    "est_synack_resend",
    "est_synack_resend_with_different_ack",
    "est_synack_resend_with_diff_seq",
    "est_synack_toserver",
    "est_syn_resend",
    "est_syn_resend_diff_seq",
    "est_syn_toclient",
    "est_invalid_ack",
    "est_ack_zwp_data",
    "fin_invalid_ack",
    "fin1_ack_wrong_seq",
    "fin1_fin_wrong_seq",
    "fin1_invalid_ack",
    "fin2_ack_wrong_seq",
    "fin2_fin_wrong_seq",
    "fin2_invalid_ack",
    "fin_but_no_session",
    "fin_out_of_window",
    "fin_syn",
    "lastack_ack_wrong_seq",
    "lastack_invalid_ack",
    "rst_but_no_session",
    "timewait_ack_wrong_seq",
    "timewait_invalid_ack",
    "shutdown_syn_resend",
    "pkt_invalid_timestamp",
    "pkt_invalid_ack",
    "pkt_broken_ack",
    "rst_invalid_ack",
    "rst_with_data",
    "pkt_retransmission",
    "pkt_spurious_retransmission",
    "pkt_bad_window_update",
    "suspected_rst_inject",
    "wrong_thread",
    "reassembly_segment_before_base_seq",
    "reassembly_no_segment",
    "reassembly_seq_gap",
    "reassembly_overlap_different_data",
    "reassembly_depth_reached",
    "reassembly_insert_memcap",
    "reassembly_insert_limit",
    "reassembly_insert_invalid",
    "reassembly_urgent_oob_limit_reached",
};

struct Alias {
  std::string_view name;
  StreamEvent event;
};
constexpr Alias aliases[] = {
    {"3whs_synack_resend_with_diff_ack",
     StreamEvent::three_way_handshake_synack_resend_with_different_ack},
    {"est_synack_resend_with_diff_ack", StreamEvent::established_synack_resend_with_different_ack},
};

bool same_word(std::string_view first, std::string_view second) noexcept {
  return std::equal(first.begin(), first.end(), second.begin(), second.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

}  // namespace

std::string_view to_text(StreamEvent event) noexcept {
  const auto index = static_cast<size_t>(event);
  return index < names.size() ? names[index] : std::string_view{};
}

std::optional<StreamEvent> find_stream_event(std::string_view name) noexcept {
  for (size_t i = 0; i < names.size(); ++i) {
    if (same_word(names[i], name)) {
      return static_cast<StreamEvent>(i);
    }
  }
  for (const Alias& alias : aliases) {
    if (same_word(alias.name, name)) {
      return alias.event;
    }
  }
  return std::nullopt;
}

}  // namespace shrike
