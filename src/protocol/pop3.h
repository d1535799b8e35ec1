#pragma once
#include <optional>

#include "parser.h"

namespace shrike::protocol {

/// A command with its response; or the server's banner.
class Pop3Transaction : public AppTransaction {
 public:
  explicit Pop3Transaction(Pool& pool) noexcept : AppTransaction(pool), lines(pool) {}
  bool has_command = false;
  bool has_response = false;
  bool is_ok = false;
  std::string_view keyword;            ///< upper case; "<SASL DATA>" where it is no command
  std::string_view arguments;          ///< as sent, behind the keyword
  std::string_view header;             ///< the response's first line behind its status
  PoolVector<std::string_view> lines;  ///< of a response of several; not of a mail
};

/// POP3 (RFC 1939, 2449, 2595).
class Pop3Parser {
 public:
  explicit Pop3Parser(Session& session) noexcept;

  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  struct Line {
    std::string_view text;  ///< without its end
    size_t bytes = 0;       ///< with it
  };

  /// A line that is longer is passed over.
  static constexpr size_t line_bytes_max = 4096;
  /// What is kept of a response of several lines, for records.
  static constexpr size_t lines_max = 64;
  static constexpr uint64_t transactions_default_max = 256;

  [[nodiscard]] std::optional<Line> take_line(Bytes& rest, size_t side) noexcept;
  [[nodiscard]] bool take_command(const Line& line);
  [[nodiscard]] bool take_response(const Line& line);
  void take_response_line(const Line& line);
  [[nodiscard]] Pop3Transaction* open();
  [[nodiscard]] Pop3Transaction* waiting() const noexcept;
  void finish(Pop3Transaction& transaction);

  Session& session_;
  uint64_t transactions_max_ = transactions_default_max;
  bool is_in_lines_ = false;           ///< the rest of a response comes
  std::array<bool, 2> passes_over_{};  ///< the rest of a long line, by Direction
};

extern const ParserRow pop3_row;

}  // namespace shrike::protocol
