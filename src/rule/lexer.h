#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/base/diagnostics.h"
#include "shrike/rule.h"
#include "words.h"

/// Text of a rule file to the texts of its rules, and those to tokens.
namespace shrike::rule {

/// One rule as written. Where lines were joined by a backslash at their end, `text` is the joined
/// text and columns in it run on; `locate` gives the true place.
class RuleText {
 public:
  /// A rule on one line.
  RuleText(std::string_view text, const Position& start) : text_(text), start_(start) {}

  /// Adds a further line; the text so far ends where its backslash stood.
  void join(std::string_view line, uint32_t line_number);

  [[nodiscard]] std::string_view text() const noexcept { return joined_.empty() ? text_ : joined_; }
  /// The whole text; columns count from its first character.
  [[nodiscard]] Word word() const noexcept { return {text(), start_}; }
  /// The true place of a position that was derived from `word()`.
  [[nodiscard]] Position locate(const Position& derived) const noexcept;
  [[nodiscard]] const Position& start() const noexcept { return start_; }

 private:
  struct Piece {
    size_t offset;  ///< in the joined text
    uint32_t line;
  };
  std::string_view text_;
  std::string joined_;
  std::vector<Piece> pieces_;
  Position start_;
};

/// Splits a file into rules: skips comments and blank lines, joins continued lines, drops the
/// carriage return of CRLF. Says where a line is too long, not UTF-8 or indented (Suricata ignores
/// those; so does Shrike, but not silently).
class Lexer {
 public:
  Lexer(const Source& source, Diagnostics& diagnostics);

  /// The next rule, or nothing at the end. The text is valid as long as the result and the source.
  std::optional<RuleText> next();

  /// Rules that were refused here, for their length or their bytes.
  [[nodiscard]] uint32_t refused() const noexcept { return refused_; }

 private:
  struct Line {
    std::string_view text;
    uint32_t number;
  };
  std::optional<Line> next_line();
  bool is_acceptable(const RuleText& rule);

  std::string_view rest_;
  std::string_view name_;
  uint32_t line_number_ = 0;
  uint32_t refused_ = 0;
  Diagnostics& diagnostics_;
};

}  // namespace shrike::rule
