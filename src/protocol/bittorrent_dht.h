#pragma once
#include "parser.h"

/// BitTorrent's distributed hash table over UDP. Source: BEP 5, BEP 32.
namespace shrike::protocol {

/// One message: queries and replies are transactions of their own.
class DhtTransaction : public AppTransaction {
 public:
  explicit DhtTransaction(Pool& pool) : AppTransaction(pool), peers(pool) {}

  Bytes id;  ///< of the transaction, as the two sides chose it
  bool has_version = false;
  Bytes version;
  // A query.
  bool has_request = false;
  Bytes request_type;
  Bytes request_node;
  bool has_target = false, has_info_hash = false, has_token = false;
  Bytes target;
  Bytes info_hash;
  Bytes token;  ///< of a reply, too
  bool has_implied_port = false, has_port = false;
  uint8_t implied_port = 0;
  uint16_t port = 0;
  // A reply.
  bool has_response = false;
  Bytes response_node;
  Bytes nodes;   ///< 26 bytes each, the rest is not read
  Bytes nodes6;  ///< 38 bytes each
  PoolVector<Bytes> peers;
  // An error.
  bool has_error = false;
  uint16_t error_number = 0;
  Bytes error_text;
};

class DhtParser {
 public:
  explicit DhtParser(Session& session) noexcept : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  Session& session_;
};

extern const ParserRow bittorrent_dht_row;

}  // namespace shrike::protocol
