#pragma once
#include "parser.h"

/// LDAP (RFC 4511): requests with what answers them.
namespace shrike::protocol {

/// A protocolOp, as far as rules and alerts ask for it.
struct LdapOperation {
  uint8_t number = 0;  ///< its application tag
  Bytes name;          ///< the object it is about, or the matched one
  bool has_result = false;
  uint32_t result_code = 0;
  Bytes message;
};

class LdapTransaction : public AppTransaction {
 public:
  explicit LdapTransaction(Pool& pool) : AppTransaction(pool), responses(pool) {}
  uint32_t message_id = 0;
  bool has_request = false;
  LdapOperation request;
  PoolVector<LdapOperation> responses;
  uint64_t response_count = 0;  ///< those not kept included
};

class LdapParser {
 public:
  explicit LdapParser(Session& session) noexcept : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  [[nodiscard]] bool take(Direction direction, Bytes message);
  void take_request(uint32_t id, const LdapOperation& operation, Bytes content);
  void take_response(uint32_t id, const LdapOperation& operation, Bytes content);
  [[nodiscard]] LdapTransaction* find(uint32_t id) const noexcept;
  void complete(LdapTransaction& transaction);

  Session& session_;
};

extern const ParserRow ldap_row;

}  // namespace shrike::protocol
