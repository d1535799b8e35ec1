#pragma once
#include <optional>

#include "parser.h"
#include "quic_crypto.h"
#include "quic_packet.h"
#include "tls_hello.h"

/// QUIC up to the hello of each side: what its Initial packets show. Sources: RFC 9000, RFC 9001;
/// for Google's versions "QUIC Crypto", and CYU: engineering.salesforce.com, "gQUIC Protocol
/// Analysis and Fingerprinting in Zeek".
namespace shrike::protocol {

/// One packet with a long header, or an Initial one; it is complete at once, and has nothing in the
/// other direction.
class QuicTransaction : public AppTransaction {
 public:
  explicit QuicTransaction(Pool& pool) noexcept : AppTransaction(pool) {}
  bool is_client = false;
  bool has_version = false;
  uint32_t version = 0;
};

class QuicParser {
 public:
  explicit QuicParser(Session& session) noexcept
      : session_(session), sides_{Side(session.pool()), Side(session.pool())} {}

  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  struct Range {
    size_t first = 0;
    size_t last = 0;  ///< one behind
  };
  struct Side {
    explicit Side(Pool& pool) noexcept : crypto(pool), known(pool) {}
    bool has_hello = false;
    PoolBytes crypto;         ///< the handshake's bytes, with holes
    PoolVector<Range> known;  ///< … and where there are none
  };

  /// @return whether there may be another packet behind this one.
  bool read_packet(const QuicHeader& header, Bytes packet);
  bool read_initial(const QuicHeader& header, Bytes packet);
  QuicTransaction& open(const QuicHeader& header);
  void finish(QuicTransaction& transaction);
  void fail(const QuicHeader& header, AppEvent event);

  // quic_frames.cpp
  bool read_frames(Bytes frames, QuicTransaction& transaction);
  bool read_frame(ByteReader& reader, QuicTransaction& transaction);
  bool read_acknowledgement(ByteReader& reader, bool has_counts);
  bool read_crypto(ByteReader& reader, QuicTransaction& transaction);
  bool read_stream(ByteReader& reader, uint8_t type, QuicTransaction& transaction);
  void read_tags(Bytes stream, QuicTransaction& transaction);
  void add_range(Range range);
  bool read_handshake(QuicTransaction& transaction);
  void add_hello(const Hello& hello, QuicTransaction& transaction);

  [[nodiscard]] Side& side() noexcept { return sides_[static_cast<size_t>(direction_)]; }

  Session& session_;
  Direction direction_ = Direction::to_server;  ///< of the datagram at hand
  std::optional<QuicKeys> keys_;
  std::array<Side, 2> sides_;
  bool has_retried_ = false;
  bool is_broken_ = false;
};

extern const ParserRow quic_row;

}  // namespace shrike::protocol
