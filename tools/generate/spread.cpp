#include "spread.h"

#include <algorithm>

namespace shrike::generate {

QueueChooser::QueueChooser(Spread spread, uint32_t queues)
    : spread_(spread), queues_(queues), owners_(queues) {}

uint32_t QueueChooser::queue_of(Bytes frame) const noexcept {
  const Bytes addresses = OwnerTable::addresses_of_frame(frame);
  if (addresses.empty()) {
    return 0;
  }
  const uint32_t queue = owners_.owner_of_addresses(addresses);
  const Bytes source = addresses.first(addresses.size() / 2);
  const Bytes target = addresses.last(addresses.size() / 2);
  const bool takes_next =
      spread_ == Spread::asymmetric &&
      std::lexicographical_compare(target.begin(), target.end(), source.begin(), source.end());
  return takes_next ? (queue + 1) % queues_ : queue;
}

}  // namespace shrike::generate
