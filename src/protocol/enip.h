#pragma once
#include "enip_cip.h"
#include "parser.h"

/// EtherNet/IP, explicit messages over TCP and UDP. Source: CIP Networks Library, volume 2, chapter
/// 2 (encapsulation).
namespace shrike::protocol {

/// One message.
struct EnipMessage {
  enum class Payload : uint8_t { none, cip, services, identity, interfaces, session };

  uint16_t command = 0;
  uint32_t session = 0;
  uint32_t status = 0;
  uint32_t options = 0;
  Payload payload = Payload::none;
  bool is_invalid = false;  ///< its payload could not be read
  bool has_items = false;   ///< at least two, of which the second is connected data
  uint16_t sequence = 0;    ///< of the second item, where has_items
  /// cip: the first message; services, identity: the first item, where it is such a one; session:
  /// the two numbers. Empty: there is none.
  Bytes data;
};

/// A request and its response, or either alone.
class EnipTransaction : public AppTransaction {
 public:
  explicit EnipTransaction(Pool& pool) : AppTransaction(pool) {}

  bool has_request = false;
  bool has_response = false;
  EnipMessage request;
  EnipMessage response;
};

class EnipParser {
 public:
  explicit EnipParser(Session& session) : session_(session) {}
  Consumed parse(const Input& input);
  static void describe(const AppTransaction& transaction, JsonWriter& json);

 private:
  void take(Direction direction, EnipMessage message);
  [[nodiscard]] EnipTransaction* find_request(const EnipMessage& response);

  Session& session_;
  std::array<bool, 2> is_lost_{};  ///< after a gap, until a message starts
};

extern const ParserRow enip_row;

/// A device's answer to "who are you".
struct EnipIdentity {
  uint16_t version = 0;
  uint16_t vendor = 0;
  uint16_t device_type = 0;
  uint16_t product = 0;
  uint8_t revision_major = 0;
  uint8_t revision_minor = 0;
  uint16_t status = 0;
  uint32_t serial = 0;
  Bytes name;
  uint8_t state = 0;
};
[[nodiscard]] std::optional<EnipIdentity> read_enip_identity(Bytes item) noexcept;

struct EnipService {
  uint16_t version = 0;
  uint16_t capabilities = 0;
  Bytes name;
};
[[nodiscard]] std::optional<EnipService> read_enip_service(Bytes item) noexcept;

}  // namespace shrike::protocol
