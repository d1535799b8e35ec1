// The EVE members of RDP. What is optional in the client's core data is there only where all before
// it is, and valid. Source: MS-RDPBCGR, section 2.2.1.3.2.
#include <algorithm>
#include <optional>
#include <string>

#include "der.h"
#include "rdp.h"
#include "shrike/base/hex_text.h"

namespace shrike::protocol {

namespace {

struct Name {
  uint32_t number;
  std::string_view text;
};

std::string_view name_of(std::span<const Name> names, uint32_t number,
                         std::string_view otherwise = {}) noexcept {
  const auto found = std::find_if(names.begin(), names.end(),
                                  [&](const Name& each) { return each.number == number; });
  return found == names.end() ? otherwise : found->text;
}

void describe_flags(std::string_view key, std::span<const Name> names, uint32_t flags,
                    JsonWriter& json) {
  if (flags == 0) {
    return;
  }
  json.begin_array(key);
  for (const Name& each : names) {
    if ((flags & each.number) != 0) {
      json.element(each.text);
    }
  }
  json.end_array();
}

constexpr Name request_flags[] = {{0x1, "restricted_admin_mode_required"},
                                  {0x2, "redirected_authentication_mode_required"},
                                  {0x8, "correlation_info_present"}};
constexpr Name response_flags[] = {{0x1, "extended_client_data"},
                                   {0x2, "dynvc_gfx"},
                                   {0x8, "restricted_admin"},
                                   {0x10, "redirected_authentication"}};
constexpr Name protocols[] = {
    {0, "rdp"}, {1, "ssl"}, {2, "hybrid"}, {4, "rds_tls"}, {8, "hybrid_ex"}};
constexpr Name reasons[] = {
    {1, "ssl required by server"},    {2, "ssl not allowed by server"},
    {3, "ssl cert not on server"},    {4, "inconsistent flags"},
    {5, "hybrid required by server"}, {6, "ssl with user auth required by server"}};
constexpr Name versions[] = {{0x80001, "v4"},    {0x80004, "v5"},    {0x80005, "v10.0"},
                             {0x80006, "v10.1"}, {0x80007, "v10.2"}, {0x80008, "v10.3"},
                             {0x80009, "v10.4"}, {0x8000a, "v10.5"}, {0x8000b, "v10.6"},
                             {0x8000c, "v10.7"}};
constexpr Name builds[] = {
    {528, "Windows NT 3.1"},       {807, "Windows NT 3.5"},     {1057, "Windows NT 3.51"},
    {1381, "Windows NT 4.0"},      {2195, "Windows 2000"},      {2600, "Windows XP"},
    {3790, "Windows Server 2003"}, {6000, "Windows Vista RTM"}, {6001, "Windows Vista SP1"},
    {6002, "Windows Vista SP2"},   {7600, "Windows 7 RTM"},     {7601, "Windows 7 SP1"},
    {9200, "Windows 8"},           {9600, "Windows 8.1"},       {10240, "Windows 10 TH1"},
    {10586, "Windows 10 TH2"},     {14393, "Windows 10 RS1"},   {15063, "Windows 10 RS2"},
    {16299, "Windows 10 RS3"},     {17134, "Windows 10 RS4"},   {17763, "Windows 10 RS5"}};
constexpr Name keyboards[] = {{1, "xt"},   {2, "ico"},  {3, "at"}, {4, "enhanced"},
                              {5, "1050"}, {6, "9140"}, {7, "jp"}};
constexpr Name capabilities[] = {
    {0x1, "support_errinfo_pdf"},         {0x2, "want_32bpp_session"},
    {0x4, "support_statusinfo_pdu"},      {0x8, "strong_asymmetric_keys"},
    {0x20, "valid_connection_type"},      {0x40, "support_monitor_layout_pdu"},
    {0x80, "support_netchar_autodetect"}, {0x100, "support_dynvc_gfx_protocol"},
    {0x200, "support_dynamic_time_zone"}, {0x400, "support_heartbeat_pdu"}};
constexpr Name connections[] = {{1, "modem"},          {2, "low_broadband"}, {3, "satellite"},
                                {4, "high_broadband"}, {5, "wan"},           {6, "lan"},
                                {7, "autodetect"}};
/// Bits of a pixel, by the names that the three depth fields have for them.
constexpr uint32_t depth_bits(uint32_t code) noexcept {
  switch (code) {
    case 0xca00:
      return 4;
    case 0xca01:
      return 8;
    case 0xca02:
      return 15;
    case 0xca03:
      return 16;
    case 0xca04:
      return 24;
    default:
      return 0;
  }
}

void append_utf8(std::string& text, uint32_t letter) {
  if (letter < 0x80) {
    text += static_cast<char>(letter);
    return;
  }
  const unsigned more = letter < 0x800 ? 1 : letter < 0x10000 ? 2 : 3;
  constexpr unsigned leads[] = {0, 0xc0, 0xe0, 0xf0};
  text += static_cast<char>(leads[more] | letter >> (6 * more));
  for (unsigned i = more; i-- > 0;) {
    text += static_cast<char>(0x80 | (letter >> (6 * i) & 0x3f));
  }
}

/// UTF-16LE up to its first zero; none where surrogates stand alone.
std::optional<std::string> wide_text(Bytes bytes) {
  std::string text;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    uint32_t letter = load_little16(bytes.data() + i);
    if (letter == 0) {
      break;
    }
    if (letter >= 0xd800 && letter < 0xe000) {
      const uint32_t second = i + 3 < bytes.size() ? load_little16(bytes.data() + i + 2) : 0;
      if (letter >= 0xdc00 || second < 0xdc00 || second >= 0xe000) {
        return std::nullopt;
      }
      letter = 0x10000 + ((letter & 0x3ff) << 10 | (second & 0x3ff));
      i += 2;
    }
    append_utf8(text, letter);
  }
  return text;
}

/// What may be missing at the end. Numbers that are not there, or not valid, are none, and so is
/// all behind them.
struct CoreRest {
  uint32_t later_depth = 0;  ///< postBeta2ColorDepth
  std::optional<uint16_t> product;
  uint32_t serial = 0;
  uint32_t high_depth = 0;
  uint16_t capability_flags = 0;
  std::string product_text;
  uint32_t connection = 0;
  std::optional<uint32_t> width, height, orientation, scale, device_scale;
};

bool has_size(uint32_t millimeters) noexcept {
  return millimeters >= 10 && millimeters <= 10000;
}

void read_monitor(ByteReader& reader, CoreRest& rest) {
  const uint32_t width = reader.little32();
  if (reader.failed() || !has_size(width)) {
    return;
  }
  rest.width = width;
  const uint32_t height = reader.little32();
  if (reader.failed() || !has_size(height)) {
    return;
  }
  rest.height = height;
  const uint32_t orientation = reader.little16();
  if (reader.failed() || orientation > 270 || orientation % 90 != 0) {
    return;
  }
  rest.orientation = orientation;
  const uint32_t scale = reader.little32();
  if (reader.failed() || scale < 100 || scale > 500) {
    return;
  }
  rest.scale = scale;
  const uint32_t device_scale = reader.little32();
  if (!reader.failed() && (device_scale == 100 || device_scale == 140 || device_scale == 180)) {
    rest.device_scale = device_scale;
  }
}

void read_identity(ByteReader& reader, CoreRest& rest) {
  constexpr size_t product_bytes = 64;
  const Bytes text = reader.take(product_bytes);
  const auto product = wide_text(text);
  if (reader.failed() || !product) {
    return;
  }
  rest.product_text = *product;
  const uint8_t connection = reader.u8();
  if (reader.failed() || connection > 7) {
    return;
  }
  rest.connection = connection;
  reader.skip(1);
  const uint32_t protocol = reader.little32();
  if (!reader.failed() && protocol <= 0xf) {
    read_monitor(reader, rest);
  }
}

CoreRest read_rest(ByteReader& reader) {
  CoreRest rest;
  const uint32_t later_depth = reader.little16();
  if (reader.failed() || (later_depth != 0 && depth_bits(later_depth) == 0)) {
    return rest;
  }
  rest.later_depth = later_depth;
  const uint16_t product = reader.little16();
  if (reader.failed()) {
    return rest;
  }
  rest.product = product;
  const uint32_t serial = reader.little32();
  if (reader.failed()) {
    return rest;
  }
  rest.serial = serial;
  const uint32_t high_depth = reader.little16();
  constexpr uint32_t high_depths[] = {0, 4, 8, 15, 16, 24};
  if (reader.failed() || std::find(std::begin(high_depths), std::end(high_depths), high_depth) ==
                             std::end(high_depths)) {
    return rest;
  }
  rest.high_depth = high_depth;
  const uint16_t depths = reader.little16();
  const uint16_t flags = reader.little16();
  if (reader.failed() || depths > 0xf || flags > 0x7ff) {
    return rest;
  }
  rest.capability_flags = flags;
  read_identity(reader, rest);
  return rest;
}

void describe_text(std::string_view key, const std::string& text, JsonWriter& json) {
  if (!text.empty()) {
    json.text(key, text);
  }
}

void describe_number(std::string_view key, const std::optional<uint32_t>& number,
                     JsonWriter& json) {
  if (number) {
    json.number(key, *number);
  }
}

void describe_rest(const CoreRest& rest, JsonWriter& json) {
  if (rest.product) {
    json.number("product_id", *rest.product);
  }
  if (rest.serial != 0) {
    json.number("serial_number", rest.serial);
  }
  describe_flags("capabilities", capabilities, rest.capability_flags, json);
  describe_text("id", rest.product_text, json);
  if (rest.connection != 0) {
    json.text("connection_hint", name_of(connections, rest.connection));
  }
  describe_number("physical_width", rest.width, json);
  describe_number("physical_height", rest.height, json);
  describe_number("desktop_orientation", rest.orientation, json);
  describe_number("scale_factor", rest.scale, json);
  describe_number("device_scale_factor", rest.device_scale, json);
}

void describe_core(Bytes core, JsonWriter& json) {
  constexpr size_t client_name_bytes = 32, method_bytes = 64;
  constexpr std::string_view unknown = "unknown";
  ByteReader reader(core);
  const uint32_t version = reader.little32();
  const uint16_t width = reader.little16();
  const uint16_t height = reader.little16();
  const uint32_t first_depth = reader.little16();
  reader.skip(2);
  const uint32_t layout = reader.little32();
  const uint32_t build = reader.little32();
  const auto client_name = wide_text(reader.take(client_name_bytes));
  const std::string_view keyboard = name_of(keyboards, reader.little32());
  const uint32_t keyboard_subtype = reader.little32();
  const uint32_t function_keys = reader.little32();
  const auto method = wide_text(reader.take(method_bytes));
  if (reader.failed() || !client_name || !method) {
    return;
  }
  const CoreRest rest = read_rest(reader);
  json.begin_object("client");
  json.text("version", name_of(versions, version, unknown));
  json.number("desktop_width", width);
  json.number("desktop_height", height);
  const uint32_t basic = first_depth == 0xca00 || first_depth == 0xca01 ? first_depth : 0;
  const uint32_t depth = rest.high_depth != 0
                             ? rest.high_depth
                             : depth_bits(rest.later_depth != 0 ? rest.later_depth : basic);
  if (depth != 0) {
    json.number("color_depth", depth);
  }
  const std::string_view layout_name = keyboard_layout_name(layout);
  json.text("keyboard_layout", layout_name.empty() ? unknown : layout_name);
  json.text("build", name_of(builds, build, unknown));
  describe_text("client_name", *client_name, json);
  if (!keyboard.empty()) {
    json.text("keyboard_type", keyboard);
  }
  if (keyboard_subtype != 0) {
    json.number("keyboard_subtype", keyboard_subtype);
  }
  if (function_keys != 0) {
    json.number("function_keys", function_keys);
  }
  describe_text("ime", *method, json);
  describe_rest(rest, json);
  json.end_object();
}

void describe_channels(Bytes entries, JsonWriter& json) {
  constexpr size_t entry_bytes = 12, name_bytes = 8;
  if (entries.empty()) {
    return;
  }
  json.begin_array("channels");
  for (; entries.size() >= entry_bytes; entries = entries.subspan(entry_bytes)) {
    const std::string_view name = as_text(entries.first(name_bytes));
    json.element(name.substr(0, name.find('\0')));
  }
  json.end_array();
}

void describe_response(const RdpTransaction& transaction, JsonWriter& json) {
  json.text("event_type", "initial_response");
  if (!transaction.has_negotiation) {
    return;
  }
  if (transaction.is_refused) {
    json.number("error_code", transaction.selected);
    json.text("reason", name_of(reasons, transaction.selected));
    return;
  }
  describe_flags("server_supports", response_flags, transaction.flags, json);
  json.text("protocol", name_of(protocols, transaction.selected));
}

void describe_certificates(const RdpTransaction& transaction, JsonWriter& json) {
  json.text("event_type", "tls_handshake");
  json.begin_array("x509_serials");
  for (const Bytes certificate : transaction.certificates) {
    const std::string serial = certificate_serial(certificate);
    if (!serial.empty()) {
      json.element(serial);
    }
  }
  json.end_array();
}

}  // namespace

std::string certificate_serial(Bytes certificate) {
  DerReader outer(certificate);
  DerReader signed_part(outer.next(der_tag::sequence).content);
  DerReader members(signed_part.next(der_tag::sequence).content);
  if (members.next_is(der_tag::context(0))) {
    members.next();
  }
  const Bytes serial = members.next(der_tag::integer).content;
  if (members.failed() || serial.empty()) {
    return {};
  }
  const std::string text = hex_text(serial);
  const size_t first = text.find_first_not_of('0');
  return first == text.npos ? "0" : text.substr(first);
}

void RdpParser::describe(const AppTransaction& each, JsonWriter& json) {
  const auto& transaction = static_cast<const RdpTransaction&>(each);
  json.begin_object("rdp");
  json.number("tx_id", transaction.number);
  switch (transaction.kind) {
    case RdpTransaction::Kind::initial_request:
      json.text("event_type", "initial_request");
      if (transaction.has_cookie) {
        json.text("cookie", as_text(transaction.cookie));
      }
      describe_flags("flags", request_flags, transaction.flags, json);
      break;
    case RdpTransaction::Kind::initial_response:
      describe_response(transaction, json);
      break;
    case RdpTransaction::Kind::connect_request:
      json.text("event_type", "connect_request");
      if (!transaction.core.empty()) {
        describe_core(transaction.core, json);
      }
      describe_channels(transaction.channels, json);
      break;
    case RdpTransaction::Kind::connect_response:
      json.text("event_type", "connect_response");
      break;
    case RdpTransaction::Kind::tls_handshake:
      describe_certificates(transaction, json);
      break;
  }
  json.end_object();
}

}  // namespace shrike::protocol
