#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace shrike {

/// What application-layer parsers and their identification find wrong or odd; rules ask for them by
/// `app-layer-event:http.invalid_...`. The names are Suricata's. Each has its text in
/// app_event.cpp, in the same order.
// clang-format off
enum class AppEvent : uint16_t {
  applayer_detect_protocol_only_one_direction, applayer_mismatch_protocol_both_directions,
  applayer_no_tls_after_starttls, applayer_proto_detection_skipped, applayer_unexpected_protocol,
  applayer_wrong_direction_first_data, bittorrent_dht_malformed_packet, dcerpc_malformed_data,
  dhcp_malformed_options, dhcp_truncated_options, dnp3_bad_link_crc, dnp3_bad_transport_crc,
  dnp3_flooded, dnp3_len_too_small, dnp3_max_points_per_object, dnp3_too_long_reassembly,
  dnp3_too_many_objects, dnp3_too_many_points, dnp3_unknown_object, dns_infinite_loop,
  dns_invalid_opcode, dns_malformed_data, dns_name_too_long, dns_not_request, dns_not_response,
  dns_too_many_additionals, dns_too_many_answers, dns_too_many_authorities, dns_too_many_labels,
  dns_z_flag_set, enip_invalid_pdu, enip_too_many_transactions, ftp_file_before_port,
  ftp_request_command_too_long, ftp_response_command_too_long, ftp_too_many_transactions,
  http_100_continue_already_seen, http_abnormal_ce_header, http_compression_bomb,
  http_content_decoding_failed, http_double_encoded_uri,
  http_duplicate_content_length_field_in_request, http_duplicate_content_length_field_in_response,
  http_failed_protocol_change, http_file_name_too_long, http_gzip_decompression_failed,
  http_host_header_ambiguous, http_invalid_authority_port,
  http_invalid_content_length_field_in_request, http_invalid_content_length_field_in_response,
  http_invalid_request_chunk_len, http_invalid_request_field_folding,
  http_invalid_response_chunk_len, http_invalid_response_field_folding,
  http_invalid_server_port_in_request, http_invalid_transfer_encoding_value_in_request,
  http_invalid_transfer_encoding_value_in_response, http_lzma_disabled, http_lzma_memlimit_reached,
  http_method_delim_non_compliant, http_missing_host_header, http_multipart_generic_error,
  http_multipart_invalid_header, http_multipart_no_filedata, http_range_invalid,
  http_request_auth_unrecognized, http_request_body_unexpected, http_request_chunk_extension,
  http_request_field_missing_colon, http_request_field_too_long, http_request_header_host_invalid,
  http_request_header_invalid, http_request_header_repetition, http_request_line_incomplete,
  http_request_line_invalid, http_request_line_leading_whitespace,
  http_request_line_missing_protocol, http_request_server_port_tcp_port_mismatch,
  http_request_too_many_headers, http_request_uri_host_invalid,
  http_response_abnormal_transfer_encoding, http_response_chunked_old_proto,
  http_response_field_missing_colon, http_response_field_too_long, http_response_header_invalid,
  http_response_header_repetition, http_response_invalid_protocol, http_response_invalid_status,
  http_response_multipart_byteranges, http_response_too_many_headers,
  http_too_many_encoding_layers, http_too_many_warnings, http_unable_to_match_response_to_request,
  http_unknown_error, http_uri_delim_non_compliant, http2_authority_host_mismatch,
  http2_dns_request_too_long, http2_dns_response_too_long, http2_extra_header_data,
  http2_failed_decompression, http2_header_integer_overflow, http2_invalid_client_magic,
  http2_invalid_frame_data, http2_invalid_frame_header, http2_invalid_frame_length,
  http2_invalid_header, http2_invalid_http1_settings, http2_invalid_range, http2_long_frame_data,
  http2_reassembly_limit_reached, http2_stream_id_reuse, http2_too_many_streams,
  http2_userinfo_in_uri, http2_variable_integer_too_large, ike_invalid_proposal,
  ike_malformed_data, ike_multiple_server_proposal, ike_no_encryption, ike_unknown_proposal,
  ike_weak_crypto_auth, ike_weak_crypto_dh, ike_weak_crypto_enc, ike_weak_crypto_no_auth,
  ike_weak_crypto_no_dh, ike_weak_crypto_prf, imap_too_many_transactions, krb5_malformed_data,
  krb5_weak_encryption, ldap_incomplete_data, ldap_invalid_data, ldap_request_not_found,
  ldap_too_many_transactions, ldap_unknown_operation, mdns_infinite_loop, mdns_invalid_opcode,
  mdns_malformed_data, mdns_name_too_long, mdns_not_request, mdns_not_response,
  mdns_too_many_labels, mdns_z_flag_set, modbus_flooded, modbus_invalid_exception_code,
  modbus_invalid_function_code, modbus_invalid_length, modbus_invalid_protocol_id,
  modbus_invalid_value, modbus_unsolicited_response, modbus_value_mismatch, mqtt_double_connect,
  mqtt_invalid_qos_level, mqtt_malformed_traffic, mqtt_missing_connect, mqtt_missing_msg_id,
  mqtt_missing_publish, mqtt_missing_subscribe, mqtt_missing_unsubscribe,
  mqtt_too_many_transactions, mqtt_unassigned_msg_type, mqtt_unintroduced_message,
  nfs_malformed_data, nfs_too_many_transactions, ntp_malformed_data, pgsql_malformed_request,
  pgsql_malformed_response, pgsql_too_many_transactions, pop3_command_too_long,
  pop3_incorrect_argument_count, pop3_response_too_long, pop3_too_many_transactions,
  pop3_unknown_command, quic_crypto_frag_too_long, quic_error_on_data, quic_failed_decrypt,
  quic_malformed_data, rdp_malformed_data, rfb_confused_state, rfb_malformed_message,
  rfb_too_many_transactions, rfb_unimplemented_security_type, rfb_unknown_security_result,
  sip_incomplete_data, sip_invalid_data, smb_dcerpc_malformed, smb_file_overlap,
  smb_internal_error, smb_malformed_data, smb_malformed_ntlmssp_request,
  smb_negotiate_malformed_dialects, smb_negotiate_max_read_size_too_large,
  smb_negotiate_max_trans_size_too_large, smb_negotiate_max_write_size_too_large,
  smb_read_queue_cnt_exceeded, smb_read_queue_size_exceeded, smb_read_request_too_large,
  smb_read_response_too_large, smb_request_to_client, smb_response_to_server,
  smb_too_many_transactions, smb_unusual_ntlmssp_order, smb_write_queue_cnt_exceeded,
  smb_write_queue_size_exceeded, smb_write_request_too_large, smtp_bdat_chunk_len_exceeded,
  smtp_data_command_rejected, smtp_duplicate_fields, smtp_failed_protocol_change,
  smtp_invalid_pipelined_sequence, smtp_invalid_reply, smtp_max_command_line_len_exceeded,
  smtp_max_reply_line_len_exceeded, smtp_mime_encoded_line_too_long, smtp_mime_invalid_base64,
  smtp_mime_invalid_qp, smtp_mime_long_boundary, smtp_mime_long_enc_line, smtp_mime_long_filename,
  smtp_mime_long_header_name, smtp_mime_long_header_value, smtp_mime_long_line,
  smtp_mime_malformed_msg, smtp_mime_parse_failed, smtp_no_server_welcome_message,
  smtp_tls_rejected, smtp_unable_to_match_reply_with_request, smtp_unparsable_content,
  snmp_malformed_data, snmp_unknown_security_model, snmp_version_mismatch, ssh_invalid_banner,
  ssh_invalid_kexinit, ssh_invalid_record, ssh_long_banner, ssh_long_kex_record,
  telnet_malformed_data, tftp_malformed_data, tls_certificate_invalid_algorithmidentifier,
  tls_certificate_invalid_date, tls_certificate_invalid_der, tls_certificate_invalid_extensions,
  tls_certificate_invalid_issuer, tls_certificate_invalid_length, tls_certificate_invalid_serial,
  tls_certificate_invalid_string, tls_certificate_invalid_subject,
  tls_certificate_invalid_validity, tls_certificate_invalid_version,
  tls_certificate_invalid_x509name, tls_certificate_missing_element,
  tls_certificate_unknown_element, tls_dataleak_heartbeat_mismatch, tls_error_message_encountered,
  tls_handshake_invalid_length, tls_heartbeat_message, tls_invalid_certificate,
  tls_invalid_handshake_message, tls_invalid_heartbeat_message, tls_invalid_record_type,
  tls_invalid_record_version, tls_invalid_sni_length, tls_invalid_sni_type, tls_invalid_ssl_record,
  tls_invalid_sslv2_header, tls_invalid_tls_header, tls_multiple_sni_extensions,
  tls_overflow_heartbeat_message, tls_too_many_records_in_packet,
  websocket_reassembly_limit_reached, websocket_skip_end_of_payload,
  count_,
};
// clang-format on

inline constexpr size_t app_events_count = static_cast<size_t>(AppEvent::count_);

/// "http.missing_host_header"
[[nodiscard]] std::string_view to_text(AppEvent event) noexcept;

/// By the name that rules use; exact case.
[[nodiscard]] std::optional<AppEvent> find_app_event(std::string_view name) noexcept;

}  // namespace shrike
