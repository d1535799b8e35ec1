#include <algorithm>
#include <bit>

#include "backend/program.h"

/// The checks inside buffers as instructions: a pure translation, see program.h.
namespace shrike::rule {

namespace {

BufferInstruction made(BufferOpcode opcode, uint32_t flags = 0) {
  BufferInstruction instruction;
  instruction.opcode = opcode;
  instruction.flags = flags;
  return instruction;
}

uint32_t flag_if(bool condition, uint32_t flag) noexcept {
  return condition ? flag : 0;
}

/// Number or variable: the field takes the variable's number, the flag says which it is.
int32_t operand(const Operand& operand, uint32_t& flags, uint32_t flag) noexcept {
  if (operand.variable >= 0) {
    flags |= flag;
    return operand.variable;
  }
  return static_cast<int32_t>(operand.literal);
}

NumberText text_of(NumberBase base) noexcept {
  return static_cast<NumberText>(base);
}
static_assert(static_cast<int>(NumberBase::octal) == static_cast<int>(NumberText::octal));

uint32_t endian_flag(Endian endian) noexcept {
  return flag_if(endian == Endian::little, buffer_flag::little_endian) |
         flag_if(endian == Endian::dce, buffer_flag::sender_endian);
}

}  // namespace

uint32_t BufferCheckWriter::bytes_of(const Content& check) const {
  auto& bytes = builder.tables_.bytes;
  const auto at = static_cast<uint32_t>(bytes.size());
  for (const char each : check.bytes) {
    const bool is_upper = each >= 'A' && each <= 'Z';
    bytes.push_back(static_cast<uint8_t>(check.is_nocase && is_upper ? each + ('a' - 'A') : each));
  }
  return at;
}

BufferInstruction BufferCheckWriter::operator()(const Content& check) const {
  BufferInstruction result = made(BufferOpcode::content);
  uint32_t flags = flag_if(check.is_negated, buffer_flag::negated) |
                   flag_if(check.is_nocase, buffer_flag::nocase) |
                   flag_if(check.ends_with, buffer_flag::ends_with) |
                   flag_if(check.distance.has_value(), buffer_flag::has_distance) |
                   flag_if(check.within.has_value(), buffer_flag::has_within);
  ContentArguments arguments{};
  arguments.bytes_at = bytes_of(check);
  arguments.length = static_cast<uint32_t>(check.bytes.size());
  if (check.offset) {
    arguments.offset = operand(*check.offset, flags, buffer_flag::offset_variable);
  }
  if (check.depth) {
    arguments.depth = operand(*check.depth, flags, buffer_flag::depth_variable);
    const uint32_t variables = buffer_flag::offset_variable | buffer_flag::depth_variable;
    arguments.depth += (flags & variables) == 0 ? arguments.offset : 0;
  }
  if (check.starts_with) {
    arguments.depth = static_cast<int32_t>(arguments.length);
  }
  if (check.distance) {
    arguments.distance = operand(*check.distance, flags, buffer_flag::distance_variable);
  }
  if (check.within) {
    arguments.within = operand(*check.within, flags, buffer_flag::within_variable);
  }
  result.content = arguments;
  result.flags = flags;
  return result;
}

BufferInstruction BufferCheckWriter::operator()(const Pcre& check) const {
  BufferInstruction result =
      made(BufferOpcode::pcre, flag_if(check.is_negated, buffer_flag::negated) |
                                   flag_if(check.is_relative, buffer_flag::relative));
  PcreArguments arguments{};
  arguments.pcre_index = static_cast<uint32_t>(builder.pcres_.size());
  builder.pcres_.push_back({check.pattern, check.pcre2_options, check.position});
  auto& captures = builder.tables_.captures;
  arguments.capture_index = static_cast<uint32_t>(captures.size());
  for (const Pcre::Capture& capture : check.captures) {
    captures.push_back(
        {capture.scope != Pcre::Capture::Scope::flow, builder.interner_.variable(capture.name)});
  }
  arguments.capture_count = static_cast<uint32_t>(check.captures.size());
  result.pcre = arguments;
  return result;
}

BufferInstruction BufferCheckWriter::operator()(const ByteTest& check) const {
  BufferInstruction result = made(BufferOpcode::byte_test);
  uint32_t flags = flag_if(check.is_negated, buffer_flag::negated) |
                   flag_if(check.is_relative, buffer_flag::relative) |
                   flag_if(check.bytes_variable >= 0, buffer_flag::bytes_variable) |
                   flag_if(check.value.variable >= 0, buffer_flag::value_variable) |
                   endian_flag(check.endian);
  ByteArguments arguments{};
  arguments.value = check.value.variable >= 0 ? static_cast<uint64_t>(check.value.variable)
                                              : static_cast<uint64_t>(check.value.literal);
  arguments.offset = operand(check.offset, flags, buffer_flag::offset_variable);
  arguments.bitmask = check.bitmask;
  arguments.bytes =
      check.bytes_variable >= 0 ? static_cast<uint8_t>(check.bytes_variable) : check.bytes;
  arguments.operation = static_cast<uint8_t>(check.op);
  arguments.text = text_of(check.base);
  result.byte = arguments;
  result.flags = flags;
  return result;
}

BufferInstruction BufferCheckWriter::operator()(const ByteJump& check) const {
  BufferInstruction result = made(BufferOpcode::byte_jump);
  uint32_t flags = flag_if(check.is_relative, buffer_flag::relative) | endian_flag(check.endian);
  ByteArguments arguments{};
  arguments.value = static_cast<uint64_t>(static_cast<int64_t>(check.post_offset));
  arguments.offset = operand(check.offset, flags, buffer_flag::offset_variable);
  arguments.bitmask = check.bitmask;
  arguments.multiplier = check.multiplier;
  arguments.bytes = static_cast<uint8_t>(operand(check.bytes, flags, buffer_flag::bytes_variable));
  arguments.operation = static_cast<uint8_t>(check.from_beginning ? JumpBase::beginning
                                             : check.from_end     ? JumpBase::end
                                                                  : JumpBase::after_number);
  arguments.text = text_of(check.base);
  arguments.align = check.align ? 4 : 0;
  result.byte = arguments;
  result.flags = flags;
  return result;
}

BufferInstruction BufferCheckWriter::operator()(const ByteExtract& check) const {
  BufferInstruction result =
      made(BufferOpcode::byte_extract,
           flag_if(check.is_relative, buffer_flag::relative) | endian_flag(check.endian));
  ByteArguments arguments{};
  arguments.offset = check.offset;
  arguments.multiplier = check.multiplier;
  arguments.bytes = check.bytes;
  arguments.text = text_of(check.base);
  arguments.align = check.align;
  arguments.result = static_cast<uint8_t>(check.variable);
  result.byte = arguments;
  return result;
}

BufferInstruction BufferCheckWriter::operator()(const ByteMath& check) const {
  BufferInstruction result = made(BufferOpcode::byte_math);
  uint32_t flags = flag_if(check.is_relative, buffer_flag::relative) |
                   flag_if(check.right.variable >= 0, buffer_flag::value_variable) |
                   endian_flag(check.endian);
  ByteArguments arguments{};
  arguments.value = check.right.variable >= 0 ? static_cast<uint64_t>(check.right.variable)
                                              : static_cast<uint64_t>(check.right.literal);
  arguments.offset = operand(check.offset, flags, buffer_flag::offset_variable);
  arguments.bitmask = check.bitmask;
  arguments.bytes = static_cast<uint8_t>(operand(check.bytes, flags, buffer_flag::bytes_variable));
  arguments.operation = static_cast<uint8_t>(check.op);
  arguments.text = text_of(check.base);
  arguments.result = static_cast<uint8_t>(check.result);
  result.byte = arguments;
  result.flags = flags;
  return result;
}

BufferInstruction BufferCheckWriter::operator()(const IsDataAt& check) const {
  BufferInstruction result =
      made(BufferOpcode::is_data_at, flag_if(check.is_negated, buffer_flag::negated) |
                                         flag_if(check.is_relative, buffer_flag::relative));
  uint32_t flags = result.flags;
  const int32_t position = operand(check.position_bytes, flags, buffer_flag::value_variable);
  result.number = {static_cast<uint64_t>(static_cast<int64_t>(position)), 0, Compare::equal};
  result.flags = flags;
  return result;
}

BufferInstruction BufferCheckWriter::operator()(const BufferSize& check) const {
  BufferInstruction result = made(BufferOpcode::buffer_size);
  result.number = {check.comparison.first, check.comparison.second,
                   compare_of(check.comparison.op)};
  return result;
}

BufferInstruction BufferCheckWriter::operator()(const Absent& check) const {
  return made(BufferOpcode::absent, flag_if(!check.or_else, buffer_flag::negated));
}

BufferInstruction BufferCheckWriter::operator()(const Base64Decode& check) const {
  BufferInstruction result =
      made(BufferOpcode::base64_decode, flag_if(check.is_relative, buffer_flag::relative));
  Base64Arguments arguments{};
  arguments.bytes = check.bytes == 0 ? UINT32_MAX : check.bytes;
  arguments.offset = check.offset;
  if (!builder.base64_checks_.empty()) {
    // Taken away for the time being: a base64_decode of decoded bytes has no list of its own.
    const std::vector<const BufferCheck*> checks = std::move(builder.base64_checks_);
    builder.base64_checks_.clear();
    arguments.program_index = builder.append(checks, compiled);
    arguments.program_count = static_cast<uint32_t>(checks.size());
    builder.base64_checks_ = checks;
  }
  result.base64 = arguments;
  return result;
}

BufferInstruction BufferCheckWriter::operator()(const Asn1& check) const {
  BufferInstruction result =
      made(BufferOpcode::asn1, flag_if(check.relative_offset.has_value(), buffer_flag::relative));
  Asn1Arguments arguments{};
  arguments.oversize_length = check.oversize_length.value_or(0);
  arguments.offset =
      check.relative_offset.value_or(static_cast<int32_t>(check.absolute_offset.value_or(0)));
  arguments.bitstring_overflow = check.bitstring_overflow;
  arguments.double_overflow = check.double_overflow;
  result.asn1 = arguments;
  return result;
}

BufferInstruction BufferCheckWriter::operator()(const Rpc&) const {
  return made(BufferOpcode::never);  // a check on packets: see ProgramBuilder::add_rpc
}

BufferInstruction BufferCheckWriter::operator()(const Entropy& check) const {
  BufferInstruction result = made(BufferOpcode::entropy);
  result.entropy = {check.first, check.second, check.bytes, check.offset,
                    compare_of(check.comparison.op)};
  return result;
}

BufferInstruction BufferCheckWriter::operator()(const UriLength& check) const {
  BufferInstruction result = made(BufferOpcode::uri_length);
  result.number = {check.comparison.first, check.comparison.second,
                   compare_of(check.comparison.op)};
  return result;
}

BufferInstruction BufferCheckWriter::operator()(const FieldNumbers&) const {
  return made(BufferOpcode::never);  // several instructions: see ProgramBuilder::append_numbers
}

BufferInstruction BufferCheckWriter::operator()(const DatasetCheck& check) const {
  BufferInstruction result = made(BufferOpcode::dataset);
  result.dataset = {check.dataset, check.reputation, check.command};
  return result;
}

BufferInstruction BufferCheckWriter::operator()(const NotInspected&) const {
  return made(BufferOpcode::never);
}

}  // namespace shrike::rule
