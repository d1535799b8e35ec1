#pragma once
#include "memory.h"
#include "shrike/base/bytes.h"

/// ClientHello and ServerHello, and the fingerprints made of them. For TLS and for QUIC.
/// Sources: RFC 5246 section 7.4.1, RFC 8446 section 4; Suricata's order of checks, which decides
/// what is kept of a broken hello.
namespace shrike::protocol {

namespace tls_version {
inline constexpr uint16_t unknown = 0;
inline constexpr uint16_t ssl2 = 0x0200;
inline constexpr uint16_t ssl3 = 0x0300;
inline constexpr uint16_t tls10 = 0x0301;
inline constexpr uint16_t tls11 = 0x0302;
inline constexpr uint16_t tls12 = 0x0303;
inline constexpr uint16_t tls13 = 0x0304;
inline constexpr uint16_t before_draft16 = 0x7f01;  ///< any draft of TLS 1.3 before the 16th
[[nodiscard]] bool is_valid(uint16_t version) noexcept;
[[nodiscard]] bool is_draft(uint16_t version) noexcept;  ///< of TLS 1.3
}  // namespace tls_version

/// What is wrong in a hello; bits.
namespace hello_fault {
inline constexpr uint8_t length = 1;
inline constexpr uint8_t sni_type = 2;
inline constexpr uint8_t sni_length = 4;
inline constexpr uint8_t several_sni = 8;
}  // namespace hello_fault

/// A hello, as far as it could be read. Its bytes are the message's.
struct Hello {
  explicit Hello(Pool& pool) noexcept
      : ciphers(pool), extensions(pool), curves(pool), signature_algorithms(pool), alpns(pool) {}
  Hello(const Hello&) = delete;
  Hello& operator=(const Hello&) = delete;

  // What the reader must know.
  bool is_client = true;
  bool omits_session = false;   ///< a ServerHello of an early draft of TLS 1.3: no session id
  bool has_sni = false;         ///< an earlier hello had one: another is one too many
  bool knows_versions = false;  ///< the client's hello had supported_versions
  bool keeps_grease = false;    ///< in the lists, and so in JA3; never in JA4

  // What was read.
  bool is_whole = false;        ///< read to its end
  uint8_t faults = 0;           ///< hello_fault
  uint16_t legacy_version = 0;  ///< as written
  uint16_t version = 0;         ///< … or what supported_versions says
  uint16_t highest_version = 0;
  bool has_supported_versions = false;
  bool has_early_data = false;
  bool has_session_ticket = false;
  bool has_sni_extension = false;
  bool needs_no_certificate = false;  ///< TLS 1.3: certificates are encrypted
  Bytes random;
  Bytes session_id;
  Bytes sni;
  Bytes point_formats;
  // In order of appearance, GREASE left out or not.
  PoolVector<uint16_t> ciphers;
  PoolVector<uint16_t> extensions;
  PoolVector<uint16_t> curves;
  PoolVector<uint16_t> signature_algorithms;  ///< with GREASE, always
  PoolVector<Bytes> alpns;
};

/// Reads the body of a hello message, without its four bytes of header.
void read_hello(Bytes message, Hello& hello);

/// "771,4866-4867,43-51,29-23,0" for a client; "771,4866,43-51" for a server.
[[nodiscard]] PoolString ja3_of(const Hello& hello, Pool& pool);
/// "t13d1516h2_8daaf6152771_e5627efa2ab1"
[[nodiscard]] PoolString ja4_of(const Hello& hello, bool is_quic, Pool& pool);

}  // namespace shrike::protocol
