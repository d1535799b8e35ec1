#include "verify.h"

#include <algorithm>

#include "buffer_checks.h"
#include "numbers.h"
#include "search.h"

namespace shrike::detect {

namespace {

bool has(const BufferInstruction& instruction, uint32_t flags) noexcept {
  return (instruction.flags & flags) != 0;
}

}  // namespace

BufferVerifier::BufferVerifier(const VerifyOptions& options, Datasets& datasets)
    : options_(options),
      datasets_(datasets),
      pcre_(options.pcre_match_limit, options.pcre_recursion_limit),
      decoded_(new uint8_t[limits::base64_bytes_max]) {}

bool BufferVerifier::run(const RuleTables& tables, const BufferProgram& program,
                         const BufferView& view) noexcept {
  tables_ = &tables;
  buffer_ = view.bytes;
  offset_ = view.offset;
  is_whole_ = view.is_whole;
  is_little_endian_ = view.is_little_endian;
  cursor_ = 0;
  steps_ = 0;
  retry_count_ = 0;
  return run_list(program.index, program.count, 0);
}

/// Goes through a list of checks; where one fails, goes back to the last that may hit elsewhere.
/// A content that no retry can help closes the way back for all before it, as Suricata does.
bool BufferVerifier::run_list(uint32_t index, uint32_t count, size_t retries_first) noexcept {
  retry_count_ = list_retries_ = retries_first;
  uint32_t at = index;
  Outcome outcome = Outcome::matched;
  for (;;) {
    if (++steps_ >= options_.recursion_limit) {
      ++recursion_limit_hits;
      return false;
    }
    outcome = step(tables_->buffer_instructions[at], at);
    while (outcome == Outcome::failed && retry_count_ > retries_first) {
      const Retry retry = retries_[--retry_count_];
      const BufferInstruction& instruction = tables_->buffer_instructions[retry.instruction];
      at = retry.instruction;
      outcome = instruction.opcode == BufferOpcode::content
                    ? search(instruction, at, retry.next_start, retry.cursor_before)
                    : match_pcre(instruction, at, retry.next_start, retry.cursor_before);
    }
    if (outcome != Outcome::matched) {
      return false;
    }
    if (finished_ || ++at == index + count) {
      return true;
    }
  }
}

BufferVerifier::Outcome BufferVerifier::step(const BufferInstruction& instruction,
                                             uint32_t at) noexcept {
  const auto when = [](bool holds) { return holds ? Outcome::matched : Outcome::failed; };
  finished_ = false;
  switch (instruction.opcode) {
    case BufferOpcode::never:
      return Outcome::given_up;
    case BufferOpcode::content:
      return search(instruction, at, 0, cursor_);
    case BufferOpcode::pcre:
      return match_pcre(instruction, at, 0, cursor_);
    case BufferOpcode::byte_test:
    case BufferOpcode::byte_jump:
    case BufferOpcode::byte_extract:
    case BufferOpcode::byte_math:
      return when(run_bytes(instruction));
    case BufferOpcode::is_data_at:
      return is_data_at(instruction);
    case BufferOpcode::buffer_size:
      return size_matches(instruction.number, offset_ + buffer_.size(), is_whole_);
    case BufferOpcode::absent:
      return when(!has(instruction, buffer_flag::negated));
    case BufferOpcode::base64_decode:
      return decode_base64(instruction);
    case BufferOpcode::asn1:
      return when(asn1_matches(buffer_, cursor_, instruction));
    case BufferOpcode::entropy:
      return when(entropy_matches(buffer_, instruction.entropy));
    case BufferOpcode::uri_length:
      return compares(instruction.number.compare, std::min<uint64_t>(buffer_.size(), 65535),
                      instruction.number.first, instruction.number.second)
                 ? Outcome::matched
                 : Outcome::given_up;
    case BufferOpcode::dataset:
      return datasets_.matches(*tables_, instruction.dataset, buffer_) ? Outcome::matched
                                                                       : Outcome::given_up;
    case BufferOpcode::number_in:
      return Outcome::given_up;  // not about bytes
  }
  return Outcome::given_up;
}

BufferVerifier::Outcome BufferVerifier::size_matches(const NumberArguments& arguments,
                                                     uint64_t bytes, bool is_whole) noexcept {
  if (compares(arguments.compare, bytes, arguments.first, arguments.second)) {
    return Outcome::matched;  // though more may come (as in Suricata: DetectBsizeMatch)
  }
  return is_whole ? Outcome::given_up : Outcome::failed;
}

/// An end that counts from the beginning of what the bytes at hand are a window of.
void BufferVerifier::shift(Window& window) const noexcept {
  if (offset_ == 0) {
    return;
  }
  window.has_passed = window.last <= offset_;
  if (!window.has_passed && window.last < offset_ + buffer_.size()) {
    window.last -= static_cast<uint32_t>(offset_);
  }
}

/// The window of a content that hangs on the match before. Sums wrap around in 32 bits, as they
/// do in Suricata: an end before the buffer is no bound.
BufferVerifier::Window BufferVerifier::relative_window(const BufferInstruction& instruction,
                                                       uint32_t cursor) const noexcept {
  const ContentArguments& content = instruction.content;
  Window window{cursor, static_cast<uint32_t>(buffer_.size())};
  uint32_t& first = window.first;
  uint32_t& last = window.last;
  const int32_t distance = has(instruction, buffer_flag::distance_variable)
                               ? static_cast<int32_t>(variable(content.distance))
                               : content.distance;
  if (has(instruction, buffer_flag::has_distance)) {
    const bool is_before_start = distance < 0 && 0u - static_cast<uint32_t>(distance) > first;
    first = is_before_start ? 0 : first + static_cast<uint32_t>(distance);
  }
  if (has(instruction, buffer_flag::has_within)) {
    const uint32_t within = has(instruction, buffer_flag::within_variable)
                                ? static_cast<uint32_t>(variable(content.within))
                                : static_cast<uint32_t>(content.within);
    const uint32_t end = cursor + within + static_cast<uint32_t>(distance);
    if (static_cast<int32_t>(last) > static_cast<int32_t>(end)) {
      last = end;
    }
    if (cursor == 0) {
      shift(window);
    }
  }
  if (has(instruction, buffer_flag::depth_variable)) {
    const uint64_t depth = variable(content.depth);
    last = depth + cursor < last ? cursor + static_cast<uint32_t>(depth) : last;
  } else if (content.depth != 0 && static_cast<uint32_t>(content.depth) + cursor < last) {
    last = cursor + static_cast<uint32_t>(content.depth);
  }
  if (has(instruction, buffer_flag::offset_variable)) {
    const uint64_t offset = variable(content.offset);
    first = offset > first ? static_cast<uint32_t>(offset) : first;
  } else if (static_cast<uint32_t>(content.offset) > first) {
    first = static_cast<uint32_t>(content.offset);
  }
  return window;
}

/// Where a content is searched, or nothing where there is no such place.
std::optional<BufferVerifier::Window> BufferVerifier::window_of(
    const BufferInstruction& instruction, uint32_t cursor, uint32_t next_start) const noexcept {
  const ContentArguments& content = instruction.content;
  Window window;
  if (has(instruction, buffer_flag::has_distance | buffer_flag::has_within)) {
    window = relative_window(instruction, cursor);
  } else {
    window.last = static_cast<uint32_t>(buffer_.size());
    if (has(instruction, buffer_flag::depth_variable)) {
      window.last = static_cast<uint32_t>(variable(content.depth));
    } else if (content.depth != 0) {
      window.last = static_cast<uint32_t>(content.depth);
    }
    if (content.depth != 0 || has(instruction, buffer_flag::depth_variable)) {
      shift(window);
    }
    window.first = has(instruction, buffer_flag::offset_variable)
                       ? static_cast<uint32_t>(variable(content.offset))
                       : static_cast<uint32_t>(content.offset);
  }
  if (has(instruction, buffer_flag::offset_variable | buffer_flag::depth_variable)) {
    window.last += window.first;
  }
  window.first = next_start != 0 ? next_start : window.first;
  window.last = std::min(window.last, static_cast<uint32_t>(buffer_.size()));
  if (!window.has_passed && (window.first > window.last || window.last == 0)) {
    return std::nullopt;
  }
  return window;
}

/// Searches a content from `next_start` (0: from its window's start) and leaves a way back.
BufferVerifier::Outcome BufferVerifier::search(const BufferInstruction& instruction, uint32_t at,
                                               uint32_t next_start,
                                               uint32_t cursor_before) noexcept {
  const bool is_negated = has(instruction, buffer_flag::negated);
  const ContentArguments& content = instruction.content;
  const Bytes needle{tables_->bytes.data() + content.bytes_at, content.length};
  const bool is_relative = has(instruction, buffer_flag::has_distance | buffer_flag::has_within);
  const bool ends_with = has(instruction, buffer_flag::ends_with);
  for (;;) {
    const auto window = window_of(instruction, cursor_before, next_start);
    if (!window) {
      return is_negated ? Outcome::matched : Outcome::failed;
    }
    if (window->has_passed) {
      return Outcome::failed;
    }
    const uint8_t* found = nullptr;
    if (!ends_with || window->last == buffer_.size()) {
      found = find_bytes(buffer_.subspan(window->first, window->last - window->first), needle,
                         has(instruction, buffer_flag::nocase));
    }
    if (found == nullptr) {
      if (is_negated) {
        return Outcome::matched;
      }
      return is_relative ? Outcome::failed : Outcome::given_up;
    }
    const auto end = static_cast<uint32_t>(found - buffer_.data()) + content.length;
    if (is_negated) {
      return judge_found(instruction, *window, end);
    }
    cursor_ = end;
    next_start = end - (content.length - 1);
    if (ends_with && end != buffer_.size()) {
      continue;
    }
    if (has(instruction, buffer_flag::is_last)) {
      return Outcome::matched;
    }
    leave_way_back(instruction, {at, next_start, cursor_before});
    return Outcome::matched;
  }
}

/// A negated content was found, its end at `end`.
BufferVerifier::Outcome BufferVerifier::judge_found(const BufferInstruction& instruction,
                                                    const Window& window,
                                                    uint32_t end) const noexcept {
  const bool is_elsewhere =
      has(instruction, buffer_flag::ends_with) && window.last - window.first != end;
  if (is_elsewhere) {
    return Outcome::matched;
  }
  return has(instruction, buffer_flag::is_alone) ? Outcome::given_up : Outcome::failed;
}

/// Notes where to go on if a later check fails; where no retry helps, all ways back are closed.
void BufferVerifier::leave_way_back(const BufferInstruction& instruction,
                                    const Retry& retry) noexcept {
  if (!has(instruction, buffer_flag::retry_helps)) {
    retry_count_ = list_retries_;
  } else if (retry_count_ < retries_.size()) {
    retries_[retry_count_++] = retry;
  }
}

BufferVerifier::Outcome BufferVerifier::match_pcre(const BufferInstruction& instruction,
                                                   uint32_t at, uint32_t next_start,
                                                   uint32_t cursor_before) noexcept {
  const bool is_negated = has(instruction, buffer_flag::negated);
  const uint32_t base = has(instruction, buffer_flag::relative) ? cursor_before : 0;
  const auto size = static_cast<uint32_t>(buffer_.size());
  if (base > size || (next_start != 0 && next_start < base)) {
    return Outcome::failed;
  }
  const Bytes subject = buffer_.subspan(base);
  const size_t start = next_start == 0 ? 0 : next_start - base;
  const auto outcome = pcre_.run(tables_->pcres[instruction.pcre.pcre_index], subject, start);
  if (outcome == PcreRunner::Outcome::limit) {
    ++pcre_limit_hits;
    return Outcome::failed;
  }
  if (outcome == PcreRunner::Outcome::no_match || is_negated) {
    const bool holds = (outcome == PcreRunner::Outcome::no_match) == is_negated;
    cursor_ = cursor_before;
    return holds ? Outcome::matched : Outcome::failed;
  }
  capture(instruction.pcre, subject);
  const auto found = pcre_.group(0);
  if (!found) {
    return Outcome::failed;
  }
  cursor_ = base + found->last;
  if (has(instruction, buffer_flag::next_is_relative) && !has(instruction, buffer_flag::is_last) &&
      retry_count_ < retries_.size()) {
    retries_[retry_count_++] = {at, base + found->first + 1, cursor_before};
  }
  return Outcome::matched;
}

void BufferVerifier::capture(const PcreArguments& arguments, Bytes subject) noexcept {
  for (uint32_t i = 0; i < arguments.capture_count; ++i) {
    const auto group = pcre_.group(i + 1);
    if (group && captured_count_ < captured_.size()) {
      captured_[captured_count_++] = {&tables_->captures[arguments.capture_index + i],
                                      subject.subspan(group->first, group->last - group->first)};
    }
  }
}

bool BufferVerifier::run_bytes(const BufferInstruction& instruction) noexcept {
  const ByteArguments& arguments = instruction.byte;
  ByteOperands operands;
  operands.is_relative = has(instruction, buffer_flag::relative);
  operands.is_little = has(instruction, buffer_flag::little_endian) ||
                       (is_little_endian_ && has(instruction, buffer_flag::sender_endian));
  operands.bytes_are_variable = has(instruction, buffer_flag::bytes_variable);
  operands.offset = has(instruction, buffer_flag::offset_variable)
                        ? static_cast<int32_t>(variable(arguments.offset))
                        : arguments.offset;
  operands.bytes = operands.bytes_are_variable ? static_cast<uint32_t>(variable(arguments.bytes))
                                               : arguments.bytes;
  operands.value = has(instruction, buffer_flag::value_variable)
                       ? variable(static_cast<int32_t>(arguments.value))
                       : arguments.value;
  uint64_t& result = variables_[arguments.result % variables_.size()];
  switch (instruction.opcode) {
    case BufferOpcode::byte_test:
      return test_bytes(buffer_, cursor_, arguments, operands,
                        has(instruction, buffer_flag::negated));
    case BufferOpcode::byte_jump:
      return jump_bytes(buffer_, cursor_, arguments, operands);
    case BufferOpcode::byte_extract:
      return extract_bytes(buffer_, cursor_, arguments, operands, result);
    default:
      return calculate_bytes(buffer_, cursor_, arguments, operands, result);
  }
}

BufferVerifier::Outcome BufferVerifier::is_data_at(
    const BufferInstruction& instruction) const noexcept {
  const bool is_variable = has(instruction, buffer_flag::value_variable);
  const bool is_negated = has(instruction, buffer_flag::negated);
  uint64_t position = instruction.number.first;
  if (is_variable) {
    position = variable(static_cast<int32_t>(position));
    if (position >= 100000000) {  // Suricata's bound for "never there"
      return is_negated ? Outcome::matched : Outcome::failed;
    }
  }
  const bool is_relative = has(instruction, buffer_flag::relative);
  const bool is_there = is_relative ? cursor_ + static_cast<uint32_t>(position) <= buffer_.size()
                                    : static_cast<uint32_t>(position) < buffer_.size();
  if (is_there != is_negated) {
    return Outcome::matched;
  }
  // A fixed position fails for good, but a negated relative one may hold behind another hit.
  return is_variable || (is_relative && is_negated) ? Outcome::failed : Outcome::given_up;
}

/// Decodes and looks into the result with the list of base64_data, on which alone the answer
/// hangs: what stands behind base64_decode in its own list is not asked (as in Suricata).
BufferVerifier::Outcome BufferVerifier::decode_base64(
    const BufferInstruction& instruction) noexcept {
  const Base64Arguments& arguments = instruction.base64;
  const uint64_t base = (has(instruction, buffer_flag::relative) ? cursor_ : 0u) +
                        static_cast<uint64_t>(arguments.offset);
  if (arguments.program_count == 0 || (arguments.offset != 0 && base >= buffer_.size()) ||
      base > buffer_.size()) {
    return Outcome::failed;
  }
  Bytes text = buffer_.subspan(static_cast<size_t>(base));
  text = text.first(std::min<size_t>(text.size(), arguments.bytes));
  const size_t decoded = base64_decoded(text, {decoded_.get(), limits::base64_bytes_max});
  if (decoded == 0) {
    return Outcome::failed;
  }
  const Bytes outer = buffer_;
  const uint64_t outer_offset = offset_;
  const uint32_t outer_cursor = cursor_;
  const bool outer_is_whole = is_whole_;
  const size_t outer_retries = retry_count_;
  const size_t outer_list = list_retries_;
  buffer_ = {decoded_.get(), decoded};
  offset_ = 0;
  cursor_ = 0;  // what is relative in base64_data begins at its first byte
  is_whole_ = true;
  const bool holds = run_list(arguments.program_index, arguments.program_count, outer_retries);
  buffer_ = outer;
  offset_ = outer_offset;
  cursor_ = outer_cursor;
  is_whole_ = outer_is_whole;
  retry_count_ = outer_retries;
  list_retries_ = outer_list;
  finished_ = holds;
  return holds ? Outcome::matched : Outcome::failed;
}

}  // namespace shrike::detect
