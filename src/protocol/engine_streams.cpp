// The order of identification and parsing. It decides what rules see and which datagram an alert
// names, so it is Suricata's, case by case (its app-layer.c is the reference).
#include <algorithm>

#include "engine.h"

namespace shrike::protocol {

namespace {

constexpr FlowLayer::First first_of(Direction direction) noexcept {
  return direction == Direction::to_server ? FlowLayer::First::to_server
                                           : FlowLayer::First::to_client;
}

/// Whether a parser that wants one side to speak first wants `direction`.
bool may_begin(FieldDirections wanted, Direction direction) noexcept {
  return wanted == FieldDirections::both ||
         (wanted == FieldDirections::to_server) == (direction == Direction::to_server);
}

FieldDirections first_speaker(AppProtocol protocol) noexcept {
  const ParserRow* const row = find_parser_row(protocol);
  return row == nullptr ? FieldDirections::both : row->speaks_first;
}

}  // namespace

/// Nothing can be told of this flow: it is of no known protocol, or of one that broke the rules.
void Engine::disable(FlowLayer& layer) noexcept {
  layer.protocol = AppProtocol::failed;
  counters_.add_failed(layer.is_udp);
  for (FlowSide& side : layer.sides) {
    if (side.identity.protocol == AppProtocol::unknown) {
      side.identity.protocol = AppProtocol::failed;
    }
  }
  layer.is_identified = {true, true};
  layer.first = FlowLayer::First::parsed;
  close(layer);
}

AppProtocol Engine::identify(FlowLayer& layer, const Portion& portion, bool& is_reversed) noexcept {
  std::array<SideIdentity, 2> identities{layer.sides[0].identity, layer.sides[1].identity};
  const Look look{
      .transport = layer.is_udp ? ip_protocol::udp : ip_protocol::tcp,
      .direction = portion.direction,
      .bytes = portion.bytes,
      .client_port = tracked_->flow.client_port,
      .server_port = layer.probe_port != 0 ? layer.probe_port : tracked_->flow.server_port,
      .expected = layer.wanted};
  const Identified found = identifier_.identify(look, identities);
  layer.sides[0].identity = identities[0];
  layer.sides[1].identity = identities[1];
  is_reversed = found.is_reversed;
  SideIdentity& own = layer.side(portion.direction).identity;
  if (found.protocol != AppProtocol::unknown || own.expectations_done) {
    return found.protocol;
  }
  own.expectations_done = true;
  if (!expectations_.take(tracked_->flow, tracked_->datagram->time_ns, announcement_)) {
    return AppProtocol::unknown;
  }
  counters_.set_expectations(expectations_.count());
  announced_ = &layer;
  layer.announced = announcement_.protocol;
  layer.parent_eve_id = announcement_.parent_eve_id;
  for (FlowSide& side : layer.sides) {
    if (side.identity.protocol == AppProtocol::unknown) {
      side.identity.protocol = announcement_.protocol;
    }
  }
  return announcement_.protocol;
}

void Engine::swap_sides(FlowLayer& layer) noexcept {
  std::swap(layer.sides[0], layer.sides[1]);
  std::swap(layer.is_identified[0], layer.is_identified[1]);
  if (layer.first == FlowLayer::First::to_server || layer.first == FlowLayer::First::to_client) {
    layer.first = layer.first == FlowLayer::First::to_server ? FlowLayer::First::to_client
                                                             : FlowLayer::First::to_server;
  }
  direction_ = opposite(direction_);
  wishes_.swap_sides = true;
}

/// A UDP datagram: one look in each direction, with what one payload holds.
bool Engine::take_datagram(FlowLayer& layer) noexcept {
  const Direction direction = direction_;
  SideIdentity& own = layer.side(direction).identity;
  SideIdentity& other = layer.side(opposite(direction)).identity;
  if (layer.is_closed ||
      (own.protocol == AppProtocol::failed && other.protocol == AppProtocol::failed)) {
    return false;
  }
  Portion portion{.direction = direction, .bytes = tracked_->datagram->payload};
  if (own.protocol == AppProtocol::unknown) {
    const bool is_first = other.protocol == AppProtocol::unknown;
    bool is_reversed = false;
    const AppProtocol found = identify(layer, portion, is_reversed);
    if (found == AppProtocol::unknown) {
      own.protocol = is_first ? AppProtocol::failed : other.protocol;
      layer.protocol = is_first ? layer.protocol : other.protocol;
    } else {
      own.protocol = found;
      if (is_first || other.protocol == AppProtocol::failed || other.protocol == found) {
        layer.protocol = found;
      } else {
        raise(AppEvent::applayer_mismatch_protocol_both_directions);
      }
    }
    if (is_first && layer.protocol == AppProtocol::unknown) {
      layer.protocol = AppProtocol::failed;
      counters_.add_failed(true);
    } else if (is_first) {
      counters_.add(layer.protocol, true, ProtocolCounter::flows);
    }
    layer.is_identified = {true, true};
    if (is_reversed && layer.protocol != AppProtocol::failed) {
      swap_sides(layer);
      portion.direction = opposite(direction);
    }
  }
  if (layer.protocol == AppProtocol::unknown || layer.protocol == AppProtocol::failed) {
    return false;
  }
  feed(layer, portion);
  return true;
}

bool Engine::take_chunks(FlowLayer& layer, std::span<const AppChunk> chunks) noexcept {
  bool has_changed = false;
  if (layer.is_closed) {
    return false;
  }
  const bool is_last_look = tracked_->datagram->origin == DatagramOrigin::stream_end;
  for (const Direction side : {Direction::to_server, Direction::to_client}) {
    const bool has_chunk = std::any_of(chunks.begin(), chunks.end(), [side](const AppChunk& each) {
      return each.direction == side;
    });
    if (layer.side(side).is_due && !has_chunk && (is_last_look || side != direction_)) {
      look_again(layer, side);
      has_changed = true;
    }
  }
  for (const AppChunk& chunk : chunks) {
    if (layer.is_closed) {
      break;
    }
    take(layer, chunk);
    has_changed = true;
  }
  return has_changed;
}

/// Bytes that were kept meet what is known by now.
void Engine::look_again(FlowLayer& layer, Direction direction) noexcept {
  FlowSide& side = layer.side(direction);
  side.is_due = false;
  if (side.kept.empty() || layer.is_closed) {
    return;
  }
  Portion portion{.direction = direction, .bytes = side.kept, .is_end = side.is_ended};
  handle(layer, portion);
  keep_rest(layer, portion, true);
}

void Engine::take(FlowLayer& layer, const AppChunk& chunk) noexcept {
  FlowSide& side = layer.side(chunk.direction);
  if (chunk.is_cut) {
    if (layer.session != nullptr) {
      layer.session->cut(chunk.direction);
    }
    return;
  }
  if (chunk.gap_bytes != 0) {
    take_gap(layer, chunk);
    return;
  }
  side.is_due = false;
  side.is_ended |= chunk.is_end;
  if (side.is_stuck && !chunk.is_end) {
    return;
  }
  if (layer.first == FlowLayer::First::none && !chunk.bytes.empty()) {
    layer.first = first_of(chunk.direction);
  }
  const bool is_kept = !side.kept.empty();
  if (!is_kept) {
    side.offset = chunk.offset;
  } else if (side.kept.size() + chunk.bytes.size() > kept_bytes_max) {
    stop(layer, ProtocolCounter::internal_errors);
    return;
  } else if (!side.is_stuck) {
    side.kept.insert(side.kept.end(), chunk.bytes.begin(), chunk.bytes.end());
  }
  Portion portion{.direction = chunk.direction,
                  .bytes = is_kept ? Bytes{side.kept} : chunk.bytes,
                  .is_end = chunk.is_end};
  handle(layer, portion);
  keep_rest(layer, portion, is_kept);
}

/// What a parser left stays for its next call.
void Engine::keep_rest(FlowLayer& layer, const Portion& portion, bool is_kept) noexcept {
  if (layer.is_closed) {
    return;
  }
  FlowSide& side = layer.side(portion.direction);
  if (is_kept && portion.consumed != 0) {
    side.kept.erase(side.kept.begin(),
                    side.kept.begin() + static_cast<ptrdiff_t>(portion.consumed));
  } else if (!is_kept && portion.consumed < portion.bytes.size()) {
    const Bytes rest = portion.bytes.subspan(portion.consumed);
    side.kept.assign(rest.begin(), rest.end());
  }
  side.offset += portion.consumed;
}

void Engine::take_gap(FlowLayer& layer, const AppChunk& chunk) noexcept {
  FlowSide& side = layer.side(chunk.direction);
  if (side.identity.protocol == AppProtocol::unknown) {
    side.identity.is_closed = true;
    side.is_stuck = !side.kept.empty();
    if (layer.protocol == AppProtocol::unknown || side.is_stuck) {
      return;
    }
  }
  if (layer.is_changing) {
    layer.is_changing = false;
    return;
  }
  if (layer.protocol == AppProtocol::unknown || layer.protocol == AppProtocol::failed) {
    return;
  }
  // What the parser was waiting to complete never will be: it is lost with the rest.
  const uint64_t gap_bytes = side.kept.size() + chunk.gap_bytes;
  side.offset = chunk.offset - side.kept.size();
  side.kept.clear();
  side.needed = 0;
  Portion portion{.direction = chunk.direction, .is_end = chunk.is_end};
  feed(layer, portion, gap_bytes);
  side.offset += gap_bytes;
}

void Engine::handle(FlowLayer& layer, Portion& portion) noexcept {
  const SideIdentity& identity = layer.side(portion.direction).identity;
  if (identity.protocol == AppProtocol::unknown && !identity.is_closed) {
    detect(layer, portion);
  } else if (identity.protocol != AppProtocol::unknown && layer.is_changing) {
    change(layer, portion);
  } else if (layer.protocol != AppProtocol::unknown && layer.protocol != AppProtocol::failed) {
    feed(layer, portion);
  }
}

/// One more look at a direction that is not identified yet; parses it when it now is.
/// @return false where the flow cannot go on with these bytes.
bool Engine::detect(FlowLayer& layer, Portion& portion) noexcept {
  bool is_reversed = false;
  const AppProtocol found = identify(layer, portion, is_reversed);
  if (found == AppProtocol::unknown) {
    go_on_undetected(layer, portion);
    return true;
  }
  FlowSide* own = &layer.side(portion.direction);
  FlowSide* other = &layer.side(opposite(portion.direction));
  own->identity.protocol = found;
  const AppProtocol across = other->identity.protocol;
  layer.protocol = found;
  if (across != AppProtocol::unknown && across != found) {
    raise(AppEvent::applayer_mismatch_protocol_both_directions);
    // The server is trusted more, unless a parser is at work.
    const bool takes_own =
        layer.first != FlowLayer::First::parsed && portion.direction == Direction::to_client;
    layer.protocol = takes_own ? found : across;
  }
  own->identity.is_closed = true;
  layer.is_identified[static_cast<size_t>(portion.direction)] = true;
  if (is_reversed && tracked_->flow.is_midstream && across == AppProtocol::unknown) {
    swap_sides(layer);
    portion.direction = opposite(portion.direction);
    own = &layer.side(portion.direction);
    other = &layer.side(opposite(portion.direction));
  }
  if (across != AppProtocol::unknown) {
    counters_.add(layer.protocol, false, ProtocolCounter::flows);
  }
  other->is_due = !other->kept.empty();
  return begin_parsing(layer, portion);
}

/// The protocol was found with these bytes. The side that spoke first goes to the parser first;
/// what it says may break the parser, which sees these bytes all the same (as in Suricata).
bool Engine::begin_parsing(FlowLayer& layer, Portion& portion) noexcept {
  const Direction other = opposite(portion.direction);
  if (layer.first == first_of(other)) {
    PoolBytes own = std::move(layer.side(portion.direction).kept);  // the portion may be part of it
    look_again(layer, other);
    if (layer.is_closed) {
      if (layer.protocol != AppProtocol::failed) {
        feed(layer, portion);
      }
      return false;
    }
    layer.side(portion.direction).kept = std::move(own);
    if (layer.is_changing) {
      layer.is_changing = false;
      raise(AppEvent::applayer_unexpected_protocol);
    }
  }
  if (layer.first != FlowLayer::First::parsed) {
    const FieldDirections wanted = first_speaker(layer.protocol);
    const Direction first =
        layer.first == FlowLayer::First::to_client ? Direction::to_client : Direction::to_server;
    if (!may_begin(wanted, first)) {
      raise(AppEvent::applayer_wrong_direction_first_data);
      disable(layer);
      return false;
    }
    if (!may_begin(wanted, portion.direction)) {
      // The right side's bytes are there, but not acknowledged yet: these wait for them.
      layer.side(portion.direction).is_due = true;
      return false;
    }
  }
  feed(layer, portion);
  return true;
}

/// Nothing matches (yet): parse with what the other direction told, wait, or give up.
void Engine::go_on_undetected(FlowLayer& layer, Portion& portion) noexcept {
  SideIdentity& own = layer.side(portion.direction).identity;
  const SideIdentity& client = layer.side(Direction::to_server).identity;
  const AppProtocol across = layer.side(opposite(portion.direction)).identity.protocol;
  // Midstream a reply alone would feed the parser half a request: the client decides.
  if (tracked_->flow.is_midstream && client.patterns_done && client.probes_done) {
    disable(layer);
    return;
  }
  if (across == AppProtocol::unknown) {
    if (!layer.is_changing) {
      give_up_or_wait(layer);
    } else if (portion.bytes.size() >= 4096 || portion.is_end) {
      disable(layer);  // what follows a change shows itself in its first bytes, or never
    }
    return;
  }
  const FieldDirections wanted = first_speaker(across);
  if (layer.first != FlowLayer::First::parsed && !may_begin(wanted, portion.direction)) {
    disable(layer);
    return;
  }
  if (!own.patterns_done || !own.probes_done) {
    return;
  }
  if (!portion.bytes.empty()) {
    layer.first = FlowLayer::First::parsed;
  }
  own.protocol = AppProtocol::failed;
  own.is_closed = true;
  layer.is_identified[static_cast<size_t>(portion.direction)] = true;
  counters_.add(layer.protocol, false, ProtocolCounter::flows);
  if (across != AppProtocol::failed) {
    raise(AppEvent::applayer_detect_protocol_only_one_direction);
    feed(layer, portion);
  }
}

/// Both sides are unknown: there is an end to what is kept for a protocol that may never show.
void Engine::give_up_or_wait(FlowLayer& layer) noexcept {
  if (tracked_->flow.tcp_state < TcpState::established) {
    return;
  }
  constexpr uint64_t bytes_max = 100000;
  const auto is_done = [&layer](Direction direction) {
    const SideIdentity& side = layer.side(direction).identity;
    return side.patterns_done && side.probes_done;
  };
  // The sequence number of the SYN counts as a byte there.
  const auto size_of = [this](Direction direction) -> uint64_t {
    const uint32_t bytes = tracked_->flow.stream_bytes[static_cast<size_t>(direction)];
    return bytes == 0 ? 0 : bytes - 1;
  };
  const auto has_too_much = [&](Direction one, Direction other) {
    const SideIdentity& far = layer.side(other).identity;
    const bool waits_for_text = far.probes_done && !far.patterns_done;
    return size_of(one) > 2 * bytes_max ||
           (is_done(one) && size_of(one) > bytes_max && (size_of(other) == 0 || waits_for_text));
  };
  const auto is_hopeless = [&](Direction direction) {
    return is_done(direction) || layer.side(direction).identity.is_closed;
  };
  if (is_hopeless(Direction::to_server) && is_hopeless(Direction::to_client)) {
    disable(layer);
  } else if (has_too_much(Direction::to_server, Direction::to_client) ||
             has_too_much(Direction::to_client, Direction::to_server)) {
    raise(AppEvent::applayer_proto_detection_skipped);
    disable(layer);
  }
}

/// The first bytes after a parser asked for another protocol. Where they do not tell yet, all is as
/// it was, and the next bytes are tried from the start.
void Engine::change(FlowLayer& layer, Portion& portion) noexcept {
  layer.protocol = AppProtocol::unknown;
  for (FlowSide& side : layer.sides) {
    side.identity = {};
  }
  const bool goes_on = detect(layer, portion);
  if (layer.protocol == AppProtocol::unknown) {
    layer.protocol = layer.original;
    for (FlowSide& side : layer.sides) {
      side.identity.protocol = layer.original;
    }
    return;
  }
  layer.is_changing = false;
  const AppProtocol wanted = layer.wanted;
  layer.wanted = AppProtocol::unknown;
  if (!goes_on || wanted == AppProtocol::unknown || layer.protocol == wanted) {
    return;
  }
  raise(AppEvent::applayer_unexpected_protocol);
  if (wanted == AppProtocol::tls) {
    raise(AppEvent::applayer_no_tls_after_starttls);
  }
}

}  // namespace shrike::protocol
