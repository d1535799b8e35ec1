#include "parcel.h"

#include <cstring>

#include "shrike/base/check.h"

namespace shrike::worker {

namespace {

/// Stands before the bytes of a parcel. What follows: the frame; then for a datagram itself, its
/// carrier if any, and its own bytes where they are not part of the frame (rebuilt datagrams).
struct ParcelHead {
  Packet packet;
  uint32_t frame_bytes = 0;
  uint32_t own_bytes = 0;
  bool is_datagram = false;
  bool has_carrier = false;
};

bool is_within(Bytes part, Bytes whole) noexcept {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

/// Appends trivially copyable values and bytes to a claimed place.
class Packer {
 public:
  explicit Packer(std::span<std::byte> place) noexcept : at_(place.data()) {}
  template <typename T>
  void add(const T& value) noexcept {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }
  void add_bytes(Bytes bytes) noexcept {
    if (!bytes.empty()) {
      std::memcpy(at_, bytes.data(), bytes.size());
      at_ += bytes.size();
    }
  }

 private:
  std::byte* at_;
};

class Unpacker {
 public:
  explicit Unpacker(Bytes record) noexcept : rest_(record) {}
  template <typename T>
  void take(T& value) noexcept {
    check(rest_.size() >= sizeof value, "parcels are whole");
    std::memcpy(static_cast<void*>(&value), rest_.data(), sizeof value);
    rest_ = rest_.subspan(sizeof value);
  }
  Bytes take_bytes(size_t bytes) noexcept {
    check(rest_.size() >= bytes, "parcels are whole");
    const Bytes taken = rest_.first(bytes);
    rest_ = rest_.subspan(bytes);
    return taken;
  }

 private:
  Bytes rest_;
};

/// Bytes of a datagram that its packet's frame does not hold.
Bytes own_bytes_of(const Datagram& datagram) noexcept {
  return is_within(datagram.frame, datagram.packet->frame) ? Bytes{} : datagram.frame;
}

/// Points spans of a datagram into the copies of what they pointed into.
class Mover {
 public:
  Mover(Bytes old_frame, Bytes new_frame, Bytes old_own, Bytes new_own) noexcept
      : old_frame_(old_frame), new_frame_(new_frame), old_own_(old_own), new_own_(new_own) {}

  void move(Datagram& datagram) const noexcept {
    for (Bytes* const span : {&datagram.ip_header, &datagram.ip_payload, &datagram.transport_header,
                              &datagram.payload, &datagram.frame}) {
      *span = moved(*span);
    }
  }

 private:
  [[nodiscard]] Bytes moved(Bytes span) const noexcept {
    if (span.data() == nullptr) {
      return {};
    }
    if (is_within(span, old_frame_)) {
      return new_frame_.subspan(static_cast<size_t>(span.data() - old_frame_.data()), span.size());
    }
    check(is_within(span, old_own_), "a datagram's spans are of its frame or its packet's");
    return new_own_.subspan(static_cast<size_t>(span.data() - old_own_.data()), span.size());
  }

  Bytes old_frame_;
  Bytes new_frame_;
  Bytes old_own_;
  Bytes new_own_;
};

}  // namespace

uint64_t Parcel::clock_of(Bytes record) noexcept {
  uint64_t clock_ns = 0;
  check(record.size() >= sizeof(ParcelHead), "parcels are whole");
  std::memcpy(&clock_ns, record.data() + offsetof(ParcelHead, packet) + offsetof(Packet, clock_ns),
              sizeof clock_ns);
  return clock_ns;
}

size_t parcel_bytes(const Packet& packet) noexcept {
  return sizeof(ParcelHead) + packet.frame.size();
}

size_t parcel_bytes(const Datagram& datagram) noexcept {
  const size_t carrier = datagram.carrier != nullptr ? sizeof(Datagram) : 0;
  return parcel_bytes(*datagram.packet) + sizeof(Datagram) + carrier +
         own_bytes_of(datagram).size();
}

bool hand_over(RecordRing& ring, const Packet& packet) noexcept {
  const std::span<std::byte> place = ring.claim(parcel_bytes(packet));
  if (place.data() == nullptr) {
    return false;
  }
  ParcelHead head;
  head.packet = packet;
  head.packet.buffer = nullptr;
  head.frame_bytes = static_cast<uint32_t>(packet.frame.size());
  Packer packer(place);
  packer.add(head);
  packer.add_bytes(packet.frame);
  ring.publish();
  return true;
}

bool hand_over(RecordRing& ring, const Datagram& datagram) noexcept {
  const std::span<std::byte> place = ring.claim(parcel_bytes(datagram));
  if (place.data() == nullptr) {
    return false;
  }
  const Bytes own = own_bytes_of(datagram);
  ParcelHead head;
  head.packet = *datagram.packet;
  head.packet.buffer = nullptr;
  head.frame_bytes = static_cast<uint32_t>(head.packet.frame.size());
  head.own_bytes = static_cast<uint32_t>(own.size());
  head.is_datagram = true;
  head.has_carrier = datagram.carrier != nullptr;
  Packer packer(place);
  packer.add(head);
  packer.add_bytes(head.packet.frame);
  packer.add(datagram);
  if (head.has_carrier) {
    packer.add(*datagram.carrier);
  }
  packer.add_bytes(own);
  ring.publish();
  return true;
}

Parcel open_parcel(Bytes record, ParcelRoom& room) noexcept {
  Unpacker unpacker(record);
  ParcelHead head;
  unpacker.take(head);
  const Bytes old_frame = head.packet.frame;
  const Bytes frame = unpacker.take_bytes(head.frame_bytes);
  room.packet = head.packet;
  room.packet.frame = frame;
  if (!head.is_datagram) {
    return {.packet = room.packet};
  }
  unpacker.take(room.datagram);
  if (head.has_carrier) {
    unpacker.take(room.carrier);
  }
  const Bytes old_own = room.datagram.frame;
  const Mover mover(old_frame, frame, old_own, unpacker.take_bytes(head.own_bytes));
  mover.move(room.datagram);
  room.datagram.packet = &room.packet;
  room.datagram.carrier = nullptr;
  if (head.has_carrier) {
    mover.move(room.carrier);
    room.carrier.packet = &room.packet;
    room.carrier.carrier = nullptr;
    room.datagram.carrier = &room.carrier;
  }
  return {.packet = room.packet, .datagram = &room.datagram};
}

}  // namespace shrike::worker
