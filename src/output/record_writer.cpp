#include <algorithm>
#include <cstring>
#include <utility>

#include "record.h"
#include "shrike/base/check.h"

namespace shrike::output {

namespace {

/// Flow variables a record carries at most; a rule set that sets more on one flow is absurd.
constexpr size_t bits_max = 1024;
constexpr size_t integers_max = 512;
/// What a record needs without the bytes that options ask for.
constexpr size_t base_bytes_max = 16384;
/// What a transaction says of itself at most; a longer text is left out, as half of it is no JSON.
constexpr size_t members_bytes_max = 131072;
/// Of a frame without IP: what fast.log shows.
constexpr size_t frame_head_bytes = 32;
constexpr size_t ethernet_header_bytes = 14;

constexpr CounterRow rows[] = {
    {"output.records", "records", "records that workers handed to the collector"},
    {"output.records_dropped", "records", "records lost because the collector was too slow"},
    {"output.marks_dropped", "records",
     "progress marks lost the same way; the next one replaces it"},
};

Bytes bytes_of(const auto& value) noexcept {
  return {reinterpret_cast<const uint8_t*>(&value), sizeof value};
}

template <typename T>
Bytes bytes_of_span(std::span<const T> values, size_t values_max) noexcept {
  const std::span<const T> kept = values.first(std::min(values.size(), values_max));
  return {reinterpret_cast<const uint8_t*>(kept.data()), kept.size_bytes()};
}

bool has_ports(const Datagram& datagram) noexcept {
  return (datagram.has_transport || datagram.is_pseudo()) &&
         (datagram.protocol == ip_protocol::tcp || datagram.protocol == ip_protocol::udp ||
          datagram.protocol == ip_protocol::sctp);
}

bool is_icmp(uint8_t protocol) noexcept {
  return protocol == ip_protocol::icmp || protocol == ip_protocol::icmpv6;
}

/// The protocol that Suricata names: what it decoded; a fragment of IPv6 by its fragment header,
/// whatever stands before that.
uint8_t named_protocol(const Datagram& datagram) noexcept {
  constexpr uint8_t ipv6_fragment_header = 44;
  return datagram.ip_version == 6 && datagram.is_fragment ? ipv6_fragment_header
                                                          : datagram.protocol;
}

void copy_ethernet(const Datagram& datagram, DatagramSection& section) noexcept {
  section.link_type = datagram.packet != nullptr ? datagram.packet->link_type : LinkType::unknown;
  if (section.link_type != LinkType::ethernet || datagram.frame.size() < ethernet_header_bytes) {
    return;
  }
  section.has_ethernet = true;
  std::memcpy(section.ethernet_target.data(), datagram.frame.data(), 6);
  std::memcpy(section.ethernet_source.data(), datagram.frame.data() + 6, 6);
}

/// Inner and rebuilt datagrams are shown without the frame that is not theirs.
bool shows_raw_ip(const Datagram& datagram) noexcept {
  return datagram.ip_version != 0 &&
         (datagram.origin != DatagramOrigin::wire || datagram.depth != 0 || datagram.frame.empty());
}

DatagramSection section_of(const Datagram& datagram) noexcept {
  DatagramSection section;
  section.time_ns = datagram.time_ns;
  section.number = datagram.number;
  section.source = datagram.source;
  section.target = datagram.target;
  section.source_port = datagram.source_port;
  section.target_port = datagram.target_port;
  section.capture_index = datagram.capture_index;
  section.ip_version = datagram.ip_version;
  section.protocol = named_protocol(datagram);
  section.flow_protocol = is_icmp(datagram.protocol) && datagram.embedded.ip_version != 0
                              ? datagram.embedded.protocol
                              : datagram.protocol;
  section.icmp_type = datagram.icmp_type;
  section.icmp_code = datagram.icmp_code;
  section.depth = datagram.depth;
  section.vlan_count = datagram.vlan_count;
  section.vlan_ids = datagram.vlan_ids;
  section.has_ports = has_ports(datagram);
  section.has_icmp = datagram.has_transport && is_icmp(datagram.protocol);
  section.frame_is_raw_ip = shows_raw_ip(datagram);
  section.origin = datagram.origin;
  copy_ethernet(datagram, section);
  return section;
}

/// EVE's tunnel object names the outermost datagram of the frame. A rebuilt one counts the
/// fragment that completed it as what carried it, as in Suricata.
bool carrier_of(const Datagram& datagram, CarrierSection& section) noexcept {
  if (datagram.carrier == nullptr && datagram.origin != DatagramOrigin::defrag) {
    return false;
  }
  const Datagram* root = &datagram;
  for (unsigned i = 0; root->carrier != nullptr && i < limits::layers_max; ++i) {
    root = root->carrier;
  }
  const bool is_rebuilt = root->origin == DatagramOrigin::defrag;
  section.number = root->number;
  section.source = root->source;
  section.target = root->target;
  section.source_port = !is_rebuilt && has_ports(*root) ? root->source_port : uint16_t{0};
  section.target_port = !is_rebuilt && has_ports(*root) ? root->target_port : uint16_t{0};
  section.ip_version = root->ip_version;
  constexpr uint8_t ipv6_fragment_header = 44;
  section.protocol =
      is_rebuilt && root->ip_version == 6 ? ipv6_fragment_header : named_protocol(*root);
  section.origin = DatagramOrigin::wire;
  return true;
}

AppSection section_of(const AppView& view) noexcept {
  return {.protocol = view.protocol,
          .by_direction = view.by_direction,
          .original = view.original,
          .expected = view.expected};
}

/// The tuple of a record about one direction of a flow, whichever way its last datagram went.
void turn_to(Direction direction, const Tracked& tracked, DatagramSection& section) noexcept {
  if (tracked.flow.id.direction() != direction) {
    std::swap(section.source, section.target);
    std::swap(section.source_port, section.target_port);
  }
}

bool wants_event(const AnomalyTypes& types, const Anomaly& anomaly) noexcept {
  if (std::holds_alternative<DecodeEvent>(anomaly.event)) {
    return types.decode;
  }
  return std::holds_alternative<StreamEvent>(anomaly.event) ? types.stream : types.application;
}

}  // namespace

/// A record before it is written: its head and where its sections come from.
struct RecordWriter::Draft {
  struct Part {
    SectionKind kind;
    Bytes first;
    Bytes second;  ///< follows the first without a gap
    [[nodiscard]] size_t bytes() const noexcept { return first.size() + second.size(); }
  };

  RecordHead head;
  std::array<Part, 12> parts;
  size_t count = 0;
  size_t bytes = padded(sizeof(RecordHead));
  AppSection app;  ///< what `add_app` adds

  /// Of the flow that the record is about; nothing where it has no application layer.
  void add_app(const AppView* view) noexcept {
    if (view != nullptr) {
      app = section_of(*view);
      add(SectionKind::app, bytes_of(app));
    }
  }
  void add(SectionKind kind, Bytes first, Bytes second = {}) noexcept {
    parts[count++] = {kind, first, second};
    bytes += sizeof(SectionHead) + padded(first.size() + second.size());
  }
  /// Adds what fits the ring: a long frame in a small ring is cut.
  void add_some(SectionKind kind, size_t record_bytes_max, Bytes first,
                Bytes second = {}) noexcept {
    if (bytes + sizeof(SectionHead) >= record_bytes_max) {
      return;
    }
    const size_t room = record_bytes_max - bytes - sizeof(SectionHead);
    const size_t whole_room = room & ~size_t{7};
    first = first.first(std::min(first.size(), whole_room));
    second = second.first(std::min(second.size(), whole_room - first.size()));
    add(kind, first, second);
  }
};

RecordWriter::RecordWriter(const RecordOptions& options, RecordRing& ring) noexcept
    : options_(options), ring_(&ring) {
  check(ring.record_bytes_max() >= base_bytes_max, "a ring has room for records");
}

/// The head of a record about a datagram; records of the same datagram are numbered.
RecordHead RecordWriter::head_for(const Tracked& tracked, RecordKind kind) const noexcept {
  const Datagram& datagram = *tracked.datagram;
  RecordHead head = {
      .key = {.capture_index = options_.per_capture ? datagram.capture_index : 0,
              .clock_ns = datagram.clock_ns,
              .phase = datagram.origin == DatagramOrigin::stream_end ? OrderKey::Phase::flow_ends
                                                                     : OrderKey::Phase::frames,
              .number = datagram.number,
              .order = datagram.order,
              .flow_id = tracked.flow.id.exists() ? tracked.flow.eve_id : 0,
              .sequence = 0},
      .generation = generation_,
      .kind = kind};
  if (flow_end_ != nullptr) {
    head.key.clock_ns = flow_end_->clock_ns;
    head.key.phase = OrderKey::Phase::flow_ends;
    head.key.number = flow_end_->last_number;
    head.key.order = 254;  // before the end itself
  }
  OrderKey same = head.key;
  same.sequence = last_key_.sequence;
  if (has_last_key_ && same == last_key_) {
    head.key.sequence = last_key_.sequence + 1;
  }
  return head;
}

bool RecordWriter::write_transaction(const Transaction& transaction, const Tracked& tracked,
                                     const AppContext& app) noexcept {
  if (!wants(transaction.protocol)) {
    return true;
  }
  Draft draft;
  draft.head = head_for(tracked, RecordKind::transaction);
  DatagramSection datagram_section = section_of(*tracked.datagram);
  turn_to(Direction::to_server, tracked, datagram_section);
  const AlertSection alert_section{.tx_id = transaction.id, .has_tx = true};
  const AppSection app_section{.protocol = transaction.protocol};
  draft.add(SectionKind::datagram, bytes_of(datagram_section));
  draft.add(SectionKind::alert, bytes_of(alert_section));
  draft.add(SectionKind::flow, bytes_of(tracked.flow));
  draft.add(SectionKind::app, bytes_of(app_section));
  add_members(draft, app.members);
  return commit_numbered(draft);
}

bool RecordWriter::write_file(const FileReport& file, const Tracked& tracked,
                              const AppContext& app) noexcept {
  if (!options_.files) {
    return true;
  }
  Draft draft;
  if (!has_room(draft, file.members)) {  // a line without it would say nothing
    counters_.add(Counter::dropped);
    return true;
  }
  draft.head = head_for(tracked, RecordKind::file);
  DatagramSection datagram_section = section_of(*tracked.datagram);
  turn_to(file.direction, tracked, datagram_section);
  draft.add(SectionKind::datagram, bytes_of(datagram_section));
  draft.add(SectionKind::flow, bytes_of(tracked.flow));
  draft.add_app(app.view);
  draft.add(SectionKind::file_members, as_bytes(file.members));
  add_members(draft, app.members);
  return commit_numbered(draft);
}

bool RecordWriter::write_file_piece(const FilePieceReport& piece, const Tracked& tracked,
                                    const AppContext& app) noexcept {
  Draft draft;
  draft.head = head_for(tracked, RecordKind::file_piece);
  DatagramSection datagram_section = section_of(*tracked.datagram);
  turn_to(piece.file.direction, tracked, datagram_section);
  const FilePieceSection section{
      .file_id = piece.file_id, .offset = piece.offset, .is_end = piece.is_end};
  draft.add(SectionKind::datagram, bytes_of(datagram_section));
  draft.add(SectionKind::flow, bytes_of(tracked.flow));
  draft.add(SectionKind::file_piece, bytes_of(section));
  draft.add(SectionKind::file_bytes, piece.bytes);
  draft.add_app(app.view);
  if (!piece.file.members.empty() && has_room(draft, piece.file.members)) {
    draft.add(SectionKind::file_members, as_bytes(piece.file.members));
  }
  add_members(draft, app.members);
  return commit_numbered(draft);
}

bool RecordWriter::write_anomaly(const Anomaly& anomaly, const Tracked& tracked) noexcept {
  if (!wants_event(options_.anomalies, anomaly)) {
    return true;
  }
  Draft draft;
  draft.head = head_for(tracked, RecordKind::anomaly);
  const DatagramSection datagram_section = section_of(*tracked.datagram);
  const bool has_tx = anomaly.transaction != nullptr;
  const AlertSection alert_section{.tx_id = has_tx ? anomaly.transaction->id : 0, .has_tx = has_tx};
  const AnomalySection anomaly_section{.event = anomaly.event, .protocol = anomaly.protocol};
  draft.add(SectionKind::datagram, bytes_of(datagram_section));
  draft.add(SectionKind::alert, bytes_of(alert_section));
  draft.add(SectionKind::anomaly, bytes_of(anomaly_section));
  if (tracked.flow.id.exists()) {
    draft.add(SectionKind::flow, bytes_of(tracked.flow));
  }
  return commit_numbered(draft);
}

bool RecordWriter::has_room(const Draft& draft, std::string_view members) const noexcept {
  return members.size() <= members_bytes_max &&
         draft.bytes + members.size() + base_bytes_max <= ring_->record_bytes_max();
}

void RecordWriter::add_members(Draft& draft, std::string_view members) const noexcept {
  if (!members.empty() && has_room(draft, members)) {
    draft.add(SectionKind::app_members, as_bytes(members));
  }
}

bool RecordWriter::commit_numbered(const Draft& draft) noexcept {
  if (!commit(draft, Counter::dropped)) {
    return false;
  }
  last_key_ = draft.head.key;
  has_last_key_ = true;
  return true;
}

bool RecordWriter::write_alert(const Alert& alert, const FlowVariables& variables,
                               const AppContext& app) noexcept {
  if (alert.is_tagged_packet && !options_.tagged_packets) {
    return true;
  }
  const Datagram& datagram = *alert.tracked->datagram;
  const FlowView& flow = alert.tracked->flow;
  Draft draft;
  draft.head = head_for(*alert.tracked,
                        alert.is_tagged_packet ? RecordKind::tagged_packet : RecordKind::alert);

  const DatagramSection datagram_section = section_of(datagram);
  const bool has_tx = alert.transaction != nullptr;
  const AlertSection alert_section{.tx_id = has_tx ? alert.transaction->id : 0,
                                   .rule_index = alert.rule_index,
                                   .from_stream = alert.from_stream,
                                   .is_silent = alert.is_silent,
                                   .drops = alert.drops,
                                   .has_tx = has_tx,
                                   .is_about_flow = alert.is_about_flow};
  CarrierSection carrier;
  draft.add(SectionKind::datagram, bytes_of(datagram_section));
  draft.add(SectionKind::alert, bytes_of(alert_section));
  if (flow.id.exists()) {
    draft.add(SectionKind::flow, bytes_of(flow));
    draft.add(SectionKind::flow_bits, bytes_of_span(variables.bits, bits_max));
    draft.add(SectionKind::flow_integers, bytes_of_span(variables.integers, integers_max));
  }
  if (carrier_of(datagram, carrier)) {
    draft.add(SectionKind::carrier, bytes_of(carrier));
  }
  draft.add_app(app.view);
  add_members(draft, app.members);
  if (options_.packet_payload) {
    const size_t kept = std::min<size_t>(alert.stream_bytes.size(), options_.stream_bytes_max);
    draft.add_some(SectionKind::stream_bytes, ring_->record_bytes_max(),
                   alert.stream_bytes.first(kept));
    draft.add_some(SectionKind::payload, ring_->record_bytes_max(), datagram.payload);
  }
  if (options_.frame || alert.is_tagged_packet) {
    datagram_section.frame_is_raw_ip
        ? draft.add_some(SectionKind::frame, ring_->record_bytes_max(), datagram.ip_header,
                         datagram.ip_payload)
        : draft.add_some(SectionKind::frame, ring_->record_bytes_max(), datagram.frame);
  } else if (datagram.ip_version == 0) {
    const size_t kept = std::min(datagram.frame.size(), frame_head_bytes);
    draft.add(SectionKind::frame, datagram.frame.first(kept));
  }
  return commit_numbered(draft);
}

bool RecordWriter::write_flow_end(const FlowEnd& end, const FlowVariables& variables,
                                  const AppContext& app) noexcept {
  if (!options_.flow_ends) {
    return true;
  }
  Draft draft;
  draft.head = {.key = {.capture_index = options_.per_capture ? end.capture_index : 0,
                        .clock_ns = end.clock_ns,
                        .phase = OrderKey::Phase::flow_ends,
                        .number = end.last_number,
                        .order = 255,
                        .flow_id = end.view.eve_id,
                        .sequence = 0},
                .generation = generation_,
                .kind = RecordKind::flow_end};
  draft.add(SectionKind::flow_end, bytes_of(end));
  draft.add(SectionKind::flow_bits, bytes_of_span(variables.bits, bits_max));
  draft.add(SectionKind::flow_integers, bytes_of_span(variables.integers, integers_max));
  draft.add_app(app.view);
  return commit(draft, Counter::dropped);
}

bool RecordWriter::write_mark(const OrderKey& key) noexcept {
  Draft draft;
  draft.head = {.key = key, .generation = generation_, .kind = RecordKind::mark};
  return commit(draft, Counter::marks_dropped);
}

bool RecordWriter::commit(const Draft& draft, Counter if_dropped) noexcept {
  const std::span<std::byte> place = ring_->claim(draft.bytes);
  if (place.data() == nullptr) {
    if (options_.drop_when_full) {
      counters_.add(if_dropped);
    }
    return options_.drop_when_full;
  }
  std::memcpy(place.data(), &draft.head, sizeof draft.head);
  size_t at = padded(sizeof draft.head);
  for (const Draft::Part& part : std::span(draft.parts).first(draft.count)) {
    const SectionHead section{.kind = part.kind, .bytes = static_cast<uint32_t>(part.bytes())};
    std::memcpy(place.data() + at, &section, sizeof section);
    at += sizeof section;
    if (!part.first.empty()) {
      std::memcpy(place.data() + at, part.first.data(), part.first.size());
    }
    if (!part.second.empty()) {
      std::memcpy(place.data() + at + part.first.size(), part.second.data(), part.second.size());
    }
    at += padded(part.bytes());
  }
  ring_->publish();
  if (draft.head.kind != RecordKind::mark) {
    counters_.add(Counter::written);
  }
  return true;
}

CounterView RecordWriter::counters() const noexcept {
  return counters_.view(rows);
}

}  // namespace shrike::output
