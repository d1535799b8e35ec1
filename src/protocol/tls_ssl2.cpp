// Records of SSL 2: a length of two or three bytes, then one message.
#include "tls.h"

namespace shrike::protocol {

namespace {

namespace message {
constexpr uint8_t error = 0;
constexpr uint8_t client_hello = 1;
constexpr uint8_t client_master_key = 2;
constexpr uint8_t client_finished = 3;
constexpr uint8_t server_hello = 4;
constexpr uint8_t server_verify = 5;
constexpr uint8_t server_finished = 6;
constexpr uint8_t request_certificate = 7;
constexpr uint8_t client_certificate = 8;
}  // namespace message

constexpr size_t hello_bytes_min = 6;  ///< version, length of ciphers, length of the session id

}  // namespace

TlsParser::Step TlsParser::read_ssl2_record(Bytes bytes) {
  const bool is_short = (bytes[0] & 0x80) != 0;
  const size_t length_bytes = is_short ? 2 : 3;
  if (bytes.size() < length_bytes + 1) {
    return {.needed = length_bytes + 1};
  }
  const size_t record_bytes = load_big16(bytes.data()) & (is_short ? 0x7fff : 0x3fff);
  if (record_bytes == 0) {
    raise(AppEvent::tls_invalid_sslv2_header);
    raise(AppEvent::tls_invalid_ssl_record);
    return broken();
  }
  if (bytes.size() < length_bytes + record_bytes) {
    return {.needed = length_bytes + record_bytes};
  }
  side().content_type = bytes[length_bytes];
  if (!read_ssl2_content(bytes.subspan(length_bytes + 1, record_bytes - 1))) {
    raise(AppEvent::tls_invalid_ssl_record);
    return broken();
  }
  flags_ |= current_flags_;
  return {length_bytes + record_bytes};
}

/// @return whether this is still SSL.
bool TlsParser::read_ssl2_content(Bytes content) {
  switch (side().content_type) {
    case message::error:
      raise(AppEvent::tls_error_message_encountered);
      return true;
    case message::client_hello:
      if (content.size() < hello_bytes_min) {
        return false;
      }
      current_flags_ = tls_flag::client_hello | tls_flag::ssl2_client;
      if (load_big16(&content[4]) == 0) {
        current_flags_ |= tls_flag::ssl2_no_session_id;
      }
      side().version = load_big16(content.data());
      reach(Direction::to_server, Progress::line);
      return true;
    case message::client_master_key:
      current_flags_ = tls_flag::ssl2_master_key;
      return true;
    case message::server_hello:
      current_flags_ = tls_flag::server_hello | tls_flag::ssl2_server;
      reach(Direction::to_client, Progress::line);
      return true;
    case message::client_certificate:
      if (!is_to_client()) {
        current_flags_ = tls_flag::client_key_exchange;
      }
      reach(Direction::to_client, Progress::headers);
      see_ssl2_encryption();
      return true;
    case message::server_verify:
    case message::server_finished:
    case message::client_finished:
    case message::request_certificate:
      see_ssl2_encryption();
      return true;
    default:
      return true;
  }
}

void TlsParser::see_ssl2_encryption() {
  constexpr uint32_t both_hellos = tls_flag::ssl2_client | tls_flag::ssl2_server;
  if ((flags_ & both_hellos) != both_hellos) {
    return;
  }
  if (is_to_client()) {
    current_flags_ = tls_flag::ssl2_server_encrypted;
  } else if ((flags_ & (tls_flag::ssl2_no_session_id | tls_flag::ssl2_master_key)) != 0) {
    current_flags_ = tls_flag::ssl2_client_encrypted;
  }
  constexpr uint32_t both_encrypted =
      tls_flag::ssl2_client_encrypted | tls_flag::ssl2_server_encrypted;
  if ((flags_ & both_encrypted) == both_encrypted) {
    session_.stop_raw(Direction::to_server);
    session_.stop_raw(Direction::to_client);
    if (session_.options().tls_encrypted_bypass) {
      session_.bypass();
    }
  }
}

}  // namespace shrike::protocol
