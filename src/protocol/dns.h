#pragma once
#include "dns_message.h"
#include "parser.h"

/// DNS over UDP and TCP (RFC 1035), mDNS (RFC 6762) and LLMNR (RFC 4795).
namespace shrike::protocol {

/// One message is one transaction of one direction; the other side of it is skipped.
class DnsTransaction : public AppTransaction {
 public:
  DnsTransaction(Pool& pool, DnsMessage&& from) : AppTransaction(pool), message(std::move(from)) {}
  DnsMessage message;
};

/// The fields of rules about DNS in one direction; the message must live as long as the
/// transaction.
void add_dns_fields(AppTransaction& transaction, const DnsMessage& message, Direction direction);
/// The EVE object of a message, under `key`.
void describe_dns(std::string_view key, const DnsMessage& message, uint64_t transaction_id,
                  bool is_request, JsonWriter& json);

/// DNS, and what LLMNR has in common with it.
class DnsParser {
 public:
  explicit DnsParser(Session& session, AppProtocol protocol = AppProtocol::dns) noexcept
      : session_(session), protocol_(protocol) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  bool parse_message(Direction direction, Bytes bytes, bool is_stream);
  Consumed parse_stream(const Input& input);

  Session& session_;
  AppProtocol protocol_;
  bool is_behind_gap_ = false;
};

/// mDNS: every message counts as sent to the server, whoever sent it.
class MdnsParser {
 public:
  explicit MdnsParser(Session& session) noexcept : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  Session& session_;
};

class LlmnrParser : public DnsParser {
 public:
  explicit LlmnrParser(Session& session) noexcept : DnsParser(session, AppProtocol::llmnr) {}
  static void describe(const AppTransaction& transaction, JsonWriter& json);
};

extern const ParserRow dns_row;
extern const ParserRow mdns_row;
extern const ParserRow llmnr_row;

}  // namespace shrike::protocol
