#pragma once
#include <cstdint>
#include <optional>

#include "shrike/base/bytes.h"
#include "shrike/model/rule_program.h"

/// Reading numbers out of a buffer for byte_test, byte_jump, byte_extract and byte_math, with the
/// bounds and quirks of Suricata's keywords.
namespace shrike::detect {

/// The operands of one byte check after its variables were filled in.
struct ByteOperands {
  int64_t offset = 0;
  uint32_t bytes = 0;
  uint64_t value = 0;
  bool is_relative = false;
  bool is_little = false;
  bool bytes_are_variable = false;
};

/// @param cursor end of the last match; @param result out: the number; moved out: new cursor.
[[nodiscard]] bool test_bytes(Bytes buffer, uint32_t cursor, const ByteArguments& arguments,
                              const ByteOperands& operands, bool is_negated) noexcept;
[[nodiscard]] bool jump_bytes(Bytes buffer, uint32_t& cursor, const ByteArguments& arguments,
                              const ByteOperands& operands) noexcept;
[[nodiscard]] bool extract_bytes(Bytes buffer, uint32_t& cursor, const ByteArguments& arguments,
                                 const ByteOperands& operands, uint64_t& result) noexcept;
[[nodiscard]] bool calculate_bytes(Bytes buffer, uint32_t& cursor, const ByteArguments& arguments,
                                   const ByteOperands& operands, uint64_t& result) noexcept;

/// The number that text begins with, as strtoull reads it: white space, sign, digits; and how
/// many bytes it took. Nothing where there is no digit or it does not fit 64 bits.
struct TextNumber {
  uint64_t value = 0;
  uint32_t bytes = 0;
};
[[nodiscard]] std::optional<TextNumber> read_text_number(Bytes text, NumberText base) noexcept;

}  // namespace shrike::detect
