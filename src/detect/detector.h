#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "app_index.h"
#include "cost_meter.h"
#include "field_values.h"
#include "flow_state.h"
#include "packet_check.h"
#include "rule_states.h"
#include "scanner.h"
#include "shrike/base/counters.h"
#include "shrike/detect.h"
#include "tag_table.h"
#include "verify.h"

namespace shrike::detect {

enum class Count : uint8_t {
  inspected,
  skipped_not_ip,
  skipped_bypassed,
  skipped_passed,
  skipped_dropped,
  transactions,
  scans,
  bytes_scanned,
  literals_found,
  candidates,
  verified,
  matched,
  alerts,
  alerts_suppressed,
  alert_queue_overflow,
  recursion_limit_hits,
  pcre_limit_hits,
  variables_refused,
  captures_refused,
  tags_refused,
  states_refused,
  values_refused,
  transforms_refused,
  datasets_refused,
  count_
};

/// The engine of one core: what Suricata's DetectRun does to one packet, in the same order.
struct Detector::State {
 public:
  explicit State(const DetectorOptions& options);

  void use_rules(const RuleSet& rules) noexcept;
  void inspect(const RuleSet& rules, const Tracked& tracked, std::span<const Chunk> chunks,
               const AppView* app, AlertBatch& alerts) noexcept;
  void use_costs(RuleCosts* costs) noexcept { meter_.use(costs); }
  void begin_batch() noexcept { meter_.begin_batch(); }
  void reset() noexcept;
  [[nodiscard]] std::span<const FlowDecision> decisions() const noexcept {
    return {&decision_, has_decision_ ? 1u : 0u};
  }
  [[nodiscard]] CounterView counters() const noexcept;

 private:
  /// A rule that matched the datagram at hand.
  struct Match {
    uint32_t rule = 0;
    const Chunk* chunk = nullptr;              ///< in which, where it was the stream
    const Transaction* transaction = nullptr;  ///< in which, where it was one
  };

  void take_up(const RuleTables& tables);
  [[nodiscard]] FlowSlot* slot_of(const Tracked& tracked) noexcept;
  [[nodiscard]] bool should_inspect(const Subject& subject) noexcept;
  void inspect_one(Subject& subject, AlertBatch& alerts) noexcept;
  [[nodiscard]] uint16_t group_of_subject(const Subject& subject) const noexcept;
  void run_address_rules(const Subject& subject) noexcept;
  [[nodiscard]] static bool needs_ip_version(const Subject& subject,
                                             const CompiledRule& rule) noexcept;
  void check_address_rule(const Subject& subject, uint32_t index) noexcept;
  void scan(const Subject& subject, const RuleGroup& group) noexcept;
  void run_rules(const Subject& subject, const RuleGroup& group) noexcept;
  void try_rule(const Subject& subject, uint32_t index) noexcept;
  void check_rule(const Subject& subject, uint32_t index, const CompiledRule& rule) noexcept;
  [[nodiscard]] bool buffers_match(const Subject& subject, const CompiledRule& rule,
                                   const Chunk*& chunk) noexcept;
  [[nodiscard]] bool payload_matches(const Subject& subject, const CompiledRule& rule,
                                     const BufferProgram& program, const Chunk*& found_in) noexcept;
  [[nodiscard]] bool header_matches(const Subject& subject, const BufferProgram& program) noexcept;
  [[nodiscard]] bool app_protocol_fits(const Subject& subject,
                                       const CompiledRule& rule) const noexcept;
  static void note_identification(Subject& subject) noexcept;
  void keep_captured(const Subject& subject) noexcept;

  // transactions.cpp: rules about the transactions of the datagram's flow.
  /// A transaction under inspection in the datagram's direction.
  struct Work {
    const Transaction* transaction;
    Direction direction;
    bool is_complete;  ///< nothing more comes in this direction
  };
  /// What one step of a rule says of a transaction.
  enum class Step : uint8_t { matched, waiting, impossible };

  void run_transactions(const Subject& subject) noexcept;
  void run_hooked_transactions(const Subject& subject, Direction direction, bool has_data) noexcept;
  static void give_up_transactions(const Subject& subject) noexcept;
  void inspect_transaction(const Subject& subject, const Transaction& transaction,
                           bool is_growing) noexcept;
  void find_candidates(const Subject& subject, const Work& work, size_t group,
                       uint32_t values_seen) noexcept;
  void run_candidates(const Subject& subject, const Work& work, size_t group,
                      Progress progress_seen) noexcept;
  void try_hook_in(const Subject& subject, const Work& work, uint32_t index) noexcept;
  void check_hook_in(const Subject& subject, const Work& work, uint32_t index) noexcept;
  void try_rule_in(const Subject& subject, const Work& work, uint32_t index) noexcept;
  void check_rule_in(const Subject& subject, const Work& work, uint32_t index) noexcept;
  /// Runs it; in a sampled batch what it took is added to the rule's row.
  template <typename Run>
  void measure_rule(uint32_t index, Run run) noexcept {
    measure(run, [&](uint64_t began) { meter_.add_check(index, began); });
  }
  /// The same of a search for patterns.
  template <typename Run>
  void measure_scan(Run run) noexcept {
    measure(run, [&](uint64_t began) { meter_.add_scan(began); });
  }
  template <typename Run, typename Add>
  void measure(Run run, Add add) noexcept {
    if (!meter_.is_on()) [[likely]] {
      run();
      return;
    }
    const uint64_t began = CostMeter::now();
    run();
    add(began);
  }
  [[nodiscard]] bool begins_in(const Subject& subject, const Work& work,
                               const CompiledRule& rule) noexcept;
  [[nodiscard]] Step run_steps(const Subject& subject, const Work& work, const CompiledRule& rule,
                               uint32_t& steps) noexcept;
  [[nodiscard]] Step run_step(const Subject& subject, const Work& work,
                              const BufferProgram& program) noexcept;
  [[nodiscard]] Step run_payload_step(const Subject& subject,
                                      const BufferProgram& program) noexcept;
  [[nodiscard]] Step run_value_step(const Subject& subject, const BufferProgram& program) noexcept;
  [[nodiscard]] Step run_number_step(const Subject& subject,
                                     const BufferProgram& program) const noexcept;

  // matches.cpp: what follows from a match.
  void apply(const Subject& subject, const Match& match) noexcept;
  void run_posts(const Subject& subject, const CompiledRule& rule) noexcept;
  void report(const Subject& subject, AlertBatch& alerts) noexcept;
  void push(const Subject& subject, const Match& match, const CompiledRule& rule,
            AlertBatch& alerts) noexcept;
  void act_on_flow(const Subject& subject, const Match& match, const CompiledRule& rule) noexcept;
  void decide(const Subject& subject, FlowVerdict verdict) noexcept;
  void advance_tags(const Subject& subject, AlertBatch& alerts) noexcept;
  void gather_variables(const Subject& subject) noexcept;
  void publish_counts() noexcept;

  const DetectorOptions options_;
  uint64_t generation_ = 0;
  Scanner scanner_;
  Datasets datasets_;
  BufferVerifier verifier_;
  FieldValues values_;
  RuleStatePool states_;
  AppIndex app_index_;
  std::vector<uint32_t> payload_candidates_;  ///< [rules] about transactions, found in the payload
  size_t payload_candidate_count_ = 0;
  VariablePool variables_;
  CapturePool captures_;
  PacketVariables packet_variables_;
  PacketChecker checker_;
  TagTable tags_;
  std::unique_ptr<FlowSlot[]> slots_;
  uint32_t slots_used_ = 0;             ///< slots below were opened once
  std::vector<std::string> bit_names_;  ///< of the rule set at hand, to carry bits over
  std::vector<std::string> integer_names_;

  std::array<Match, limits::matches_max> matches_{};
  size_t match_count_ = 0;
  /// The first decision about a flow stands, so one datagram makes one at most.
  FlowDecision decision_;
  bool has_decision_ = false;
  std::array<uint32_t, limits::alert_variables_max> bits_{};
  std::array<std::pair<uint32_t, uint32_t>, limits::alert_variables_max> integers_{};
  size_t bit_count_ = 0;
  size_t integer_count_ = 0;
  CostMeter meter_;
  Counters<Count> counts_;
};

/// The bytes of a header buffer; data() null where the datagram has none.
[[nodiscard]] Bytes header_bytes(const Datagram& datagram, Field field) noexcept;

}  // namespace shrike::detect
