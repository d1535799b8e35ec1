#pragma once
#include "builder.h"
#include "keyword.h"

namespace shrike::rule {

/// The parse functions of the byte operations; their rows are in keywords_payload.cpp.
void parse_byte_test(Builder& builder, const Keyword& keyword, const Argument& argument);
void parse_byte_jump(Builder& builder, const Keyword& keyword, const Argument& argument);
void parse_byte_extract(Builder& builder, const Keyword& keyword, const Argument& argument);
void parse_byte_math(Builder& builder, const Keyword& keyword, const Argument& argument);

}  // namespace shrike::rule
