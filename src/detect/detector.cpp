#include "detector.h"

#include <algorithm>
#include <unordered_map>

namespace shrike::detect {

namespace {

/// The transaction that EVE shows with a match in a UDP datagram of a rule for its protocol: the
/// first that is not over yet. Suricata: DetectRulePacketRules.
const Transaction* transaction_of(const Subject& subject, const CompiledRule& rule) noexcept {
  if (rule.app_protocol == AppProtocol::unknown || subject.app == nullptr ||
      subject.datagram->protocol != ip_protocol::udp) {
    return nullptr;
  }
  const auto direction = static_cast<size_t>(subject.tracked->flow.id.direction());
  for (const Transaction* const transaction : subject.app->transactions) {
    if (!transaction->notes[direction].is_done) {
      return transaction;
    }
  }
  return nullptr;
}

}  // namespace

Detector::Detector(const DetectorOptions& options) : state_(std::make_unique<State>(options)) {}
Detector::~Detector() = default;
Detector::Detector(Detector&&) noexcept = default;

void Detector::inspect(const RuleSet& rules, const Tracked& tracked, std::span<const Chunk> chunks,
                       const AppView* app, AlertBatch& alerts) noexcept {
  state_->inspect(rules, tracked, chunks, app, alerts);
}

void Detector::use_rules(const RuleSet& rules) noexcept {
  state_->use_rules(rules);
}

void Detector::use_costs(RuleCosts* costs) noexcept {
  state_->use_costs(costs);
}

void Detector::begin_batch() noexcept {
  state_->begin_batch();
}

void Detector::reset() noexcept {
  state_->reset();
}

std::span<const FlowDecision> Detector::decisions() const noexcept {
  return state_->decisions();
}

std::vector<CounterView> Detector::counters() const {
  return {state_->counters()};
}

Detector::State::State(const DetectorOptions& options)
    : options_(options),
      verifier_({options.recursion_limit, options.pcre_match_limit, options.pcre_recursion_limit},
                datasets_),
      values_(options.pcre_match_limit, options.pcre_recursion_limit),
      states_(limits::rule_state_blocks_max),
      variables_(limits::variable_blocks_max),
      captures_(limits::capture_blocks_max),
      checker_(variables_, captures_, packet_variables_),
      slots_(new FlowSlot[std::max(1u, options.flow_slots)]),
      meter_(options.sample_batches) {}

void Detector::State::reset() noexcept {
  slots_used_ = 0;
  variables_.clear();
  captures_.clear();
  tags_.clear();
  states_.clear();
}

/// Takes up another rule set: scratch, and the numbers of variables that flows carry on.
void Detector::State::take_up(const RuleTables& tables) {
  std::unordered_map<std::string, uint32_t> bits;
  std::unordered_map<std::string, uint32_t> integers;
  for (uint32_t i = 0; i < tables.bit_names.size(); ++i) {
    bits.emplace(tables.bit_names[i], i);
  }
  for (uint32_t i = 0; i < tables.integer_names.size(); ++i) {
    integers.emplace(tables.integer_names[i], i);
  }
  const auto translate = [&](VariableKind kind, uint32_t number) {
    const auto& names = kind == VariableKind::bit ? bit_names_ : integer_names_;
    const auto& numbers = kind == VariableKind::bit ? bits : integers;
    const auto at = number < names.size() ? numbers.find(names[number]) : numbers.end();
    return at == numbers.end() ? VariablePool::none : at->second;
  };
  for (uint32_t slot = 0; slot < slots_used_; ++slot) {
    slots_[slot].groups = {FlowSlot::no_group, FlowSlot::no_group};
    variables_.renumber(slots_[slot].variables, translate);
    captures_.release(slots_[slot].captures);
    tags_.release(slots_[slot].tags);
    states_.release(slots_[slot].states);
    slots_[slot].has_app_news = {true, true};
  }
  tags_.clear();
  datasets_.clear();
  bit_names_ = tables.bit_names;
  integer_names_ = tables.integer_names;
  scanner_.take_up(tables);
  app_index_.take_up(tables);
  payload_candidates_.assign(tables.rules.size(), 0);
  generation_ = tables.generation;
  meter_.take_up(generation_);
}

void Detector::State::use_rules(const RuleSet& rules) noexcept {
  if (rules.generation() != generation_) [[unlikely]] {
    take_up(rules.tables());
  }
}

void Detector::State::inspect(const RuleSet& rules, const Tracked& tracked,
                              std::span<const Chunk> chunks, const AppView* app,
                              AlertBatch& alerts) noexcept {
  const uint64_t began = meter_.is_on() ? CostMeter::now() : 0;
  has_decision_ = false;
  use_rules(rules);
  Subject subject;
  subject.tables = &rules.tables();
  subject.tracked = &tracked;
  subject.datagram = tracked.datagram;
  subject.chunks = chunks;
  subject.app = app;
  subject.slot = slot_of(tracked);
  if (subject.slot != nullptr && app != nullptr && app->has_changed) {
    subject.slot->has_app_news = {true, true};
    subject.slot->has_app_data[0] |= app->has_data[0];
    subject.slot->has_app_data[1] |= app->has_data[1];
  }
  if (should_inspect(subject)) {
    inspect_one(subject, alerts);
  } else {
    give_up_transactions(subject);
  }
  publish_counts();
  if (meter_.is_on()) [[unlikely]] {
    meter_.add_datagram(began);
  }
}

/// The slot of the datagram's flow, made new where the flow just opened; null without a flow.
FlowSlot* Detector::State::slot_of(const Tracked& tracked) noexcept {
  if (!tracked.flow.id.exists() || tracked.flow.id.slot() >= options_.flow_slots) {
    return nullptr;
  }
  const uint32_t index = tracked.flow.id.slot();
  for (; slots_used_ <= index; ++slots_used_) {
    slots_[slots_used_] = FlowSlot::fresh(0);
  }
  FlowSlot& slot = slots_[index];
  if (tracked.flow.opened) {
    variables_.release(slot.variables);
    captures_.release(slot.captures);
    tags_.release(slot.tags);
    states_.release(slot.states);
    slot = FlowSlot::fresh(tracked.datagram->protocol);
  }
  return &slot;
}

bool Detector::State::should_inspect(const Subject& subject) noexcept {
  const FlowVerdict by_flow = subject.tracked->flow.verdict;
  const FlowVerdict verdict = by_flow != FlowVerdict::inspect ? by_flow
                              : subject.slot != nullptr       ? subject.slot->verdict
                                                              : FlowVerdict::inspect;
  switch (verdict) {
    case FlowVerdict::inspect:
      break;
    case FlowVerdict::bypass:
      counts_.add(Count::skipped_bypassed);
      return false;
    case FlowVerdict::pass:
      counts_.add(Count::skipped_passed);
      return false;
    case FlowVerdict::drop:
    case FlowVerdict::reject:
      counts_.add(Count::skipped_dropped);
      return false;
  }
  if (subject.datagram->ip_version == 0 && subject.datagram->events.empty()) {
    counts_.add(Count::skipped_not_ip);
    return false;
  }
  counts_.add(Count::inspected);
  return true;
}

void Detector::State::inspect_one(Subject& subject, AlertBatch& alerts) noexcept {
  const Datagram& datagram = *subject.datagram;
  const bool has_payload =
      datagram.has_transport && !datagram.carries_inner && !datagram.is_pseudo();
  static constexpr uint8_t nothing = 0;
  if (has_payload) {
    // An empty payload is still a buffer: negated contents match in it.
    subject.payload = datagram.payload.data() != nullptr ? datagram.payload : Bytes{&nothing, 0};
  }
  subject.facts = facts_of(*subject.tracked, subject.app, subject.payload.size());
  note_identification(subject);
  match_count_ = payload_candidate_count_ = 0;
  packet_variables_.clear();

  if (datagram.ip_version != 0 && !datagram.is_pseudo()) {
    run_address_rules(subject);
  }
  const RuleGroup& group = subject.tables->groups[group_of_subject(subject)];
  scanner_.begin(subject.facts);
  measure_scan([&] { scan(subject, group); });
  run_rules(subject, group);
  run_transactions(subject);
  if (match_count_ != 0) {
    report(subject, alerts);
  }
  if (!tags_.empty() && !datagram.is_pseudo()) {
    advance_tags(subject, alerts);
  }
}

uint16_t Detector::State::group_of_subject(const Subject& subject) const noexcept {
  const FlowId id = subject.tracked->flow.id;
  if (subject.slot == nullptr) {
    return group_of(*subject.tables, *subject.datagram,
                    id.exists() ? id.direction() : Direction::to_server);
  }
  // An ICMP error may be tied to the flow that it speaks of: it does not meet that flow's rules.
  if (subject.datagram->protocol != subject.slot->protocol) {
    return group_of(*subject.tables, *subject.datagram, id.direction());
  }
  uint16_t& known = subject.slot->groups[subject.tracked->flow.sender()];
  if (known == FlowSlot::no_group) {
    known = group_of(*subject.tables, *subject.datagram, id.direction());
  }
  return known;
}

/// Rules that addresses decide: once for each sender in a flow, else for each datagram.
void Detector::State::run_address_rules(const Subject& subject) noexcept {
  if (subject.slot != nullptr) {
    bool& is_done = subject.slot->address_rules_done[subject.tracked->flow.sender()];
    if (is_done) {
      return;
    }
    is_done = true;
  }
  const RuleTables& tables = *subject.tables;
  const Datagram& datagram = *subject.datagram;
  const auto by_source = tables.address_only_source.find(datagram.source, datagram.ip_version);
  const auto by_target = tables.address_only_target.find(datagram.target, datagram.ip_version);
  const auto run = [&](const uint32_t* first, const uint32_t* last) {
    for (; first != last; ++first) {
      measure_rule(*first, [&] { check_address_rule(subject, *first); });
    }
  };
  run(by_source.first, by_source.last);
  run(by_target.first, by_target.last);
  run(tables.address_only_any.data(),
      tables.address_only_any.data() + tables.address_only_any.size());
}

/// What these rules need is checked by address and header alone (as in Suricata).
void Detector::State::check_address_rule(const Subject& subject, uint32_t index) noexcept {
  const CompiledRule& rule = subject.tables->rules[index];
  if (PacketChecker::header_matches(subject, rule) && needs_ip_version(subject, rule) &&
      checker_.checks_match(subject, rule)) {
    apply(subject, {.rule = index});
  }
}

bool Detector::State::needs_ip_version(const Subject& subject, const CompiledRule& rule) noexcept {
  const uint32_t needs = rule.needs & (need::ipv4 | need::ipv6);
  return (needs & subject.facts) == needs;
}

void Detector::State::scan(const Subject& subject, const RuleGroup& group) noexcept {
  if (!subject.payload.empty()) {
    scanner_.scan(group.payload, subject.payload);
  }
  for (const Chunk& chunk : subject.chunks) {
    scanner_.scan(group.stream, chunk.bytes);
  }
  // What did not enter the stream is looked at as if it had.
  if (subject.chunks.empty() && !subject.tracked->flow.stream_added && !subject.payload.empty()) {
    scanner_.scan(group.stream, subject.payload);
  }
}

/// Rules for a protocol (`alert http …`) meet flows of its kind only.
bool Detector::State::app_protocol_fits(const Subject& subject,
                                        const CompiledRule& rule) const noexcept {
  if (rule.app_protocol == AppProtocol::unknown) {
    return true;
  }
  const FlowView& flow = subject.tracked->flow;
  const bool is_known = subject.app != nullptr && (subject.datagram->protocol != ip_protocol::tcp ||
                                                   flow.tcp_established || flow.stream_end);
  return is_known && is_kind_of(subject.app->protocol, rule.app_protocol);
}

/// Rules about identification are tried once it is over in a direction, with its next datagram.
void Detector::State::note_identification(Subject& subject) noexcept {
  if (subject.app == nullptr || subject.slot == nullptr) {
    return;
  }
  const auto direction = static_cast<size_t>(subject.tracked->flow.id.direction());
  bool& is_used = subject.slot->protocol_rules_done[direction];
  const bool is_done = subject.app->identification_done[direction];
  subject.identification_is_done = is_done && !is_used;
  is_used = is_done;
}

/// Tries candidates and literal-free rules in inspection order.
void Detector::State::run_rules(const Subject& subject, const RuleGroup& group) noexcept {
  const RuleTables& tables = *subject.tables;
  const std::span<const uint32_t> candidates = scanner_.candidates();
  const unsigned key = open_key(subject.facts);
  const OpenRule* open = tables.open_rules.data() + group.open_index[key];
  const OpenRule* const open_end = tables.open_rules.data() + group.open_index[key + 1];
  const auto skip_unfit = [&] {
    while (open != open_end && (open->needs & subject.facts) != open->needs) {
      ++open;
    }
  };
  skip_unfit();
  auto candidate = candidates.begin();
  counts_.add(Count::candidates, candidates.size());
  while (candidate != candidates.end() || open != open_end) {
    uint32_t rule = 0;
    if (open == open_end || (candidate != candidates.end() && *candidate < open->rule)) {
      rule = *candidate++;
    } else {
      rule = open->rule;
      ++open;
      skip_unfit();
    }
    try_rule(subject, rule);
  }
}

void Detector::State::try_rule(const Subject& subject, uint32_t index) noexcept {
  const CompiledRule& rule = subject.tables->rules[index];
  if (rule.kind == VerifyKind::transaction) {
    payload_candidates_[payload_candidate_count_++] = index;
    return;
  }
  measure_rule(index, [&] { check_rule(subject, index, rule); });
}

void Detector::State::check_rule(const Subject& subject, uint32_t index,
                                 const CompiledRule& rule) noexcept {
  const bool is_early =
      rule.kind == VerifyKind::protocol_detection && !subject.identification_is_done;
  if (is_early || !app_protocol_fits(subject, rule) ||
      !PacketChecker::header_matches(subject, rule)) {
    return;
  }
  counts_.add(Count::verified);
  const Chunk* chunk = nullptr;
  const bool matched =
      rule.payload_first
          ? buffers_match(subject, rule, chunk) && checker_.checks_match(subject, rule)
          : checker_.checks_match(subject, rule) && buffers_match(subject, rule, chunk);
  if (matched) {
    apply(subject, {.rule = index, .chunk = chunk, .transaction = transaction_of(subject, rule)});
  }
  if (rule.payload_first) {
    keep_captured(subject);
  }
}

bool Detector::State::buffers_match(const Subject& subject, const CompiledRule& rule,
                                    const Chunk*& chunk) noexcept {
  verifier_.clear_captured();
  const BufferProgram* const first = subject.tables->buffer_programs.data() + rule.buffer_index;
  for (const BufferProgram* each = first; each != first + rule.buffer_count; ++each) {
    const bool matched = each->field == Field::payload
                             ? payload_matches(subject, rule, *each, chunk)
                             : header_matches(subject, *each);
    if (!matched) {
      return false;
    }
  }
  return true;
}

/// The stream first, then the packet unless the rule or the stream makes that needless.
/// Suricata: DetectEngineInspectRulePayloadMatches.
bool Detector::State::payload_matches(const Subject& subject, const CompiledRule& rule,
                                      const BufferProgram& program,
                                      const Chunk*& found_in) noexcept {
  if (rule.kind == VerifyKind::stream || rule.kind == VerifyKind::packet_and_stream) {
    for (const Chunk& chunk : subject.chunks) {
      if (verifier_.run(*subject.tables, program, {.bytes = chunk.bytes, .is_whole = false})) {
        found_in = &chunk;
        return true;
      }
    }
    const bool is_in_stream = subject.tracked->flow.stream_added;
    if (rule.stream_only || (rule.kind == VerifyKind::stream && is_in_stream)) {
      return false;
    }
  }
  return subject.payload.data() != nullptr &&
         verifier_.run(*subject.tables, program, {subject.payload});
}

bool Detector::State::header_matches(const Subject& subject,
                                     const BufferProgram& program) noexcept {
  const Bytes bytes = header_bytes(*subject.datagram, program.field);
  return bytes.data() != nullptr && verifier_.run(*subject.tables, program, {bytes});
}

/// Captures count whether the rule went on to match or not (Suricata: DetectVarProcessList).
void Detector::State::keep_captured(const Subject& subject) noexcept {
  for (const Captured& captured : verifier_.captured()) {
    if (captured.capture->to_packet) {
      packet_variables_.set(captured.capture->variable, captured.value);
    } else if (subject.slot != nullptr) {
      captures_.set(subject.slot->captures, captured.capture->variable, captured.value);
    }
  }
}

}  // namespace shrike::detect
