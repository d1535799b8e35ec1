#pragma once
#include "dcerpc_records.h"
#include "parser.h"

/// DCERPC over TCP (connection-oriented) and UDP (connectionless).
namespace shrike::protocol {

/// A call with its answer, or a bind with its acknowledgement.
class DcerpcTransaction : public AppTransaction {
 public:
  explicit DcerpcTransaction(Pool& pool) : AppTransaction(pool), interfaces(pool) {}

  dcerpc::MessageType request_type = dcerpc::MessageType::request;
  dcerpc::MessageType response_type = dcerpc::MessageType::response;
  uint32_t call_id = 0;
  uint16_t operation = 0;
  uint16_t context_id = 0;
  uint8_t version = 0;  ///< 5 over TCP, 4 over UDP
  uint8_t version_minor = 0;
  bool has_request = false;  ///< its operation is known: rules may look at it
  std::array<bool, 2> is_lost{};
  std::array<uint16_t, 2> fragments{};
  std::array<uint64_t, 2> stub_bytes{};
  std::array<Body*, 2> stubs{};
  PoolVector<dcerpc::Interface> interfaces;  ///< of a bind
  // Over UDP a call is known by these instead of its call_id.
  std::array<uint8_t, 16> activity{};
  uint32_t sequence_number = 0;

  [[nodiscard]] bool is_done(Direction direction) const noexcept {
    return progress_in(direction) == Progress::complete;
  }
};

class DcerpcParser {
 public:
  explicit DcerpcParser(Session& session);
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  struct Side {
    bool is_started = false;
    bool is_searching = false;  ///< after a gap: for the start of a message
    bool had_gap = false;
  };

  Consumed parse_stream(const Input& input);
  size_t find_message(Bytes bytes, Side& side) const noexcept;
  bool take_message(Direction direction, const dcerpc::Header& header, Bytes body);
  bool take_bind(const dcerpc::Header& header, Bytes body);
  bool take_bind_ack(const dcerpc::Header& header, Bytes body);
  bool take_request(const dcerpc::Header& header, Bytes body);
  void take_response(const dcerpc::Header& header, Bytes body);
  void add_stub(DcerpcTransaction& call, Direction direction, const dcerpc::Header& header,
                Bytes stub);
  void finish_after_gap(Direction direction);
  DcerpcTransaction& open_call(const dcerpc::Header& header);
  DcerpcTransaction* find_call(const dcerpc::Header& header, Direction direction) const noexcept;
  void finish(DcerpcTransaction& call, Direction direction);

  Consumed parse_datagram(const Input& input);
  DcerpcTransaction& call_of_datagram(ByteReader header, bool is_little_endian,
                                      dcerpc::MessageType type);

  Session& session_;
  std::array<Side, 2> sides_{};
  /// All interfaces that binds of this flow asked for, newest binds last.
  PoolVector<dcerpc::Interface> interfaces_;
};

extern const ParserRow dcerpc_row;

}  // namespace shrike::protocol
