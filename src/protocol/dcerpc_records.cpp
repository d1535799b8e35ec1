#include "dcerpc_records.h"

#include <fmt/format.h>

#include <algorithm>

namespace shrike::protocol::dcerpc {

namespace {

/// Reads numbers in the byte order that a message's header names.
class Reader {
 public:
  Reader(Bytes bytes, bool is_little_endian) noexcept
      : bytes_(bytes), is_little_endian_(is_little_endian) {}

  uint8_t u8() noexcept { return bytes_.u8(); }
  uint16_t u16() noexcept { return is_little_endian_ ? bytes_.little16() : bytes_.big16(); }
  Bytes take(size_t count) noexcept { return bytes_.take(count); }
  bool skip(size_t count) noexcept { return bytes_.skip(count); }
  [[nodiscard]] bool failed() const noexcept { return bytes_.failed(); }

 private:
  ByteReader bytes_;
  bool is_little_endian_;
};

constexpr size_t uuid_bytes = 16;
/// allocation hint, context, operation: what a request has before its stub data.
constexpr size_t call_bytes = 8;

Interface read_interface(Reader& reader, const Header& header) {
  Interface result;
  result.context_id = reader.u16();
  reader.skip(2);  // count of transfer syntaxes, reserved
  const Bytes uuid = reader.take(uuid_bytes);
  result.version = reader.u16();
  result.version_minor = reader.u16();
  reader.skip(20);  // the first transfer syntax
  result.is_first_fragment = header.is_first();
  if (!reader.failed()) {
    result.uuid = written_uuid(uuid, header.is_little_endian);
  }
  return result;
}

}  // namespace

ShortText to_text(MessageType type) {
  static constexpr std::string_view names[] = {
      "REQUEST",   "PING",     "RESPONSE",      "FAULT",
      "WORKING",   "NOCALL",   "REJECT",        "ACK",
      "CL_CANCEL", "FACK",     "CANCEL_ACK",    "BIND",
      "BINDACK",   "BINDNAK",  "ALTER_CONTEXT", "ALTER_CONTEXT_RESP",
      "AUTH3",     "SHUTDOWN", "CO_CANCEL",     "ORPHANED",
      "RTS"};
  const auto number = static_cast<size_t>(type);
  if (number < std::size(names)) {
    return names[number];
  }
  return type == MessageType::unknown ? ShortText("UNKNOWN") : ShortText::format("{}", number);
}

std::optional<Header> read_header(Bytes bytes) noexcept {
  if (bytes.size() < header_bytes) {
    return std::nullopt;
  }
  Header header;
  header.version = bytes[0];
  header.version_minor = bytes[1];
  header.type = static_cast<MessageType>(bytes[2]);
  header.flags = bytes[3];
  header.integer_format = bytes[4];
  header.character_format = bytes[5];
  header.is_little_endian = (bytes[4] & 0x10) != 0;
  const uint8_t* const at = bytes.data();
  header.fragment_bytes = header.is_little_endian ? load_little16(at + 8) : load_big16(at + 8);
  header.call_id = header.is_little_endian ? load_little32(at + 12) : load_big32(at + 12);
  return header;
}

ShortText uuid_text(Bytes uuid) {
  ShortText text;
  for (size_t i = 0; i < uuid.size(); ++i) {
    const bool begins_group = i == 4 || i == 6 || i == 8 || i == 10;
    text.append("{}{:02x}", begins_group ? "-" : "", uuid[i]);
  }
  return text;
}

std::array<uint8_t, 16> written_uuid(Bytes wire, bool is_little_endian) noexcept {
  std::array<uint8_t, 16> uuid{};
  if (wire.size() < uuid.size()) {
    return uuid;
  }
  std::copy_n(wire.begin(), uuid.size(), uuid.begin());
  if (is_little_endian) {
    std::reverse(uuid.begin(), uuid.begin() + 4);
    std::reverse(uuid.begin() + 4, uuid.begin() + 6);
    std::reverse(uuid.begin() + 6, uuid.begin() + 8);
  }
  return uuid;
}

bool read_bind(Bytes body, const Header& header, PoolVector<Interface>& interfaces) {
  Reader reader(body, header.is_little_endian);
  reader.skip(8);  // fragment sizes, association group
  const uint8_t count = reader.u8();
  reader.skip(3);
  for (uint8_t i = 0; i < count; ++i) {
    const Interface each = read_interface(reader, header);
    if (reader.failed()) {
      return false;
    }
    if (interfaces.size() < interfaces_max) {
      interfaces.push_back(each);
    }
  }
  return !reader.failed();
}

bool read_bind_ack(Bytes body, std::span<Interface> interfaces) noexcept {
  // Suricata reads all of it in little endian, whatever the header says.
  ByteReader reader(body);
  reader.skip(8);
  const uint16_t address_bytes = reader.little16();
  reader.skip(address_bytes);
  reader.skip((4 - (address_bytes + 2) % 4) % 4);
  const uint8_t count = reader.u8();
  reader.skip(3);
  for (uint8_t i = 0; i < count; ++i) {
    const uint16_t result = reader.little16();
    const uint16_t reason = reader.little16();
    reader.skip(20);
    if (reader.failed()) {
      return false;
    }
    if (i < interfaces.size()) {
      interfaces[i].ack_result = result;
      interfaces[i].ack_reason = reason;
      interfaces[i].is_acknowledged = true;
    }
  }
  return !reader.failed();
}

std::optional<Request> read_request(Bytes body, const Header& header) noexcept {
  if (header.fragment_bytes < header_bytes + call_bytes) {
    return std::nullopt;
  }
  Reader reader(body, header.is_little_endian);
  reader.skip(4);
  Request request;
  request.context_id = reader.u16();
  request.operation = reader.u16();
  request.stub = reader.take(header.fragment_bytes - header_bytes - call_bytes);
  return reader.failed() ? std::nullopt : std::optional(request);
}

std::optional<Bytes> read_response(Bytes body, const Header& header) noexcept {
  if (header.fragment_bytes < header_bytes + call_bytes) {
    return std::nullopt;
  }
  ByteReader reader(body);
  reader.skip(call_bytes);
  const Bytes stub = reader.take(header.fragment_bytes - header_bytes - call_bytes);
  return reader.failed() ? std::nullopt : std::optional(stub);
}

void add_interface(AppTransaction& transaction, const Interface& interface) {
  std::array<uint8_t, 19> value{};
  std::copy(interface.uuid.begin(), interface.uuid.end(), value.begin());
  value[16] = static_cast<uint8_t>(interface.version >> 8);
  value[17] = static_cast<uint8_t>(interface.version);
  value[18] = interface.is_first_fragment ? 1 : 0;
  const Bytes kept = transaction.keep(value);
  transaction.add_kept(Direction::to_server, Field::dcerpc_iface, kept);
  transaction.add_kept(Direction::to_client, Field::dcerpc_iface, kept);
}

void add_operation(AppTransaction& transaction, uint16_t operation) {
  transaction.add_number(Direction::to_server, Field::dcerpc_opnum, operation);
  transaction.add_number(Direction::to_client, Field::dcerpc_opnum, operation);
}

Body& add_stub(AppTransaction& transaction, Direction direction, bool is_little_endian) {
  const BodyLimits limits{.bytes_max = stub_bytes_max,
                          .inspect_bytes_min = 0,
                          .window_bytes = static_cast<uint32_t>(stub_bytes_max)};
  return transaction.add_body(direction, Field::dcerpc_stub_data, limits, is_little_endian ? 1 : 0);
}

}  // namespace shrike::protocol::dcerpc
