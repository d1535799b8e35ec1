#pragma once
#include "parser.h"

/// IKE, versions 1 and 2 (RFC 2408, 2409, 7296): headers, and what the first messages show in the
/// clear.
namespace shrike::protocol {

/// What a responder of version 2 chose. Numbers of RFC 7296, section 3.3.2; at first none.
struct IkeAlgorithms {
  uint16_t encryption = 11;
  uint16_t integrity = 0;
  uint16_t random_function = 0;
  uint16_t group = 0;
  uint16_t sequence_numbers = 0;
};

class IkeTransaction : public AppTransaction {
 public:
  explicit IkeTransaction(Pool& pool)
      : AppTransaction(pool), payload_types(pool), notify_types(pool) {}
  uint8_t major_version = 0;
  uint8_t minor_version = 0;
  uint8_t exchange_type = 0;
  uint32_t message_id = 0;
  uint64_t initiator = 0;
  uint64_t responder = 0;
  // Version 2 only.
  uint8_t flags = 0;
  IkeAlgorithms chosen;               ///< in the flow, this message included
  PoolVector<uint8_t> payload_types;  ///< in their order, the zero at the end included
  PoolVector<uint16_t> notify_types;
  uint32_t errors = 0;  ///< notifications that tell one
};

/// Reads the payloads of a message of version 2, all or, where one is malformed, nothing: raises
/// what is weak in its proposals, and notes what a responder chose. In ike_second.cpp.
void read_second_version(IkeTransaction& transaction, Direction direction, uint8_t first_type,
                         Bytes payloads, IkeAlgorithms& chosen);
/// The EVE members that only version 2 has.
void describe_second_version(const IkeTransaction& transaction, JsonWriter& json);

class IkeParser {
 public:
  explicit IkeParser(Session& session) noexcept : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  Session& session_;
  IkeAlgorithms chosen_;
};

extern const ParserRow ike_row;

}  // namespace shrike::protocol
