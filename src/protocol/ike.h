#pragma once
#include "parser.h"

/// IKE, versions 1 and 2 (RFC 2408, 2409, 7296): headers, and what the first messages of version 1
/// show in the clear.
namespace shrike::protocol {

class IkeTransaction : public AppTransaction {
 public:
  using AppTransaction::AppTransaction;
  uint8_t major_version = 0;
  uint8_t minor_version = 0;
  uint8_t exchange_type = 0;
  uint32_t message_id = 0;
  uint64_t initiator = 0;
  uint64_t responder = 0;
};

class IkeParser {
 public:
  explicit IkeParser(Session& session) noexcept : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  Session& session_;
};

extern const ParserRow ike_row;

}  // namespace shrike::protocol
