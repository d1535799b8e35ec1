#include <algorithm>

#include "availability.h"
#include "validate.h"

namespace shrike::rule {

namespace {

constexpr size_t tcp = 6;

/// What the buffers of the rule are of.
struct BufferFacts {
  bool has_payload = false;  ///< Suricata's PMATCH: contents and the like of packet or stream
  bool has_positioned_content = false;  ///< one of them with depth, offset or startswith
  bool has_packet_field = false;        ///< header buffers
  bool has_app_field = false;
  bool has_frame = false;
  bool has_to_server_field = false;
  bool has_to_client_field = false;
};

bool is_packet_field(Field field) {
  switch (field) {
    case Field::ipv4_hdr:
    case Field::ipv6_hdr:
    case Field::tcp_hdr:
    case Field::udp_hdr:
    case Field::icmpv4_hdr:
    case Field::icmpv6_hdr:
    case Field::ip_src:
    case Field::ip_dst:
    case Field::ether_hdr:
    case Field::igmp_hdr:
    case Field::sctp_hdr:
    case Field::sctp_chunk_data:
      return true;
    default:
      return false;
  }
}

/// Checks that Suricata does not count as looking into the payload.
bool is_packet_check(const BufferCheck& check) {
  return std::holds_alternative<Rpc>(check) || std::holds_alternative<Asn1>(check);
}

BufferFacts facts_of(Builder& builder) {
  BufferFacts facts;
  for (const Builder::Node& node : builder.nodes()) {
    const Field field = builder.lists()[node.list].field;
    if (field == Field::base64_data) continue;
    if (field == Field::payload) {
      if (is_packet_check(node.check)) continue;
      facts.has_payload = true;
      const auto* const content = std::get_if<Content>(&node.check);
      facts.has_positioned_content |=
          content != nullptr && (content->depth || content->offset || content->starts_with);
      continue;
    }
    facts.has_frame |= field == Field::frame;
    facts.has_packet_field |= is_packet_field(field);
    facts.has_app_field |= field != Field::frame && !is_packet_field(field);
    facts.has_to_server_field |= row_of(field).directions == FieldDirections::to_server;
    facts.has_to_client_field |= row_of(field).directions == FieldDirections::to_client;
  }
  return facts;
}

/// Fields of one direction tie the rule to it. Source: Suricata, SigValidateCheckBuffers.
void settle_direction(Builder& builder, const BufferFacts& buffers) {
  const KindFacts& facts = builder.facts();
  Rule& rule = builder.rule();
  if (rule.header.is_transactional) return;
  const bool to_server = facts.to_server || buffers.has_to_server_field;
  const bool to_client = facts.to_client || buffers.has_to_client_field;
  if (to_server && to_client) {
    builder.report().error(rule.position, "direction-conflict",
                           "the rule has keywords of both directions; write two rules, or '=>' "
                           "for a whole transaction");
  }
  rule.only_to_server = to_server;
  rule.only_to_client = to_client;
}

void check_mix(Builder& builder, const BufferFacts& buffers) {
  const KindFacts& facts = builder.facts();
  if (facts.requires_packet && facts.requires_stream) {
    builder.report().error(builder.rule().position, "packet-stream",
                           "keywords of packets cannot stand beside tcp-stream or "
                           "flow:only_stream; write two rules");
  }
  if (facts.requires_packet && (buffers.has_app_field || buffers.has_frame)) {
    builder.report().error(builder.rule().position, "packet-application",
                           "keywords of packets (dsize, flags, ttl …) cannot stand beside buffers "
                           "of an application layer; write two rules");
  }
  if (buffers.has_frame &&
      (buffers.has_app_field || buffers.has_payload || buffers.has_packet_field)) {
    builder.report().error(builder.rule().position, "packet-application",
                           "a frame cannot stand beside other buffers or payload contents; write "
                           "two rules");
  }
}

RuleKind kind_of(const Rule& rule, const KindFacts& facts, const BufferFacts& buffers) {
  const bool is_app = rule.header.app_protocol != AppProtocol::unknown;
  const bool has_buffers = buffers.has_app_field || buffers.has_packet_field || buffers.has_frame;
  const bool is_plain = !is_app && !buffers.has_payload && !has_buffers && !facts.has_app_event;
  const bool has_one_direction = facts.to_server != facts.to_client;
  if (is_app && (facts.has_progress || !rule.header.hook.empty())) return RuleKind::app_transaction;
  if (is_plain && facts.has_protocol_check && facts.is_protocol_only) {
    return RuleKind::protocol_detection_only;
  }
  if (is_plain && facts.is_ip_only && !has_one_direction) {
    const bool is_negated = rule.header.source.has_negation || rule.header.target.has_negation;
    return is_negated ? RuleKind::like_ip_only : RuleKind::ip_only;
  }
  if (is_plain && facts.has_event && facts.is_decode_only) return RuleKind::decode_event;
  if (buffers.has_frame || buffers.has_app_field) return RuleKind::app_transaction;
  if (buffers.has_packet_field) return RuleKind::packet;
  if (facts.has_app_event) return RuleKind::app_event;
  if (buffers.has_payload) {
    if (rule.needs_packet == rule.needs_stream) return RuleKind::packet_and_stream;
    return rule.needs_packet ? RuleKind::packet : RuleKind::stream;
  }
  if (facts.has_match || !is_app) return RuleKind::packet;
  return RuleKind::app_event;
}

/// The first field nothing fills yet; else the reason a keyword gave; else the protocol.
void settle_dormancy(Builder& builder) {
  Rule& rule = builder.rule();
  if (builder.context().options.assume_inspected) return;
  for (const Builder::Node& node : builder.nodes()) {
    const Field field = builder.lists()[node.list].field;
    const auto* const waiting = std::get_if<NotInspected>(&node.check);
    if (is_available(field) && waiting == nullptr) continue;
    rule.dormant_reason = is_available(field) ? "keyword " + waiting->keyword
                                              : "field " + std::string(to_text(field));
    return;
  }
  const AppProtocol protocol = rule.header.app_protocol;
  if (!is_available(protocol)) builder.set_dormant("protocol " + std::string(to_text(protocol)));
}

}  // namespace

void settle_kind(Builder& builder) {
  Rule& rule = builder.rule();
  KindFacts& facts = builder.facts();
  const BufferFacts buffers = facts_of(builder);
  settle_direction(builder, buffers);
  check_mix(builder, buffers);
  rule.needs_packet = facts.requires_packet;
  rule.needs_stream = facts.requires_stream;
  const bool is_open = !rule.needs_packet && !rule.needs_stream;
  if (rule.header.ip_protocols[tcp] && buffers.has_payload && is_open) {
    rule.needs_stream = true;
    rule.needs_packet = buffers.has_positioned_content || facts.has_stream_size;
  }
  rule.kind = kind_of(rule, facts, buffers);
  settle_dormancy(builder);
}

}  // namespace shrike::rule
