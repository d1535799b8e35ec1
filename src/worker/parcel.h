#pragma once
#include "shrike/base/ring.h"
#include "shrike/model/datagram.h"

namespace shrike::worker {

/// What one worker hands to another: a frame that nobody decoded yet, or a datagram that was inside
/// one. Bytes are copied, so that the buffers of a queue are free at once.
struct Parcel {
  Packet packet;                       ///< its frame is in the ring
  const Datagram* datagram = nullptr;  ///< null: the frame is to be decoded

  /// The clock that orders parcels of several workers.
  [[nodiscard]] static uint64_t clock_of(Bytes record) noexcept;
};

/// Largest record that a parcel can be, in bytes.
[[nodiscard]] size_t parcel_bytes(const Packet& packet) noexcept;
[[nodiscard]] size_t parcel_bytes(const Datagram& datagram) noexcept;

/// @return false where the ring is full.
[[nodiscard]] bool hand_over(RecordRing& ring, const Packet& packet) noexcept;
/// With its carrier, where it has one. REQUIRES: datagram.packet != nullptr.
[[nodiscard]] bool hand_over(RecordRing& ring, const Datagram& datagram) noexcept;

/// The receiver's place for datagrams of parcels, whose spans point into the ring.
struct ParcelRoom {
  Datagram datagram;
  Datagram carrier;
  Packet packet;
};

/// Opens a record of `hand_over`. Everything is valid until the record is popped or `room` is used
/// again. @param record from RecordRing::front.
[[nodiscard]] Parcel open_parcel(Bytes record, ParcelRoom& room) noexcept;

}  // namespace shrike::worker
