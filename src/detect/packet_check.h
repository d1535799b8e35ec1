#pragma once
#include <array>
#include <cstdint>

#include "flow_state.h"
#include "shrike/model/rule_tables.h"
#include "shrike/model/stream.h"
#include "shrike/model/transaction.h"

namespace shrike::detect {

/// A datagram under inspection with what its checks ask for.
struct Subject {
  const RuleTables* tables = nullptr;
  const Tracked* tracked = nullptr;
  const Datagram* datagram = nullptr;
  std::span<const Chunk> chunks;
  const AppView* app = nullptr;         ///< null: no application layer
  FlowSlot* slot = nullptr;             ///< null without a flow
  uint32_t facts = 0;                   ///< need:: bits that hold
  bool identification_is_done = false;  ///< since the last datagram of this direction
  Bytes payload;  ///< inspectable payload; data() null where there is none at all
};

/// Packet variables: what pcres captured for the datagram at hand (`pkt:`).
class PacketVariables {
 public:
  void clear() noexcept { count_ = 0; }
  void set(uint32_t variable, Bytes value) noexcept;
  [[nodiscard]] Bytes find(uint32_t variable) const noexcept;

 private:
  struct Entry {
    uint32_t variable = 0;
    Bytes value;
  };
  std::array<Entry, limits::captures_max> entries_{};
  size_t count_ = 0;
};

/// The need:: bits that hold for a datagram. @param app its application layer, or null.
/// @param payload_bytes inspectable ones.
[[nodiscard]] uint32_t facts_of(const Tracked& tracked, const AppView* app,
                                size_t payload_bytes) noexcept;

/// Checks on headers, flow and variables.
class PacketChecker {
 public:
  PacketChecker(VariablePool& variables, CapturePool& captures, PacketVariables& packet_variables)
      : variables_(variables), captures_(captures), packet_variables_(packet_variables) {}

  /// Protocol, ports and addresses of the rule's header (Suricata: DetectRunInspectRuleHeader).
  [[nodiscard]] static bool header_matches(const Subject& subject,
                                           const CompiledRule& rule) noexcept;
  /// All packet instructions of the rule.
  [[nodiscard]] bool checks_match(const Subject& subject, const CompiledRule& rule) noexcept;

 private:
  [[nodiscard]] bool matches(const Subject& subject, const PacketInstruction& check) noexcept;
  [[nodiscard]] bool variable_matches(const Subject& subject,
                                      const PacketInstruction& check) noexcept;
  [[nodiscard]] bool has_bit(const Subject& subject, uint32_t bit) noexcept;

  VariablePool& variables_;
  CapturePool& captures_;
  PacketVariables& packet_variables_;
};

}  // namespace shrike::detect
