#pragma once
#include <optional>

#include "app_transaction.h"

namespace shrike::protocol::mqtt {

enum class Type : uint8_t {
  unassigned,
  connect,
  connect_acknowledged,
  publish,
  publish_acknowledged,
  publish_received,
  publish_released,
  publish_completed,
  subscribe,
  subscribe_acknowledged,
  unsubscribe,
  unsubscribe_acknowledged,
  ping_request,
  ping_response,
  disconnect,
  authenticate,
};

struct Header {
  Type type = Type::unassigned;
  bool is_duplicate = false;
  uint8_t quality = 0;  ///< QoS, 0 to 2; 3 is invalid
  bool is_retained = false;
  uint32_t body_bytes = 0;
  uint32_t header_bytes = 0;  ///< of itself
};

/// Why there is no header, or no message.
enum class Fault : uint8_t { none, cut_short, malformed };

/// The fixed header at the front of `bytes`.
[[nodiscard]] std::optional<Header> read_header(Bytes bytes, Fault& fault) noexcept;

/// Bits of a CONNECT's flags; those of mqtt.connect.flags are the same.
inline constexpr uint8_t flag_clean_session = 0x02;
inline constexpr uint8_t flag_will = 0x04;
inline constexpr uint8_t flag_will_retain = 0x20;
inline constexpr uint8_t flag_password = 0x40;
inline constexpr uint8_t flag_username = 0x80;

/// Its texts borrow from the bytes that it was read from.
struct Message {
  Header header;
  bool is_truncated = false;  ///< too long: only the header was looked at
  uint16_t message_id = 0;
  bool has_message_id = false;
  std::optional<uint8_t> reason;  ///< return or reason code
  // CONNECT
  Bytes protocol;
  uint8_t version = 0;
  uint8_t connect_flags = 0;
  Bytes client_id, will_topic, will_message, username, password;
  bool is_session_present = false;  ///< CONNACK
  // PUBLISH
  Bytes topic, content;
  /// SUBSCRIBE: topics each with a byte behind; UNSUBSCRIBE: topics; their acknowledgements: codes.
  Bytes list;
};

/// @param version of the connection; a CONNECT brings its own.
[[nodiscard]] std::optional<Message> read_message(const Header& header, uint8_t version,
                                                  Bytes body) noexcept;

/// Takes a text with its length off the reader.
[[nodiscard]] Bytes take_text(ByteReader& reader) noexcept;

/// "connect", "puback": the name EVE uses.
[[nodiscard]] std::string_view to_text(Type type) noexcept;

}  // namespace shrike::protocol::mqtt
