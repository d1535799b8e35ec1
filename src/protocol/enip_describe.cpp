// What EVE shows of EtherNet/IP, in the names of Suricata 8.
#include <array>
#include <charconv>

#include "enip.h"
#include "enip_names.h"

namespace shrike::protocol {

namespace {

using Payload = EnipMessage::Payload;

/// Services of one packet that an alert shows.
constexpr uint16_t shown_services_max = 256;

/// A name, or unknown-<number>.
void describe_name(std::string_view key, std::string_view name, uint32_t number, JsonWriter& json) {
  if (!name.empty()) {
    json.text(key, name);
    return;
  }
  constexpr std::string_view prefix = "unknown-";
  std::array<char, prefix.size() + 10> text;
  prefix.copy(text.data(), prefix.size());
  const auto end =
      std::to_chars(text.data() + prefix.size(), text.data() + text.size(), number).ptr;
  json.text(key, std::string_view(text.data(), static_cast<size_t>(end - text.data())));
}

void describe_extended_status(Bytes status, JsonWriter& json) {
  json.hex("status_extended", status);
  const std::string_view meaning =
      status.size() == 2 ? cip_extended_status_name(load_little16(status.data())) : "";
  if (!meaning.empty()) {
    json.text("status_extended_meaning", meaning);
  }
}

std::string_view segment_name(uint8_t kind) noexcept {
  switch (kind) {
    case cip_class_segment:
      return "class";
    case cip_instance_segment:
      return "instance";
    case cip_attribute_segment:
      return "attribute";
    default:
      return "";
  }
}

void describe_path(Bytes bytes, JsonWriter& json) {
  if (bytes.empty()) return;
  std::optional<uint32_t> last_class;
  json.begin_array("path");
  ByteReader path(bytes);
  while (path.left() > 0) {
    const auto segment = take_cip_segment(path);
    if (!segment) break;
    json.begin_element_object();
    describe_name("segment_type", segment_name(segment->kind()), segment->type, json);
    json.number("value", segment->value);
    json.end_object();
    if (segment->kind() == cip_class_segment) {
      last_class = segment->value;
    }
  }
  json.end_array();
  if (last_class && *last_class == 0) {
    json.text("class_name", "");
  } else if (last_class) {
    describe_name("class_name", cip_class_name(*last_class), *last_class, json);
  }
}

void describe_service(const Cip& cip, JsonWriter& json) {
  describe_name("service", cip_service_name(cip.service), cip.service, json);
  if (!cip.is_response) {
    describe_path(cip.path, json);
    return;
  }
  describe_name("status", cip_status_name(cip.status), cip.status, json);
  if (!cip.extended_status.empty()) {
    describe_extended_status(cip.extended_status, json);
  }
}

void describe_cip(Bytes data, JsonWriter& json) {
  const auto cip = data.empty() ? std::nullopt : read_cip(data);
  if (!cip) return;
  json.begin_object("cip");
  describe_service(*cip, json);
  if (cip->services_count > 0) {
    json.begin_array("multiple");
    for (uint16_t i = 0; i < std::min(cip->services_count, shown_services_max); ++i) {
      json.begin_element_object();
      describe_service(cip_service_in(*cip, i), json);
      json.end_object();
    }
    json.end_array();
  }
  json.end_object();
}

void describe_device(const EnipIdentity& identity, JsonWriter& json) {
  std::array<char, 8> revision;
  char* const last = revision.data() + revision.size();
  char* end = std::to_chars(revision.data(), last, identity.revision_major).ptr;
  *end++ = '.';
  end = std::to_chars(end, last, identity.revision_minor).ptr;
  json.begin_object("identity");
  json.number("protocol_version", identity.version);
  json.text("revision",
            std::string_view(revision.data(), static_cast<size_t>(end - revision.data())));
  describe_name("vendor_id", enip_vendor_name(identity.vendor), identity.vendor, json);
  describe_name("device_type", enip_device_name(identity.device_type), identity.device_type, json);
  json.number("product_code", identity.product);
  json.number("status", identity.status);
  json.number("serial", identity.serial);
  json.text("product_name", as_text(identity.name));
  json.number("state", identity.state);
  json.end_object();
}

void describe_services(const EnipService& service, JsonWriter& json) {
  json.begin_object("list_services");
  json.number("protocol_version", service.version);
  json.number("capabilities", service.capabilities);
  json.text("service_name", as_text(service.name));
  json.end_object();
}

void describe_message(std::string_view key, const EnipMessage& message, JsonWriter& json) {
  json.begin_object(key);
  describe_name("command", enip_command_name(message.command), message.command, json);
  describe_name("status", enip_status_name(message.status), message.status, json);
  if (message.options != 0) {
    json.number("options", message.options);
  }
  if (message.payload == Payload::cip) {
    describe_cip(message.data, json);
  } else if (message.payload == Payload::session) {
    json.begin_object("register_session");
    json.number("protocol_version", load_little16(message.data.data()));
    json.number("options", load_little16(message.data.data() + 2));
    json.end_object();
  } else if (message.payload == Payload::services && key == "response") {
    if (const auto service = read_enip_service(message.data)) {
      describe_services(*service, json);
    }
  } else if (message.payload == Payload::identity && key == "response") {
    if (const auto identity = read_enip_identity(message.data)) {
      describe_device(*identity, json);
    }
  }
  json.end_object();
}

}  // namespace

void EnipParser::describe(const AppTransaction& transaction, JsonWriter& json) {
  const auto& both = static_cast<const EnipTransaction&>(transaction);
  json.begin_object("enip");
  if (both.has_request) {
    describe_message("request", both.request, json);
  }
  if (both.has_response) {
    describe_message("response", both.response, json);
  }
  json.end_object();
}

}  // namespace shrike::protocol
