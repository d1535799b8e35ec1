#include <algorithm>

#include "device_values.h"
#include "values.h"

/// Keywords about industrial control, voice, messages, remote desktops and QUIC.
namespace shrike::rule {

namespace {

using enum ArgumentNeed;
using namespace trait;

constexpr std::string_view number_syntax = "<n>|!<n>|<<n>|><n>|<n>-<n>";

constexpr NumberName mqtt_type_names[] = {
    {"UNASSIGNED", 0}, {"CONNECT", 1},   {"CONNACK", 2},      {"PUBLISH", 3},
    {"PUBACK", 4},     {"PUBREC", 5},    {"PUBREL", 6},       {"PUBCOMP", 7},
    {"SUBSCRIBE", 8},  {"SUBACK", 9},    {"UNSUBSCRIBE", 10}, {"UNSUBACK", 11},
    {"PINGREQ", 12},   {"PINGRESP", 13}, {"DISCONNECT", 14},  {"AUTH", 15},
};
constexpr NumberSyntax mqtt_types{.max = 15, .names = mqtt_type_names};
constexpr NumberName mqtt_flag_names[] = {{"retain", 1}, {"dup", 8}};
/// Bits of the flags in a CONNECT. Source: MQTT 5.0, 3.1.2.3.
constexpr NumberName mqtt_connect_flag_names[] = {{"username", 0x80},
                                                  {"password", 0x40},
                                                  {"will_retain", 0x20},
                                                  {"will", 0x04},
                                                  {"clean_session", 0x02}};
constexpr NumberName yes_no_names[] = {{"yes", 1}, {"no", 0}, {"true", 1}, {"false", 0}};
constexpr NumberSyntax yes_or_no{.max = 1, .names = yes_no_names};
constexpr NumberSyntax mqtt_qualities{.max = 2};
constexpr NumberName rfb_result_names[] = {{"ok", 0}, {"fail", 1}, {"toomany", 2}, {"unknown", 3}};
constexpr NumberSyntax rfb_results{.max = UINT32_MAX, .names = rfb_result_names};
/// Attributes of IKE's first phase (RFC 2409, appendix A), as Suricata names them.
constexpr NumberName ike_attribute_names[] = {
    {"alg_enc", 1},        {"alg_hash", 2},      {"alg_auth", 3},          {"alg_dh", 4},
    {"sa_group_type", 5},  {"sa_life_type", 11}, {"sa_life_duration", 12}, {"alg_prf", 13},
    {"sa_key_length", 14}, {"sa_field_size", 15}};

/// `ike.chosen_sa_attribute:alg_hash=2`. The field holds the attribute above 32 bits of value.
void parse_chosen_attribute(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Word rest = argument.value;
  const Word name = rest.take_until('=').trimmed();
  const auto* const attribute =
      std::find_if(std::begin(ike_attribute_names), std::end(ike_attribute_names),
                   [&](const NumberName& each) { return each.name == name.text; });
  if (attribute == std::end(ike_attribute_names)) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  if (const auto value = parse_number(rest.trimmed(), 0, UINT32_MAX, builder.report())) {
    const uint64_t number = attribute->number << 32 | static_cast<uint64_t>(*value);
    add_field_numbers(builder, keyword, argument,
                      {.any_of = {{Comparison::Operator::equal, number, 0}}});
  }
}

/// RFC 6455, section 5.2, and the bit of RFC 7692.
constexpr NumberName websocket_opcode_names[] = {{"continuation", 0}, {"text", 1},
                                                 {"binary", 2},       {"connection_close", 8},
                                                 {"ping", 9},         {"pong", 10}};
constexpr NumberSyntax websocket_opcode_syntax{.max = UINT8_MAX, .names = websocket_opcode_names};
constexpr NumberName websocket_flag_names[] = {{"fin", 0x80}, {"comp", 0x40}};

/// Flags by name, or the bits as a number.
void parse_websocket_flags(Builder& builder, const Keyword& keyword, const Argument& argument) {
  const bool has_name =
      std::any_of(argument.value.text.begin(), argument.value.text.end(), is_letter) &&
      argument.value.text.find("0x") == std::string_view::npos;
  if (has_name) {
    parse_field_flags<websocket_flag_names>(builder, keyword, argument);
  } else {
    parse_field_number<uint8_t>(builder, keyword, argument);
  }
}

/// Source: IEEE 1815-2012, table 4-1.
constexpr NumberName dnp3_function_names[] = {
    {"confirm", 0},
    {"read", 1},
    {"write", 2},
    {"select", 3},
    {"operate", 4},
    {"direct_operate", 5},
    {"direct_operate_nr", 6},
    {"immed_freeze", 7},
    {"immed_freeze_nr", 8},
    {"freeze_clear", 9},
    {"freeze_clear_nr", 10},
    {"freeze_at_time", 11},
    {"freeze_at_time_nr", 12},
    {"cold_restart", 13},
    {"warm_restart", 14},
    {"initialize_data", 15},
    {"initialize_appl", 16},
    {"start_appl", 17},
    {"stop_appl", 18},
    {"save_config", 19},
    {"enable_unsolicited", 20},
    {"disable_unsolicited", 21},
    {"assign_class", 22},
    {"delay_measure", 23},
    {"record_current_time", 24},
    {"open_file", 25},
    {"close_file", 26},
    {"delete_file", 27},
    {"get_file_info", 28},
    {"authenticate_file", 29},
    {"abort_file", 30},
    {"activate_config", 31},
    {"authenticate_req", 32},
    {"authenticate_err", 33},
    {"response", 129},
    {"unsolicited_response", 130},
    {"authenticate_resp", 131},
};
constexpr NumberSyntax dnp3_functions{.max = 255, .names = dnp3_function_names};

/// Internal indications as IIN1 << 8 | IIN2. Source: IEEE 1815-2012, 4.2.2.6.
constexpr NumberName dnp3_indication_names[] = {
    {"device_restart", 0x8000},
    {"device_trouble", 0x4000},
    {"local_control", 0x2000},
    {"need_time", 0x1000},
    {"class_3_events", 0x0800},
    {"class_2_events", 0x0400},
    {"class_1_events", 0x0200},
    {"all_stations", 0x0100},
    {"reserved_1", 0x0080},
    {"reserved_2", 0x0040},
    {"config_corrupt", 0x0020},
    {"already_executing", 0x0010},
    {"event_buffer_overflow", 0x0008},
    {"parameter_error", 0x0004},
    {"object_unknown", 0x0002},
    {"no_func_code_support", 0x0001},
};

/// Any of these bits.
void parse_dnp3_indications(Builder& builder, const Keyword& keyword, const Argument& argument) {
  uint64_t mask = 0;
  Word rest = argument.value;
  while (!rest.empty()) {
    const Word word = rest.take_until(',').trimmed();
    if (const auto number = to_number<uint16_t>(word.text)) {
      mask |= *number;
      continue;
    }
    const auto* const name =
        std::find_if(std::begin(dnp3_indication_names), std::end(dnp3_indication_names),
                     [&](const NumberName& each) { return is_same_word(each.name, word.text); });
    if (name == std::end(dnp3_indication_names)) {
      report_value(keyword, word, builder.report());
      return;
    }
    mask |= name->number;
  }
  FieldNumbers numbers;
  numbers.any_of.push_back({Comparison::Operator::masked_not_equal, 0, mask});
  add_field_numbers(builder, keyword, argument, std::move(numbers));
}

/// "group,variation": the field's numbers are group << 8 | variation.
void parse_dnp3_object(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Word rest = argument.value;
  const Word first = rest.take_until(',').trimmed();
  const auto group = parse_number(first, 0, 255, builder.report());
  const auto variation = parse_number(rest.trimmed(), 0, 255, builder.report());
  if (!group || !variation) return;
  FieldNumbers numbers;
  numbers.any_of.push_back(
      {Comparison::Operator::equal, static_cast<uint64_t>(*group << 8 | *variation), 0});
  add_field_numbers(builder, keyword, argument, std::move(numbers));
}

/// Encapsulation commands and statuses, as Suricata names them. Source: CIP Networks Library,
/// volume 2, tables 2-3.2 and 2-3.3.
constexpr NumberName enip_command_names[] = {{"nop", 0x0},
                                             {"list_services", 0x4},
                                             {"list_identity", 0x63},
                                             {"list_interfaces", 0x64},
                                             {"register_session", 0x65},
                                             {"unregister_session", 0x66},
                                             {"send_r_r_data", 0x6f},
                                             {"send_unit_data", 0x70},
                                             {"indicate_status", 0x72},
                                             {"cancel", 0x73}};
constexpr NumberSyntax enip_commands{.max = UINT16_MAX, .names = enip_command_names};
constexpr NumberName enip_status_names[] = {{"success", 0x0},
                                            {"invalid_cmd", 0x1},
                                            {"no_resources", 0x2},
                                            {"incorrect_data", 0x3},
                                            {"invalid_session", 0x64},
                                            {"invalid_length", 0x65},
                                            {"unsupported_prot_rev", 0x69},
                                            {"encap_header_error", 0x6a}};
constexpr NumberSyntax enip_statuses{.max = UINT32_MAX, .names = enip_status_names};

constexpr Keyword rows[] = {
    {"modbus", "", required, "[unit <n>,] function <n or name>|access read|write …",
     "Compares a request or response.", parse_modbus, may_be_quoted, Field::modbus},
    {"dnp3.data", "dnp3_data", none, "", "Buffer of the application data.", parse_sticky_buffer,
     sticky, Field::dnp3_data},
    {"dnp3_func", "", required, "<n or name>", "Compares the function code.",
     parse_field_numbers<dnp3_functions>, may_be_quoted, Field::dnp3_func},
    {"dnp3_ind", "", required, "<name>[,…]", "Compares the internal indications.",
     parse_dnp3_indications, may_be_quoted, Field::dnp3_ind},
    {"dnp3_obj", "", required, "<group>,<variation>", "Looks for an object.", parse_dnp3_object,
     may_be_quoted, Field::dnp3_obj},
    {"cip_service", "", required, "<service>[,<class>[,<attribute>]]", "Compares the CIP service.",
     parse_cip_service, may_be_quoted, Field::cip_service},
    {"enip_command", "enip.command", required, "<n or name>", "Compares the command.",
     parse_field_numbers<enip_commands>, may_be_quoted, Field::enip_command},
    {"enip.capabilities", "", required, number_syntax, "Compares the capabilities.",
     parse_field_number<uint16_t>, 0, Field::enip_capabilities},
    {"enip.cip_attribute", "", required, number_syntax, "Compares the CIP attribute.",
     parse_field_number<uint32_t>, 0, Field::enip_cip_attribute},
    {"enip.cip_class", "", required, number_syntax, "Compares the CIP class.",
     parse_field_number<uint32_t>, 0, Field::enip_cip_class},
    {"enip.cip_instance", "", required, number_syntax, "Compares the CIP instance.",
     parse_field_number<uint32_t>, 0, Field::enip_cip_instance},
    {"enip.cip_status", "", required, number_syntax, "Compares the CIP status.",
     parse_field_number<uint8_t>, 0, Field::enip_cip_status},
    {"enip.cip_extendedstatus", "", required, number_syntax, "Compares the CIP extended status.",
     parse_field_number<uint16_t>, 0, Field::enip_cip_extendedstatus},
    {"enip.vendor_id", "", required, number_syntax, "Compares the vendor.",
     parse_field_number<uint16_t>, 0, Field::enip_vendor_id},
    {"enip.status", "", required, "<n or name>", "Compares the status.",
     parse_field_numbers<enip_statuses>, may_be_quoted, Field::enip_status},
    {"enip.state", "", required, number_syntax, "Compares the state.", parse_field_number<uint8_t>,
     0, Field::enip_state},
    {"enip.serial", "", required, number_syntax, "Compares the serial number.",
     parse_field_number<uint32_t>, 0, Field::enip_serial},
    {"enip.revision", "", required, "<n>[.<n>]", "Compares the revision.",
     parse_field_number<uint16_t>, may_be_quoted, Field::enip_revision},
    {"enip.protocol_version", "", required, number_syntax, "Compares the version.",
     parse_field_number<uint16_t>, 0, Field::enip_protocol_version},
    {"enip.product_code", "", required, number_syntax, "Compares the product code.",
     parse_field_number<uint16_t>, 0, Field::enip_product_code},
    {"enip.product_name", "", none, "", "Buffer of the product's name.", parse_sticky_buffer,
     sticky, Field::enip_product_name},
    {"enip.service_name", "", none, "", "Buffer of the service's name.", parse_sticky_buffer,
     sticky, Field::enip_service_name},
    {"enip.identity_status", "", required, number_syntax, "Compares the status of the identity.",
     parse_field_number<uint16_t>, 0, Field::enip_identity_status},
    {"enip.device_type", "", required, number_syntax, "Compares the type of the device.",
     parse_field_number<uint16_t>, 0, Field::enip_device_type},
    {"sip.method", "", none, "", "Buffer of the request's method.", parse_sticky_buffer, sticky,
     Field::sip_method},
    {"sip.uri", "", none, "", "Buffer of the request's URI.", parse_sticky_buffer, sticky,
     Field::sip_uri},
    {"sip.protocol", "", none, "", "Buffer of the protocol's version.", parse_sticky_buffer, sticky,
     Field::sip_protocol},
    {"sip.stat_code", "", none, "", "Buffer of the response's status code.", parse_sticky_buffer,
     sticky, Field::sip_stat_code},
    {"sip.stat_msg", "", none, "", "Buffer of the response's status text.", parse_sticky_buffer,
     sticky, Field::sip_stat_msg},
    {"sip.request_line", "", none, "", "Buffer of the request's first line.", parse_sticky_buffer,
     sticky, Field::sip_request_line},
    {"sip.response_line", "", none, "", "Buffer of the response's first line.", parse_sticky_buffer,
     sticky, Field::sip_response_line},
    {"sip.from", "", none, "", "Buffer of one From header.", parse_sticky_buffer, sticky,
     Field::sip_from},
    {"sip.to", "", none, "", "Buffer of one To header.", parse_sticky_buffer, sticky,
     Field::sip_to},
    {"sip.via", "", none, "", "Buffer of one Via header.", parse_sticky_buffer, sticky,
     Field::sip_via},
    {"sip.user_agent", "", none, "", "Buffer of one User-Agent header.", parse_sticky_buffer,
     sticky, Field::sip_user_agent},
    {"sip.content_type", "", none, "", "Buffer of one Content-Type header.", parse_sticky_buffer,
     sticky, Field::sip_content_type},
    {"sip.content_length", "", none, "", "Buffer of one Content-Length header.",
     parse_sticky_buffer, sticky, Field::sip_content_length},
    {"sdp.session_name", "", none, "", "Buffer of the session's name.", parse_sticky_buffer, sticky,
     Field::sdp_session_name},
    {"sdp.session_info", "", none, "", "Buffer of the session's information.", parse_sticky_buffer,
     sticky, Field::sdp_session_info},
    {"sdp.origin", "", none, "", "Buffer of the originator.", parse_sticky_buffer, sticky,
     Field::sdp_origin},
    {"sdp.uri", "", none, "", "Buffer of the URI.", parse_sticky_buffer, sticky, Field::sdp_uri},
    {"sdp.email", "", none, "", "Buffer of the mail address.", parse_sticky_buffer, sticky,
     Field::sdp_email},
    {"sdp.phone_number", "", none, "", "Buffer of the telephone number.", parse_sticky_buffer,
     sticky, Field::sdp_phone_number},
    {"sdp.connection_data", "", none, "", "Buffer of the connection.", parse_sticky_buffer, sticky,
     Field::sdp_connection_data},
    {"sdp.bandwidth", "", none, "", "Buffer of one bandwidth.", parse_sticky_buffer, sticky,
     Field::sdp_bandwidth},
    {"sdp.time", "", none, "", "Buffer of one time.", parse_sticky_buffer, sticky, Field::sdp_time},
    {"sdp.repeat_time", "", none, "", "Buffer of one repeat time.", parse_sticky_buffer, sticky,
     Field::sdp_repeat_time},
    {"sdp.timezone", "", none, "", "Buffer of the time zones.", parse_sticky_buffer, sticky,
     Field::sdp_timezone},
    {"sdp.encryption_key", "", none, "", "Buffer of the encryption key.", parse_sticky_buffer,
     sticky, Field::sdp_encryption_key},
    {"sdp.attribute", "", none, "", "Buffer of one attribute.", parse_sticky_buffer, sticky,
     Field::sdp_attribute},
    {"sdp.media.media", "", none, "", "Buffer of one medium.", parse_sticky_buffer, sticky,
     Field::sdp_media_media},
    {"sdp.media.media_info", "", none, "", "Buffer of one medium's information.",
     parse_sticky_buffer, sticky, Field::sdp_media_media_info},
    {"sdp.media.connection_data", "", none, "", "Buffer of one medium's connection.",
     parse_sticky_buffer, sticky, Field::sdp_media_connection_data},
    {"sdp.media.encryption_key", "", none, "", "Buffer of one medium's encryption key.",
     parse_sticky_buffer, sticky, Field::sdp_media_encryption_key},
    {"quic.version", "", none, "", "Buffer of the version.", parse_sticky_buffer, sticky,
     Field::quic_version},
    {"quic.sni", "", none, "", "Buffer of the server name the client asked for.",
     parse_sticky_buffer, sticky, Field::quic_sni},
    {"quic.ua", "", none, "", "Buffer of the client's user agent.", parse_sticky_buffer, sticky,
     Field::quic_ua},
    {"quic.cyu.hash", "", none, "", "Buffer of the client's CYU, hashed.", parse_sticky_buffer,
     sticky, Field::quic_cyu_hash},
    {"quic.cyu.string", "", none, "", "Buffer of the client's CYU.", parse_sticky_buffer, sticky,
     Field::quic_cyu_string},
    {"ike.exchtype", "", required, number_syntax, "Compares the type of the exchange.",
     parse_field_number<uint8_t>, 0, Field::ike_exchtype},
    {"ike.init_spi", "", none, "", "Buffer of the initiator's SPI.", parse_sticky_buffer, sticky,
     Field::ike_init_spi},
    {"ike.resp_spi", "", none, "", "Buffer of the responder's SPI.", parse_sticky_buffer, sticky,
     Field::ike_resp_spi},
    {"ike.vendor", "", none, "", "Buffer of one vendor identifier.", parse_sticky_buffer, sticky,
     Field::ike_vendor},
    {"ike.chosen_sa_attribute", "", required, "<attribute>=<n>",
     "Compares an attribute of the chosen association.", parse_chosen_attribute, may_be_quoted,
     Field::ike_chosen_sa_attribute},
    {"ike.key_exchange_payload_length", "", required, number_syntax,
     "Compares the bytes of the key exchange.", parse_field_number<uint32_t>, 0,
     Field::ike_key_exchange_payload_length},
    {"ike.key_exchange_payload", "", none, "", "Buffer of the key exchange.", parse_sticky_buffer,
     sticky, Field::ike_key_exchange_payload},
    {"ike.nonce_payload_length", "", required, number_syntax, "Compares the bytes of the nonce.",
     parse_field_number<uint32_t>, 0, Field::ike_nonce_payload_length},
    {"ike.nonce_payload", "", none, "", "Buffer of the nonce.", parse_sticky_buffer, sticky,
     Field::ike_nonce_payload},
    {"mqtt.type", "", required, "<n or name>", "Compares the type of the message.",
     parse_field_numbers<mqtt_types>, may_be_quoted, Field::mqtt_type},
    {"mqtt.flags", "", required, "[!]<flag>[,…]", "Compares the message's flags.",
     parse_field_flags<mqtt_flag_names>, may_be_quoted, Field::mqtt_flags},
    {"mqtt.qos", "", required, "0|1|2", "Compares the quality of service.",
     parse_field_numbers<mqtt_qualities>, 0, Field::mqtt_qos},
    {"mqtt.reason_code", "mqtt.connack.return_code", required, number_syntax,
     "Compares the reason code.", parse_field_number<uint8_t>, 0, Field::mqtt_reason_code},
    {"mqtt.protocol_version", "", required, number_syntax, "Compares the version of MQTT.",
     parse_field_number<uint8_t>, 0, Field::mqtt_protocol_version},
    {"mqtt.connack.session_present", "", required, "yes|no", "Whether the broker had a session.",
     parse_field_numbers<yes_or_no>, may_be_quoted, Field::mqtt_connack_session_present},
    {"mqtt.connect.flags", "", required, "[!]<flag>[,…]", "Compares the connection's flags.",
     parse_field_flags<mqtt_connect_flag_names>, may_be_quoted, Field::mqtt_connect_flags},
    {"mqtt.connect.clientid", "", none, "", "Buffer of the client's identifier.",
     parse_sticky_buffer, sticky, Field::mqtt_connect_clientid},
    {"mqtt.connect.username", "", none, "", "Buffer of the user's name.", parse_sticky_buffer,
     sticky, Field::mqtt_connect_username},
    {"mqtt.connect.password", "", none, "", "Buffer of the password.", parse_sticky_buffer, sticky,
     Field::mqtt_connect_password},
    {"mqtt.connect.willtopic", "", none, "", "Buffer of the will's topic.", parse_sticky_buffer,
     sticky, Field::mqtt_connect_willtopic},
    {"mqtt.connect.willmessage", "", none, "", "Buffer of the will's message.", parse_sticky_buffer,
     sticky, Field::mqtt_connect_willmessage},
    {"mqtt.connect.protocol_string", "", none, "", "Buffer of the protocol's name.",
     parse_sticky_buffer, sticky, Field::mqtt_connect_protocol_string},
    {"mqtt.publish.topic", "", none, "", "Buffer of the topic of what is published.",
     parse_sticky_buffer, sticky, Field::mqtt_publish_topic},
    {"mqtt.publish.message", "", none, "", "Buffer of what is published.", parse_sticky_buffer,
     sticky, Field::mqtt_publish_message},
    {"mqtt.subscribe.topic", "", none, "", "Buffer of one topic subscribed to.",
     parse_sticky_buffer, sticky, Field::mqtt_subscribe_topic},
    {"mqtt.unsubscribe.topic", "", none, "", "Buffer of one topic left.", parse_sticky_buffer,
     sticky, Field::mqtt_unsubscribe_topic},
    {"rfb.name", "", none, "", "Buffer of the desktop's name.", parse_sticky_buffer, sticky,
     Field::rfb_name},
    {"rfb.sectype", "", required, number_syntax, "Compares the type of security.",
     parse_field_number<uint32_t>, 0, Field::rfb_sectype},
    {"rfb.secresult", "", required, "ok|fail|toomany|unknown",
     "Compares the result of authentication.", parse_field_numbers<rfb_results>, may_be_quoted,
     Field::rfb_secresult},
    {"websocket.opcode", "", required, "<n or name>", "Compares the operation code.",
     parse_field_numbers<websocket_opcode_syntax>, may_be_quoted, Field::websocket_opcode},
    {"websocket.mask", "", required, number_syntax, "Compares the mask.",
     parse_field_number<uint32_t>, 0, Field::websocket_mask},
    {"websocket.flags", "", required, "[!]<flag>[,…]", "Compares the flags.", parse_websocket_flags,
     may_be_quoted, Field::websocket_flags},
    {"websocket.payload", "", none, "", "Buffer of the message.", parse_sticky_buffer, sticky,
     Field::websocket_payload},
};

}  // namespace

std::span<const Keyword> device_keywords() noexcept {
  return rows;
}

}  // namespace shrike::rule
