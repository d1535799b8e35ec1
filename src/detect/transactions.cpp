#include <algorithm>

#include "detector.h"

/// Rules about transactions, after those about packets and streams.
/// Suricata: DetectRunTx, DetectRunTxInspectRule, DetectRunPrefilterTx.
namespace shrike::detect {

namespace {

/// Needs that say something of the datagram, which rules about transactions do not depend on.
constexpr uint32_t facts_of_datagram =
    need::payload | need::no_payload | need::event | need::real_packet | need::stream;

bool is_of_headers(Field field) noexcept {
  return field == Field::ipv4_hdr || field == Field::ipv6_hdr || field == Field::tcp_hdr ||
         field == Field::udp_hdr || field == Field::icmpv4_hdr || field == Field::icmpv6_hdr ||
         field == Field::ip_src || field == Field::ip_dst;
}

bool has_news(const Transaction& transaction, Direction direction, uint64_t generation) noexcept {
  const auto index = static_cast<size_t>(direction);
  const Transaction::Notes& notes = transaction.notes[index];
  return !notes.is_begun || notes.generation != generation ||
         notes.progress_seen != transaction.progress[index] ||
         notes.values_seen != transaction.values[index].size() ||
         notes.events_seen != transaction.events[index].size() ||
         FieldValues::has_news(transaction, direction);
}

bool has_event(const Transaction& transaction, AppEvent event) noexcept {
  return std::any_of(transaction.events.begin(), transaction.events.end(), [&](const auto& events) {
    return std::find(events.begin(), events.end(), event) != events.end();
  });
}

/// A `=>` rule is remembered under one key for both directions: the one that ends last.
RuleStatePool::Key key_of(const Transaction& transaction, Direction direction,
                          bool both_directions) noexcept {
  return {transaction.id, both_directions ? Direction::to_client : direction};
}

bool is_of_other_direction(FieldDirections directions, Direction direction) noexcept {
  return direction == Direction::to_server ? directions == FieldDirections::to_client
                                           : directions == FieldDirections::to_server;
}

/// Progress in the direction that the program names, which only ever grows.
bool progress_holds(const Transaction& transaction, const BufferProgram& program) noexcept {
  const Direction direction = program.directions == FieldDirections::to_client
                                  ? Direction::to_client
                                  : Direction::to_server;
  return compares(program.compare, static_cast<uint64_t>(transaction.progress_in(direction)),
                  program.index, 0);
}

/// The transaction that the newest bytes of a direction were of: the first that goes on.
const Transaction* growing_in(const AppView& app, Direction direction) noexcept {
  const auto found = std::find_if(
      app.transactions.begin(), app.transactions.end(),
      [&](const Transaction* each) { return each->progress_in(direction) != Progress::complete; });
  return found == app.transactions.end() ? nullptr : *found;
}

bool number_holds(std::span<const BufferInstruction> checks, uint64_t number) noexcept {
  const bool is_one = std::any_of(checks.begin(), checks.end(), [&](const auto& check) {
    return compares(check.number.compare, number, check.number.first, check.number.second);
  });
  return is_one != ((checks.front().flags & buffer_flag::negated) != 0);
}

}  // namespace

/// Transactions of the flow that changed since they were last inspected in this direction; with
/// the end of a stream, all.
void Detector::State::run_transactions(const Subject& subject) noexcept {
  if (subject.app == nullptr || subject.slot == nullptr ||
      subject.datagram->protocol != subject.slot->protocol) {
    return;
  }
  const auto direction = static_cast<size_t>(subject.tracked->flow.id.direction());
  bool& has_news = subject.slot->has_app_news[direction];
  if (!has_news && !subject.datagram->is_pseudo()) {
    return;
  }
  has_news = false;
  const Direction side = subject.tracked->flow.id.direction();
  const bool has_data = subject.slot->has_app_data[direction];
  subject.slot->has_app_data[direction] = false;
  if (app_index_.has_hooks(AppIndex::group_of(subject.app->protocol, side))) [[unlikely]] {
    run_hooked_transactions(subject, side, has_data);
    return;
  }
  for (const Transaction* const transaction : subject.app->transactions) {
    inspect_transaction(subject, *transaction, false);
  }
}

/// Hooks meet a transaction as often as bytes of theirs came, whether a field shows them or not;
/// until then it waits. Suricata: AppLayerTxData::updated_tc.
void Detector::State::run_hooked_transactions(const Subject& subject, Direction direction,
                                              bool has_data) noexcept {
  const Transaction* const growing = has_data ? growing_in(*subject.app, direction) : nullptr;
  for (const Transaction* const transaction : subject.app->transactions) {
    const Progress progress = transaction->progress_in(direction);
    const bool is_growing = transaction == growing;
    const bool is_due = subject.datagram->is_pseudo() || progress == Progress::complete ||
                        is_growing || (has_data && progress != Progress::started);
    if (is_due) {
      inspect_transaction(subject, *transaction, is_growing);
    }
  }
}

/// Nothing of this datagram's flow is inspected (any more): what is complete need not be kept.
void Detector::State::give_up_transactions(const Subject& subject) noexcept {
  if (subject.app == nullptr || subject.slot == nullptr) {
    return;
  }
  const auto direction = static_cast<size_t>(subject.tracked->flow.id.direction());
  for (const Transaction* const transaction : subject.app->transactions) {
    Transaction::Notes& notes = transaction->notes[direction];
    notes.is_done = notes.is_done || transaction->progress[direction] == Progress::complete;
  }
}

/// @param is_growing bytes of it came, which a hook is to see though no field shows them.
void Detector::State::inspect_transaction(const Subject& subject, const Transaction& transaction,
                                          bool is_growing) noexcept {
  const Direction direction = subject.tracked->flow.id.direction();
  const auto index = static_cast<size_t>(direction);
  Transaction::Notes& notes = transaction.notes[index];
  const Work work{&transaction, direction, transaction.progress[index] == Progress::complete};
  if (notes.is_done) {
    return;
  }
  if (transaction.skips[index]) {
    notes.is_done = work.is_complete;
    return;
  }
  const bool at_end = subject.datagram->is_pseudo();
  if (!at_end && !work.is_complete && !is_growing &&
      !has_news(transaction, direction, generation_)) {
    return;
  }
  if (notes.generation != generation_) {
    notes.values_seen = notes.events_seen = 0;
    notes.progress_seen = Progress::started;
    notes.is_begun = false;
  }
  const size_t group = AppIndex::group_of(transaction.protocol, direction);
  values_.begin(*subject.tables, transaction, direction, at_end);
  if (!app_index_.is_empty(group) || payload_candidate_count_ != 0 ||
      subject.slot->states != RuleStatePool::none) {
    counts_.add(Count::transactions);
    measure_scan([&] { find_candidates(subject, work, group, notes.values_seen); });
    run_candidates(subject, work, group, notes.is_begun ? notes.progress_seen : Progress::started);
  }
  values_.commit();
  notes.values_seen = static_cast<uint32_t>(transaction.values[index].size());
  notes.events_seen = static_cast<uint32_t>(transaction.events[index].size());
  notes.progress_seen = transaction.progress[index];
  notes.generation = generation_;
  notes.is_begun = true;
  notes.is_done = work.is_complete;
  if (work.is_complete && subject.slot->states != RuleStatePool::none) {
    states_.erase(subject.slot->states, {transaction.id, direction});
  }
}

/// Rules whose literal is in what is new, or in the payload, or that matched in part before.
void Detector::State::find_candidates(const Subject& subject, const Work& work, size_t group,
                                      uint32_t values_seen) noexcept {
  scanner_.begin(subject.facts | facts_of_datagram);
  for (uint32_t index = 0; index < values_.size(); ++index) {
    const FieldValue& value = values_[index];
    if (index < values_seen && value.body == nullptr) {
      continue;
    }
    for (const AppGroup::Buffer& buffer : app_index_.buffers_of(group, value.field)) {
      const auto view = values_.view(index, buffer.transforms);
      if (view) {
        scanner_.scan(buffer.layer, view->bytes);
      }
    }
  }
  for (size_t i = 0; i < payload_candidate_count_; ++i) {
    scanner_.add(payload_candidates_[i]);
  }
  const auto add = [&](uint32_t rule) { scanner_.add(rule); };
  states_.for_each_open(subject.slot->states, {work.transaction->id, work.direction}, add);
}

/// Tries candidates and rules without a literal in inspection order. Of the latter those whose
/// fields were all final before have had their chance.
void Detector::State::run_candidates(const Subject& subject, const Work& work, size_t group,
                                     Progress progress_seen) noexcept {
  const bool is_begun = work.transaction->notes[static_cast<size_t>(work.direction)].is_begun;
  const bool has_events =
      !work.transaction->events[0].empty() || !work.transaction->events[1].empty();
  const auto is_worth_it = [&](const AppIndex::Open& open) {
    if (open.is_hook) {
      return progress_seen <= open.final_at &&
             open.final_at <= work.transaction->progress_in(work.direction);
    }
    return (open.is_always_tried || !is_begun || progress_seen < open.final_at) &&
           (!open.needs_event || has_events) &&
           (open.needed == Field::payload || values_.has(open.needed));
  };
  const std::span<const uint32_t> candidates = scanner_.candidates();
  counts_.add(Count::candidates, candidates.size());
  auto candidate = candidates.begin();
  for (const AppIndex::Open& open : app_index_.open_rules(group)) {
    if (!is_worth_it(open)) {
      continue;
    }
    for (; candidate != candidates.end() && *candidate < open.rule; ++candidate) {
      try_rule_in(subject, work, *candidate);
    }
    candidate += candidate != candidates.end() && *candidate == open.rule ? 1 : 0;
    open.is_hook ? try_hook_in(subject, work, open.rule) : try_rule_in(subject, work, open.rule);
  }
  for (; candidate != candidates.end(); ++candidate) {
    try_rule_in(subject, work, *candidate);
  }
}

void Detector::State::try_hook_in(const Subject& subject, const Work& work,
                                  uint32_t index) noexcept {
  measure_rule(index, [&] { check_hook_in(subject, work, index); });
}

/// A rule without buffers, in its step of the transaction: nothing is remembered of it.
void Detector::State::check_hook_in(const Subject& subject, const Work& work,
                                    uint32_t index) noexcept {
  if (begins_in(subject, work, subject.tables->rules[index])) {
    counts_.add(Count::verified);
    apply(subject, {.rule = index, .transaction = work.transaction});
  }
}

void Detector::State::try_rule_in(const Subject& subject, const Work& work,
                                  uint32_t index) noexcept {
  measure_rule(index, [&] { check_rule_in(subject, work, index); });
}

/// Goes on with a rule where it stood, or begins with its header and packet checks.
void Detector::State::check_rule_in(const Subject& subject, const Work& work,
                                    uint32_t index) noexcept {
  const CompiledRule& rule = subject.tables->rules[index];
  const auto key = key_of(*work.transaction, work.direction, rule.both_directions);
  uint32_t* const known = states_.find(subject.slot->states, key, index);
  if (known != nullptr && (*known & RuleStatePool::is_over) != 0) {
    return;
  }
  if (known == nullptr && !begins_in(subject, work, rule)) {
    return;
  }
  counts_.add(Count::verified);
  verifier_.clear_captured();
  uint32_t steps = known == nullptr ? 0 : *known;
  const Step result = run_steps(subject, work, rule, steps);
  if (result == Step::matched) {
    apply(subject, {.rule = index, .transaction = work.transaction});
  }
  if (rule.payload_first) {
    keep_captured(subject);
  }
  if (result != Step::waiting) {
    steps |= RuleStatePool::is_over;
  }
  const bool may_go_on = !work.is_complete || (rule.both_directions && result == Step::waiting);
  if (known != nullptr) {
    *known = steps;
  } else if (may_go_on && steps != 0 && result != Step::impossible) {
    states_.add(subject.slot->states, key, index, steps);
  }
}

bool Detector::State::begins_in(const Subject& subject, const Work& work,
                                const CompiledRule& rule) noexcept {
  return (rule.app_protocol == AppProtocol::unknown ||
          is_kind_of(work.transaction->protocol, rule.app_protocol)) &&
         PacketChecker::header_matches(subject, rule) && checker_.checks_match(subject, rule);
}

/// Runs the steps that did not match yet; those that wait do not keep later ones from being run.
Detector::State::Step Detector::State::run_steps(const Subject& subject, const Work& work,
                                                 const CompiledRule& rule,
                                                 uint32_t& steps) noexcept {
  const BufferProgram* const first = subject.tables->buffer_programs.data() + rule.buffer_index;
  bool is_waiting = false;
  for (uint32_t i = 0; i < rule.buffer_count; ++i) {
    const uint32_t bit = i < RuleStatePool::steps_max ? 1u << i : 0;
    if ((steps & bit) != 0) {
      continue;
    }
    const bool is_for_later = rule.both_directions &&
                              first[i].source != BufferProgram::Source::event &&
                              is_of_other_direction(first[i].directions, work.direction);
    const Step result = is_for_later ? Step::waiting : run_step(subject, work, first[i]);
    if (result == Step::impossible) {
      return Step::impossible;
    }
    is_waiting = is_waiting || result == Step::waiting;
    steps |= result == Step::matched ? bit : 0;
  }
  return is_waiting ? Step::waiting : Step::matched;
}

Detector::State::Step Detector::State::run_step(const Subject& subject, const Work& work,
                                                const BufferProgram& program) noexcept {
  switch (program.source) {
    case BufferProgram::Source::event:
      if (has_event(*work.transaction, static_cast<AppEvent>(program.index))) {
        return Step::matched;
      }
      return work.is_complete ? Step::impossible : Step::waiting;
    case BufferProgram::Source::progress: {
      const bool may_come = program.compare != Compare::less && !work.is_complete;
      return progress_holds(*work.transaction, program) ? Step::matched
             : may_come                                 ? Step::waiting
                                                        : Step::impossible;
    }
    case BufferProgram::Source::number:
      return run_number_step(subject, program);
    case BufferProgram::Source::bytes:
      break;
  }
  if (program.field == Field::payload) {
    return run_payload_step(subject, program);
  }
  if (is_of_headers(program.field)) {
    return header_matches(subject, program) ? Step::matched : Step::impossible;
  }
  return run_value_step(subject, program);
}

/// Payload beside fields is looked for in the stream alone, over UDP in the packet; elsewhere it
/// is taken as there. Suricata: DetectEngineInspectStream.
Detector::State::Step Detector::State::run_payload_step(const Subject& subject,
                                                        const BufferProgram& program) noexcept {
  const auto holds_in = [&](Bytes bytes) {
    return verifier_.run(*subject.tables, program, {.bytes = bytes, .is_whole = false});
  };
  if (subject.datagram->protocol == ip_protocol::udp) {
    const bool holds = subject.payload.data() != nullptr && holds_in(subject.payload);
    return holds ? Step::matched : Step::waiting;
  }
  if (subject.datagram->protocol != ip_protocol::tcp) {
    return Step::matched;
  }
  for (const Chunk& chunk : subject.chunks) {
    if (holds_in(chunk.bytes)) {
      return Step::matched;
    }
  }
  return subject.tracked->flow.depth_reached ? Step::impossible : Step::waiting;
}

/// One value must match; where there is none and none will come, `absent` does.
Detector::State::Step Detector::State::run_value_step(const Subject& subject,
                                                      const BufferProgram& program) noexcept {
  uint32_t index = values_.first_of(program.field);
  const bool has_none = index == FieldValues::none;
  for (; index != FieldValues::none; index = values_.next_of(index)) {
    const auto view = values_.view(index, program.transforms);
    if (view && verifier_.run(*subject.tables, program, *view)) {
      return Step::matched;
    }
  }
  if (!values_.is_final(program.field)) {
    return Step::waiting;
  }
  const auto* const checks = subject.tables->buffer_instructions.data() + program.index;
  const bool wants_none =
      has_none && std::any_of(checks, checks + program.count, [](const auto& check) {
        return check.opcode == BufferOpcode::absent;
      });
  return wants_none ? Step::matched : Step::impossible;
}

Detector::State::Step Detector::State::run_number_step(
    const Subject& subject, const BufferProgram& program) const noexcept {
  const std::span checks(subject.tables->buffer_instructions.data() + program.index, program.count);
  const int32_t which = checks.front().number.values;
  const bool is_final = values_.is_final(program.field);
  int32_t count = 0;
  for (uint32_t i = values_.first_of(program.field); i != FieldValues::none;
       i = values_.next_of(i)) {
    ++count;
  }
  const bool must_wait = which == NumberArguments::all_values || which < 0;
  if (must_wait && !is_final) {
    return Step::waiting;
  }
  int32_t place = 0;
  int32_t holding = 0;
  for (uint32_t i = values_.first_of(program.field); i != FieldValues::none;
       i = values_.next_of(i)) {
    ++place;
    const bool is_meant = which == NumberArguments::any_value ||
                          which == NumberArguments::all_values || place == which ||
                          place - count - 1 == which;
    holding += is_meant && number_holds(checks, values_[i].number) ? 1 : 0;
  }
  const bool holds =
      which == NumberArguments::all_values ? count != 0 && holding == count : holding != 0;
  return holds ? Step::matched : is_final ? Step::impossible : Step::waiting;
}

}  // namespace shrike::detect
