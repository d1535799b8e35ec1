#include <algorithm>

#include "detector.h"

/// What follows from matches: flow variables, alerts, verdicts, tags.
/// Suricata: DetectRunPostMatch, PacketAlertFinalize.
namespace shrike::detect {

namespace {

bool is_reject(Action action) noexcept {
  return action == Action::reject || action == Action::reject_source ||
         action == Action::reject_target || action == Action::reject_both;
}

/// Of one rule's matches in several transactions the last comes first (as in Suricata).
template <typename Match>
uint64_t id_of(const Match& match) noexcept {
  return match.transaction == nullptr ? UINT64_MAX : match.transaction->id;
}

/// Whatever it matched in, what the rule decides is about the whole flow.
bool is_about_flow(const CompiledRule& rule) noexcept {
  return rule.kind == VerifyKind::ip_only || rule.kind == VerifyKind::like_ip_only ||
         rule.kind == VerifyKind::protocol_detection || rule.app_protocol != AppProtocol::unknown;
}

}  // namespace

void Detector::State::apply(const Subject& subject, const Match& match) noexcept {
  const CompiledRule& rule = subject.tables->rules[match.rule];
  counts_.add(Count::matched);
  if (meter_.is_on()) [[unlikely]] {
    meter_.add_match(match.rule);
  }
  if (rule.post_count != 0) {
    run_posts(subject, rule);
  }
  if (match_count_ == matches_.size()) {
    counts_.add(Count::alert_queue_overflow);
    return;
  }
  matches_[match_count_++] = match;
}

void Detector::State::run_posts(const Subject& subject, const CompiledRule& rule) noexcept {
  if (subject.slot == nullptr) {
    return;
  }
  uint32_t& chain = subject.slot->variables;
  const auto value_of = [&](uint32_t integer) {
    const uint32_t* const value = variables_.find(chain, VariableKind::integer, integer);
    return value == nullptr ? 0 : *value;
  };
  const PostInstruction* const first = subject.tables->post_instructions.data() + rule.post_index;
  for (const PostInstruction* post = first; post != first + rule.post_count; ++post) {
    const uint32_t value = post->value_is_integer ? value_of(post->value) : post->value;
    uint32_t* const known = variables_.find(chain, VariableKind::integer, post->index);
    switch (post->opcode) {
      case PostOpcode::set_bit:
        variables_.set(chain, VariableKind::bit, post->index, 1);
        break;
      case PostOpcode::unset_bit:
        variables_.erase(chain, VariableKind::bit, post->index);
        break;
      case PostOpcode::toggle_bit:
        if (variables_.find(chain, VariableKind::bit, post->index) != nullptr) {
          variables_.erase(chain, VariableKind::bit, post->index);
        } else {
          variables_.set(chain, VariableKind::bit, post->index, 1);
        }
        break;
      case PostOpcode::integer_assign:
        variables_.set(chain, VariableKind::integer, post->index, value);
        break;
      case PostOpcode::integer_add:
      case PostOpcode::integer_subtract:
        if (known != nullptr) {  // nothing to count with before it was assigned
          *known += post->opcode == PostOpcode::integer_add ? value : 0 - value;
        }
        break;
      case PostOpcode::bypass:
        decide(subject, FlowVerdict::bypass);
        break;
    }
  }
}

/// Turns the matches of a datagram into alerts, best rule first, until a pass rule ends it.
void Detector::State::report(const Subject& subject, AlertBatch& alerts) noexcept {
  Match* const first = matches_.data();
  std::sort(first, first + match_count_, [](const Match& one, const Match& other) {
    return one.rule != other.rule ? one.rule < other.rule : id_of(one) > id_of(other);
  });
  gather_variables(subject);
  const uint32_t alerts_max = options_.alerts_per_packet_max;
  uint32_t logged = 0;
  for (const Match& match : std::span(first, match_count_)) {
    const CompiledRule& rule = subject.tables->rules[match.rule];
    if (rule.has_tag) {
      tags_.start(*subject.tables->infos[match.rule].tag, match.rule, *subject.datagram,
                  subject.slot == nullptr ? nullptr : &subject.slot->tags);
    }
    act_on_flow(subject, match, rule);
    const bool is_silent = rule.is_noalert || rule.action == Action::config;
    if (is_silent) {
      counts_.add(Count::alerts_suppressed);
      // Others act on such a match too: on host bits, or on the files that it asks for.
      const FileStoreWish& files = subject.tables->infos[match.rule].file_store;
      if (rule.has_host_bits || files.scope != FileStoreWish::Scope::none) {
        push(subject, match, rule, alerts);
      }
    } else if (logged < alerts_max) {
      push(subject, match, rule, alerts);
      // Those that the collector may yet hold back do not take another's place.
      logged += rule.has_thresholds || rule.has_host_bits ? 0 : 1;
      counts_.add(Count::alerts);
    } else {
      counts_.add(Count::alert_queue_overflow);
    }
    if (rule.action == Action::pass) {
      break;
    }
  }
}

void Detector::State::push(const Subject& subject, const Match& match, const CompiledRule& rule,
                           AlertBatch& alerts) noexcept {
  Alert alert;
  alert.rule_index = match.rule;
  alert.tracked = subject.tracked;
  alert.from_stream = match.chunk != nullptr;
  alert.stream_bytes = match.chunk != nullptr ? match.chunk->bytes : Bytes{};
  alert.is_silent = rule.is_noalert || rule.action == Action::config;
  alert.is_about_flow = is_about_flow(rule);
  alert.transaction = match.transaction;
  alert.drops = is_reject(rule.action) || (rule.action == Action::drop && options_.simulate_ips);
  alerts.push(alert, {bits_.data(), bit_count_}, {integers_.data(), integer_count_});
}

/// Pass and drop rules speak for the whole flow where they matched more than one packet's own
/// bytes. Source: Suricata rule types and their properties, "flow action".
void Detector::State::act_on_flow(const Subject& subject, const Match& match,
                                  const CompiledRule& rule) noexcept {
  const bool drops = is_reject(rule.action) || rule.action == Action::drop;
  const bool acts = rule.action == Action::pass || (drops && options_.simulate_ips);
  const bool is_wide =
      match.chunk != nullptr || rule.kind == VerifyKind::transaction || is_about_flow(rule);
  const bool is_for_flow =
      rule.scope == ActionScope::flow || (rule.scope == ActionScope::by_match && is_wide);
  if (acts && is_for_flow) {
    decide(subject, rule.action == Action::pass ? FlowVerdict::pass : FlowVerdict::drop);
  }
}

/// The first decision about a flow stands.
void Detector::State::decide(const Subject& subject, FlowVerdict verdict) noexcept {
  if (subject.slot == nullptr || subject.slot->verdict != FlowVerdict::inspect) {
    return;
  }
  subject.slot->verdict = verdict;
  decision_ = {subject.tracked->flow.id, verdict};
  has_decision_ = true;
}

void Detector::State::advance_tags(const Subject& subject, AlertBatch& alerts) noexcept {
  uint32_t* const chain = subject.slot == nullptr ? nullptr : &subject.slot->tags;
  if (tags_.advance(*subject.datagram, chain)) {
    Alert alert;
    alert.rule_index = no_index;
    alert.tracked = subject.tracked;
    alert.is_tagged_packet = true;
    alerts.push(alert, {}, {});
  }
}

void Detector::State::gather_variables(const Subject& subject) noexcept {
  bit_count_ = integer_count_ = 0;
  if (subject.slot == nullptr) {
    return;
  }
  variables_.for_each(subject.slot->variables,
                      [&](VariableKind kind, uint32_t number, uint32_t value) {
                        if (kind == VariableKind::bit) {
                          if (bit_count_ < bits_.size()) {
                            bits_[bit_count_++] = number;
                          }
                        } else if (integer_count_ < integers_.size()) {
                          integers_[integer_count_++] = {number, value};
                        }
                      });
}

Bytes header_bytes(const Datagram& datagram, Field field) noexcept {
  const auto transport = [&](uint8_t protocol, size_t bytes_max) {
    const bool is_there = datagram.has_transport && datagram.protocol == protocol;
    return is_there ? datagram.transport_header.first(
                          std::min(datagram.transport_header.size(), bytes_max))
                    : Bytes{};
  };
  const auto address = [&](const IpAddress& of_side) {
    const size_t bytes = datagram.ip_version == 4 ? 4 : datagram.ip_version == 6 ? 16 : 0;
    return Bytes{of_side.bytes.data(), bytes};
  };
  switch (field) {
    case Field::ipv4_hdr:
      return datagram.ip_version == 4 ? datagram.ip_header : Bytes{};
    case Field::ipv6_hdr: {
      // With the extension headers, which stand between it and the transport header.
      if (datagram.ip_version != 6) {
        return {};
      }
      const Bytes payload = datagram.ip_payload;
      const uint8_t* const behind = datagram.transport_header.data();
      const bool is_joined =
          datagram.ip_header.data() + datagram.ip_header.size() == payload.data();
      const bool has_end = behind >= payload.data() && behind <= payload.data() + payload.size();
      const size_t extensions = is_joined && has_end && behind != nullptr
                                    ? static_cast<size_t>(behind - payload.data())
                                    : 0;
      return {datagram.ip_header.data(), datagram.ip_header.size() + extensions};
    }
    case Field::ip_src:
      return address(datagram.source);
    case Field::ip_dst:
      return address(datagram.target);
    case Field::tcp_hdr:
      return transport(ip_protocol::tcp, SIZE_MAX);
    case Field::udp_hdr:
      return transport(ip_protocol::udp, 8);
    case Field::icmpv4_hdr:
      return transport(ip_protocol::icmp, 8);
    case Field::icmpv6_hdr:
      return transport(ip_protocol::icmpv6, 8);
    default:
      return {};
  }
}

void Detector::State::publish_counts() noexcept {
  const auto move = [&](Count count, uint64_t& value) {
    counts_.add(count, value);
    value = 0;
  };
  move(Count::scans, scanner_.scans);
  move(Count::bytes_scanned, scanner_.bytes_scanned);
  move(Count::literals_found, scanner_.literals_found);
  move(Count::recursion_limit_hits, verifier_.recursion_limit_hits);
  move(Count::pcre_limit_hits, verifier_.pcre_limit_hits);
  move(Count::variables_refused, variables_.refused);
  move(Count::captures_refused, captures_.refused);
  move(Count::tags_refused, tags_.refused);
  move(Count::states_refused, states_.refused);
  move(Count::values_refused, values_.values_refused);
  move(Count::datasets_refused, datasets_.refused);
  counts_.add(Count::transforms_refused, values_.take_scratch_refused());
}

CounterView Detector::State::counters() const noexcept {
  static constexpr std::array<CounterRow, Counters<Count>::count> rows{{
      {"detect.inspected", "datagrams", "Datagrams that met rules."},
      {"detect.skipped.not_ip", "datagrams", "No IP and no decode event: nothing to inspect."},
      {"detect.skipped.bypassed", "datagrams", "Of flows that are bypassed."},
      {"detect.skipped.passed", "datagrams", "Of flows that a pass rule or policy lets through."},
      {"detect.skipped.dropped", "datagrams", "Of flows that are dropped."},
      {"detect.transactions", "transactions", "Inspections of a transaction with news."},
      {"detect.scans", "scans", "Literal scans."},
      {"detect.bytes_scanned", "bytes", "Bytes given to literal scans."},
      {"detect.literals_found", "literals", "Finds of literal scans."},
      {"detect.candidates", "rules", "Rules whose literal was found where it may stand."},
      {"detect.verified", "rules", "Rules whose program was run, candidates and open ones."},
      {"detect.matched", "rules", "Rules that matched, silent ones too."},
      {"detect.alerts_found", "alerts", "Alerts handed on, before thresholds."},
      {"detect.alerts_suppressed", "alerts",
       "Matches of rules that log nothing, as noalert has it."},
      {"detect.alert_queue_overflow", "alerts", "Alerts dropped as a datagram had too many."},
      {"detect.recursion_limit", "rules", "Verifications that were given up as too long."},
      {"detect.pcre_limit", "expressions", "Expressions that hit a match limit: no match."},
      {"detect.variables_refused", "variables", "Flow bits or integers that found no room."},
      {"detect.captures_refused", "values", "Captured values that found no room."},
      {"detect.tags_refused", "tags", "Tags that found no room."},
      {"detect.states_refused", "rules", "Partial matches that found no room."},
      {"detect.values_refused", "values", "Values beyond what is inspected of a transaction."},
      {"detect.transforms_refused", "values", "Transformed values that found no room."},
      {"detect.datasets_refused", "keys", "Keys that rules set and that found no room."},
  }};
  return counts_.view(rows);
}

}  // namespace shrike::detect
