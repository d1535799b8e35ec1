#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace shrike {

/// What is wrong with a frame or datagram; the names are Suricata's decode-event names.
enum class DecodeEvent : uint8_t { ipv4_packet_too_small, count_ };

/// "ipv4.pkt_too_small"
[[nodiscard]] std::string_view to_text(DecodeEvent event) noexcept;
[[nodiscard]] std::optional<DecodeEvent> find_decode_event(std::string_view name) noexcept;

}  // namespace shrike
