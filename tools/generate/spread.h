#pragma once
#include <cstdint>

#include "shrike/base/bytes.h"
#include "shrike/model/owner.h"

namespace shrike::generate {

enum class Spread : uint8_t {
  symmetric,   ///< all that two hosts say to each other takes one queue, as a sensor's NIC does it
  asymmetric,  ///< what they say takes one queue, what they answer the next: to test hand-over
};

/// Chooses a frame's queue as the redirection table of a NIC does it, by the addresses of the
/// first IP header behind Ethernet and VLAN tags (model/owner.h). Other frames take queue 0.
class QueueChooser {
 public:
  /// @param queues 1 to OwnerTable::buckets
  QueueChooser(Spread spread, uint32_t queues);

  [[nodiscard]] uint32_t queue_of(Bytes frame) const noexcept;

 private:
  Spread spread_;
  uint32_t queues_;
  OwnerTable owners_;
};

}  // namespace shrike::generate
