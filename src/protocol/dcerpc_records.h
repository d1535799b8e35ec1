#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "app_transaction.h"
#include "short_text.h"
#include "shrike/base/bytes.h"

/// The messages of DCERPC, which comes over TCP, UDP, and the pipes of SMB.
/// Source: The Open Group, C706, "RPC PDU Encodings" (chapter 12).
namespace shrike::protocol::dcerpc {

enum class MessageType : uint8_t {
  request = 0,
  response = 2,
  bind = 11,
  bind_ack = 12,
  alter_context = 14,
  alter_context_response = 15,
  orphaned = 19,
  rts = 20,  ///< the last that exists
  unknown = 99,
};

/// "REQUEST"; a number where it has no name.
[[nodiscard]] ShortText to_text(MessageType type);

inline constexpr size_t header_bytes = 16;
inline constexpr uint8_t flag_first_fragment = 1;
inline constexpr uint8_t flag_last_fragment = 2;
/// Interfaces of one bind that are kept; C706 allows 255, clients ask for a dozen.
inline constexpr size_t interfaces_max = 64;
/// Bytes kept of the stub data of one call and direction, all fragments together.
inline constexpr uint64_t stub_bytes_max = 1 << 20;

/// The common header of a connection-oriented message.
struct Header {
  uint8_t version = 0;
  uint8_t version_minor = 0;
  MessageType type = MessageType::unknown;
  uint8_t flags = 0;
  bool is_little_endian = false;
  uint8_t character_format = 0;  ///< the second byte of the data representation
  uint8_t integer_format = 0;    ///< … and the first
  uint16_t fragment_bytes = 0;   ///< of the whole message, this header included
  uint32_t call_id = 0;

  [[nodiscard]] bool is_first() const noexcept { return (flags & flag_first_fragment) != 0; }
  [[nodiscard]] bool is_last() const noexcept { return (flags & flag_last_fragment) != 0; }
};

/// Nothing where there are fewer than header_bytes.
[[nodiscard]] std::optional<Header> read_header(Bytes bytes) noexcept;

/// What a client asks for, and what the server thinks of it.
struct Interface {
  std::array<uint8_t, 16> uuid{};  ///< in the order people write it
  uint16_t version = 0;
  uint16_t version_minor = 0;
  uint16_t context_id = 0;
  uint16_t ack_result = 0;
  uint16_t ack_reason = 0;
  bool is_acknowledged = false;
  bool is_first_fragment = false;

  [[nodiscard]] bool is_accepted() const noexcept { return is_acknowledged && ack_result == 0; }
};

/// "367abb81-9844-35f1-ad32-98f038001003"
[[nodiscard]] ShortText uuid_text(Bytes uuid);
/// A UUID as the wire has it in the order people write it.
[[nodiscard]] std::array<uint8_t, 16> written_uuid(Bytes wire, bool is_little_endian) noexcept;

/// The interfaces of a bind or alter-context, behind its header, added to `interfaces` up to
/// interfaces_max. False where it is cut short.
[[nodiscard]] bool read_bind(Bytes body, const Header& header, PoolVector<Interface>& interfaces);

/// Notes the results of a bind-ack, behind its header, in the interfaces from `first` on, in their
/// order. False where it is cut short; what came before it counts all the same.
[[nodiscard]] bool read_bind_ack(Bytes body, std::span<Interface> interfaces) noexcept;

struct Request {
  uint16_t context_id = 0;
  uint16_t operation = 0;
  Bytes stub;
};
/// A request and a response, behind their headers; nothing where they are cut short.
[[nodiscard]] std::optional<Request> read_request(Bytes body, const Header& header) noexcept;
[[nodiscard]] std::optional<Bytes> read_response(Bytes body, const Header& header) noexcept;

/// A value of dcerpc.iface: 16 bytes of UUID, the version in network order, and 1 where the
/// interface came in a first fragment. In both directions.
void add_interface(AppTransaction& transaction, const Interface& interface);
void add_operation(AppTransaction& transaction, uint16_t operation);
/// Stub data grows from fragment to fragment; rules see it from the first byte on.
[[nodiscard]] Body& add_stub(AppTransaction& transaction, Direction direction,
                             bool is_little_endian);

}  // namespace shrike::protocol::dcerpc
