#pragma once
#include <string>

#include "parser.h"

/// RDP, the beginning of a connection: who connects, with what, and how it is to be protected.
/// Source: MS-RDPBCGR sections 2.2.1.1 to 2.2.1.4, in TPKT (T.123 section 8) and X.224 section 13.
namespace shrike::protocol {

/// Each message that tells something is a transaction of its own.
class RdpTransaction : public AppTransaction {
 public:
  enum class Kind : uint8_t {
    initial_request,
    initial_response,
    connect_request,
    connect_response,
    tls_handshake,
  };
  RdpTransaction(Pool& pool, Kind of_kind, uint64_t counted)
      : AppTransaction(pool), kind(of_kind), number(counted), certificates(pool) {}

  const Kind kind;
  const uint64_t number;  ///< 1 for the first of the flow
  bool has_cookie = false;
  Bytes cookie;
  uint8_t flags = 0;  ///< of the negotiation, either side's
  bool has_negotiation = false;
  bool is_refused = false;
  uint32_t selected = 0;  ///< protocol, or why there is none
  Bytes core;             ///< TS_UD_CS_CORE behind its header; empty: none
  Bytes channels;         ///< TS_UD_CS_NET behind its count: entries of 12 bytes
  PoolVector<Bytes> certificates;
};

class RdpParser {
 public:
  explicit RdpParser(Session& session) noexcept : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  enum class Outcome : uint8_t { done, needs_more, is_other };
  struct Step {
    Outcome outcome = Outcome::done;
    size_t bytes = 0;  ///< taken, or needed
  };
  [[nodiscard]] Step take_packet(Direction direction, Bytes bytes);
  [[nodiscard]] Step take_record(Direction direction, Bytes bytes);
  void read_unit(Direction direction, Bytes unit);
  [[nodiscard]] bool read_request(Bytes unit);
  [[nodiscard]] bool read_confirm(Bytes unit);
  void read_data(Direction direction, Bytes unit);
  void read_connect_request(Bytes content);
  [[nodiscard]] bool read_handshake(Direction direction, Bytes content);
  [[nodiscard]] bool read_certificates(Bytes message);
  RdpTransaction& open(Direction direction, RdpTransaction::Kind kind);
  void pass_over();

  Session& session_;
  uint64_t opened_ = 0;
  bool is_tls_ = false;
  bool is_passed_over_ = false;
};

/// The serial number of a certificate in hexadecimal, without leading zeros; empty: it is none.
[[nodiscard]] std::string certificate_serial(Bytes certificate);
/// The name of a keyboard layout; empty: not known. In rdp_layouts.cpp.
[[nodiscard]] std::string_view keyboard_layout_name(uint32_t layout) noexcept;

extern const ParserRow rdp_row;

}  // namespace shrike::protocol
