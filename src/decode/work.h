#pragma once
#include <cstdint>

#include "counts.h"
#include "defragmenter.h"
#include "shrike/base/bytes.h"
#include "shrike/base/counters.h"
#include "shrike/decode.h"
#include "shrike/model/datagram.h"

namespace shrike::decode {

/// What every layer's decoder may use. One a core.
struct Shared {
  explicit Shared(const DecoderOptions& with) : options(with), defragmenter(with) {}

  DecoderOptions options;
  Counters<Count> counts;
  Defragmenter defragmenter;
};

/// What a datagram's payload starts with, where that is a datagram of its own.
enum class InnerKind : uint8_t {
  none,
  ipv4,
  ipv6,
  ethernet,
  vlan,
  ppp,
  erspan_type1,
  erspan_type2,
  teredo,   ///< IPv6; counts as carried only if it is flawless
  rebuilt,  ///< IPv4 or IPv6, by the first nibble; rebuilt from fragments
};

/// A datagram that the one under way carries. It is decoded when that one is finished.
struct Inner {
  InnerKind kind = InnerKind::none;
  DatagramOrigin origin = DatagramOrigin::wire;
  Count count = Count::count_;  ///< counted if it decodes; count_: nothing
  Bytes bytes;                  ///< from its first header on
  Bytes frame;                  ///< what it counts as its bytes; longer only where rebuilt
};

/// One datagram under way. A layer's decoder fills `datagram` and hands its rest on; it returns
/// false where Suricata would give the frame up (the datagram of a tunnel is then forgotten).
struct Work {
  Datagram& datagram;
  Shared& shared;
  unsigned layers = 0;
  bool van_jacobson = false;  ///< PPP said that the IPv4 protocol field is void
  Inner inner;

  void count(Count what) noexcept { shared.counts.add(what); }
  /// Something is odd, and decoding goes on.
  void note(DecodeEvent event) noexcept { datagram.events.add(event); }
  /// Something is wrong. Always false, to be returned.
  bool fail(DecodeEvent event) noexcept {
    datagram.is_invalid = true;
    datagram.events.add(event);
    return false;
  }
  /// Counts a layer; false where a frame has too many of them.
  bool enter_layer() noexcept {
    if (++layers >= shared.options.layers_max) [[unlikely]] {
      return fail(DecodeEvent::too_many_layers);
    }
    return true;
  }
  /// Puts a tunnelled datagram aside for later; false where that would be a layer too many.
  bool carry(InnerKind kind, Bytes bytes, DatagramOrigin origin, Count what) noexcept {
    if (layers + 1 >= shared.options.layers_max) [[unlikely]] {
      return fail(DecodeEvent::too_many_layers);
    }
    inner = {kind, origin, what, bytes, bytes};
    return true;
  }
};

}  // namespace shrike::decode
