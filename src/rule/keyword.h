#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "shrike/model/field.h"
#include "words.h"

namespace shrike::rule {

class Builder;

enum class ArgumentNeed : uint8_t { none, optional, required };

/// What a keyword says about the kind of its rule, and how its value is written.
namespace trait {
inline constexpr uint16_t packet_match = 1;   ///< checks the packet or its flow
inline constexpr uint16_t after_match = 2;    ///< acts once the rest has matched
inline constexpr uint16_t ip_only = 4;        ///< such a check, but an ip-only rule may have it
inline constexpr uint16_t decode_only = 8;    ///< such a check, but a decode-event rule may have it
inline constexpr uint16_t needs_packet = 16;  ///< the rule looks at packets, never at streams
inline constexpr uint16_t may_be_quoted = 32;  ///< quotes around the value are taken off
inline constexpr uint16_t must_be_quoted = 64;
inline constexpr uint16_t negatable = 128;      ///< a '!' before the value is taken off
inline constexpr uint16_t not_inspected = 256;  ///< known, but Shrike does not evaluate it
inline constexpr uint16_t no_effect = 512;      ///< loads and changes nothing, as in Suricata
inline constexpr uint16_t sticky = 1024;        ///< a buffer that what follows looks into
inline constexpr uint16_t modifier = 2048;      ///< changes the content before it
inline constexpr uint16_t later = 4096;         ///< of a Suricata after 8.0.7
}  // namespace trait

/// An option as its keyword's function sees it: quotes and negation are off.
struct Argument {
  Word name;
  Word value;
  bool is_negated = false;
};

using ParseFunction = void (*)(Builder& builder, const struct Keyword& keyword,
                               const Argument& argument);

/// A row of the keyword table: everything the parser, the linter, the list of keywords and
/// rules/README.md know about it. One row is one keyword; its aliases are in the row.
struct Keyword {
  std::string_view name;
  std::string_view aliases;  ///< further names, separated by blanks
  ArgumentNeed need = ArgumentNeed::none;
  std::string_view arguments;  ///< how the value is written
  std::string_view meaning;    ///< one sentence
  ParseFunction parse = nullptr;
  uint16_t traits = 0;
  Field field = Field::count_;  ///< count_: none

  [[nodiscard]] bool has(uint16_t wanted) const noexcept { return (traits & wanted) != 0; }
  [[nodiscard]] bool has_field() const noexcept { return field != Field::count_; }
};

/// How far Shrike goes with a keyword.
enum class KeywordState : uint8_t { inspected, waits_for_field, not_inspected, no_effect };
[[nodiscard]] KeywordState state_of(const Keyword& keyword) noexcept;
[[nodiscard]] std::string_view to_text(KeywordState state) noexcept;

/// By name or alias, exact case; nothing where the table has no such row.
[[nodiscard]] const Keyword* find_keyword(std::string_view name) noexcept;

/// The parts of the table, each in a file of its own.
std::span<const Keyword> meta_keywords() noexcept;
std::span<const Keyword> header_keywords() noexcept;
std::span<const Keyword> flow_keywords() noexcept;
std::span<const Keyword> payload_keywords() noexcept;
std::span<const Keyword> transform_keywords() noexcept;
std::span<const Keyword> http_keywords() noexcept;
std::span<const Keyword> tls_dns_keywords() noexcept;
std::span<const Keyword> service_keywords() noexcept;
std::span<const Keyword> device_keywords() noexcept;

/// All parts in the order of the keyword list.
struct KeywordGroup {
  std::string_view title;
  std::span<const Keyword> rows;
};
std::span<const KeywordGroup> keyword_groups() noexcept;

}  // namespace shrike::rule
