#pragma once
#include "parser.h"

/// SNMP, versions 1, 2c and 3 (RFC 1157, 3416, 3412), and TFTP (RFC 1350): one datagram, one
/// transaction.
namespace shrike::protocol {

class SnmpTransaction : public AppTransaction {
 public:
  using AppTransaction::AppTransaction;
  Direction direction = Direction::to_server;
  uint32_t version = 0;
  bool is_encrypted = false;
};

class SnmpParser {
 public:
  explicit SnmpParser(Session& session) noexcept : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  Session& session_;
  uint32_t version_ = 0;  ///< of the flow's first message
};

class TftpTransaction : public AppTransaction {
 public:
  using AppTransaction::AppTransaction;
  bool is_write = false;
  std::string_view file;
  std::string_view mode;
};

class TftpParser {
 public:
  explicit TftpParser(Session& session) noexcept : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  Session& session_;
};

extern const ParserRow snmp_row;
extern const ParserRow tftp_row;

}  // namespace shrike::protocol
