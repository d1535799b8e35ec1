#include "lexer.h"

#include "rule_limits.h"

namespace shrike::rule {

namespace {

/// Bytes of the UTF-8 character at the start, 0 where there is none. Source: RFC 3629, section 4.
size_t utf8_size(std::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F)) return 0;
    return follows(1) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if ((lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F)) return 0;
    return follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

/// Offset of the first byte that is not UTF-8; the text's size where all is well.
size_t find_bad_utf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    // Rules are nearly all ASCII: eight bytes at a time.
    uint64_t eight = 0;
    while (at + sizeof eight <= text.size()) {
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if ((eight & 0x8080808080808080ULL) != 0) break;
      at += sizeof eight;
    }
    if (at == text.size()) break;
    const size_t size = utf8_size(text.substr(at));
    if (size == 0) return at;
    at += size;
  }
  return at;
}

/// Whether the line continues on the next one; then without its backslash.
bool strip_continuation(std::string_view& line) {
  std::string_view stripped = line;
  while (!stripped.empty() && is_blank(stripped.back())) stripped.remove_suffix(1);
  if (stripped.empty() || stripped.back() != '\\') return false;
  stripped.remove_suffix(1);
  line = stripped;
  return true;
}

}  // namespace

void RuleText::join(std::string_view line, uint32_t line_number) {
  if (pieces_.empty()) {
    joined_ = text_;
    pieces_.push_back({0, start_.line});
  }
  pieces_.push_back({joined_.size(), line_number});
  joined_ += line;
}

Position RuleText::locate(const Position& derived) const noexcept {
  if (pieces_.empty() || derived.line != start_.line) return derived;
  const size_t offset = derived.column - start_.column;
  size_t piece = pieces_.size() - 1;
  while (piece > 0 && pieces_[piece].offset > offset) --piece;
  if (piece == 0) return derived;
  return {derived.file, pieces_[piece].line,
          static_cast<uint32_t>(offset - pieces_[piece].offset + 1)};
}

Lexer::Lexer(const Source& source, Diagnostics& diagnostics)
    : rest_(source.text), name_(source.name), diagnostics_(diagnostics) {
  if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);  // the mark some editors write
}

std::optional<Lexer::Line> Lexer::next_line() {
  if (rest_.empty()) return std::nullopt;
  const size_t end = rest_.find('\n');
  std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return Line{line, ++line_number_};
}

bool Lexer::is_acceptable(const RuleText& rule) {
  if (rule.text().size() > rule_bytes_max) {
    diagnostics_.error(rule.start(), "rule-length",
                       "the rule has {} bytes, at most {} are read; split it in two",
                       rule.text().size(), rule_bytes_max);
    return false;
  }
  const size_t bad = find_bad_utf8(rule.text());
  if (bad == rule.text().size()) return true;
  const Word at = rule.word().from(bad);
  diagnostics_.error(rule.locate(at.position), "utf8",
                     "byte {:02x} is not UTF-8; write it as |{:02x}| in a content",
                     static_cast<unsigned char>(at.text[0]),
                     static_cast<unsigned char>(at.text[0]));
  return false;
}

std::optional<RuleText> Lexer::next() {
  while (auto line = next_line()) {
    if (line->text.empty() || line->text[0] == '#' || line->text[0] == ';') continue;
    if (is_blank(line->text[0])) {
      const std::string_view word = trim(line->text);
      if (word.empty() || word[0] == '#') continue;
      diagnostics_.warning({name_, line->number, 1}, "indented",
                           "the line begins with a blank and is ignored; begin the rule in the "
                           "first column");
      while (strip_continuation(line->text) && (line = next_line())) {
      }
      continue;
    }
    bool is_continued = strip_continuation(line->text);
    RuleText rule(line->text, {name_, line->number, 1});
    while (is_continued) {
      auto more = next_line();
      if (!more) break;
      is_continued = strip_continuation(more->text);
      rule.join(more->text, more->number);
    }
    if (is_acceptable(rule)) return rule;
    ++refused_;
  }
  return std::nullopt;
}

}  // namespace shrike::rule
