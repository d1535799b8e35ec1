#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "shrike/model/app_protocol.h"

namespace shrike {

/// A buffer, or a value of an application layer, that rules can look into. Each has one row in
/// `field_rows`, in the same order.
// clang-format off
enum class Field : uint16_t {
  // Packets and streams
  payload, base64_data, ipv4_hdr, ipv6_hdr, tcp_hdr, udp_hdr, icmpv4_hdr, icmpv6_hdr, ip_src,
  ip_dst,
  ether_hdr, igmp_hdr, sctp_hdr, sctp_chunk_data, frame,
  // Files, of any protocol that carries them
  file_data, file_name, file_magic, filesize, file_md5, file_sha1, file_sha256, filestore,
  // HTTP/1 and HTTP/2
  http_uri, http_uri_raw, http_method, http_protocol, http_start, http_request_line,
  http_response_line, http_request_body, http_response_body, http_header, http_header_raw,
  http_header_names, http_request_header, http_response_header, http_accept, http_accept_lang,
  http_accept_enc, http_connection, http_content_len, http_content_type, http_location,
  http_server, http_referer, http_cookie, http_user_agent, http_host, http_host_raw,
  http_stat_code, http_stat_msg, urilen, http2_frametype, http2_errorcode, http2_priority,
  http2_window, http2_size_update, http2_settings, http2_header_name,
  // TLS
  tls_sni, tls_certs, tls_cert_issuer, tls_cert_subject, tls_cert_serial, tls_cert_fingerprint,
  tls_subjectaltname, tls_alpn, tls_version, tls_subject, tls_issuerdn, tls_fingerprint,
  tls_random, tls_random_time, tls_random_bytes, tls_cert_chain_len, tls_cert_notbefore,
  tls_cert_notafter, tls_cert_expired, tls_cert_valid, ssl_version, ssl_state, ja3_hash,
  ja3_string, ja3s_hash, ja3s_string, ja4_hash,
  // DNS and its relatives
  dns_query, dns_query_name, dns_answer_name, dns_queries_rrname, dns_answers_rrname,
  dns_additionals_rrname, dns_authorities_rrname, dns_response_rrname, dns_opcode, dns_rcode,
  dns_rrtype, mdns_queries_rrname, mdns_answers_rrname, mdns_additionals_rrname,
  mdns_authorities_rrname, mdns_response_rrname, llmnr_queries_rrname, llmnr_answers_rrname,
  llmnr_additionals_rrname, llmnr_authorities_rrname, llmnr_response_rrname,
  // SSH
  ssh_proto, ssh_software, ssh_protoversion, ssh_softwareversion, ssh_hassh, ssh_hassh_server,
  ssh_hassh_string, ssh_hassh_server_string,
  // Windows and file services
  smb_named_pipe, smb_share, smb_ntlmssp_user, smb_ntlmssp_domain, smb_version, dcerpc_iface,
  dcerpc_opnum, dcerpc_stub_data, nfs_procedure, nfs_version,
  // Mail and FTP
  smtp_helo, smtp_mail_from, smtp_rcpt_to, email_from, email_subject, email_to, email_cc,
  email_date, email_message_id, email_x_mailer, email_url, email_received, email_body_md5,
  ftp_command, ftp_command_data, ftp_reply, ftp_mode, ftp_reply_received, ftp_completion_code,
  ftp_dynamic_port, ftpdata_command, ftpbounce,
  // Industrial control
  modbus, dnp3_data, dnp3_func, dnp3_ind, dnp3_obj, cip_service, enip_command, enip_capabilities,
  enip_cip_attribute, enip_cip_class, enip_cip_instance, enip_cip_status, enip_cip_extendedstatus,
  enip_vendor_id, enip_status, enip_state, enip_serial, enip_revision, enip_protocol_version,
  enip_product_code, enip_product_name, enip_service_name, enip_identity_status, enip_device_type,
  // Others
  krb5_err_code, krb5_msg_type, krb5_cname, krb5_sname, krb5_ticket_encryption, sip_method,
  sip_uri, sip_protocol, sip_stat_code, sip_stat_msg, sip_request_line, sip_response_line,
  sip_from, sip_to, sip_via, sip_user_agent, sip_content_type, sip_content_length,
  sdp_session_name, sdp_session_info, sdp_origin, sdp_uri, sdp_email, sdp_phone_number,
  sdp_connection_data, sdp_bandwidth, sdp_time, sdp_repeat_time, sdp_timezone, sdp_encryption_key,
  sdp_attribute, sdp_media_media, sdp_media_media_info, sdp_media_connection_data,
  sdp_media_encryption_key, quic_version, quic_sni, quic_ua, quic_cyu_hash, quic_cyu_string,
  ike_exchtype, ike_init_spi, ike_resp_spi, ike_vendor, ike_chosen_sa_attribute,
  ike_key_exchange_payload_length, ike_key_exchange_payload, ike_nonce_payload_length,
  ike_nonce_payload, mqtt_type, mqtt_flags, mqtt_qos, mqtt_reason_code, mqtt_protocol_version,
  mqtt_connack_session_present, mqtt_connect_flags, mqtt_connect_clientid, mqtt_connect_username,
  mqtt_connect_password, mqtt_connect_willtopic, mqtt_connect_willmessage,
  mqtt_connect_protocol_string, mqtt_publish_topic, mqtt_publish_message, mqtt_subscribe_topic,
  mqtt_unsubscribe_topic, rfb_name, rfb_sectype, rfb_secresult, ldap_request_operation,
  ldap_request_dn, ldap_request_attribute_type, ldap_responses_operation, ldap_responses_count,
  ldap_responses_dn, ldap_responses_result_code, ldap_responses_message,
  ldap_responses_attribute_type, websocket_opcode, websocket_mask, websocket_flags,
  websocket_payload, dhcp_leasetime, dhcp_rebinding_time, dhcp_renewal_time, ntp_version,
  ntp_mode, ntp_stratum, ntp_reference_id, snmp_version, snmp_pdu_type, snmp_usm, snmp_community,
  snmp_trap_type, snmp_trap_oid, snmp_trap_address, pgsql_query,
  count_,
};
// clang-format on

inline constexpr size_t fields_count = static_cast<size_t>(Field::count_);

/// The direction of the data that can fill a field.
enum class FieldDirections : uint8_t { both, to_server, to_client };

/// How far a transaction is in one direction. A field's row says at which of these it is final:
/// all its values are there, and none comes later. Protocols without such steps go from `started`
/// to `complete`.
enum class Progress : uint8_t {
  started,
  line,      ///< request or status line; first hello, banner, command
  headers,   ///< all headers; TLS: certificates; SSH: key exchange
  body,      ///< the body is growing
  trailer,   ///< the body is whole
  complete,  ///< nothing more comes in this direction
};

/// What the rule language and the choice of fast patterns know about a field.
struct FieldRow {
  Field field;
  std::string_view keyword;  ///< sticky buffer, or keyword where it is no buffer: "http.uri"
  AppProtocol protocol;      ///< unknown: of packets and streams, or of several protocols
  FieldDirections directions;
  /// Rank in the choice of the fast pattern, lower first; 0: no fast pattern in here.
  /// Source: Suricata user guide, "Fast pattern determination explained".
  uint8_t fast_pattern_priority;
  bool is_multiple = false;  ///< may hold several values at a time; named again: another instance
  std::string_view modifier = {};  ///< old form, behind the content it is for: "http_uri"
  bool is_inspected = false;       ///< something fills it; rules that need another one stay dormant
  /// From this step on no (further) value of the field comes in a transaction's direction.
  Progress final_at = Progress::complete;
};

namespace field_table {

using enum Field;
using enum FieldDirections;
using App = AppProtocol;
inline constexpr bool one = false;
inline constexpr bool many = true;
inline constexpr bool now = true;

inline constexpr std::array<FieldRow, fields_count> rows{{
    // Packets and streams
    {payload, "payload", App::unknown, both, 3, one, "", now},
    {base64_data, "base64_data", App::unknown, both, 0, one, "", now},
    {ipv4_hdr, "ipv4.hdr", App::unknown, both, 2, one, "", now},
    {ipv6_hdr, "ipv6.hdr", App::unknown, both, 2, one, "", now},
    {tcp_hdr, "tcp.hdr", App::unknown, both, 2, one, "", now},
    {udp_hdr, "udp.hdr", App::unknown, both, 2, one, "", now},
    {icmpv4_hdr, "icmpv4.hdr", App::unknown, both, 2, one, "", now},
    {icmpv6_hdr, "icmpv6.hdr", App::unknown, both, 2, one, "", now},
    {ip_src, "ip.src", App::unknown, both, 2, one, "", now},
    {ip_dst, "ip.dst", App::unknown, both, 2, one, "", now},
    {ether_hdr, "ether.hdr", App::unknown, both, 2},
    {igmp_hdr, "igmp.hdr", App::unknown, both, 2},
    {sctp_hdr, "sctp.hdr", App::unknown, both, 2},
    {sctp_chunk_data, "sctp.chunk_data", App::unknown, both, 2, many},
    {frame, "frame", App::unknown, both, 2, many},
    // Files, of any protocol that carries them
    {file_data, "file.data", App::unknown, both, 2, many, "", now},
    {file_name, "file.name", App::unknown, both, 2, many, "", now},
    {file_magic, "file.magic", App::unknown, both, 2, many, "", now},
    {filesize, "filesize", App::unknown, both, 0, many, "", now},
    // Digests are bytes, not digits. filestore: 1 for each file that began
    {file_md5, "filemd5", App::unknown, both, 0, many, "", now},
    {file_sha1, "filesha1", App::unknown, both, 0, many, "", now},
    {file_sha256, "filesha256", App::unknown, both, 0, many, "", now},
    {filestore, "filestore", App::unknown, both, 0, many, "", now},
    // HTTP/1 and HTTP/2
    {http_uri, "http.uri", App::http, to_server, 2, one, "http_uri", now, Progress::line},
    {http_uri_raw, "http.uri.raw", App::http, to_server, 2, one, "http_raw_uri", now,
     Progress::line},
    {http_method, "http.method", App::http, to_server, 4, one, "http_method", now, Progress::line},
    {http_protocol, "http.protocol", App::http, both, 4, one, "", now, Progress::line},
    {http_start, "http.start", App::http, both, 4, one, "", now, Progress::headers},
    {http_request_line, "http.request_line", App::http, to_server, 2, one, "", now, Progress::line},
    {http_response_line, "http.response_line", App::http, to_client, 2, one, "", now,
     Progress::line},
    {http_request_body, "http.request_body", App::http, to_server, 2, one, "http_client_body", now,
     Progress::trailer},
    {http_response_body, "http.response_body", App::http, to_client, 2, one, "http_server_body",
     now, Progress::trailer},
    {http_header, "http.header", App::http, both, 2, one, "http_header", now, Progress::headers},
    {http_header_raw, "http.header.raw", App::http, both, 2, one, "http_raw_header", now,
     Progress::headers},
    {http_header_names, "http.header_names", App::http, both, 2, one, "", now, Progress::headers},
    {http_request_header, "http.request_header", App::http, to_server, 2, many, "", now,
     Progress::headers},
    {http_response_header, "http.response_header", App::http, to_client, 2, many, "", now,
     Progress::headers},
    {http_accept, "http.accept", App::http, to_server, 2, one, "", now, Progress::headers},
    {http_accept_lang, "http.accept_lang", App::http, to_server, 2, one, "", now,
     Progress::headers},
    {http_accept_enc, "http.accept_enc", App::http, to_server, 2, one, "", now, Progress::headers},
    {http_connection, "http.connection", App::http, both, 2, one, "", now, Progress::headers},
    {http_content_len, "http.content_len", App::http, both, 2, one, "", now, Progress::headers},
    {http_content_type, "http.content_type", App::http, both, 2, one, "", now, Progress::headers},
    {http_location, "http.location", App::http, to_client, 2, one, "", now, Progress::headers},
    {http_server, "http.server", App::http, to_client, 2, one, "", now, Progress::headers},
    {http_referer, "http.referer", App::http, to_server, 2, one, "", now, Progress::headers},
    {http_cookie, "http.cookie", App::http, both, 2, one, "http_cookie", now, Progress::headers},
    {http_user_agent, "http.user_agent", App::http, to_server, 2, one, "http_user_agent", now,
     Progress::headers},
    {http_host, "http.host", App::http, to_server, 2, one, "http_host", now, Progress::headers},
    {http_host_raw, "http.host.raw", App::http, to_server, 2, one, "http_raw_host", now,
     Progress::headers},
    {http_stat_code, "http.stat_code", App::http, to_client, 4, one, "http_stat_code", now,
     Progress::line},
    {http_stat_msg, "http.stat_msg", App::http, to_client, 3, one, "http_stat_msg", now,
     Progress::line},
    {urilen, "urilen", App::http, to_server, 0},
    {http2_frametype, "http2.frametype", App::http2, both, 0, many, "", now},
    {http2_errorcode, "http2.errorcode", App::http2, both, 0, many, "", now},
    {http2_priority, "http2.priority", App::http2, both, 0, many, "", now},
    {http2_window, "http2.window", App::http2, both, 0, many, "", now},
    {http2_size_update, "http2.size_update", App::http2, both, 0, many, "", now},
    {http2_settings, "http2.settings", App::http2, both, 0, many, "", now},
    {http2_header_name, "http2.header_name", App::http2, both, 2, many, "", now},
    // TLS
    {tls_sni, "tls.sni", App::tls, to_server, 2, one, "", now, Progress::line},
    {tls_certs, "tls.certs", App::tls, both, 2, many, "", now, Progress::headers},
    {tls_cert_issuer, "tls.cert_issuer", App::tls, both, 2, one, "", now, Progress::headers},
    {tls_cert_subject, "tls.cert_subject", App::tls, both, 2, one, "", now, Progress::headers},
    {tls_cert_serial, "tls.cert_serial", App::tls, both, 2, one, "", now, Progress::headers},
    {tls_cert_fingerprint, "tls.cert_fingerprint", App::tls, both, 2, one, "", now,
     Progress::headers},
    {tls_subjectaltname, "tls.subjectaltname", App::tls, to_client, 2, many, "", now,
     Progress::headers},
    {tls_alpn, "tls.alpn", App::tls, both, 2, many, "", now, Progress::line},
    {tls_version, "tls.version", App::tls, both, 0, one, "", now, Progress::complete},
    {tls_subject, "tls.subject", App::tls, both, 0},
    {tls_issuerdn, "tls.issuerdn", App::tls, both, 0},
    {tls_fingerprint, "tls.fingerprint", App::tls, both, 0},
    {tls_random, "tls.random", App::tls, both, 2, one, "", now, Progress::line},
    {tls_random_time, "tls.random_time", App::tls, both, 2, one, "", now, Progress::line},
    {tls_random_bytes, "tls.random_bytes", App::tls, both, 2, one, "", now, Progress::line},
    {tls_cert_chain_len, "tls.cert_chain_len", App::tls, both, 0, one, "", now, Progress::headers},
    {tls_cert_notbefore, "tls_cert_notbefore", App::tls, both, 0, one, "", now, Progress::headers},
    {tls_cert_notafter, "tls_cert_notafter", App::tls, both, 0, one, "", now, Progress::headers},
    {tls_cert_expired, "tls_cert_expired", App::tls, both, 0, one, "", now, Progress::headers},
    {tls_cert_valid, "tls_cert_valid", App::tls, both, 0, one, "", now, Progress::headers},
    {ssl_version, "ssl_version", App::tls, both, 0, one, "", now, Progress::complete},
    {ssl_state, "ssl_state", App::tls, both, 0, one, "", now, Progress::complete},
    {ja3_hash, "ja3.hash", App::tls, to_server, 2, one, "", now, Progress::line},
    {ja3_string, "ja3.string", App::tls, to_server, 2, one, "", now, Progress::line},
    {ja3s_hash, "ja3s.hash", App::tls, to_client, 2, one, "", now, Progress::line},
    {ja3s_string, "ja3s.string", App::tls, to_client, 2, one, "", now, Progress::line},
    {ja4_hash, "ja4.hash", App::tls, to_server, 2, one, "", now, Progress::line},
    // DNS and its relatives
    {dns_query, "dns.query", App::dns, to_server, 2, many, "", now},
    {dns_query_name, "dns.query.name", App::dns, both, 2, many, "", now},
    {dns_answer_name, "dns.answer.name", App::dns, both, 2, many, "", now},
    {dns_queries_rrname, "dns.queries.rrname", App::dns, both, 2, many, "", now},
    {dns_answers_rrname, "dns.answers.rrname", App::dns, both, 2, many, "", now},
    {dns_additionals_rrname, "dns.additionals.rrname", App::dns, both, 2, many, "", now},
    {dns_authorities_rrname, "dns.authorities.rrname", App::dns, both, 2, many, "", now},
    {dns_response_rrname, "dns.response.rrname", App::dns, to_client, 2, many, "", now},
    {dns_opcode, "dns.opcode", App::dns, both, 0, one, "", now},
    {dns_rcode, "dns.rcode", App::dns, both, 0, one, "", now},
    {dns_rrtype, "dns.rrtype", App::dns, both, 0, many, "", now},
    {mdns_queries_rrname, "mdns.queries.rrname", App::mdns, to_server, 2, many, "", now},
    {mdns_answers_rrname, "mdns.answers.rrname", App::mdns, to_server, 2, many, "", now},
    {mdns_additionals_rrname, "mdns.additionals.rrname", App::mdns, to_server, 2, many, "", now},
    {mdns_authorities_rrname, "mdns.authorities.rrname", App::mdns, to_server, 2, many, "", now},
    {mdns_response_rrname, "mdns.response.rrname", App::mdns, to_server, 2, many, "", now},
    {llmnr_queries_rrname, "llmnr.queries.rrname", App::llmnr, both, 2, many, "", now},
    {llmnr_answers_rrname, "llmnr.answers.rrname", App::llmnr, both, 2, many, "", now},
    {llmnr_additionals_rrname, "llmnr.additionals.rrname", App::llmnr, both, 2, many, "", now},
    {llmnr_authorities_rrname, "llmnr.authorities.rrname", App::llmnr, both, 2, many, "", now},
    {llmnr_response_rrname, "llmnr.response.rrname", App::llmnr, to_client, 2, many, "", now},
    // SSH
    {ssh_proto, "ssh.proto", App::ssh, both, 2, one, "", now, Progress::line},
    {ssh_software, "ssh.software", App::ssh, both, 2, one, "", now, Progress::line},
    {ssh_protoversion, "ssh.protoversion", App::ssh, both, 0},
    {ssh_softwareversion, "ssh.softwareversion", App::ssh, both, 0},
    {ssh_hassh, "ssh.hassh", App::ssh, to_server, 2, one, "", now, Progress::headers},
    {ssh_hassh_server, "ssh.hassh.server", App::ssh, to_client, 2, one, "", now, Progress::headers},
    {ssh_hassh_string, "ssh.hassh.string", App::ssh, to_server, 2, one, "", now, Progress::headers},
    {ssh_hassh_server_string, "ssh.hassh.server.string", App::ssh, to_client, 2, one, "", now,
     Progress::headers},
    // Windows and file services
    {smb_named_pipe, "smb.named_pipe", App::smb, to_server, 2, one, "", now},
    {smb_share, "smb.share", App::smb, to_server, 2, one, "", now},
    {smb_ntlmssp_user, "smb.ntlmssp_user", App::smb, to_server, 2, one, "", now},
    {smb_ntlmssp_domain, "smb.ntlmssp_domain", App::smb, to_server, 2, one, "", now},
    {smb_version, "smb.version", App::smb, both, 0, one, "", now},
    {dcerpc_iface, "dcerpc.iface", App::dcerpc, both, 0, many, "", now},
    {dcerpc_opnum, "dcerpc.opnum", App::dcerpc, both, 0, one, "", now},
    {dcerpc_stub_data, "dcerpc.stub_data", App::dcerpc, both, 2, one, "", now},
    {nfs_procedure, "nfs_procedure", App::nfs, both, 0, one, "", now},
    {nfs_version, "nfs.version", App::nfs, both, 0, one, "", now},
    // Mail and FTP
    {smtp_helo, "smtp.helo", App::smtp, to_server, 2, one, "", now, Progress::headers},
    {smtp_mail_from, "smtp.mail_from", App::smtp, to_server, 2, one, "", now, Progress::headers},
    {smtp_rcpt_to, "smtp.rcpt_to", App::smtp, to_server, 2, many, "", now, Progress::headers},
    {email_from, "email.from", App::smtp, to_server, 2, one, "", now},
    {email_subject, "email.subject", App::smtp, to_server, 2, one, "", now},
    {email_to, "email.to", App::smtp, to_server, 2, one, "", now},
    {email_cc, "email.cc", App::smtp, to_server, 2, one, "", now},
    {email_date, "email.date", App::smtp, to_server, 2, one, "", now},
    {email_message_id, "email.message_id", App::smtp, to_server, 2, one, "", now},
    {email_x_mailer, "email.x_mailer", App::smtp, to_server, 2, one, "", now},
    {email_url, "email.url", App::smtp, to_server, 2, many, "", now},
    {email_received, "email.received", App::smtp, to_server, 2, many, "", now},
    {email_body_md5, "email.body_md5", App::smtp, to_server, 2, one, "", now},
    {ftp_command, "ftp.command", App::ftp, to_server, 2, one, "", now, Progress::line},
    {ftp_command_data, "ftp.command_data", App::ftp, to_server, 2, one, "", now, Progress::line},
    {ftp_reply, "ftp.reply", App::ftp, to_client, 2, many, "", now},
    {ftp_mode, "ftp.mode", App::ftp, both, 0, one, "", now},
    {ftp_reply_received, "ftp.reply_received", App::ftp, both, 0, one, "", now},
    {ftp_completion_code, "ftp.completion_code", App::ftp, to_client, 2, many, "", now},
    {ftp_dynamic_port, "ftp.dynamic_port", App::ftp, both, 0, one, "", now},
    {ftpdata_command, "ftpdata_command", App::ftp_data, both, 0, one, "", now, Progress::line},
    // 1 where PORT or EPRT names another address than the client's, else 0
    {ftpbounce, "ftpbounce", App::ftp, to_server, 0, one, "", now, Progress::line},
    // Industrial control
    {modbus, "modbus", App::modbus, both, 0, one, "", now},
    {dnp3_data, "dnp3.data", App::dnp3, both, 2, one, "", now},
    {dnp3_func, "dnp3_func", App::dnp3, both, 0, one, "", now},
    {dnp3_ind, "dnp3_ind", App::dnp3, both, 0, one, "", now},
    {dnp3_obj, "dnp3_obj", App::dnp3, both, 0, one, "", now},
    {cip_service, "cip_service", App::enip, both, 0, one, "", now},
    {enip_command, "enip_command", App::enip, both, 0, one, "", now},
    {enip_capabilities, "enip.capabilities", App::enip, both, 0, one, "", now},
    {enip_cip_attribute, "enip.cip_attribute", App::enip, both, 0, one, "", now},
    {enip_cip_class, "enip.cip_class", App::enip, both, 0, one, "", now},
    {enip_cip_instance, "enip.cip_instance", App::enip, both, 0, one, "", now},
    {enip_cip_status, "enip.cip_status", App::enip, both, 0, one, "", now},
    {enip_cip_extendedstatus, "enip.cip_extendedstatus", App::enip, both, 0, one, "", now},
    {enip_vendor_id, "enip.vendor_id", App::enip, both, 0, one, "", now},
    {enip_status, "enip.status", App::enip, both, 0, one, "", now},
    {enip_state, "enip.state", App::enip, both, 0, one, "", now},
    {enip_serial, "enip.serial", App::enip, both, 0, one, "", now},
    {enip_revision, "enip.revision", App::enip, both, 0, one, "", now},
    {enip_protocol_version, "enip.protocol_version", App::enip, both, 0, one, "", now},
    {enip_product_code, "enip.product_code", App::enip, both, 0, one, "", now},
    {enip_product_name, "enip.product_name", App::enip, both, 2, one, "", now},
    {enip_service_name, "enip.service_name", App::enip, both, 2, one, "", now},
    {enip_identity_status, "enip.identity_status", App::enip, both, 0, one, "", now},
    {enip_device_type, "enip.device_type", App::enip, both, 0, one, "", now},
    // Others
    {krb5_err_code, "krb5_err_code", App::krb5, both, 0, one, "", now},
    {krb5_msg_type, "krb5_msg_type", App::krb5, both, 0, one, "", now},
    {krb5_cname, "krb5.cname", App::krb5, both, 2, many, "", now},
    {krb5_sname, "krb5.sname", App::krb5, both, 2, many, "", now},
    {krb5_ticket_encryption, "krb5.ticket_encryption", App::krb5, both, 0, one, "", now},
    {sip_method, "sip.method", App::sip, to_server, 2, one, "", now},
    {sip_uri, "sip.uri", App::sip, to_server, 2, one, "", now},
    {sip_protocol, "sip.protocol", App::sip, both, 2, one, "", now},
    {sip_stat_code, "sip.stat_code", App::sip, to_client, 2, one, "", now},
    {sip_stat_msg, "sip.stat_msg", App::sip, to_client, 2, one, "", now},
    {sip_request_line, "sip.request_line", App::sip, to_server, 2, one, "", now},
    {sip_response_line, "sip.response_line", App::sip, to_client, 2, one, "", now},
    {sip_from, "sip.from", App::sip, both, 2, many, "", now},
    {sip_to, "sip.to", App::sip, both, 2, many, "", now},
    {sip_via, "sip.via", App::sip, both, 2, many, "", now},
    {sip_user_agent, "sip.user_agent", App::sip, both, 2, many, "", now},
    {sip_content_type, "sip.content_type", App::sip, both, 2, many, "", now},
    {sip_content_length, "sip.content_length", App::sip, both, 2, many, "", now},
    {sdp_session_name, "sdp.session_name", App::sip, both, 2, one, "", now},
    {sdp_session_info, "sdp.session_info", App::sip, both, 2, one, "", now},
    {sdp_origin, "sdp.origin", App::sip, both, 2, one, "", now},
    {sdp_uri, "sdp.uri", App::sip, both, 2, one, "", now},
    {sdp_email, "sdp.email", App::sip, both, 2, one, "", now},
    {sdp_phone_number, "sdp.phone_number", App::sip, both, 2, one, "", now},
    {sdp_connection_data, "sdp.connection_data", App::sip, both, 2, one, "", now},
    {sdp_bandwidth, "sdp.bandwidth", App::sip, both, 2, many, "", now},
    {sdp_time, "sdp.time", App::sip, both, 2, many, "", now},
    {sdp_repeat_time, "sdp.repeat_time", App::sip, both, 2, many, "", now},
    {sdp_timezone, "sdp.timezone", App::sip, both, 2, one, "", now},
    {sdp_encryption_key, "sdp.encryption_key", App::sip, both, 2, one, "", now},
    {sdp_attribute, "sdp.attribute", App::sip, both, 2, many, "", now},
    {sdp_media_media, "sdp.media.media", App::sip, both, 2, many, "", now},
    {sdp_media_media_info, "sdp.media.media_info", App::sip, both, 2, many, "", now},
    {sdp_media_connection_data, "sdp.media.connection_data", App::sip, both, 2, many, "", now},
    {sdp_media_encryption_key, "sdp.media.encryption_key", App::sip, both, 2, many, "", now},
    {quic_version, "quic.version", App::quic, both, 2, one, "", now, Progress::complete},
    {quic_sni, "quic.sni", App::quic, to_server, 2, many, "", now, Progress::complete},
    {quic_ua, "quic.ua", App::quic, to_server, 2, many, "", now, Progress::complete},
    {quic_cyu_hash, "quic.cyu.hash", App::quic, to_server, 2, many, "", now, Progress::complete},
    {quic_cyu_string, "quic.cyu.string", App::quic, to_server, 2, many, "", now,
     Progress::complete},
    {ike_exchtype, "ike.exchtype", App::ike, both, 0, one, "", now},
    {ike_init_spi, "ike.init_spi", App::ike, to_server, 2, one, "", now},
    {ike_resp_spi, "ike.resp_spi", App::ike, to_client, 2, one, "", now},
    {ike_vendor, "ike.vendor", App::ike, to_server, 2, many, "", now},
    {ike_chosen_sa_attribute, "ike.chosen_sa_attribute", App::ike, both, 0, many, "", now},
    {ike_key_exchange_payload_length, "ike.key_exchange_payload_length", App::ike, both, 0, one, "",
     now},
    {ike_key_exchange_payload, "ike.key_exchange_payload", App::ike, both, 2, one, "", now},
    {ike_nonce_payload_length, "ike.nonce_payload_length", App::ike, both, 0, one, "", now},
    {ike_nonce_payload, "ike.nonce_payload", App::ike, both, 2, one, "", now},
    {mqtt_type, "mqtt.type", App::mqtt, both, 0, one, "", now},
    {mqtt_flags, "mqtt.flags", App::mqtt, both, 0, one, "", now},
    {mqtt_qos, "mqtt.qos", App::mqtt, both, 0, one, "", now},
    {mqtt_reason_code, "mqtt.reason_code", App::mqtt, both, 0, one, "", now},
    {mqtt_protocol_version, "mqtt.protocol_version", App::mqtt, both, 0, one, "", now},
    {mqtt_connack_session_present, "mqtt.connack.session_present", App::mqtt, both, 0, one, "",
     now},
    {mqtt_connect_flags, "mqtt.connect.flags", App::mqtt, both, 0, one, "", now},
    {mqtt_connect_clientid, "mqtt.connect.clientid", App::mqtt, to_server, 2, one, "", now},
    {mqtt_connect_username, "mqtt.connect.username", App::mqtt, to_server, 2, one, "", now},
    {mqtt_connect_password, "mqtt.connect.password", App::mqtt, to_server, 2, one, "", now},
    {mqtt_connect_willtopic, "mqtt.connect.willtopic", App::mqtt, to_server, 2, one, "", now},
    {mqtt_connect_willmessage, "mqtt.connect.willmessage", App::mqtt, to_server, 2, one, "", now},
    {mqtt_connect_protocol_string, "mqtt.connect.protocol_string", App::mqtt, to_server, 2, one, "",
     now},
    {mqtt_publish_topic, "mqtt.publish.topic", App::mqtt, both, 2, one, "", now},
    {mqtt_publish_message, "mqtt.publish.message", App::mqtt, both, 2, one, "", now},
    {mqtt_subscribe_topic, "mqtt.subscribe.topic", App::mqtt, to_server, 2, many, "", now},
    {mqtt_unsubscribe_topic, "mqtt.unsubscribe.topic", App::mqtt, to_server, 2, many, "", now},
    {rfb_name, "rfb.name", App::rfb, to_client, 2, one, "", now},
    {rfb_sectype, "rfb.sectype", App::rfb, to_server, 0, one, "", now},
    {rfb_secresult, "rfb.secresult", App::rfb, both, 0, one, "", now},
    {ldap_request_operation, "ldap.request.operation", App::ldap, to_server, 0, one, "", now},
    {ldap_request_dn, "ldap.request.dn", App::ldap, to_server, 2, one, "", now},
    {ldap_request_attribute_type, "ldap.request.attribute_type", App::ldap, to_server, 2, many, "",
     now},
    {ldap_responses_operation, "ldap.responses.operation", App::ldap, to_client, 0, one, "", now},
    {ldap_responses_count, "ldap.responses.count", App::ldap, to_client, 0, one, "", now},
    {ldap_responses_dn, "ldap.responses.dn", App::ldap, to_client, 2, many, "", now},
    {ldap_responses_result_code, "ldap.responses.result_code", App::ldap, to_client, 0, one, "",
     now},
    {ldap_responses_message, "ldap.responses.message", App::ldap, to_client, 2, many, "", now},
    {ldap_responses_attribute_type, "ldap.responses.attribute_type", App::ldap, to_client, 2, many,
     "", now},
    {websocket_opcode, "websocket.opcode", App::websocket, both, 0, one, "", now},
    {websocket_mask, "websocket.mask", App::websocket, both, 0, one, "", now},
    {websocket_flags, "websocket.flags", App::websocket, both, 0, one, "", now},
    {websocket_payload, "websocket.payload", App::websocket, both, 2, one, "", now},
    {dhcp_leasetime, "dhcp.leasetime", App::dhcp, both, 0, one, "", now},
    {dhcp_rebinding_time, "dhcp.rebinding_time", App::dhcp, both, 0, one, "", now},
    {dhcp_renewal_time, "dhcp.renewal_time", App::dhcp, both, 0, one, "", now},
    {ntp_version, "ntp.version", App::ntp, both, 0, one, "", now},
    {ntp_mode, "ntp.mode", App::ntp, both, 0, one, "", now},
    {ntp_stratum, "ntp.stratum", App::ntp, both, 0, one, "", now},
    {ntp_reference_id, "ntp.reference_id", App::ntp, both, 2, one, "", now},
    {snmp_version, "snmp.version", App::snmp, both, 0, one, "", now},
    {snmp_pdu_type, "snmp.pdu_type", App::snmp, both, 0, one, "", now},
    {snmp_usm, "snmp.usm", App::snmp, both, 2, one, "", now},
    {snmp_community, "snmp.community", App::snmp, both, 2, one, "", now},
    {snmp_trap_type, "snmp.trap_type", App::snmp, both, 0, one, "", now},
    {snmp_trap_oid, "snmp.trap_oid", App::snmp, both, 2},
    {snmp_trap_address, "snmp.trap_address", App::snmp, both, 2},
    {pgsql_query, "pgsql.query", App::pgsql, to_server, 2, one, "", now},
}};

}  // namespace field_table

inline constexpr const std::array<FieldRow, fields_count>& field_rows = field_table::rows;

[[nodiscard]] constexpr const FieldRow& row_of(Field field) noexcept {
  return field_rows[static_cast<size_t>(field)];
}

/// "http.uri"
[[nodiscard]] constexpr std::string_view to_text(Field field) noexcept {
  return row_of(field).keyword;
}

[[nodiscard]] constexpr bool is_inspected(Field field) noexcept {
  return row_of(field).is_inspected;
}

/// By keyword, not by modifier; exact case.
[[nodiscard]] std::optional<Field> find_field(std::string_view keyword) noexcept;

}  // namespace shrike
