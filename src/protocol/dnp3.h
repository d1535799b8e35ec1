#pragma once
#include "parser.h"

/// DNP3 over TCP. Source: IEEE 1815-2012.
namespace shrike::protocol {

/// One message of the application layer: a request, or a response.
class Dnp3Transaction : public AppTransaction {
 public:
  explicit Dnp3Transaction(Pool& pool) : AppTransaction(pool), data(pool), objects(pool) {}

  struct Object {
    uint8_t group = 0;
    uint8_t variation = 0;
    uint8_t qualifier = 0;
    uint32_t start = 0;
    uint32_t stop = 0;
    uint32_t count = 0;
  };

  Direction direction = Direction::to_server;
  uint8_t link_control = 0;
  uint16_t source = 0;
  uint16_t target = 0;
  uint8_t transport = 0;  ///< header of its last segment
  uint8_t control = 0;    ///< of the application layer
  uint8_t function = 0;
  uint16_t indications = 0;  ///< IIN1 << 8 | IIN2 of a response
  bool is_decoded = false;   ///< all objects are known
  bool is_whole = false;     ///< its last segment came
  PoolBytes data;            ///< of the application layer, without CRCs and transport headers
  PoolVector<Object> objects;
};

class Dnp3Parser {
 public:
  explicit Dnp3Parser(Session& session) : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  void take_frame(Direction direction, Bytes frame);
  Dnp3Transaction& open(Direction direction, Bytes frame);
  [[nodiscard]] Dnp3Transaction* find_open(Direction direction, Bytes frame,
                                           uint8_t transport) const noexcept;
  void finish(Dnp3Transaction& message);
  void raise(AppEvent event);

  Session& session_;
};

extern const ParserRow dnp3_row;

}  // namespace shrike::protocol
