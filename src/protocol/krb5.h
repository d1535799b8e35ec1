#pragma once
#include "parser.h"

/// Kerberos 5 (RFC 4120) over UDP and TCP: what messages show in the clear.
namespace shrike::protocol {

class Krb5Transaction : public AppTransaction {
 public:
  using AppTransaction::AppTransaction;
  Direction direction = Direction::to_server;
  uint8_t type = 0;  ///< RFC 4120, section 5.10: 10 AS-REQ … 30 KRB-ERROR
  std::string_view realm;
  bool has_encryption = false;  ///< replies only
  int32_t encryption = 0;
  int32_t ticket_encryption = 0;
};

class Krb5Parser {
 public:
  explicit Krb5Parser(Session& session) noexcept : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  bool take_message(Direction direction, Bytes bytes);
  Session& session_;
};

extern const ParserRow krb5_row;

}  // namespace shrike::protocol
