#include "numbers.h"

#include <algorithm>
#include <bit>

namespace shrike::detect {

namespace {

/// Longest number as text: 23 bytes hold any 64-bit number in octal with its sign.
constexpr uint32_t text_bytes_max = 23;
constexpr uint32_t binary_bytes_max = 8;

bool is_space(uint8_t byte) noexcept {
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

unsigned digit_of(uint8_t byte) noexcept {
  if (byte >= '0' && byte <= '9') {
    return byte - '0';
  }
  const uint8_t low = byte | 0x20;
  return low >= 'a' && low <= 'z' ? low - 'a' + 10u : 255u;
}

unsigned radix_of(NumberText base) noexcept {
  return base == NumberText::hexadecimal ? 16 : base == NumberText::octal ? 8 : 10;
}

/// Where the bytes of a check lie, or nothing where they are not all in the buffer.
std::optional<uint32_t> place_of(Bytes buffer, uint32_t cursor, const ByteOperands& operands,
                                 bool needs_room) noexcept {
  if (buffer.empty()) {
    return std::nullopt;
  }
  const int64_t at = operands.offset + (operands.is_relative ? cursor : 0);
  const int64_t left = static_cast<int64_t>(buffer.size()) - at;
  const bool has_room = !(operands.is_relative && needs_room && left <= 0);
  if (at < 0 || !has_room || static_cast<int64_t>(operands.bytes) > left) {
    return std::nullopt;
  }
  return static_cast<uint32_t>(at);
}

struct Number {
  uint64_t value = 0;
  uint32_t bytes = 0;
};

std::optional<Number> read_number(Bytes buffer, uint32_t at, const ByteArguments& arguments,
                                  const ByteOperands& operands) noexcept {
  if (arguments.text != NumberText::binary) {
    if (operands.bytes > text_bytes_max) {
      return std::nullopt;
    }
    // No count asked for: as many digits as there are.
    const Bytes rest = buffer.subspan(at);
    const auto text =
        read_text_number(operands.bytes == 0 ? rest : rest.first(operands.bytes), arguments.text);
    return text ? std::optional(Number{text->value, text->bytes}) : std::nullopt;
  }
  if (operands.bytes > binary_bytes_max) {
    return std::nullopt;
  }
  uint64_t value = 0;
  for (uint32_t i = 0; i < operands.bytes; ++i) {
    const uint32_t from = operands.is_little ? operands.bytes - 1 - i : i;
    value = value << 8 | buffer[at + from];
  }
  return Number{value, operands.bytes};
}

uint64_t masked(uint64_t value, uint32_t bitmask) noexcept {
  return bitmask == 0 ? value : (value & bitmask) >> std::countr_zero(bitmask);
}

bool compares_as(ByteTestOperator operation, uint64_t value, uint64_t wanted) noexcept {
  switch (operation) {
    case ByteTestOperator::less:
      return value < wanted;
    case ByteTestOperator::greater:
      return value > wanted;
    case ByteTestOperator::equal:
      return value == wanted;
    case ByteTestOperator::less_or_equal:
      return value <= wanted;
    case ByteTestOperator::greater_or_equal:
      return value >= wanted;
    case ByteTestOperator::bit_and:
      return (value & wanted) != 0;
    case ByteTestOperator::bit_or:
      return (value ^ wanted) != 0;  // so Suricata reads `^`
  }
  return false;
}

uint64_t shifted(uint64_t value, uint64_t by, bool to_left) noexcept {
  if (by >= 64) {
    return 0;
  }
  return to_left ? value << by : value >> by;
}

}  // namespace

std::optional<TextNumber> read_text_number(Bytes text, NumberText base) noexcept {
  const unsigned radix = radix_of(base);
  size_t at = 0;
  while (at < text.size() && is_space(text[at])) {
    ++at;
  }
  bool is_minus = false;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) {
    is_minus = text[at] == '-';
    ++at;
  }
  if (radix == 16 && at + 2 < text.size() && text[at] == '0' && (text[at + 1] | 0x20) == 'x' &&
      digit_of(text[at + 2]) < 16) {
    at += 2;
  }
  const size_t first = at;
  uint64_t value = 0;
  for (; at < text.size() && digit_of(text[at]) < radix; ++at) {
    const unsigned digit = digit_of(text[at]);
    if (value > (UINT64_MAX - digit) / radix) {
      return std::nullopt;
    }
    value = value * radix + digit;
  }
  if (at == first) {
    return std::nullopt;
  }
  return TextNumber{is_minus ? 0 - value : value, static_cast<uint32_t>(at)};
}

bool test_bytes(Bytes buffer, uint32_t cursor, const ByteArguments& arguments,
                const ByteOperands& operands, bool is_negated) noexcept {
  const auto at = place_of(buffer, cursor, operands, true);
  const auto number = at ? read_number(buffer, *at, arguments, operands) : std::nullopt;
  if (!number || (operands.bytes_are_variable && operands.bytes == 0)) {
    return false;
  }
  return compares_as(static_cast<ByteTestOperator>(arguments.operation),
                     masked(number->value, arguments.bitmask), operands.value) != is_negated;
}

bool jump_bytes(Bytes buffer, uint32_t& cursor, const ByteArguments& arguments,
                const ByteOperands& operands) noexcept {
  const auto at = place_of(buffer, cursor, operands, operands.bytes != 0);
  if (!at) {
    return false;
  }
  const auto number = read_number(buffer, *at, arguments, operands);
  if (!number) {
    return false;
  }
  uint64_t value = masked(number->value, arguments.bitmask) * arguments.multiplier;
  if (arguments.align != 0) {
    value += (4 - value % 4) % 4;
  }
  value += operands.value;  // the post offset, which may be negative
  uint64_t base = static_cast<uint64_t>(*at) + number->bytes;
  if (static_cast<JumpBase>(arguments.operation) == JumpBase::beginning) {
    base = 0;
  } else if (static_cast<JumpBase>(arguments.operation) == JumpBase::end) {
    base = buffer.size();
  }
  const auto target = static_cast<int64_t>(base + value);
  if (target > static_cast<int64_t>(buffer.size())) {
    return false;
  }
  cursor = target < 0 ? 0 : static_cast<uint32_t>(target);
  return true;
}

bool extract_bytes(Bytes buffer, uint32_t& cursor, const ByteArguments& arguments,
                   const ByteOperands& operands, uint64_t& result) noexcept {
  const auto at = place_of(buffer, cursor, operands, true);
  const auto number = at ? read_number(buffer, *at, arguments, operands) : std::nullopt;
  if (!number) {
    return false;
  }
  uint64_t value = number->value * arguments.multiplier;
  if (arguments.align != 0) {
    value += (arguments.align - value % arguments.align) % arguments.align;
  }
  cursor = *at + number->bytes;
  result = value;
  return true;
}

bool calculate_bytes(Bytes buffer, uint32_t& cursor, const ByteArguments& arguments,
                     const ByteOperands& operands, uint64_t& result) noexcept {
  const auto at = place_of(buffer, cursor, operands, true);
  const auto number = at ? read_number(buffer, *at, arguments, operands) : std::nullopt;
  if (!number) {
    return false;
  }
  uint64_t value = number->value;
  switch (static_cast<ByteMathOperator>(arguments.operation)) {
    case ByteMathOperator::add:
      value += operands.value;
      break;
    case ByteMathOperator::subtract:
      value -= operands.value;
      break;
    case ByteMathOperator::multiply:
      value *= operands.value;
      break;
    case ByteMathOperator::divide:
      if (operands.value == 0) {
        return false;
      }
      value /= operands.value;
      break;
    case ByteMathOperator::shift_left:
    case ByteMathOperator::shift_right:
      value = shifted(
          value, operands.value,
          static_cast<ByteMathOperator>(arguments.operation) == ByteMathOperator::shift_left);
      break;
  }
  cursor = *at + number->bytes;
  result = masked(value, arguments.bitmask);
  return true;
}

}  // namespace shrike::detect
