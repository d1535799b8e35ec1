#include "keywords_data.h"
#include "values.h"

/// Keywords about file, directory, mail and data base services, and data from elsewhere.
namespace shrike::rule {

namespace {

/// A lookup of the current buffer: a check of it that is not evaluated.
void parse_buffer_lookup(Builder& builder, const Keyword& keyword, const Argument& argument) {
  if (!builder.has_open_buffer()) {
    builder.report().error(argument.name, "no-buffer",
                           "'{}' needs a buffer before it; write 'dns.query; {}:…'", keyword.name,
                           keyword.name);
    return;
  }
  builder.add_check(NotInspected{std::string(keyword.name)}, argument.name);
  builder.leave_to_later(keyword);
}

void parse_lua(Builder& builder, const Keyword& keyword, const Argument& argument) {
  if (builder.has_open_buffer()) {
    parse_buffer_lookup(builder, keyword, argument);
  } else {
    parse_dormant_value(builder, keyword, argument);
  }
}

constexpr NumberSyntax smb_versions{.max = 2};
/// Suricata reads each as 32 bits, whatever the protocol has.
constexpr NumberSyntax operation_numbers{.max = UINT32_MAX, .is_list = true, .ends_included = true};

/// The 16 bytes of "367abb81-9844-35f1-ad32-98f038001003", or nothing.
std::optional<std::string> read_uuid(std::string_view text) {
  constexpr size_t uuid_bytes = 16;
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '-') continue;
    const int high = hex_value(text[i]);
    const int low = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high << 4 | low));
    ++i;
  }
  return bytes.size() == uuid_bytes ? std::optional(bytes) : std::nullopt;
}

/// A check of the interface's version, which stands in network order behind its UUID.
ByteTest version_test(ByteTest::Operator op, uint64_t version, bool is_negated) {
  ByteTest test{};
  test.bytes = 2;
  test.op = op;
  test.is_negated = is_negated;
  test.value = {static_cast<int64_t>(version), -1};
  test.offset = {16, -1};
  return test;
}

std::vector<ByteTest> version_tests(const Comparison& comparison) {
  using Compare = Comparison::Operator;
  using Test = ByteTest::Operator;
  const uint64_t version = comparison.first;
  switch (comparison.op) {
    case Compare::less:
      return {version_test(Test::less, version, false)};
    case Compare::less_or_equal:
      return {version_test(Test::less_or_equal, version, false)};
    case Compare::greater:
      return {version_test(Test::greater, version, false)};
    case Compare::greater_or_equal:
      return {version_test(Test::greater_or_equal, version, false)};
    case Compare::not_equal:
      return {version_test(Test::equal, version, true)};
    case Compare::between:
      return {version_test(Test::greater, version, false),
              version_test(Test::less, comparison.second, false)};
    case Compare::equal:
    case Compare::not_between:
    case Compare::masked_equal:
    case Compare::masked_not_equal:
      break;
  }
  return {version_test(Test::equal, version, false)};
}

/// dcerpc.iface: its values are the UUID, the version, and 1 where the interface came in a first
/// fragment; so plain checks of bytes do.
void parse_interface(Builder& builder, const Keyword& keyword, const Argument& argument) {
  RuleReport& report = builder.report();
  Word rest = argument.value;
  const Word uuid_word = rest.take_until(',').trimmed();
  const auto uuid = read_uuid(uuid_word.text);
  if (!uuid) {
    report_value(keyword, uuid_word, report);
    return;
  }
  std::vector<ByteTest> tests;
  bool any_fragment = false;
  while (!rest.empty()) {
    const Word word = rest.take_until(',').trimmed();
    if (word.text == "any_frag") {
      any_fragment = true;
      continue;
    }
    const auto comparison = parse_comparison<uint16_t>(word, report);
    if (!comparison) return;
    tests = version_tests(*comparison);
  }
  if (!any_fragment) {
    ByteTest first_fragment = version_test(ByteTest::Operator::equal, 1, false);
    first_fragment.bytes = 1;
    first_fragment.offset.literal = 18;
    tests.push_back(first_fragment);
  }
  Content content;
  content.bytes = *uuid;
  content.starts_with = true;
  content.position = report.locate(argument.value.position);
  const size_t before = builder.nodes().size();
  builder.add_check_to(keyword.field, std::move(content), argument.name);
  if (builder.nodes().size() == before) return;
  const size_t list = builder.nodes().back().list;
  for (const ByteTest& test : tests) {
    builder.nodes().push_back({test, list, argument.name.position});
    ++builder.lists()[list].checks;
  }
}

/// Application tags of operations (RFC 4511, appendix B), as Suricata names them.
constexpr NumberName ldap_operation_names[] = {
    {"bind_request", 0},      {"bind_response", 1},       {"unbind_request", 2},
    {"search_request", 3},    {"search_result_entry", 4}, {"search_result_done", 5},
    {"modify_request", 6},    {"modify_response", 7},     {"add_request", 8},
    {"add_response", 9},      {"del_request", 10},        {"del_response", 11},
    {"mod_dn_request", 12},   {"mod_dn_response", 13},    {"compare_request", 14},
    {"compare_response", 15}, {"abandon_request", 16},    {"search_result_reference", 19},
    {"extended_request", 23}, {"extended_response", 24},  {"intermediate_response", 25},
};
constexpr NumberSyntax ldap_operations{.max = UINT8_MAX, .names = ldap_operation_names};
constexpr NumberSyntax ldap_chosen_operations{
    .max = UINT8_MAX, .names = ldap_operation_names, .chooses_values = true};
/// RFC 4511, section 4.1.9.
constexpr NumberName ldap_result_names[] = {
    {"success", 0},
    {"operations_error", 1},
    {"protocol_error", 2},
    {"time_limit_exceeded", 3},
    {"size_limit_exceeded", 4},
    {"compare_false", 5},
    {"compare_true", 6},
    {"auth_method_not_supported", 7},
    {"stronger_auth_required", 8},
    {"referral", 10},
    {"admin_limit_exceeded", 11},
    {"unavailable_critical_extension", 12},
    {"confidentiality_required", 13},
    {"sasl_bind_in_progress", 14},
    {"no_such_attribute", 16},
    {"undefined_attribute_type", 17},
    {"inappropriate_matching", 18},
    {"constraint_violation", 19},
    {"attribute_or_value_exists", 20},
    {"invalid_attribute_syntax", 21},
    {"no_such_object", 32},
    {"alias_problem", 33},
    {"invalid_dns_syntax", 34},
    {"is_leaf", 35},
    {"alias_dereferencing_problem", 36},
    {"inappropriate_authentication", 48},
    {"invalid_credentials", 49},
    {"insufficient_access_rights", 50},
    {"busy", 51},
    {"unavailable", 52},
    {"unwilling_to_perform", 53},
    {"loop_detect", 54},
    {"naming_violation", 64},
    {"object_class_violation", 65},
    {"not_allowed_on_non_leaf", 66},
    {"not_allowed_on_rdn", 67},
    {"entry_already_exists", 68},
    {"object_class_mods_prohibited", 69},
    {"affects_multiple_dsas", 71},
    {"other", 80},
};
constexpr NumberSyntax ldap_chosen_results{
    .max = UINT32_MAX, .names = ldap_result_names, .chooses_values = true};

constexpr NumberName ftp_modes[] = {{"passive", 0}, {"active", 1}};
constexpr NumberSyntax ftp_mode_syntax{.max = 1, .names = ftp_modes};
constexpr NumberName ftp_replied[] = {{"no", 0},  {"false", 0}, {"off", 0},
                                      {"yes", 1}, {"true", 1},  {"on", 1}};
constexpr NumberSyntax ftp_replied_syntax{.max = 1, .names = ftp_replied};
constexpr NumberName ftp_transfers[] = {{"stor", 1}, {"retr", 2}, {"appe", 3}, {"stou", 4},
                                        {"list", 5}, {"nlst", 6}, {"mlsd", 7}};
constexpr NumberSyntax ftp_transfer_syntax{.max = 0, .names = ftp_transfers};

using enum ArgumentNeed;
using namespace trait;

/// Kerberos encryption types by the names Suricata has (IANA, "Kerberos Encryption Type Numbers").
constexpr NumberName encryption_names[] = {
    {"des-cbc-crc", 1},
    {"des-cbc-md4", 2},
    {"des-cbc-md5", 3},
    {"des3-cbc-md5", 5},
    {"des3-cbc-sha1", 7},
    {"des3-cbc-sha1-kd", 16},
    {"aes128-cts-hmac-sha1-96", 17},
    {"aes256-cts-hmac-sha1-96", 18},
    {"aes128-cts-hmac-sha256-128", 19},
    {"aes256-cts-hmac-sha384-192", 20},
    {"rc4-hmac", 23},
    {"rc4-hmac-exp", 24},
    {"camellia128-cts-cmac", 25},
    {"camellia256-cts-cmac", 26},
};
constexpr NumberSyntax encryption_syntax{
    .max = UINT32_MAX, .names = encryption_names, .is_list = true};

/// `weak`, or a list of encryption types. Strong are 17 to 20, 25 and 26.
void parse_ticket_encryption(Builder& builder, const Keyword& keyword, const Argument& argument) {
  using enum Comparison::Operator;
  if (argument.value.trimmed().text == "weak") {
    add_field_numbers(builder, keyword, argument,
                      {.any_of = {{less, 17, 0}, {between, 20, 25}, {greater, 26, 0}}});
  } else {
    parse_field_numbers<encryption_syntax>(builder, keyword, argument);
  }
}

/// RFC 5905, figure 10.
constexpr NumberName ntp_mode_names[] = {
    {"symmetric_active", 1}, {"symmetric_passive", 2}, {"client", 3}, {"server", 4},
    {"broadcast", 5},        {"control", 6},           {"private", 7}};
constexpr NumberSyntax ntp_mode_syntax{.max = 7, .names = ntp_mode_names};

constexpr NumberName snmp_pdu_names[] = {
    {"get_request", 0},    {"get_next_request", 1}, {"response", 2},
    {"set_request", 3},    {"trap_v1", 4},          {"get_bulk_request", 5},
    {"inform_request", 6}, {"trap_v2", 7},          {"report", 8}};
constexpr NumberSyntax snmp_pdu_syntax{.max = UINT32_MAX, .names = snmp_pdu_names};
/// Generic traps: RFC 1157, section 4.1.6.
constexpr NumberName snmp_trap_names[] = {{"coldstart", 0},
                                          {"warmstart", 1},
                                          {"linkdown", 2},
                                          {"linkup", 3},
                                          {"authenticationfailure", 4},
                                          {"egpneighborloss", 5},
                                          {"enterprisespecific", 6}};
constexpr NumberSyntax snmp_trap_syntax{.max = UINT8_MAX, .names = snmp_trap_names};

constexpr std::string_view number_syntax = "<n>|!<n>|<<n>|><n>|<n>-<n>";

constexpr Keyword rows[] = {
    {"smb.named_pipe", "smb_named_pipe", none, "", "Buffer of the name of the pipe.",
     parse_sticky_buffer, sticky, Field::smb_named_pipe},
    {"smb.share", "smb_share", none, "", "Buffer of the name of the share.", parse_sticky_buffer,
     sticky, Field::smb_share},
    {"smb.ntlmssp_user", "", none, "", "Buffer of the user of NTLMSSP.", parse_sticky_buffer,
     sticky, Field::smb_ntlmssp_user},
    {"smb.ntlmssp_domain", "", none, "", "Buffer of the domain of NTLMSSP.", parse_sticky_buffer,
     sticky, Field::smb_ntlmssp_domain},
    {"smb.version", "", required, "1|2", "Compares the version of SMB.",
     parse_field_numbers<smb_versions>, may_be_quoted, Field::smb_version},
    {"dcerpc.iface", "dce_iface", required, "<uuid>[,<op><version>][,any_frag]",
     "Compares the interface.", parse_interface, may_be_quoted, Field::dcerpc_iface},
    {"dcerpc.opnum", "dce_opnum", required, "<n>[-<n>][,…]",
     "Compares the number of the operation.", parse_field_numbers<operation_numbers>, may_be_quoted,
     Field::dcerpc_opnum},
    {"dcerpc.stub_data", "dce_stub_data", none, "", "Buffer of the call's data.",
     parse_sticky_buffer, sticky, Field::dcerpc_stub_data},
    {"nfs_procedure", "", required, number_syntax, "Compares the number of the procedure.",
     parse_field_number<uint32_t>, 0, Field::nfs_procedure},
    {"nfs.version", "nfs_version", required, number_syntax, "Compares the version of NFS.",
     parse_field_number<uint32_t>, 0, Field::nfs_version},
    {"smtp.helo", "", none, "", "Buffer of the client's greeting.", parse_sticky_buffer, sticky,
     Field::smtp_helo},
    {"smtp.mail_from", "", none, "", "Buffer of the sender of the envelope.", parse_sticky_buffer,
     sticky, Field::smtp_mail_from},
    {"smtp.rcpt_to", "", none, "", "Buffer of one recipient of the envelope.", parse_sticky_buffer,
     sticky, Field::smtp_rcpt_to},
    {"email.from", "", none, "", "Buffer of the mail's From header.", parse_sticky_buffer, sticky,
     Field::email_from},
    {"email.subject", "", none, "", "Buffer of the mail's Subject header.", parse_sticky_buffer,
     sticky, Field::email_subject},
    {"email.to", "", none, "", "Buffer of the mail's To header.", parse_sticky_buffer, sticky,
     Field::email_to},
    {"email.cc", "", none, "", "Buffer of the mail's Cc header.", parse_sticky_buffer, sticky,
     Field::email_cc},
    {"email.date", "", none, "", "Buffer of the mail's Date header.", parse_sticky_buffer, sticky,
     Field::email_date},
    {"email.message_id", "", none, "", "Buffer of the mail's Message-ID header.",
     parse_sticky_buffer, sticky, Field::email_message_id},
    {"email.x_mailer", "", none, "", "Buffer of the mail's X-Mailer header.", parse_sticky_buffer,
     sticky, Field::email_x_mailer},
    {"email.url", "", none, "", "Buffer of one URL in the mail.", parse_sticky_buffer, sticky,
     Field::email_url},
    {"email.received", "", none, "", "Buffer of one Received header.", parse_sticky_buffer, sticky,
     Field::email_received},
    {"email.body_md5", "", none, "", "Buffer of the MD5 of the mail's body.", parse_sticky_buffer,
     sticky | later, Field::email_body_md5},
    {"ftp.command", "", none, "", "Buffer of the command.", parse_sticky_buffer, sticky,
     Field::ftp_command},
    {"ftp.command_data", "", none, "", "Buffer of the command's argument.", parse_sticky_buffer,
     sticky, Field::ftp_command_data},
    {"ftp.reply", "", none, "", "Buffer of one line of the reply.", parse_sticky_buffer, sticky,
     Field::ftp_reply},
    {"ftp.mode", "", required, "active|passive", "Compares the mode of the data connection.",
     parse_field_numbers<ftp_mode_syntax>, may_be_quoted, Field::ftp_mode},
    {"ftp.reply_received", "", required, "yes|no", "Whether a reply came.",
     parse_field_numbers<ftp_replied_syntax>, may_be_quoted, Field::ftp_reply_received},
    {"ftp.completion_code", "", none, "", "Buffer of the reply's code.", parse_sticky_buffer,
     sticky, Field::ftp_completion_code},
    {"ftp.dynamic_port", "", required, number_syntax, "Compares the port of the data connection.",
     parse_field_number<uint16_t>, 0, Field::ftp_dynamic_port},
    {"ftpdata_command", "", required, "stor|retr|appe|stou|list|nlst|mlsd",
     "Compares the command that opened the data connection.",
     parse_field_numbers<ftp_transfer_syntax>, may_be_quoted, Field::ftpdata_command},
    {"krb5_err_code", "", required, number_syntax, "Compares the error code.",
     parse_field_number<int32_t>, 0, Field::krb5_err_code},
    {"krb5_msg_type", "", required, number_syntax, "Compares the type of the message.",
     parse_field_number<uint8_t>, 0, Field::krb5_msg_type},
    {"krb5.cname", "krb5_cname", none, "", "Buffer of one part of the client's name.",
     parse_sticky_buffer, sticky, Field::krb5_cname},
    {"krb5.sname", "krb5_sname", none, "", "Buffer of one part of the server's name.",
     parse_sticky_buffer, sticky, Field::krb5_sname},
    {"krb5.ticket_encryption", "", required, "weak or [!]<n>[,…]",
     "Compares the encryption of the ticket.", parse_ticket_encryption, may_be_quoted,
     Field::krb5_ticket_encryption},
    {"ldap.request.operation", "", required, "<n or name>", "Compares the request's operation.",
     parse_field_numbers<ldap_operations>, may_be_quoted, Field::ldap_request_operation},
    {"ldap.request.dn", "", none, "", "Buffer of the request's distinguished name.",
     parse_sticky_buffer, sticky, Field::ldap_request_dn},
    {"ldap.request.attribute_type", "", none, "", "Buffer of one attribute of the request.",
     parse_sticky_buffer, sticky, Field::ldap_request_attribute_type},
    {"ldap.responses.operation", "", required, "<n or name>[,any|all|<index>]",
     "Compares the responses' operations.", parse_field_numbers<ldap_chosen_operations>,
     may_be_quoted, Field::ldap_responses_operation},
    {"ldap.responses.count", "", required, number_syntax, "Compares the number of responses.",
     parse_field_number<uint32_t>, 0, Field::ldap_responses_count},
    {"ldap.responses.dn", "", none, "", "Buffer of one response's distinguished name.",
     parse_sticky_buffer, sticky, Field::ldap_responses_dn},
    {"ldap.responses.result_code", "", required, "<n or name>[,any|all|<index>]",
     "Compares the responses' result codes.", parse_field_numbers<ldap_chosen_results>,
     may_be_quoted, Field::ldap_responses_result_code},
    {"ldap.responses.message", "", none, "", "Buffer of one response's error message.",
     parse_sticky_buffer, sticky, Field::ldap_responses_message},
    {"ldap.responses.attribute_type", "", none, "", "Buffer of one attribute of the responses.",
     parse_sticky_buffer, sticky, Field::ldap_responses_attribute_type},
    {"pgsql.query", "", none, "", "Buffer of the query.", parse_sticky_buffer, sticky,
     Field::pgsql_query},
    {"dhcp.leasetime", "", required, number_syntax, "Compares the lease time.",
     parse_field_number<uint64_t>, 0, Field::dhcp_leasetime},
    {"dhcp.rebinding_time", "", required, number_syntax, "Compares the rebinding time.",
     parse_field_number<uint64_t>, 0, Field::dhcp_rebinding_time},
    {"dhcp.renewal_time", "", required, number_syntax, "Compares the renewal time.",
     parse_field_number<uint64_t>, 0, Field::dhcp_renewal_time},
    {"ntp.version", "", required, number_syntax, "Compares the version of NTP.",
     parse_field_number<uint8_t>, 0, Field::ntp_version},
    {"ntp.mode", "", required, "<n or name>", "Compares the mode.",
     parse_field_numbers<ntp_mode_syntax>, may_be_quoted, Field::ntp_mode},
    {"ntp.stratum", "", required, number_syntax, "Compares the stratum.",
     parse_field_number<uint8_t>, 0, Field::ntp_stratum},
    {"ntp.reference_id", "", none, "", "Buffer of the reference identifier.", parse_sticky_buffer,
     sticky, Field::ntp_reference_id},
    {"snmp.version", "", required, number_syntax, "Compares the version of SNMP.",
     parse_field_number<uint32_t>, 0, Field::snmp_version},
    {"snmp.pdu_type", "", required, "[!]<n or name>", "Compares the type of the message.",
     parse_field_numbers<snmp_pdu_syntax>, may_be_quoted, Field::snmp_pdu_type},
    {"snmp.usm", "", none, "", "Buffer of the user's name.", parse_sticky_buffer, sticky,
     Field::snmp_usm},
    {"snmp.community", "", none, "", "Buffer of the community.", parse_sticky_buffer, sticky,
     Field::snmp_community},
    {"snmp.trap_type", "", required, "[!]<n or name>", "Compares the generic type of a trap.",
     parse_field_numbers<snmp_trap_syntax>, may_be_quoted, Field::snmp_trap_type},
    {"snmp.trap_oid", "", none, "", "Buffer of the identifier of a trap.", parse_sticky_buffer,
     sticky | later, Field::snmp_trap_oid},
    {"snmp.trap_address", "", none, "", "Buffer of the agent's address of a trap.",
     parse_sticky_buffer, sticky | later, Field::snmp_trap_address},
    {"dataset", "", required,
     "isset|isnotset|set|unset,<name>[,type <type>][,load|save|state <file>]",
     "Looks the buffer up in a set.", parse_dataset},
    {"datarep", "", required, "<name>,<op>,<value>[,type <type>][,load <file>]",
     "Compares the buffer's reputation.", parse_datarep},
    {"lua", "luajit", required, "[!]<script>", "Runs a script.", parse_lua, not_inspected},
    {"ndpi-protocol", "", required, "[!]<protocol>", "Compares what the nDPI plugin identified.",
     parse_dormant_value, may_be_quoted | not_inspected},
    {"ndpi-risk", "", required, "[!]<risk>", "Compares the risk that the nDPI plugin saw.",
     parse_dormant_value, may_be_quoted | not_inspected},
    {"template.buffer", "", none, "", "Buffer of Suricata's example protocol.", parse_dormant_value,
     not_inspected},
};

}  // namespace

std::span<const Keyword> service_keywords() noexcept {
  return rows;
}

}  // namespace shrike::rule
