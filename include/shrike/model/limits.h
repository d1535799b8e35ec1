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

}  // namespace shrike::limits
