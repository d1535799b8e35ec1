#include "backend/program.h"

#include <algorithm>

#include "backend/relations.h"
#include "backend/transform_steps.h"

namespace shrike::rule {

namespace {

VerifyKind verify_kind(RuleKind kind) noexcept {
  switch (kind) {
    case RuleKind::decode_event:
      return VerifyKind::event;
    case RuleKind::ip_only:
      return VerifyKind::ip_only;
    case RuleKind::like_ip_only:
      return VerifyKind::like_ip_only;
    case RuleKind::packet:
      return VerifyKind::packet;
    case RuleKind::packet_and_stream:
      return VerifyKind::packet_and_stream;
    case RuleKind::stream:
      return VerifyKind::stream;
    case RuleKind::app_transaction:
      return VerifyKind::transaction;
    case RuleKind::app_event:
      return VerifyKind::packet;  // unless it asks for an event of a transaction
    case RuleKind::protocol_detection_only:
      return VerifyKind::protocol_detection;
  }
  return VerifyKind::packet;
}

/// The event of a transaction that the check asks for, if it is one.
const AppEvent* transaction_event(const PacketCheck& check) {
  const auto* const found = std::get_if<AppEventCheck>(&check);
  const bool is_of_flow = found != nullptr && is_of_flows(found->event);
  return found == nullptr || is_of_flow ? nullptr : &found->event;
}

BufferProgram program_of(const ProgressCheck& check) noexcept {
  const Compare compare = check.when == ProgressCheck::When::reached ? Compare::greater_or_equal
                          : check.when == ProgressCheck::When::below ? Compare::less
                                                                     : Compare::greater;
  return {.source = BufferProgram::Source::progress,
          .index = static_cast<uint32_t>(check.progress),
          .directions = check.direction,
          .compare = compare};
}

bool has_captures(const Rule& rule) {
  for (const Buffer& buffer : rule.buffers) {
    for (const BufferCheck& check : buffer.checks) {
      const auto* const pcre = std::get_if<Pcre>(&check);
      if (pcre != nullptr && !pcre->captures.empty()) {
        return true;
      }
    }
  }
  return false;
}

/// The bits of a datagram that the header alone asks for.
uint32_t header_needs(const Header& header) noexcept {
  uint32_t needs = 0;
  needs |= header.only_ipv4 ? need::ipv4 : 0;
  needs |= header.only_ipv6 ? need::ipv6 : 0;
  return needs;
}

}  // namespace

void ProgramBuilder::add_dormant(const Rule& rule) {
  CompiledRule compiled;
  compiled.action = rule.info.action;
  tables_.rules.push_back(compiled);
}

void ProgramBuilder::add(const Rule& rule) {
  CompiledRule compiled;
  compiled.kind = verify_kind(rule.kind);
  compiled.action = rule.info.action;
  compiled.scope = rule.action_scope == "flow"     ? ActionScope::flow
                   : rule.action_scope == "packet" ? ActionScope::packet
                                                   : ActionScope::by_match;
  compiled.is_noalert = rule.info.is_noalert;
  compiled.has_host_bits = !rule.info.host_bits.empty();
  compiled.has_thresholds = !rule.info.thresholds.empty();
  compiled.both_directions = rule.header.is_transactional;
  compiled.has_tag = rule.info.tag.has_value();
  compiled.stream_only = rule.header.only_streams;
  compiled.payload_first = has_captures(rule);
  compiled.app_protocol = rule.header.app_protocol;
  compiled.needs = header_needs(rule.header);
  compiled.needs |= rule.only_to_server ? need::to_server : 0;
  compiled.needs |= rule.only_to_client ? need::to_client : 0;
  compiled.protocol_set = interner_.protocols(rule.header.ip_protocols);
  compiled.source_addresses = interner_.addresses(rule.header.source);
  compiled.target_addresses = interner_.addresses(rule.header.target);
  compiled.source_ports = interner_.ports(rule.header.source_port);
  compiled.target_ports = interner_.ports(rule.header.target_port);
  if (rule.kind == RuleKind::packet || rule.kind == RuleKind::decode_event) {
    compiled.needs |= need::real_packet;
  }
  add_packet_checks(rule, compiled);
  add_buffers(rule, compiled);
  add_posts(rule, compiled);
  tables_.rules.push_back(compiled);
}

void ProgramBuilder::add_rpc(const Rpc& check, CompiledRule& compiled) {
  compiled.needs |= need::real_packet;
  PacketInstruction instruction;
  instruction.opcode = PacketOpcode::rpc;
  instruction.first = check.program;
  instruction.second =
      static_cast<uint64_t>(check.version.value_or(0)) << 32 | check.procedure.value_or(0);
  instruction.mode = static_cast<uint8_t>((check.version ? 0u : 1u) | (check.procedure ? 0u : 2u));
  put(instruction);
}

void ProgramBuilder::add_packet_checks(const Rule& rule, CompiledRule& compiled) {
  const size_t first = tables_.packet_instructions.size();
  for (const Buffer& buffer : rule.buffers) {
    for (const BufferCheck& check : buffer.checks) {
      if (const auto* const rpc = std::get_if<Rpc>(&check)) {
        add_rpc(*rpc, compiled);
      }
    }
  }
  for (const PacketCheck& check : rule.packet_checks) {
    std::visit(PacketCheckWriter{*this, compiled}, check);
  }
  // Opcodes are declared from cheap to dear.
  std::stable_sort(tables_.packet_instructions.begin() + static_cast<std::ptrdiff_t>(first),
                   tables_.packet_instructions.end(),
                   [](const auto& one, const auto& other) { return one.opcode < other.opcode; });
  compiled.packet_index = static_cast<uint32_t>(first);
  compiled.packet_count = static_cast<uint16_t>(tables_.packet_instructions.size() - first);
}

namespace {

/// What becomes one program: the checks of a buffer.
struct Part {
  BufferProgram program;
  std::vector<const BufferCheck*> checks;
};

bool is_of_numbers(const Buffer& buffer) {
  return !buffer.checks.empty() && std::holds_alternative<FieldNumbers>(buffer.checks.front());
}

}  // namespace

void ProgramBuilder::add_buffers(const Rule& rule, CompiledRule& compiled) {
  // All payload checks share one list and cursor, whatever stands between them; so do those of
  // base64_data, which run inside base64_decode.
  Part payload;
  std::vector<Part> parts;
  base64_checks_.clear();
  for (const Buffer& buffer : rule.buffers) {
    std::vector<const BufferCheck*>* checks = &payload.checks;
    if (buffer.field == Field::base64_data) {
      checks = &base64_checks_;
    } else if (buffer.field != Field::payload) {
      Part& part = parts.emplace_back();
      part.program.field = buffer.field;
      part.program.directions = row_of(buffer.field).directions;
      if (part.program.directions == FieldDirections::both) {
        part.program.directions = buffer.directions;
      }
      part.program.source =
          is_of_numbers(buffer) ? BufferProgram::Source::number : BufferProgram::Source::bytes;
      part.program.transforms = transforms_of(buffer.transforms);
      checks = &part.checks;
    }
    for (const BufferCheck& check : buffer.checks) {
      // Wherever `rpc` stands it looks at the packet, never at the stream.
      if (!std::holds_alternative<Rpc>(check)) {
        checks->push_back(&check);
      }
    }
  }
  if (!payload.checks.empty()) {
    compiled.needs |= compiled.kind == VerifyKind::transaction ? 0 : need::payload;
    parts.push_back(std::move(payload));
  }
  // A program's own parts (base64) come before it, so the list of programs is written at the end.
  std::vector<BufferProgram> programs;
  for (Part& part : parts) {
    if (part.checks.empty()) {
      continue;
    }
    const bool is_of_number = part.program.source == BufferProgram::Source::number;
    part.program.index = is_of_number ? append_numbers(std::get<FieldNumbers>(*part.checks.front()))
                                      : append(part.checks, compiled);
    part.program.count =
        static_cast<uint32_t>(tables_.buffer_instructions.size()) - part.program.index;
    programs.push_back(part.program);
  }
  for (const PacketCheck& check : rule.packet_checks) {
    if (const AppEvent* const event = transaction_event(check)) {
      compiled.kind = VerifyKind::transaction;
      programs.push_back(
          {.source = BufferProgram::Source::event, .index = static_cast<uint32_t>(*event)});
    } else if (const auto* const progress = std::get_if<ProgressCheck>(&check)) {
      programs.push_back(program_of(*progress));
    }
  }
  compiled.buffer_index = static_cast<uint32_t>(tables_.buffer_programs.size());
  compiled.buffer_count = static_cast<uint16_t>(programs.size());
  tables_.buffer_programs.insert(tables_.buffer_programs.end(), programs.begin(), programs.end());
}

uint32_t ProgramBuilder::append_numbers(const FieldNumbers& check) {
  auto& instructions = tables_.buffer_instructions;
  const auto index = static_cast<uint32_t>(instructions.size());
  for (const Comparison& comparison : check.any_of) {
    BufferInstruction instruction;
    instruction.opcode = BufferOpcode::number_in;
    instruction.flags = check.is_negated ? buffer_flag::negated : 0;
    instruction.number = {comparison.first, comparison.second, compare_of(comparison.op),
                          check.values};
    instructions.push_back(instruction);
  }
  if (instructions.size() != index) {
    instructions.back().flags |= buffer_flag::is_last;
  }
  return index;
}

uint32_t ProgramBuilder::append(const std::vector<const BufferCheck*>& checks,
                                CompiledRule& compiled) {
  std::vector<BufferInstruction> made;
  made.reserve(checks.size());
  for (const BufferCheck* const check : checks) {
    made.push_back(std::visit(BufferCheckWriter{*this, compiled}, *check));
  }
  mark_relations(made);
  const auto index = static_cast<uint32_t>(tables_.buffer_instructions.size());
  tables_.buffer_instructions.insert(tables_.buffer_instructions.end(), made.begin(), made.end());
  return index;
}

/// What a command does to a bit after a match; nothing where it only asks.
static std::optional<PostOpcode> post_of(FlowBits::Command command) {
  switch (command) {
    case FlowBits::Command::set:
      return PostOpcode::set_bit;
    case FlowBits::Command::unset:
      return PostOpcode::unset_bit;
    case FlowBits::Command::toggle:
      return PostOpcode::toggle_bit;
    case FlowBits::Command::is_set:
    case FlowBits::Command::is_not_set:
      return std::nullopt;
  }
  return std::nullopt;
}

void ProgramBuilder::add_posts(const Rule& rule, CompiledRule& compiled) {
  auto& posts = tables_.post_instructions;
  compiled.post_index = static_cast<uint32_t>(posts.size());
  for (const PacketCheck& check : rule.packet_checks) {
    if (const auto* const bits = std::get_if<FlowBits>(&check)) {
      const std::optional<PostOpcode> opcode = post_of(bits->command);
      for (size_t i = 0; opcode && i < bits->names.size(); ++i) {
        posts.push_back({*opcode, false, interner_.bit(bits->names[i]), 0});
      }
    }
    const auto* const integer = std::get_if<FlowInteger>(&check);
    if (integer == nullptr || integer->command > FlowInteger::Command::assign) {
      continue;
    }
    const PostOpcode opcode =
        integer->command == FlowInteger::Command::add        ? PostOpcode::integer_add
        : integer->command == FlowInteger::Command::subtract ? PostOpcode::integer_subtract
                                                             : PostOpcode::integer_assign;
    const bool is_named = !integer->value_of.empty();
    posts.push_back({opcode, is_named, interner_.integer(integer->name),
                     is_named ? interner_.integer(integer->value_of) : integer->value});
  }
  if (rule.is_bypass) {
    posts.push_back({PostOpcode::bypass, false, 0, 0});
  }
  compiled.post_count = static_cast<uint16_t>(posts.size() - compiled.post_index);
}

}  // namespace shrike::rule
