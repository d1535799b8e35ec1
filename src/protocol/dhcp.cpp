#include "dhcp.h"

#include <algorithm>
#include <string>

namespace shrike::protocol {

namespace {

using enum Direction;

/// RFC 2131, section 2: the fixed part, up to the options' magic cookie.
constexpr size_t fixed_bytes = 236;
constexpr uint32_t magic_cookie = 0x63825363;
constexpr uint8_t pad_option = 0, end_option = 255;
constexpr uint8_t lease_option = 51, renewal_option = 58, rebinding_option = 59;
constexpr size_t options_max = 256;
/// RFC 5905, section 7.3.
constexpr size_t ntp_bytes = 48;

bool is_dhcp(Bytes bytes) noexcept {
  return bytes.size() >= fixed_bytes + 4 && load_big32(&bytes[fixed_bytes]) == magic_cookie &&
         (bytes[0] == 1 || bytes[0] == 2);
}

Probe::Answer probe_dhcp(Bytes bytes, Direction) {
  return is_dhcp(bytes) ? Probe::Answer::yes : Probe::Answer::no;
}

Probe::Answer probe_ntp(Bytes bytes, Direction) {
  const uint8_t version = bytes.empty() ? 0 : bytes[0] >> 3 & 7;
  return bytes.size() >= ntp_bytes && (version == 3 || version == 4) ? Probe::Answer::yes
                                                                     : Probe::Answer::no;
}

constexpr uint16_t dhcp_ports[] = {67, 68};
constexpr uint16_t ntp_ports[] = {123};
constexpr Probe dhcp_probes[] = {{.transport = ip_protocol::udp,
                                  .server_ports = dhcp_ports,
                                  .bytes_min = 0,
                                  .bytes_max = 16,
                                  .probe = probe_dhcp}};
constexpr Probe ntp_probes[] = {{.transport = ip_protocol::udp,
                                 .server_ports = ntp_ports,
                                 .bytes_min = 0,
                                 .bytes_max = 16,
                                 .probe = probe_ntp}};

/// Options (RFC 2132): a code, a length, data.
void add_options(DhcpTransaction& transaction, Direction direction, ByteReader& reader) {
  for (size_t i = 0; i < options_max && reader.left() != 0; ++i) {
    const uint8_t code = reader.u8();
    if (code == pad_option) {
      continue;
    }
    if (code == end_option) {
      return;
    }
    const Bytes data = reader.take(reader.u8());
    if (reader.failed()) {
      break;
    }
    const Field field = code == lease_option       ? Field::dhcp_leasetime
                        : code == renewal_option   ? Field::dhcp_renewal_time
                        : code == rebinding_option ? Field::dhcp_rebinding_time
                                                   : Field::payload;
    if (field == Field::payload) {
      continue;
    }
    if (data.size() == 4) {
      transaction.add_number(direction, field, load_big32(data.data()));
    } else {
      transaction.raise(direction, AppEvent::dhcp_malformed_options);
    }
  }
  transaction.raise(direction, AppEvent::dhcp_truncated_options);
}

}  // namespace

constinit const ParserRow dhcp_row =
    row_of_parser<DhcpParser>({.protocol = AppProtocol::dhcp, .probes = dhcp_probes});
constinit const ParserRow ntp_row =
    row_of_parser<NtpParser>({.protocol = AppProtocol::ntp, .probes = ntp_probes});

Consumed DhcpParser::parse(const Input& input) {
  if (!is_dhcp(input.bytes)) {
    return Consumed::all(input);
  }
  DhcpTransaction& transaction = session_.open<DhcpTransaction>();
  transaction.skip(opposite(input.direction));
  ByteReader reader(input.bytes);
  transaction.is_request = reader.u8() == 1;
  reader.skip(3);
  transaction.exchange_id = reader.big32();
  reader.skip(8);
  const Bytes assigned = reader.take(transaction.assigned.size());
  std::copy(assigned.begin(), assigned.end(), transaction.assigned.begin());
  reader.skip(8);
  const Bytes hardware = reader.take(transaction.client_hardware.size());
  std::copy(hardware.begin(), hardware.end(), transaction.client_hardware.begin());
  ByteReader options(input.bytes.subspan(fixed_bytes + 4));
  add_options(transaction, input.direction, options);
  transaction.reach(input.direction, Progress::complete);
  return Consumed::all(input);
}

void DhcpParser::describe(const AppTransaction& each, JsonWriter& json) {
  const auto& transaction = static_cast<const DhcpTransaction&>(each);
  std::string assigned;
  for (const uint8_t byte : transaction.assigned) {
    assigned += (assigned.empty() ? "" : ".") + std::to_string(byte);
  }
  json.begin_object("dhcp");
  json.text("type", transaction.is_request ? "request" : "reply");
  json.number("id", transaction.exchange_id);
  json.hex("client_mac", transaction.client_hardware, ":");
  json.text("assigned_ip", assigned);
  json.end_object();
}

Consumed NtpParser::parse(const Input& input) {
  if (probe_ntp(input.bytes, input.direction) != Probe::Answer::yes) {
    if (!session_.transactions().empty()) {
      AppTransaction& last = *session_.transactions().back();
      last.raise(last.skips[0] ? to_client : to_server, AppEvent::ntp_malformed_data);
    }
    return Consumed::all(input);
  }
  constexpr size_t reference_at = 12;
  const Direction direction = input.direction;
  NtpTransaction& transaction = session_.open<NtpTransaction>();
  transaction.skip(opposite(direction));
  transaction.version = input.bytes[0] >> 3 & 7;
  transaction.mode = input.bytes[0] & 7;
  transaction.stratum = input.bytes[1];
  transaction.add_number(direction, Field::ntp_version, transaction.version);
  transaction.add_number(direction, Field::ntp_mode, transaction.mode);
  transaction.add_number(direction, Field::ntp_stratum, transaction.stratum);
  transaction.add(direction, Field::ntp_reference_id, input.bytes.subspan(reference_at, 4));
  transaction.reach(direction, Progress::complete);
  return Consumed::all(input);
}

void NtpParser::describe(const AppTransaction& each, JsonWriter& json) {
  const auto& transaction = static_cast<const NtpTransaction&>(each);
  json.begin_object("ntp");
  json.number("version", transaction.version);
  json.number("mode", transaction.mode);
  json.number("stratum", transaction.stratum);
  json.end_object();
}

}  // namespace shrike::protocol
