#pragma once
#include <array>
#include <cstdint>

#include "memory.h"
#include "shrike/base/bytes.h"

/// DNS messages on the wire (RFC 1035, sections 4.1 and 3.1), for DNS, mDNS and LLMNR.
namespace shrike::protocol {

/// A name as text: labels joined by dots, no dot at the end, bytes as they came.
struct DnsName {
  uint32_t offset = 0;  ///< in DnsMessage::texts
  uint32_t length = 0;
  bool is_truncated = false;
};

struct DnsQuestion {
  DnsName name;
  uint16_t type = 0;
};

/// A resource record. What its data holds besides names stays as it came (`data`).
struct DnsRecord {
  DnsName name;
  uint16_t type = 0;
  uint32_t ttl = 0;
  bool has_target = false;  ///< the data has a name: CNAME, NS, PTR, MX, SRV, SOA
  DnsName target;           ///< SOA: the primary server
  DnsName mailbox;          ///< SOA only
  /// All of the data; of SRV the 6 bytes before its name, of SOA the 20 behind its names.
  uint32_t data_offset = 0;
  uint32_t data_bytes = 0;
};

namespace dns_type {
inline constexpr uint16_t a = 1, ns = 2, cname = 5, soa = 6, null = 10, ptr = 12, mx = 15, txt = 16,
                          aaaa = 28, srv = 33, opt = 41, sshfp = 44;
}

enum class DnsSection : uint8_t { answers, authorities, additionals };

/// One message, decoded. Moves cheaply; its texts stay where they are.
struct DnsMessage {
  /// Records of a section that are kept. More are checked, and counted as an event.
  static constexpr size_t records_max = 512;
  /// Names repeat through compression: a small message must not become megabytes of text.
  static constexpr size_t text_bytes_max = 256 << 10;

  explicit DnsMessage(Pool& pool)
      : questions(pool),
        sections{PoolVector<DnsRecord>(pool), PoolVector<DnsRecord>(pool),
                 PoolVector<DnsRecord>(pool)},
        texts(pool) {}

  uint16_t id = 0;
  uint16_t flags = 0;
  std::array<uint16_t, 4> counts{};  ///< as the header has them: questions, then the sections
  PoolVector<DnsQuestion> questions;
  std::array<PoolVector<DnsRecord>, 3> sections;
  PoolBytes texts;

  // What was odd, though the message stands.
  bool name_is_too_long = false;
  bool has_infinite_loop = false;
  bool has_too_many_labels = false;
  std::array<bool, 3> has_too_many{};  ///< records in a section

  [[nodiscard]] bool is_response() const noexcept { return (flags & 0x8000) != 0; }
  [[nodiscard]] uint8_t opcode() const noexcept { return flags >> 11 & 0xf; }
  [[nodiscard]] uint8_t rcode() const noexcept { return flags & 0xf; }
  [[nodiscard]] Bytes text_of(const DnsName& name) const noexcept {
    return Bytes(texts).subspan(name.offset, name.length);
  }
  [[nodiscard]] Bytes data_of(const DnsRecord& record) const noexcept {
    return Bytes(texts).subspan(record.data_offset, record.data_bytes);
  }
  [[nodiscard]] const PoolVector<DnsRecord>& section(DnsSection which) const noexcept {
    return sections[static_cast<size_t>(which)];
  }
};

inline constexpr size_t dns_header_bytes = 12;

/// Why a message was not taken.
enum class DnsVerdict : uint8_t { good, bad_header, malformed };

/// Decodes the message that `bytes` holds, into one made afresh. Questions and answers must be
/// whole; where authorities or additionals are not, that section is empty.
/// Source of the acceptance rules: Suricata 8's behaviour.
[[nodiscard]] DnsVerdict read_dns_message(Bytes bytes, DnsMessage& message);

/// Whether these are the first bytes of a message of `message_bytes` bytes: all of it is decoded
/// where it is there, else only its header is looked at.
[[nodiscard]] bool is_dns_message(Bytes bytes, size_t message_bytes, bool& is_request);

}  // namespace shrike::protocol
