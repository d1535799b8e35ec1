#pragma once
#include <span>
#include <string_view>

#include "session.h"
#include "shrike/base/bytes.h"
#include "shrike/base/json_writer.h"

/// What a protocol brings: a parser, and how its flows are told from others. parsers.cpp has a row
/// for each; nothing else knows them.
namespace shrike::protocol {

/// What a parser is given: all bytes of one direction that it has not consumed yet.
struct Input {
  Direction direction = Direction::to_server;
  Bytes bytes;             ///< what the last call left, and what came since, in one piece
  uint64_t offset = 0;     ///< of bytes[0] in the stream; 0 for datagrams
  uint64_t gap_bytes = 0;  ///< not 0: so many bytes were lost here, and `bytes` is empty
  bool is_end = false;     ///< nothing more comes in this direction
};

/// What a parser did with it.
struct Consumed {
  size_t bytes = 0;  ///< from the front; the rest comes again, with more behind it
  /// Do not call again before there are so many bytes (0: as soon as there are more).
  size_t needed = 0;
  bool is_broken = false;  ///< this is not the protocol: parsing of the flow ends, counted

  static constexpr Consumed all(const Input& input) noexcept { return {input.bytes.size()}; }
  static constexpr Consumed broken() noexcept { return {.is_broken = true}; }
};

/// A text at the start of a direction that identifies a protocol (Suricata: PM patterns).
struct Pattern {
  uint8_t transport = ip_protocol::tcp;
  Direction direction = Direction::to_server;
  std::string_view text;
  uint16_t offset = 0;  ///< found anywhere in [offset, depth)
  uint16_t depth = 0;
  bool is_nocase = false;
  /// Asked after the text was found, where it alone is not enough; null: it is.
  /// `reversed`: set true where the data is of the other direction than the flow says.
  bool (*confirms)(Bytes bytes, Direction direction, bool& reversed) = nullptr;
  uint16_t bytes_min = 0;  ///< what `confirms` needs
  /// Whether it may be this protocol where the other direction was identified as that one (or is
  /// unknown); null: always.
  bool (*suits)(AppProtocol other) = nullptr;
};

/// A look at the first bytes on certain ports (Suricata: PP, probing parsers).
struct Probe {
  enum class Answer : uint8_t { yes, yes_reversed, no, more };
  uint8_t transport = ip_protocol::tcp;
  /// Server ports; the operator's detection-ports replace them. Empty: no port tells; asked only
  /// where the other direction is of this protocol, or a change of protocol expects it.
  std::span<const uint16_t> server_ports;
  uint16_t bytes_min = 0;
  uint16_t bytes_max = 0;
  /// @param direction whose bytes they are, as the flow says.
  Answer (*probe)(Bytes bytes, Direction direction) = nullptr;
  bool to_client_too = true;  ///< also asked about the server's bytes
  bool to_server_too = true;  ///< … about the client's
  /// As Pattern::suits; where it says no, the probe is asked again later.
  bool (*suits)(AppProtocol other) = nullptr;
};

struct ParserRow {
  AppProtocol protocol = AppProtocol::unknown;
  std::span<const Pattern> patterns;
  std::span<const Probe> probes;
  bool accepts_gaps = false;
  /// The side that must speak first (Suricata: first_data_dir); both: either may.
  FieldDirections speaks_first = FieldDirections::both;
  // Made by row_of_parser; null where flows are only identified.
  void* (*create)(Session&) = nullptr;
  void (*destroy)(Session&, void*) = nullptr;
  Consumed (*parse)(void*, const Input&) = nullptr;
  void (*describe)(const AppTransaction&, JsonWriter&) = nullptr;
};

/// The row of a parser class P, which has:
///   explicit P(Session&);
///   Consumed parse(const Input&);               // any segmentation; never throws
///   static void describe(const AppTransaction&, JsonWriter&);   // EVE members, "http":{…}
template <typename P>
[[nodiscard]] constexpr ParserRow row_of_parser(ParserRow row) noexcept {
  row.create = [](Session& session) -> void* { return make_in<P>(session.pool(), session); };
  row.destroy = [](Session& session, void* parser) {
    destroy_in(session.pool(), static_cast<P*>(parser));
  };
  row.parse = [](void* parser, const Input& input) {
    return static_cast<P*>(parser)->parse(input);
  };
  row.describe = &P::describe;
  return row;
}

/// All rows, one for each protocol that is at least identified. In parsers.cpp.
[[nodiscard]] std::span<const ParserRow> parser_rows() noexcept;
[[nodiscard]] const ParserRow* find_parser_row(AppProtocol protocol) noexcept;

}  // namespace shrike::protocol
