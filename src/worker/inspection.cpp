#include "inspection.h"

#include <array>
#include <utility>

#include "shrike/base/hash.h"

namespace shrike::worker {

namespace {

flow::FlowOptions with_parsers(flow::FlowOptions options) {
  options.feeds_parsers = true;
  return options;
}

constexpr uint8_t tcp_ack = 16;

protocol::ProtocolOptions for_flows(const EngineOptions& options, uint32_t flow_slots) {
  protocol::ProtocolOptions protocols = options.protocols;
  protocols.flow_slots = flow_slots;
  protocols.midstream = options.flow.midstream;
  return protocols;
}

template <typename Options>
Options with_slots(Options options, uint32_t flow_slots) {
  options.flow_slots = flow_slots;
  return options;
}

}  // namespace

Inspection::Inspection(const EngineOptions& options, RecordRing& ring,
                       std::function<void()> when_full)
    : flows_(with_parsers(options.flow)),
      protocols_(for_flows(options, flows_.slots())),
      detector_(with_slots(options.detect, flows_.slots())),
      records_(options.records, ring),
      when_full_(std::move(when_full)),
      shows_transactions_(options.records.alert_transactions),
      shows_anomalies_(options.records.anomalies.decode || options.records.anomalies.stream ||
                       options.records.anomalies.application),
      captures_are_apart_(options.records.per_capture) {}

void Inspection::inspect(const RuleSet& rules, std::span<const Datagram> datagrams) noexcept {
  while (!datagrams.empty()) {
    datagrams = datagrams.subspan(flows_.track(datagrams, tracked_));
    inspect_tracked(rules);
  }
}

void Inspection::expire(const RuleSet& rules, uint64_t clock_ns) noexcept {
  for (bool is_done = false; !is_done;) {
    is_done = flows_.expire(clock_ns, tracked_);
    inspect_tracked(rules);
  }
}

void Inspection::finish(const RuleSet& rules) noexcept {
  for (bool is_more = true; is_more;) {
    is_more = flows_.finish(tracked_);
    inspect_tracked(rules);
  }
  protocols_.reset();
  detector_.reset();
}

void Inspection::inspect_tracked(const RuleSet& rules) noexcept {
  records_.set_generation(rules.generation());
  if (tracked_.size() != 0) {
    detector_.begin_batch();
  }
  for (size_t i = 0; i < tracked_.size(); ++i) {
    inspect_one(rules, tracked_.at(i));
    if (bypass_ != nullptr) {
      take_bypass(tracked_.at(i));
    }
  }
  if (overload_ != nullptr && overload_->is_choosing()) [[unlikely]] {
    overload_->choose(tracked_.all(), flows_);
  }
  for (const FlowEnd& end : flows_.ends()) {
    const AppView* const app = protocols_.release(end.view.id);
    if (!protocols_.finished().empty()) {
      end_transactions(end);
    }
    write_flow_end(end, app);
  }
}

/// A rule's `bypass` ends the way of the flow through the sensor, where a card can go on with it;
/// and what comes of such a flow all the same is for the card.
void Inspection::take_bypass(const Tracked& tracked) noexcept {
  for (const detect::FlowDecision& decision : detector_.decisions()) {
    if (decision.verdict == FlowVerdict::bypass && decision.flow == tracked.flow.id &&
        tracked.flow.verdict == FlowVerdict::inspect) {
      flows_.set_verdict(decision.flow, decision.verdict);
    }
  }
  bypass_->want(tracked);
}

/// The inner walk, one datagram at a time: the application layer takes what came with it, flow and
/// detection go by its answer, and what is inspected for good is let go.
void Inspection::inspect_one(const RuleSet& rules, Tracked& tracked) noexcept {
  if (tracked.flow.verdict == FlowVerdict::bypass && flows_.is_shed(tracked.flow.id)) [[unlikely]] {
    return;  // counted where it was tracked
  }
  const AppView* const app = protocols_.parse(tracked, tracked_.app_chunks_of(tracked));
  flows_.resume(protocols_.wishes(), tracked_, tracked);
  std::span<const Chunk> chunks = tracked_.chunks_of(tracked);
  if (app != nullptr && app->is_changing) [[unlikely]] {
    inspect_what_is_left(rules, tracked, *app);
    chunks = {};  // they were looked at with the rest
  }
  detector_.inspect(rules, tracked, chunks, app, alerts_);
  write_alerts(rules, app);
  if (shows_anomalies_) {
    write_anomalies(tracked, app);
  }
  if (app != nullptr) {
    note_open_transactions(tracked, *app);
    if (records_.stores_files()) {
      for (const Transaction* const transaction : app->transactions) {
        store_files_of(*transaction, tracked, *app, false);
      }
    }
    protocols_.settle(tracked);
    write_transactions(tracked, *app);
  }
}

/// What is odd in the datagram and its stream, and what the application layer found outside of
/// transactions. Those of the other direction come with a datagram of theirs.
void Inspection::write_anomalies(const Tracked& tracked, const AppView* app) noexcept {
  for (const DecodeEvent event : tracked.datagram->events.all()) {
    write_anomaly({.event = event}, tracked);
  }
  for (const StreamEvent event : tracked.events.all()) {
    write_anomaly({.event = event}, tracked);
  }
  if (app == nullptr) {
    return;
  }
  for (const AppEvent event : app->events[static_cast<size_t>(tracked.flow.id.direction())]) {
    write_anomaly({.event = event, .protocol = app->protocol}, tracked);
  }
}

void Inspection::write_anomaly(const output::Anomaly& anomaly, const Tracked& tracked) noexcept {
  while (!records_.write_anomaly(anomaly, tracked)) {
    when_full_();
  }
}

void Inspection::write_events_of(const Transaction& transaction, const Tracked& tracked) noexcept {
  for (const std::span<const AppEvent> events : transaction.events) {
    for (const AppEvent event : events) {
      write_anomaly({.event = event, .protocol = transaction.protocol, .transaction = &transaction},
                    tracked);
    }
  }
}

/// REQUIRES: members_ says what the transaction says of itself.
void Inspection::write_files_of(const Transaction& transaction, const Tracked& tracked,
                                const AppView& app) noexcept {
  for (size_t i = 0; i < protocols_.count_files(transaction); ++i) {
    JsonWriter file_json(file_members_);
    const Direction direction = protocols_.describe_file(transaction, i, file_json);
    while (!records_.write_file({.direction = direction, .members = file_members_}, tracked,
                                {.view = &app, .members = members_})) {
      when_full_();
    }
  }
}

void Inspection::write_transactions(const Tracked& tracked, const AppView& app) noexcept {
  for (const Transaction* const transaction : protocols_.finished()) {
    if (records_.stores_files()) {
      store_files_of(*transaction, tracked, app, true);
    }
    if (records_.anomaly_types().application) {
      write_events_of(*transaction, tracked);
    }
    const bool shows_files = records_.wants_files() && protocols_.count_files(*transaction) != 0;
    const bool shows_itself = records_.wants(transaction->protocol);
    if (!shows_files && !shows_itself) {
      continue;
    }
    JsonWriter json(members_);
    protocols_.describe(*transaction, json);
    if (shows_files) {
      write_files_of(*transaction, tracked, app);
    }
    while (shows_itself &&
           !records_.write_transaction(*transaction, tracked, {.members = members_})) {
      when_full_();
    }
  }
}

void Inspection::note_wishes_for_files(const Alert& alert, const RuleInfo& rule) noexcept {
  using Side = FileStoreWish::Side;
  const FileStoreWish& wish = rule.file_store;
  if (wish.scope == FileStoreWish::Scope::none || alert.transaction == nullptr) {
    return;
  }
  std::array<bool, 2> sides{wish.side == Side::to_server || wish.side == Side::both,
                            wish.side == Side::to_client || wish.side == Side::both};
  if (wish.side == Side::matched) {
    sides[static_cast<size_t>(alert.tracked->flow.id.direction())] = true;
  }
  if (wish.scope == FileStoreWish::Scope::flow) {
    protocols_.store_files(alert.tracked->flow.id, sides);
  }
  protocols_.store_files(*alert.transaction, sides);
}

void Inspection::store_files_of(const Transaction& transaction, const Tracked& tracked,
                                const AppView& app, bool is_over) noexcept {
  const size_t count = protocols_.count_files(transaction);
  for (size_t i = 0; i < count; ++i) {
    store_file(transaction, i, tracked, app, is_over);
  }
}

/// Files are named by what they are, never by who saw them: any number of workers gives the same.
void Inspection::store_file(const Transaction& transaction, size_t index, const Tracked& tracked,
                            const AppView& app, bool is_over) noexcept {
  constexpr uint64_t json_number_mask = (uint64_t{1} << 53) - 1;
  const uint64_t file_id =
      combine64(combine64(tracked.flow.eve_id, transaction.id), index) & json_number_mask;
  while (const auto piece =
             protocols_.next_file_piece(tracked.flow.id, transaction, index, file_id, is_over)) {
    output::FilePieceReport report{.file_id = file_id,
                                   .offset = piece->offset,
                                   .bytes = piece->bytes,
                                   .is_end = piece->is_end};
    report.file.direction = piece->direction;
    JsonWriter json(members_);
    if (piece->is_end) {
      JsonWriter file_json(file_members_);
      protocols_.describe_file(transaction, index, file_json);
      protocols_.describe(transaction, json);
      report.file.members = file_members_;
    }
    while (!records_.write_file_piece(report, tracked, {.view = &app, .members = members_})) {
      when_full_();
    }
  }
}

/// The flow is over without a datagram: what it leaves open is told as of its last one.
void Inspection::end_transactions(const FlowEnd& end) noexcept {
  Datagram datagram;
  datagram.time_ns = end.view.last_ns;
  datagram.clock_ns = end.clock_ns;
  datagram.number = end.last_number;
  datagram.capture_index = end.capture_index;
  datagram.ip_version = end.ip_version;
  datagram.protocol = end.protocol;
  datagram.origin = DatagramOrigin::stream_end;
  datagram.source = end.view.client;
  datagram.target = end.view.server;
  datagram.source_port = end.view.client_port;
  datagram.target_port = end.view.server_port;
  datagram.vlan_count = end.vlan_count;
  datagram.vlan_ids = end.vlan_ids;
  Tracked tracked;
  tracked.datagram = &datagram;
  tracked.flow = end.view;
  tracked.flow.id = FlowId(end.view.id.slot(), Direction::to_server);
  AppView app;
  app.protocol = protocols_.finished().front()->protocol;
  app.by_direction = {app.protocol, app.protocol};
  records_.set_flow_end(&end);
  write_transactions(tracked, app);
  records_.set_flow_end(nullptr);
}

/// A flow becomes another protocol: all that the old one has said is inspected first, without a
/// packet, the other direction before that of the datagram at hand. Source: Suricata's
/// StreamTcpDetectLogFlush.
void Inspection::inspect_what_is_left(const RuleSet& rules, const Tracked& tracked,
                                      const AppView& app) noexcept {
  const Direction direction = tracked.flow.id.direction();
  inspect_pseudo(rules, tracked, opposite(direction), app);
  inspect_pseudo(rules, tracked, direction, app);
}

void Inspection::inspect_pseudo(const RuleSet& rules, const Tracked& tracked, Direction direction,
                                const AppView& app) noexcept {
  Datagram datagram = *tracked.datagram;
  Tracked pseudo = tracked;
  pseudo.datagram = &datagram;
  pseudo.events.clear();
  pseudo.flow.id = FlowId(tracked.flow.id.slot(), direction);
  pseudo.flow.opened = false;
  pseudo.flow.stream_added = false;
  datagram.origin = DatagramOrigin::protocol_change;
  datagram.events.clear();
  datagram.payload = {};
  datagram.tcp_flags = tcp_ack;
  const bool is_own = direction == tracked.flow.id.direction();
  if (!is_own) {
    std::swap(datagram.source, datagram.target);
    std::swap(datagram.source_port, datagram.target_port);
  }
  detector_.inspect(rules, pseudo, is_own ? tracked_.chunks_of(tracked) : std::span<const Chunk>{},
                    &app, alerts_);
  write_alerts(rules, &app);
}

void Inspection::note_open_transactions(const Tracked& tracked, const AppView& app) noexcept {
  std::array<bool, 2> open{};
  for (const Transaction* const transaction : app.transactions) {
    for (const Direction direction : {Direction::to_server, Direction::to_client}) {
      open[static_cast<size_t>(direction)] |= !transaction->is_inspected_in(direction);
    }
  }
  flows_.note_open_transactions(tracked.flow.id, open);
}

void Inspection::write_alerts(const RuleSet& rules, const AppView* app) noexcept {
  const std::span<const Alert> alerts = alerts_.all();
  for (size_t i = 0; records_.stores_files() && i < alerts.size(); ++i) {
    if (!alerts[i].is_tagged_packet) {
      note_wishes_for_files(alerts[i], rules.infos()[alerts[i].rule_index]);
    }
  }
  for (size_t i = 0; i < alerts.size(); ++i) {
    const output::AppContext context = context_of(alerts[i], app);
    while (!records_.write_alert(alerts[i], alerts_.variables_of(i), context)) {
      when_full_();
    }
  }
  alerts_.clear();
}

output::AppContext Inspection::context_of(const Alert& alert, const AppView* app) noexcept {
  if (alert.transaction == nullptr || !shows_transactions_) {
    return {.view = app};
  }
  JsonWriter json(members_);
  protocols_.describe(*alert.transaction, json);
  protocols_.describe_files(*alert.transaction, alert.tracked->flow.id.direction(), json);
  return {.view = app, .members = members_};
}

void Inspection::write_flow_end(const FlowEnd& end, const AppView* app) noexcept {
  FlowEnd with_card;
  const FlowEnd* told = &end;
  if (bypass_ != nullptr && end.view.state == FlowState::bypassed) [[unlikely]] {
    with_card = end;
    bypass_->end(with_card);
    told = &with_card;
  }
  while (!records_.write_flow_end(*told, {}, {.view = app})) {
    when_full_();
  }
}

void Inspection::mark(const Packet& last) noexcept {
  write_mark(output::OrderKey::behind(captures_are_apart_ ? last.capture_index : 0, last.clock_ns,
                                      last.number));
}

void Inspection::mark(uint64_t clock_ns, uint64_t number) noexcept {
  write_mark(output::OrderKey::behind(0, clock_ns, number));
}

void Inspection::write_mark(const output::OrderKey& key) noexcept {
  while (!records_.write_mark(key)) {
    when_full_();
  }
}

void Inspection::use_rules(const RuleSet& rules) noexcept {
  detector_.use_rules(rules);
}

std::vector<CounterView> Inspection::counters() const {
  std::vector<CounterView> views = flows_.counters();
  for (const CounterView& view : protocols_.counters()) {
    views.push_back(view);
  }
  for (const CounterView& view : detector_.counters()) {
    views.push_back(view);
  }
  views.push_back(records_.counters());
  return views;
}

}  // namespace shrike::worker
