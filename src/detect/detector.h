#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "flow_state.h"
#include "packet_check.h"
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
  scans,
  bytes_scanned,
  literals_found,
  candidates,
  verified,
  matched,
  alerts,
  alert_queue_overflow,
  recursion_limit_hits,
  pcre_limit_hits,
  variables_refused,
  captures_refused,
  tags_refused,
  count_
};

/// The engine of one core: what Suricata's DetectRun does to one packet, in the same order.
struct Detector::State {
 public:
  explicit State(const DetectorOptions& options);

  void inspect(const RuleSet& rules, const Tracked& tracked, std::span<const Chunk> chunks,
               const AppView* app, AlertBatch& alerts) noexcept;
  void reset() noexcept;
  [[nodiscard]] std::span<const FlowDecision> decisions() const noexcept {
    return {&decision_, has_decision_ ? 1u : 0u};
  }
  [[nodiscard]] CounterView counters() const noexcept;

 private:
  /// A rule that matched the datagram at hand.
  struct Match {
    uint32_t rule = 0;
    const Chunk* chunk = nullptr;  ///< in which, where it was the stream
  };

  void take_up(const RuleTables& tables);
  [[nodiscard]] FlowSlot* slot_of(const Tracked& tracked) noexcept;
  [[nodiscard]] bool should_inspect(const Subject& subject) noexcept;
  void inspect_one(Subject& subject, AlertBatch& alerts) noexcept;
  [[nodiscard]] uint16_t group_of_subject(const Subject& subject) const noexcept;
  void run_address_rules(const Subject& subject) noexcept;
  [[nodiscard]] static bool needs_ip_version(const Subject& subject,
                                             const CompiledRule& rule) noexcept;
  void scan(const Subject& subject, const RuleGroup& group) noexcept;
  void run_rules(const Subject& subject, const RuleGroup& group) noexcept;
  void try_rule(const Subject& subject, uint32_t index) noexcept;
  [[nodiscard]] bool buffers_match(const Subject& subject, const CompiledRule& rule,
                                   const Chunk*& chunk) noexcept;
  [[nodiscard]] bool payload_matches(const Subject& subject, const CompiledRule& rule,
                                     const BufferProgram& program, const Chunk*& found_in) noexcept;
  [[nodiscard]] bool header_matches(const Subject& subject, const BufferProgram& program) noexcept;
  void keep_captured(const Subject& subject) noexcept;

  // matches.cpp: what follows from a match.
  void apply(const Subject& subject, uint32_t index, const CompiledRule& rule,
             const Chunk* chunk) noexcept;
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
  BufferVerifier verifier_;
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
  Counters<Count> counts_;
};

/// The bytes of a header buffer; data() null where the datagram has none.
[[nodiscard]] Bytes header_bytes(const Datagram& datagram, Field field) noexcept;

}  // namespace shrike::detect
