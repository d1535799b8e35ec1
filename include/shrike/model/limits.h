#pragma once
#include <cstddef>
#include <cstdint>

/// Every bound of the sensor, with its unit and its reason. What is full is a counted outcome.
namespace shrike::limits {

/// Packets a batch: enough to overlap cache misses, few enough that a batch stays in L2.
inline constexpr size_t batch_packets_max = 64;
/// Datagrams out of one batch: tunnels and rebuilt fragments add to the frames.
inline constexpr size_t batch_datagrams_max = 512;
/// Layers of encapsulation one frame may have (Suricata: decoder.max-layers 16).
inline constexpr unsigned layers_max = 16;
/// VLAN tags kept of a frame (Suricata keeps three).
inline constexpr unsigned vlan_tags_max = 3;
/// Decode and stream events kept a datagram (Suricata: PACKET_ENGINE_EVENT_MAX 15).
inline constexpr unsigned events_max = 15;
/// Bytes of one frame or rebuilt datagram; an IP datagram cannot be longer.
inline constexpr size_t frame_bytes_max = 65535 + 256;

/// Checks (content, pcre, byte_* …) a rule may have in one buffer: what back-tracking remembers.
inline constexpr size_t buffer_checks_max = 256;
/// byte_extract and byte_math results of one rule (Suricata has no bound; ET uses three).
inline constexpr size_t rule_variables_max = 64;
/// Values that the pcres of one rule capture for variables, per inspection of the rule.
inline constexpr size_t captures_max = 32;
/// Bytes kept of a value that a pcre captures for its flow.
inline constexpr size_t flow_variable_bytes_max = 500;
/// Blocks of seven flow bits or integers a core has for all its flows (64 bytes each).
inline constexpr uint32_t variable_blocks_max = 1u << 18;
/// Captured values a core keeps for all its flows (512 bytes each, touched when used).
inline constexpr uint32_t capture_blocks_max = 1u << 13;
/// Blocks of four partly matched rules that a core remembers for open transactions (56 bytes each).
inline constexpr uint32_t rule_state_blocks_max = 1u << 17;
/// Tags that run at once on one core: sessions, and hosts.
inline constexpr uint32_t tags_max = 4096;
/// Tags of one flow or host (Suricata: DETECT_TAG_MAX_TAGS).
inline constexpr uint32_t tags_per_owner_max = 50;
/// Matches of one datagram before what is surplus is dropped, best first.
inline constexpr size_t matches_max = 4096;
/// Flow bits, and integers, that an alert carries.
inline constexpr size_t alert_variables_max = 256;
/// Bytes that base64_decode gives at most; more would be more than a chunk can hold.
inline constexpr size_t base64_bytes_max = 65536;

}  // namespace shrike::limits
