#pragma once
#include <cstdint>
#include <vector>

#include "backend/interner.h"
#include "ir.h"
#include "shrike/base/diagnostics.h"
#include "shrike/model/rule_tables.h"

namespace shrike::rule {

/// Writes the instructions of rules into the tables. One rule after the other, in inspection order.
class ProgramBuilder {
 public:
  ProgramBuilder(RuleTables& tables, Interner& interner)
      : tables_(tables), interner_(interner), transforms_(tables.transform_lists.size()) {}

  /// Appends the compiled form of one awake rule to RuleTables::rules. Its pcres are only noted:
  /// see `pcres`.
  void add(const Rule& rule);
  /// Keeps the numbering of a dormant rule: an entry without needs, instructions or groups.
  void add_dormant(const Rule& rule);

  /// Expressions still to compile, by index in RuleTables::pcres.
  struct PendingPcre {
    std::string pattern;
    uint32_t options = 0;
    Position position;
  };
  [[nodiscard]] const std::vector<PendingPcre>& pcres() const noexcept { return pcres_; }
  /// The index of transforms that `add` has seen, for who files the rule under its fast pattern.
  [[nodiscard]] uint32_t known_transforms(const std::vector<Transform>& transforms) const;

 private:
  void add_packet_checks(const Rule& rule, CompiledRule& compiled);
  void add_rpc(const Rpc& check, CompiledRule& compiled);
  void add_buffers(const Rule& rule, CompiledRule& compiled);
  [[nodiscard]] uint32_t append(const std::vector<const BufferCheck*>& checks,
                                CompiledRule& compiled);
  [[nodiscard]] uint32_t append_numbers(const FieldNumbers& check);
  /// The list of transforms, by index in RuleTables::transform_lists; equal ones are made once.
  [[nodiscard]] uint32_t transforms_of(const std::vector<Transform>& transforms);
  void add_posts(const Rule& rule, CompiledRule& compiled);

  void put(PacketInstruction instruction) { tables_.packet_instructions.push_back(instruction); }

  friend struct PacketCheckWriter;
  friend struct BufferCheckWriter;

  RuleTables& tables_;
  Interner& interner_;
  std::vector<PendingPcre> pcres_;
  std::vector<std::vector<Transform>> transforms_;  ///< parallel to RuleTables::transform_lists
  std::vector<const BufferCheck*> base64_checks_;   ///< of the rule at hand
};

/// One check as an instruction, apart from what needs tables (base64, pcre): pure translation.
struct BufferCheckWriter {
  ProgramBuilder& builder;
  CompiledRule& compiled;

  BufferInstruction operator()(const Content& check) const;
  BufferInstruction operator()(const Pcre& check) const;
  BufferInstruction operator()(const ByteTest& check) const;
  BufferInstruction operator()(const ByteJump& check) const;
  BufferInstruction operator()(const ByteExtract& check) const;
  BufferInstruction operator()(const ByteMath& check) const;
  BufferInstruction operator()(const IsDataAt& check) const;
  BufferInstruction operator()(const BufferSize& check) const;
  BufferInstruction operator()(const Absent& check) const;
  BufferInstruction operator()(const Base64Decode& check) const;
  BufferInstruction operator()(const Asn1& check) const;
  BufferInstruction operator()(const Rpc& check) const;
  BufferInstruction operator()(const Entropy& check) const;
  BufferInstruction operator()(const UriLength& check) const;
  BufferInstruction operator()(const FieldNumbers& check) const;
  BufferInstruction operator()(const DatasetCheck& check) const;
  BufferInstruction operator()(const NotInspected& check) const;

 private:
  [[nodiscard]] uint32_t bytes_of(const Content& check) const;
};

/// One packet check as an instruction, and what it needs of a datagram.
struct PacketCheckWriter {
  ProgramBuilder& builder;
  CompiledRule& compiled;

  void operator()(const FlowCheck& check) const;
  void operator()(const TcpFlags& check) const;
  void operator()(const FragmentBits& check) const;
  void operator()(const IpOption& check) const;
  void operator()(const HeaderNumber& check) const;
  void operator()(const IpProtocol& check) const;
  void operator()(const SameIp& check) const;
  void operator()(const VlanId& check) const;
  void operator()(const StreamSize& check) const;
  void operator()(const DecodeEventCheck& check) const;
  void operator()(const StreamEventCheck& check) const;
  void operator()(const AppEventCheck& check) const;
  void operator()(const ProgressCheck& check) const;
  void operator()(const AppProtocolCheck& check) const;
  void operator()(const AddressCheck& check) const;
  void operator()(const ChecksumCheck& check) const;
  void operator()(const Layer3& check) const;
  void operator()(const FlowBits& check) const;
  void operator()(const FlowInteger& check) const;
  void operator()(const FlowVariableCheck& check) const;
  void operator()(const ReputationCheck& check) const;
  void operator()(const NotInspected& check) const;

 private:
  void put(PacketOpcode opcode, uint64_t first = 0, uint8_t mode = 0) const;
};

/// IR to model enum: both list the same operators in the same order.
[[nodiscard]] inline Compare compare_of(Comparison::Operator op) noexcept {
  return static_cast<Compare>(op);
}
static_assert(static_cast<int>(Comparison::Operator::masked_not_equal) ==
              static_cast<int>(Compare::masked_not_equal));

/// Whether the event is of a flow's identification, not of one of its transactions.
[[nodiscard]] constexpr bool is_of_flows(AppEvent event) noexcept {
  return event <= AppEvent::applayer_wrong_direction_first_data;
}

}  // namespace shrike::rule
