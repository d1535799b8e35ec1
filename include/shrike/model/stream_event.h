#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace shrike {

/// What is odd about a TCP session; the names are Suricata's stream-event names, without "stream.".
enum class StreamEvent : uint8_t { three_way_handshake_ack_in_wrong_direction, count_ };

/// "3whs_ack_in_wrong_dir"
[[nodiscard]] std::string_view to_text(StreamEvent event) noexcept;
[[nodiscard]] std::optional<StreamEvent> find_stream_event(std::string_view name) noexcept;

}  // namespace shrike
