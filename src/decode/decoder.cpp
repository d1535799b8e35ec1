#include <algorithm>

#include "link.h"
#include "shrike/decode.h"
#include "tunnel.h"
#include "work.h"

namespace shrike::decode {

struct Decoder::State {
  explicit State(const DecoderOptions& options) : shared(options) {
    shared.options.layers_max = std::clamp(shared.options.layers_max, 1u, limits::layers_max);
  }

  void decode(const Packet& packet, DatagramBatch& batch) noexcept;
  void decode_inner_of(Work& work, DatagramBatch& batch) noexcept;
  bool decode_into_slot(const Work& parent, const Datagram& carrier, DatagramBatch& batch) noexcept;
  void finish(const Datagram& datagram) noexcept;

  Shared shared;
  std::array<uint64_t, decode_events_count> event_counts{};
};

namespace {

void fill_from(Datagram& datagram, const Packet& packet) noexcept {
  datagram.time_ns = packet.time_ns;
  datagram.clock_ns = packet.clock_ns;
  datagram.number = packet.number;
  datagram.capture_index = packet.capture_index;
  datagram.packet = &packet;
}

void set_frame(Datagram& datagram, LinkType type, Bytes frame) noexcept {
  datagram.link_type = type;
  datagram.frame = frame;
  datagram.wire_bytes = static_cast<uint32_t>(frame.size());
}

/// Names the frame's own datagram, which is the last, as the carrier of those before.
void number_datagrams(std::span<Datagram> datagrams) noexcept {
  for (size_t i = 0; i < datagrams.size(); ++i) {
    datagrams[i].order = static_cast<uint8_t>(i);
    datagrams[i].carrier = &datagrams.back();
  }
  datagrams.back().carrier = nullptr;
}

}  // namespace

void Decoder::State::finish(const Datagram& datagram) noexcept {
  for (const DecodeEvent event : datagram.events.all()) {
    ++event_counts[static_cast<size_t>(event)];
  }
}

void Decoder::State::decode(const Packet& packet, DatagramBatch& batch) noexcept {
  shared.counts.add(Count::packets);
  shared.counts.add(Count::bytes, packet.frame.size());
  const size_t first = batch.size();
  Work work{.datagram = batch.push(), .shared = shared, .inner = {}};
  fill_from(work.datagram, packet);
  set_frame(work.datagram, packet.link_type, packet.frame);
  decode_link(work, packet.link_type, packet.frame);
  if (work.inner.kind != InnerKind::none) [[unlikely]] {
    decode_inner_of(work, batch);
    number_datagrams(batch.all().subspan(first));
  } else if (!work.datagram.events.empty()) [[unlikely]] {
    finish(work.datagram);
  }
  if (batch.all().back().is_invalid) [[unlikely]] {
    shared.counts.add(Count::invalid);
  }
}

/// Decodes what the last datagram of the batch carries, and puts that before it: what is carried
/// is inspected first.
void Decoder::State::decode_inner_of(Work& work, DatagramBatch& batch) noexcept {
  Datagram carrier = work.datagram;  // its place in the batch goes to what it carries
  bool carries = decode_into_slot(work, carrier, batch);
  if (!carries && work.inner.kind == InnerKind::teredo) {
    work.datagram = carrier;
    work.inner = {};
    decode_udp_tunnels_after_teredo(work);
    carrier = work.datagram;
    carries = work.inner.kind != InnerKind::none && decode_into_slot(work, carrier, batch);
  }
  Datagram& last = carries ? batch.push() : batch.all().back();
  last = carrier;
  last.carries_inner = carries;
  finish(last);
}

/// @return false where what is carried is no datagram: the slot is then free again.
bool Decoder::State::decode_into_slot(const Work& parent, const Datagram& carrier,
                                      DatagramBatch& batch) noexcept {
  const Inner inner = parent.inner;
  const bool is_rebuilt = inner.kind == InnerKind::rebuilt;
  Work work{.datagram = batch.all().back(),
            .shared = shared,
            .layers = parent.layers + (is_rebuilt ? 0 : 1),
            .inner = {}};
  work.datagram.clear();
  fill_from(work.datagram, *carrier.packet);
  set_frame(work.datagram, is_rebuilt ? carrier.link_type : LinkType::raw_ip, inner.frame);
  work.datagram.origin = inner.origin;
  work.datagram.depth = static_cast<uint8_t>(carrier.depth + (is_rebuilt ? 0 : 1));
  if (is_rebuilt) {
    work.datagram.vlan_count = carrier.vlan_count;
    work.datagram.vlan_ids = carrier.vlan_ids;
  }
  if (!decode_inner(work, inner.kind, inner.bytes) ||
      (inner.kind == InnerKind::teredo && work.datagram.is_invalid)) {
    return false;
  }
  if (inner.count != Count::count_) {
    shared.counts.add(inner.count);
  }
  if (work.inner.kind != InnerKind::none) {
    decode_inner_of(work, batch);
  } else {
    finish(work.datagram);
  }
  return true;
}

Decoder::Decoder(const DecoderOptions& options) : state_(new State(options)) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;

size_t Decoder::decode(std::span<const Packet> packets, DatagramBatch& datagrams) noexcept {
  State& state = *state_;
  const size_t layers_max = state.shared.options.layers_max;
  size_t taken = 0;
  for (const Packet& packet : packets) {
    if (datagrams.room() <= layers_max ||
        !state.shared.defragmenter.has_room(state.shared.options.layers_max)) [[unlikely]] {
      break;
    }
    state.decode(packet, datagrams);
    ++taken;
  }
  return taken;
}

bool Decoder::has_lent() const noexcept {
  return state_->shared.defragmenter.has_lent();
}

void Decoder::release() noexcept {
  state_->shared.defragmenter.release();
}

void Decoder::reset() noexcept {
  release();
  state_->shared.defragmenter.reset();
}

std::vector<CounterView> Decoder::counters() const {
  const State& state = *state_;
  return {state.shared.counts.view(count_rows()),
          state.shared.defragmenter.counts().view(fragment_count_rows()),
          {event_count_rows(), state.event_counts}};
}

}  // namespace shrike::decode
