// A parser at work: its input, what it consumed, and what it wishes.
#include <utility>

#include "engine.h"

namespace shrike::protocol {

namespace {

/// The row whose parser takes a flow of this protocol, or null.
const ParserRow* row_with_parser(AppProtocol protocol, const ProtocolOptions& options) noexcept {
  const auto mode = options.protocols[static_cast<size_t>(protocol)].mode;
  const ParserRow* row = find_parser_row(protocol);
  if (row == nullptr && protocol == AppProtocol::doh2) {
    row = find_parser_row(AppProtocol::http2);  // which found out, and goes on
  }
  const bool has_parser =
      row != nullptr && row->parse != nullptr && mode == ProtocolSetting::Mode::on;
  return has_parser ? row : nullptr;
}

}  // namespace

/// Bytes of this flow are not looked at any more; what was found stays.
void Engine::close(FlowLayer& layer) noexcept {
  layer.is_closed = true;
  for (FlowSide& side : layer.sides) {
    side.kept = PoolBytes(pool_);
    side.is_due = false;
  }
}

void Engine::stop(FlowLayer& layer, ProtocolCounter reason) noexcept {
  counters_.add(layer.protocol, layer.is_udp, reason);
  if (!layer.is_udp) {
    close(layer);
  }
}

void Engine::drop_parser(FlowLayer& layer) noexcept {
  if (layer.parser != nullptr) {
    layer.row->destroy(*layer.session, layer.parser);
    layer.parser = nullptr;
    layer.row = nullptr;
  }
}

/// Makes the parser for the flow's protocol where it has none, or that of another one. What the
/// last one left unfinished is complete as it is; the next one counts its transactions anew.
bool Engine::ready_parser(FlowLayer& layer) noexcept {
  if (layer.parser != nullptr && !layer.is_changing && layer.row->protocol == layer.protocol) {
    return true;
  }
  const ParserRow* const row = row_with_parser(layer.protocol, options_);
  if (row == nullptr) {
    return false;
  }
  if (layer.session == nullptr) {
    layer.session = make_in<Session>(pool_, pool_, options_);
    if (announced_ == &layer) {
      layer.session->is_announced_ = true;
      layer.session->announcement_ = announcement_;
    }
  }
  const bool is_another = layer.parser != nullptr && layer.row->parse != row->parse;
  if (layer.parser != nullptr && (is_another || layer.is_changing)) {
    drop_parser(layer);
    for (AppTransaction* const each : layer.session->transactions_) {
      each->complete();
    }
    layer.session->opened_ = 0;
  }
  layer.row = row;
  if (layer.parser == nullptr) {
    layer.parser = row->create(*layer.session);
  }
  return true;
}

/// Gives the parser what there is. REQUIRES: the protocol is known.
void Engine::feed(FlowLayer& layer, Portion& portion, uint64_t gap_bytes) noexcept {
  FlowSide& side = layer.side(portion.direction);
  if (pool_.is_full()) {
    stop(layer, ProtocolCounter::memory_errors);
    return;
  }
  layer.first = FlowLayer::First::parsed;
  if (!ready_parser(layer)) {
    if (!layer.is_udp) {
      close(layer);
    }
    return;
  }
  if (gap_bytes != 0 && !layer.row->accepts_gaps) {
    stop(layer, ProtocolCounter::gap_errors);
    return;
  }
  const bool is_empty = portion.bytes.empty() && gap_bytes == 0;
  if (!portion.is_end && (is_empty || (gap_bytes == 0 && portion.bytes.size() < side.needed)) &&
      !layer.is_udp) {
    return;
  }
  Session& session = *layer.session;
  session.attend(*tracked_);
  const uint64_t opened_before = session.opened_;
  const Input input{.direction = portion.direction,
                    .bytes = portion.bytes,
                    .offset = side.offset,
                    .gap_bytes = gap_bytes,
                    .is_end = portion.is_end};
  has_data_[static_cast<size_t>(portion.direction)] = true;
  const Consumed consumed = layer.row->parse(layer.parser, input);
  portion.consumed = std::min(consumed.bytes, portion.bytes.size());
  side.needed = consumed.needed;
  after_parse(layer, opened_before);
  if (consumed.is_broken) {
    stop(layer, ProtocolCounter::parser_errors);
  }
}

/// Takes over what the parser said to its session.
void Engine::after_parse(FlowLayer& layer, uint64_t opened_before) noexcept {
  Session& session = *layer.session;
  counters_.add(layer.protocol, layer.is_udp, ProtocolCounter::transactions,
                session.opened_ - opened_before);
  counters_.add_encrypted(std::exchange(session.encrypted_bytes_, 0));
  const PoolVector<AppTransaction*>& transactions = session.transactions_;
  for (size_t i = transactions.size(); i-- > 0;) {
    if (transactions[i]->protocol != AppProtocol::unknown) {
      break;
    }
    transactions[i]->protocol = layer.protocol;
  }
  for (size_t side = 0; side < 2; ++side) {
    wishes_.inspect_raw_now[side] |= session.wishes_.inspect_raw_now[side];
    wishes_.no_more_raw[side] |= session.wishes_.no_more_raw[side];
    session.wishes_.inspect_raw_now[side] = false;
  }
  wishes_.bypass |= session.wishes_.bypass;
  if (session.wishes_.no_parser) {
    close(layer);
  }
  if (session.has_expectation_) {
    session.has_expectation_ = false;
    session.expectation_.parent_eve_id = layer.eve_id;
    expectations_.add(session.expectation_, session.time_ns());
    counters_.set_expectations(expectations_.count());
    layer.announces = true;
  }
  if (session.change_.is_wanted) {
    take_change(layer);
  }
}

void Engine::take_change(FlowLayer& layer) noexcept {
  const Session::Change change = layer.session->change_;
  layer.session->change_ = {};
  if (layer.is_changing) {
    return;
  }
  if (change.next == AppProtocol::unknown) {
    constexpr uint16_t tls_port = 443;
    layer.is_changing = true;
    wishes_.inspect_raw_now = {true, true};  // what was said so far is looked at as it is
    layer.wanted = change.expected;
    layer.probe_port =
        change.port == 0 && change.expected == AppProtocol::tls ? tls_port : change.port;
    layer.original = layer.protocol;
    for (FlowSide& side : layer.sides) {
      if (side.identity.protocol == AppProtocol::unknown) {
        side.identity.protocol = layer.protocol;
      }
      side.needed = 0;
      side.is_due = true;
    }
    return;
  }
  if (change.next == layer.protocol) {
    return;
  }
  layer.original = layer.protocol;
  layer.protocol = change.next;
  const ParserRow* const next = find_parser_row(change.next);
  const bool is_another =
      next != nullptr && layer.row != nullptr && next->parse != layer.row->parse;
  for (FlowSide& side : layer.sides) {
    side.identity.protocol = change.next;
    // What the old parser left is for the new one, with the next datagram.
    side.needed = is_another ? 0 : side.needed;
    side.is_due = side.is_due || is_another;
  }
  counters_.add(layer.protocol, layer.is_udp, ProtocolCounter::flows);
}

}  // namespace shrike::protocol
