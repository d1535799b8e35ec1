#pragma once
#include "parser.h"

/// DHCP (RFC 2131) and NTP (RFC 5905): one datagram, one transaction.
namespace shrike::protocol {

class DhcpTransaction : public AppTransaction {
 public:
  using AppTransaction::AppTransaction;
  bool is_request = false;
  uint32_t exchange_id = 0;
  std::array<uint8_t, 4> assigned{};
  std::array<uint8_t, 6> client_hardware{};
};

class DhcpParser {
 public:
  explicit DhcpParser(Session& session) noexcept : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  Session& session_;
};

class NtpTransaction : public AppTransaction {
 public:
  using AppTransaction::AppTransaction;
  uint8_t version = 0;
  uint8_t mode = 0;
  uint8_t stratum = 0;
};

class NtpParser {
 public:
  explicit NtpParser(Session& session) noexcept : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  Session& session_;
};

extern const ParserRow dhcp_row;
extern const ParserRow ntp_row;

}  // namespace shrike::protocol
