#include "numbers.h"

#include <gtest/gtest.h>

namespace shrike::detect {
namespace {

TEST(Numbers, ReadsTextAsStrtoullDoes) {
  const struct {
    const char* text;
    NumberText base;
    std::optional<TextNumber> number;
  } cases[] = {
      {"123", NumberText::decimal, TextNumber{123, 3}},
      {"  42x", NumberText::decimal, TextNumber{42, 4}},
      {"-1", NumberText::decimal, TextNumber{UINT64_MAX, 2}},
      {"+7", NumberText::decimal, TextNumber{7, 2}},
      {"", NumberText::decimal, {}},
      {"x", NumberText::decimal, {}},
      {"ff", NumberText::hexadecimal, TextNumber{255, 2}},
      {"0x1F", NumberText::hexadecimal, TextNumber{31, 4}},
      {"0xg", NumberText::hexadecimal, TextNumber{0, 1}},
      {"0x", NumberText::hexadecimal, TextNumber{0, 1}},
      {"778", NumberText::octal, TextNumber{63, 2}},
      {"18446744073709551615", NumberText::decimal, TextNumber{UINT64_MAX, 20}},
      {"18446744073709551616", NumberText::decimal, {}},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.text);
    const auto number = read_text_number(as_bytes(each.text), each.base);
    ASSERT_EQ(number.has_value(), each.number.has_value());
    if (number) {
      EXPECT_EQ(number->value, each.number->value);
      EXPECT_EQ(number->bytes, each.number->bytes);
    }
  }
}

/// A jump over "\x00\x03abcdef" from cursor 0.
struct JumpCase {
  const char* name;
  ByteArguments arguments;
  ByteOperands operands;
  std::optional<uint32_t> cursor;
};

ByteArguments jump(int64_t post, JumpBase base, uint32_t multiplier = 1, uint8_t align = 0) {
  ByteArguments arguments{};
  arguments.value = static_cast<uint64_t>(post);
  arguments.operation = static_cast<uint8_t>(base);
  arguments.multiplier = multiplier;
  arguments.align = align;
  return arguments;
}

ByteOperands operands(int64_t offset, uint32_t bytes, int64_t post = 0) {
  ByteOperands made;
  made.offset = offset;
  made.bytes = bytes;
  made.value = static_cast<uint64_t>(post);
  return made;
}

TEST(Numbers, Jumps) {
  const JumpCase cases[] = {
      {"from behind the number", jump(0, JumpBase::after_number), operands(0, 2), 5u},
      {"from the beginning", jump(0, JumpBase::beginning), operands(0, 2), 3u},
      {"from the end", jump(0, JumpBase::end), operands(0, 2, -4), 7u},
      {"times", jump(0, JumpBase::after_number, 2), operands(0, 2), 8u},
      {"aligned", jump(0, JumpBase::beginning, 1, 4), operands(0, 2), 4u},
      {"before the start is the start", jump(0, JumpBase::after_number), operands(0, 2, -9), 0u},
      {"behind the end", jump(0, JumpBase::after_number, 9), operands(0, 2), {}},
      {"bytes that are not there", jump(0, JumpBase::after_number), operands(7, 2), {}},
      {"an offset before the start", jump(0, JumpBase::after_number), operands(-1, 2), {}},
      {"no number at all", jump(0, JumpBase::end), operands(0, 0, -6), 2u},
  };
  static constexpr uint8_t bytes[] = {0, 3, 'a', 'b', 'c', 'd', 'e', 'f'};
  for (const JumpCase& each : cases) {
    SCOPED_TRACE(each.name);
    uint32_t cursor = 0;
    const bool jumped = jump_bytes(bytes, cursor, each.arguments, each.operands);
    ASSERT_EQ(jumped, each.cursor.has_value());
    if (jumped) {
      EXPECT_EQ(cursor, *each.cursor);
    }
  }
}

TEST(Numbers, Calculates) {
  const struct {
    ByteMathOperator operation;
    uint64_t right;
    uint32_t bitmask;
    std::optional<uint64_t> result;
  } cases[] = {
      {ByteMathOperator::add, 5, 0, 0x105},      {ByteMathOperator::subtract, 1, 0, 0xff},
      {ByteMathOperator::multiply, 3, 0, 0x300}, {ByteMathOperator::divide, 2, 0, 0x80},
      {ByteMathOperator::divide, 0, 0, {}},      {ByteMathOperator::shift_left, 4, 0, 0x1000},
      {ByteMathOperator::shift_right, 64, 0, 0}, {ByteMathOperator::add, 0x34, 0xf0, 0x3},
  };
  static constexpr uint8_t bytes[] = {1, 0};
  for (const auto& each : cases) {
    ByteArguments arguments{};
    arguments.operation = static_cast<uint8_t>(each.operation);
    arguments.bitmask = each.bitmask;
    ByteOperands given = operands(0, 2, static_cast<int64_t>(each.right));
    uint32_t cursor = 0;
    uint64_t result = 0;
    ASSERT_EQ(calculate_bytes(bytes, cursor, arguments, given, result), each.result.has_value());
    if (each.result) {
      EXPECT_EQ(result, *each.result);
      EXPECT_EQ(cursor, 2u);
    }
  }
}

}  // namespace
}  // namespace shrike::detect
