#include "engine.h"

#include <algorithm>

namespace shrike::protocol {

Engine::Engine(const ProtocolOptions& options)
    : options_(options),
      pool_(options.memory_bytes_max),
      identifier_(options_),
      layers_(new FlowLayer* [options.flow_slots] {}) {
  shown_.reserve(options.transactions_per_flow_max);
  finished_.reserve(options.transactions_per_flow_max);
  to_free_.reserve(options.transactions_per_flow_max);
  for (std::vector<AppEvent>& events : events_) {
    events.reserve(app_events_count);
  }
}

Engine::~Engine() {
  reset();
}

void Engine::reset() noexcept {
  free_finished();
  for (size_t slot = 0; slot < slots_used_; ++slot) {
    if (layers_[slot] != nullptr) {
      destroy(layers_[slot]);
      layers_[slot] = nullptr;
    }
  }
  slots_used_ = 0;
  expectations_.clear();
  wishes_ = {};
}

void Engine::destroy(FlowLayer* layer) noexcept {
  drop_parser(*layer);
  if (layer->session != nullptr) {
    destroy_in(pool_, layer->session);
  }
  destroy_in(pool_, layer);
}

void Engine::free_finished() noexcept {
  finished_.clear();
  for (AppTransaction* const each : to_free_) {
    to_free_from_->free(*each);
  }
  to_free_.clear();
  if (to_destroy_ != nullptr) {
    destroy(to_destroy_);
    to_destroy_ = nullptr;
  }
}

/// The layer of the datagram's flow, or null where it has none yet.
FlowLayer* Engine::layer_of(const Tracked& tracked) noexcept {
  const uint32_t slot = tracked.flow.id.slot();
  FlowLayer*& layer = layers_[slot];
  if (tracked.flow.opened && layer != nullptr) {
    destroy(layer);
    layer = nullptr;
  }
  return layer;
}

FlowLayer* Engine::open_layer(const Tracked& tracked) noexcept {
  const bool is_udp = tracked.datagram->protocol == ip_protocol::udp;
  if (pool_.is_full()) {
    counters_.add_failed(is_udp);
    return nullptr;
  }
  FlowLayer* const layer = make_in<FlowLayer>(pool_, pool_);
  layer->is_udp = is_udp;
  layer->eve_id = tracked.flow.eve_id;
  layers_[tracked.flow.id.slot()] = layer;
  slots_used_ = std::max<size_t>(slots_used_, size_t{tracked.flow.id.slot()} + 1);
  return layer;
}

const AppView* Engine::parse(const Tracked& tracked, std::span<const AppChunk> chunks) noexcept {
  free_finished();
  wishes_ = {};
  has_data_ = {};
  const Datagram& datagram = *tracked.datagram;
  const bool is_udp = datagram.protocol == ip_protocol::udp;
  if (!tracked.flow.id.exists() || tracked.flow.id.slot() >= options_.flow_slots ||
      (!is_udp && datagram.protocol != ip_protocol::tcp)) {
    return nullptr;
  }
  tracked_ = &tracked;
  announced_ = nullptr;
  direction_ = tracked.flow.id.direction();
  FlowLayer* layer = layer_of(tracked);
  const bool brings_payload = is_udp && datagram.has_transport && !datagram.is_fragment &&
                              !datagram.carries_inner &&
                              datagram.origin != DatagramOrigin::stream_end;
  const bool brings_stream = !is_udp && tracked.flow.stream_added && !datagram.payload.empty();
  if (layer == nullptr && (brings_payload || brings_stream || !chunks.empty())) {
    layer = open_layer(tracked);
  }
  if (layer == nullptr) {
    return nullptr;
  }
  for (std::vector<AppEvent>& events : events_) {
    events.clear();
  }
  if (layer->session != nullptr) {
    layer->session->events_[static_cast<size_t>(layer->shown)].clear();
  }
  if (brings_stream && layer->first == FlowLayer::First::none) {
    layer->first = direction_ == Direction::to_server ? FlowLayer::First::to_server
                                                      : FlowLayer::First::to_client;
  }
  const bool has_changed =
      is_udp ? (brings_payload && take_datagram(*layer)) : take_chunks(*layer, chunks);
  return show(*layer, has_changed);
}

void Engine::raise(AppEvent event) noexcept {
  std::vector<AppEvent>& events = events_[static_cast<size_t>(direction_)];
  if (std::find(events.begin(), events.end(), event) == events.end()) {
    events.push_back(event);
  }
}

AppView Engine::identity_of(const FlowLayer& layer) noexcept {
  return {.protocol = layer.protocol,
          .by_direction = {layer.sides[0].identity.protocol, layer.sides[1].identity.protocol},
          .original = layer.original,
          .expected = layer.announced,
          .parent_eve_id = layer.parent_eve_id,
          .identification_done = layer.is_identified};
}

/// Fills the view of the datagram at hand, and the wishes that follow from the flow's state.
const AppView* Engine::show(FlowLayer& layer, bool has_changed) noexcept {
  layer.shown = direction_;
  wishes_.no_parser |= layer.is_closed;
  wishes_.is_settled = layer.is_udp && (layer.is_identified[0] || layer.is_identified[1]);
  view_ = identity_of(layer);
  view_.is_changing = layer.is_changing;
  view_.has_changed = has_changed;
  view_.has_data = has_data_;
  shown_.clear();
  if (layer.session != nullptr) {
    for (AppTransaction* const each : layer.session->transactions_) {
      shown_.push_back(each);
    }
    for (size_t side = 0; side < 2; ++side) {
      const PoolVector<AppEvent>& events = layer.session->events_[side];
      events_[side].insert(events_[side].end(), events.begin(), events.end());
    }
  }
  view_.transactions = shown_;
  view_.events = {events_[0], events_[1]};
  return &view_;
}

void Engine::settle(const Tracked& tracked) noexcept {
  free_finished();
  if (!tracked.flow.id.exists() || tracked.flow.id.slot() >= options_.flow_slots) {
    return;
  }
  FlowLayer* const layer = layers_[tracked.flow.id.slot()];
  if (layer == nullptr || layer->session == nullptr) {
    return;
  }
  Session& session = *layer->session;
  const size_t surplus =
      session.transactions_.size() -
      std::min<size_t>(session.transactions_.size(), options_.transactions_per_flow_max);
  for (AppTransaction* const each : session.transactions_) {
    if (!each->is_released()) {
      continue;
    }
    const bool is_inspected =
        each->is_inspected_in(Direction::to_server) && each->is_inspected_in(Direction::to_client);
    // Where nobody inspects a flow (it passes, or no rule wants it), its transactions go as well.
    if (is_inspected || to_free_.size() < surplus) {
      to_free_.push_back(each);
      finished_.push_back(each);
    }
  }
  to_free_from_ = &session;
}

const AppView* Engine::release(FlowId flow) noexcept {
  free_finished();
  if (!flow.exists() || flow.slot() >= options_.flow_slots) {
    return nullptr;
  }
  FlowLayer*& layer = layers_[flow.slot()];
  if (layer == nullptr) {
    return nullptr;
  }
  if (layer->session != nullptr) {
    for (AppTransaction* const each : layer->session->transactions_) {
      finished_.push_back(each);
    }
  }
  if (layer->announces) {
    expectations_.forget(layer->eve_id);
  }
  to_destroy_ = layer;
  layer = nullptr;
  view_ = identity_of(*to_destroy_);
  return &view_;
}

void Engine::store_files(FlowId flow, std::array<bool, 2> sides) noexcept {
  if (flow.exists() && flow.slot() < options_.flow_slots && layers_[flow.slot()] != nullptr) {
    for (size_t side = 0; side < sides.size(); ++side) {
      layers_[flow.slot()]->stores_files[side] |= sides[side];
    }
  }
}

/// A flow that was just released is asked about too, by way of its transactions.
bool Engine::stores_files(FlowId flow, Direction direction) const noexcept {
  const FlowLayer* layer = to_destroy_;
  if (layer == nullptr && flow.exists() && flow.slot() < options_.flow_slots) {
    layer = layers_[flow.slot()];
  }
  return layer != nullptr && layer->stores_files[static_cast<size_t>(direction)];
}

std::vector<CounterView> Engine::counters() const {
  return {counters_.view()};
}

}  // namespace shrike::protocol
