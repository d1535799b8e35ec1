#include "random_rules.h"

namespace shrike::test {

using namespace rule;

namespace {

Operand literal(int64_t value) {
  return {value, -1};
}

Content random_content(Chance& chance, bool may_be_relative) {
  Content content;
  while (content.bytes.empty()) {
    content.bytes = chance.text(3);
  }
  const auto length = static_cast<int64_t>(content.bytes.size());
  content.is_nocase = chance.one_in(4);
  content.is_negated = chance.one_in(5);
  content.ends_with = chance.one_in(8);
  if (may_be_relative && chance.one_in(2)) {
    content.is_relative = true;
    if (chance.one_in(2)) {
      content.distance = literal(chance.number(-4, 6));
    }
    if (!content.distance || chance.one_in(2)) {
      content.within = literal(length + chance.number(0, 6));
    }
    return content;
  }
  if (chance.one_in(6)) {
    content.starts_with = true;
    return content;
  }
  if (chance.one_in(3)) {
    content.offset = literal(chance.number(1, 8));
  }
  if (chance.one_in(3)) {
    content.depth = literal(length + chance.number(0, 6));
  }
  return content;
}

BufferCheck random_other(Chance& chance, bool may_be_relative) {
  const bool is_relative = may_be_relative && !chance.one_in(4);
  switch (chance.number(0, 3)) {
    case 0: {
      static constexpr std::string_view patterns[] = {"a.b", "^b", "[ab]c", "A+b?", "c$", "b(a|c)"};
      Pcre pcre;
      pcre.pattern = patterns[static_cast<size_t>(chance.number(0, 5))];
      pcre.is_negated = chance.one_in(5);
      pcre.is_relative = is_relative;
      return pcre;
    }
    case 1: {
      ByteTest test;
      test.bytes = static_cast<uint8_t>(chance.number(1, 2));
      test.op = chance.one_in(2) ? ByteTest::Operator::greater : ByteTest::Operator::equal;
      test.value = literal(chance.number(0, 1) * 0x61 + chance.number(0, 2));
      test.offset = literal(chance.number(is_relative ? -2 : 0, 4));
      test.is_relative = is_relative;
      test.is_negated = chance.one_in(4);
      return test;
    }
    case 2: {
      ByteJump jump;
      jump.bytes = literal(1);
      jump.offset = literal(chance.number(0, 4));
      jump.is_relative = is_relative;
      jump.post_offset = chance.number(-0x62, 4);
      return jump;
    }
    default: {
      IsDataAt at;
      at.position_bytes = literal(chance.number(0, 12));
      at.is_relative = is_relative;
      at.is_negated = chance.one_in(3);
      return at;
    }
  }
}

}  // namespace

Buffer random_buffer(Chance& chance) {
  Buffer buffer;
  buffer.checks.emplace_back(random_content(chance, false));
  for (int left = chance.number(0, 4); left > 0; --left) {
    if (chance.one_in(3)) {
      buffer.checks.push_back(random_other(chance, true));
    } else {
      buffer.checks.emplace_back(random_content(chance, true));
    }
  }
  // A value read from the payload may say where the next content is.
  if (chance.one_in(6)) {
    ByteExtract extract;
    extract.bytes = 1;
    extract.offset = chance.number(0, 3);
    extract.variable = 0;
    buffer.checks.emplace_back(extract);
    Content content = random_content(chance, false);
    content.starts_with = content.ends_with = false;
    content.offset.reset();
    content.depth.reset();
    content.within = Operand{0, 0};
    content.distance = literal(0);
    buffer.checks.emplace_back(content);
  }
  return buffer;
}

bool mark_fast_pattern(Chance& chance, Buffer& buffer) {
  for (BufferCheck& check : buffer.checks) {
    auto* const content = std::get_if<Content>(&check);
    if (content != nullptr && !content->is_negated && chance.one_in(3)) {
      content->is_fast_pattern = true;
      if (content->bytes.size() > 1 && chance.one_in(2)) {
        content->fast_pattern_slice = {1, static_cast<uint16_t>(content->bytes.size() - 1)};
      }
      return true;
    }
  }
  return false;
}

}  // namespace shrike::test
