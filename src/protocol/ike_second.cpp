// IKE version 2: payloads and proposals. Source: RFC 7296, section 3. Which algorithms are held for
// weak, and what a malformed payload does to its message, is Suricata's.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "ike.h"

namespace shrike::protocol {

namespace {

using enum Direction;

namespace payload {
constexpr uint8_t association = 33, key_exchange = 34, initiator_identity = 35,
                  responder_identity = 36, certificate = 37, certificate_request = 38,
                  authentication = 39, notify = 41, removal = 42, vendor = 43,
                  initiator_traffic = 44, responder_traffic = 45;
}
namespace transform {
constexpr uint8_t encryption = 1, random_function = 2, integrity = 3, group = 4,
                  sequence_numbers = 5;
}

constexpr size_t generic_header_bytes = 4, transform_header_bytes = 8, proposal_header_bytes = 8;
constexpr uint8_t authentication_header = 2;  // protocol AH (section 3.3.1)

struct Payload {
  uint8_t following = 0;
  Bytes content;
};

Payload next_payload(ByteReader& reader) noexcept {
  Payload found;
  found.following = reader.u8();
  reader.skip(1);
  const uint16_t bytes = reader.big16();
  // A length that cannot be fails the reader, too.
  found.content =
      reader.take(bytes < generic_header_bytes ? SIZE_MAX : bytes - generic_header_bytes);
  return found;
}

struct Transform {
  uint8_t type = 0;
  uint16_t id = 0;
};

Transform next_transform(ByteReader& reader) noexcept {
  Transform found;
  reader.skip(2);
  const uint16_t bytes = reader.big16();
  found.type = reader.u8();
  reader.skip(1);
  found.id = reader.big16();
  reader.skip(bytes > transform_header_bytes ? bytes - transform_header_bytes : 0);
  return found;
}

struct Proposal {
  uint8_t protocol = 0;
  uint8_t transforms_count = 0;
  Bytes transforms;
};

/// Fails the reader where the proposal, or one of its transforms, is not whole.
Proposal next_proposal(ByteReader& reader) noexcept {
  Proposal found;
  reader.skip(2);
  const uint16_t bytes = reader.big16();
  reader.skip(1);
  found.protocol = reader.u8();
  const size_t spi_bytes = reader.u8();
  found.transforms_count = reader.u8();
  reader.skip(spi_bytes);
  const size_t before = proposal_header_bytes + spi_bytes;
  found.transforms = reader.take(bytes < before ? SIZE_MAX : bytes - before);
  ByteReader transforms(found.transforms);
  for (size_t i = 0; i < found.transforms_count; ++i) {
    next_transform(transforms);
  }
  if (transforms.failed()) {
    reader.take(SIZE_MAX);
  }
  return found;
}

bool has_proposal(Bytes association) noexcept {
  ByteReader reader(association);
  next_proposal(reader);
  return !reader.failed();
}

/// At least one whole traffic selector (section 3.13.1).
bool has_selector(Bytes content) noexcept {
  constexpr uint8_t ipv4_range = 7, ipv6_range = 8;
  constexpr size_t before = 4, header_bytes = 8;
  if (content.size() < before + header_bytes) {
    return false;
  }
  const uint8_t type = content[before];
  const size_t addresses_bytes = type == ipv4_range ? 8 : type == ipv6_range ? 32 : SIZE_MAX / 2;
  return content.size() - before - header_bytes >= addresses_bytes;
}

bool is_notification(Bytes content) noexcept {
  constexpr size_t header_bytes = 4;
  return content.size() >= header_bytes && content.size() >= header_bytes + content[1];
}

bool is_whole(uint8_t type, Bytes content) noexcept {
  switch (type) {
    case payload::association:
      return has_proposal(content);
    case payload::key_exchange:
    case payload::initiator_identity:
    case payload::responder_identity:
    case payload::authentication:
      return content.size() >= 4;
    case payload::certificate:
    case payload::certificate_request:
      return !content.empty();
    case payload::notify:
      return is_notification(content);
    case payload::removal:
    case payload::vendor:
      return content.size() >= 8;
    case payload::initiator_traffic:
    case payload::responder_traffic:
      return has_selector(content);
    default:
      return true;
  }
}

bool are_whole(uint8_t type, Bytes payloads) noexcept {
  ByteReader reader(payloads);
  while (reader.left() != 0) {
    const Payload each = next_payload(reader);
    if (reader.failed() || !is_whole(type, each.content)) {
      return false;
    }
    type = each.following;
  }
  return !reader.failed();
}

constexpr bool is_authenticating(uint16_t encryption) noexcept {
  return (encryption >= 14 && encryption <= 16) || (encryption >= 18 && encryption <= 20) ||
         (encryption >= 25 && encryption <= 28);
}

/// DES to DES_IV32, and none at all; 10 is reserved.
constexpr bool is_weak_encryption(uint16_t id) noexcept {
  return (id >= 1 && id <= 9) || id == 11;
}

constexpr bool is_weak_integrity(uint16_t id) noexcept {
  return id >= 1 && id <= 7;
}

constexpr bool is_weak_group(uint16_t id) noexcept {
  return id == 1 || id == 2 || id == 5 || id == 22;
}

void judge(IkeTransaction& transaction, Direction direction, Transform each) {
  const auto raise = [&](bool is_so, AppEvent event) {
    if (is_so) {
      transaction.raise(direction, event);
    }
  };
  switch (each.type) {
    case transform::encryption:
      raise(is_weak_encryption(each.id), AppEvent::ike_weak_crypto_enc);
      break;
    case transform::random_function:
      raise(each.id == 0, AppEvent::ike_invalid_proposal);
      raise(each.id == 1 || each.id == 2, AppEvent::ike_weak_crypto_prf);
      break;
    case transform::integrity:
      raise(is_weak_integrity(each.id), AppEvent::ike_weak_crypto_auth);
      break;
    case transform::group:
      raise(each.id == 0, AppEvent::ike_invalid_proposal);
      raise(is_weak_group(each.id), AppEvent::ike_weak_crypto_dh);
      break;
    case transform::sequence_numbers:
      break;
    default:
      transaction.raise(direction, AppEvent::ike_unknown_proposal);
      break;
  }
}

/// What the responder takes: for ike.chosen_sa_attribute under the numbers that attributes of
/// version 1 have, the first of each kind in the message.
void choose(IkeTransaction& transaction, Transform each, IkeAlgorithms& chosen) {
  constexpr uint64_t encryption = 1, integrity = 3, group = 4, random_function = 13;
  uint64_t attribute = 0;
  switch (each.type) {
    case transform::encryption:
      chosen.encryption = each.id;
      attribute = encryption;
      break;
    case transform::random_function:
      chosen.random_function = each.id;
      attribute = random_function;
      break;
    case transform::integrity:
      chosen.integrity = each.id;
      attribute = integrity;
      break;
    case transform::group:
      chosen.group = each.id;
      attribute = group;
      break;
    case transform::sequence_numbers:
      chosen.sequence_numbers = each.id;
      return;
    default:
      return;
  }
  for (const FieldValue& value : transaction.values_in(to_client)) {
    if (value.field == Field::ike_chosen_sa_attribute && value.number >> 32 == attribute) {
      return;
    }
  }
  transaction.add_number(to_client, Field::ike_chosen_sa_attribute, attribute << 32 | each.id);
}

void read_proposal(IkeTransaction& transaction, Direction direction, const Proposal& proposal,
                   IkeAlgorithms& chosen) {
  bool has_group = false, has_integrity = false;
  ByteReader reader(proposal.transforms);
  for (size_t i = 0; i < proposal.transforms_count; ++i) {
    const Transform each = next_transform(reader);
    judge(transaction, direction, each);
    has_group = has_group || each.type == transform::group;
    has_integrity = has_integrity || (each.type == transform::integrity && each.id != 0) ||
                    (each.type == transform::encryption && is_authenticating(each.id));
    if (direction == to_client) {
      choose(transaction, each, chosen);
    }
  }
  if (!has_group) {
    transaction.raise(direction, AppEvent::ike_weak_crypto_no_dh);
  }
  if (proposal.protocol == authentication_header) {
    transaction.raise(direction, AppEvent::ike_no_encryption);
  }
  if (!has_integrity) {
    transaction.raise(direction, AppEvent::ike_weak_crypto_no_auth);
  }
}

void read_association(IkeTransaction& transaction, Direction direction, Bytes association,
                      IkeAlgorithms& chosen) {
  ByteReader reader(association);
  while (reader.left() != 0) {
    const Proposal proposal = next_proposal(reader);
    if (reader.failed()) {
      return;
    }
    read_proposal(transaction, direction, proposal, chosen);
  }
}

struct Name {
  uint16_t number;
  std::string_view text;
};

constexpr Name payload_names[] = {
    {0, "NoNextPayload"},
    {33, "SecurityAssociation"},
    {34, "KeyExchange"},
    {35, "IdentInitiator"},
    {36, "IdentResponder"},
    {37, "Certificate"},
    {38, "CertificateRequest"},
    {39, "Authentication"},
    {40, "Nonce"},
    {41, "Notify"},
    {42, "Delete"},
    {43, "VendorID"},
    {44, "TrafficSelectorInitiator"},
    {45, "TrafficSelectorResponder"},
    {46, "EncryptedAndAuthenticated"},
    {47, "Configuration"},
    {48, "ExtensibleAuthentication"},
};

constexpr Name encryption_names[] = {
    {1, "ENCR_DES_IV64"},
    {2, "ENCR_DES"},
    {3, "ENCR_3DES"},
    {4, "ENCR_RC5"},
    {5, "ENCR_IDEA"},
    {6, "ENCR_CAST"},
    {7, "ENCR_BLOWFISH"},
    {8, "ENCR_3IDEA"},
    {9, "ENCR_DES_IV32"},
    {11, "ENCR_NULL"},
    {12, "ENCR_AES_CBC"},
    {13, "ENCR_AES_CTR"},
    {14, "ENCR_AES_CCM_8"},
    {15, "ENCR_AES_CCM_12"},
    {16, "ENCR_AES_CCM_16"},
    {18, "ENCR_AES_GCM_8"},
    {19, "ENCR_AES_GCM_12"},
    {20, "ENCR_AES_GCM_16"},
    {21, "ENCR_NULL_AUTH_AES_GMAC"},
    {23, "ENCR_CAMELLIA_CBC"},
    {24, "ENCR_CAMELLIA_CTR"},
    {25, "ENCR_CAMELLIA_CCM_8"},
    {26, "ENCR_CAMELLIA_CCM_12"},
    {27, "ENCR_CAMELLIA_CCM_16"},
    {28, "ENCR_CHACHA20_POLY1305"},
};

constexpr Name random_function_names[] = {
    {0, "PRF_NULL"},          {1, "PRF_HMAC_MD5"},      {2, "PRF_HMAC_SHA1"},
    {3, "PRF_HMAC_TIGER"},    {4, "PRF_AES128_XCBC"},   {5, "PRF_HMAC_SHA2_256"},
    {6, "PRF_HMAC_SHA2_384"}, {7, "PRF_HMAC_SHA2_512"}, {8, "PRF_AES128_CMAC"},
};

constexpr Name integrity_names[] = {
    {0, "NONE"},
    {1, "AUTH_HMAC_MD5_96"},
    {2, "AUTH_HMAC_SHA1_96"},
    {3, "AUTH_DES_MAC"},
    {4, "AUTH_KPDK_MD5"},
    {5, "AUTH_AES_XCBC_96"},
    {6, "AUTH_HMAC_MD5_128"},
    {7, "AUTH_HMAC_SHA1_160"},
    {8, "AUTH_AES_CMAC_96"},
    {9, "AUTH_AES_128_GMAC"},
    {10, "AUTH_AES_192_GMAC"},
    {11, "AUTH_AES_256_GMAC"},
    {12, "AUTH_HMAC_SHA2_256_128"},
    {13, "AUTH_HMAC_SHA2_384_192"},
    {14, "AUTH_HMAC_SHA2_512_256"},
};

constexpr Name group_names[] = {
    {0, "None"},
    {1, "Modp768"},
    {2, "Modp1024"},
    {5, "Modp1536"},
    {14, "Modp2048"},
    {15, "Modp3072"},
    {16, "Modp4096"},
    {17, "Modp6144"},
    {18, "Modp8192"},
    {19, "Ecp256"},
    {20, "Ecp384"},
    {21, "Ecp521"},
    {22, "Modp1024s160"},
    {23, "Modp2048s224"},
    {24, "Modp2048s256"},
    {25, "Ecp192"},
    {26, "Ecp224"},
    {27, "BrainpoolP224r1"},
    {28, "BrainpoolP256r1"},
    {29, "BrainpoolP384r1"},
    {30, "BrainpoolP512r1"},
    {31, "Curve25519"},
    {32, "Curve448"},
};

constexpr Name sequence_names[] = {{0, "NoESN"}, {1, "ESN"}};

constexpr Name notify_names[] = {
    {1, "UNSUPPORTED_CRITICAL_PAYLOAD"},
    {4, "INVALID_IKE_SPI"},
    {5, "INVALID_MAJOR_VERSION"},
    {7, "INVALID_SYNTAX"},
    {9, "INVALID_MESSAGE_ID"},
    {11, "INVALID_SPI"},
    {14, "NO_PROPOSAL_CHOSEN"},
    {17, "INVALID_KE_PAYLOAD"},
    {24, "AUTHENTICATION_FAILED"},
    {34, "SINGLE_PAIR_REQUIRED"},
    {35, "NO_ADDITIONAL_SAS"},
    {36, "INTERNAL_ADDRESS_FAILURE"},
    {37, "FAILED_CP_REQUIRED"},
    {38, "TS_UNACCEPTABLE"},
    {39, "INVALID_SELECTORS"},
    {43, "TEMPORARY_FAILURE"},
    {44, "CHILD_SA_NOT_FOUND"},
    {16384, "INITIAL_CONTACT"},
    {16385, "SET_WINDOW_SIZE"},
    {16386, "ADDITIONAL_TS_POSSIBLE"},
    {16387, "IPCOMP_SUPPORTED"},
    {16388, "NAT_DETECTION_SOURCE_IP"},
    {16389, "NAT_DETECTION_DESTINATION_IP"},
    {16390, "COOKIE"},
    {16391, "USE_TRANSPORT_MODE"},
    {16392, "HTTP_CERT_LOOKUP_SUPPORTED"},
    {16393, "REKEY_SA"},
    {16394, "ESP_TFC_PADDING_NOT_SUPPORTED"},
    {16395, "NON_FIRST_FRAGMENTS_ALSO"},
    {16404, "MULTIPLE_AUTH_SUPPORTED"},
    {16405, "ANOTHER_AUTH_FOLLOWS"},
    {16406, "REDIRECT_SUPPORTED"},
    {16430, "IKEV2_FRAGMENTATION_SUPPORTED"},
    {16431, "SIGNATURE_HASH_ALGORITHMS"},
};

/// "IkePayloadType(99 / 0x63)" where the number has no name: what the reference prints.
std::string name_of(std::span<const Name> names, std::string_view kind, uint16_t number) {
  const auto found = std::find_if(names.begin(), names.end(),
                                  [&](const Name& each) { return each.number == number; });
  if (found != names.end()) {
    return std::string(found->text);
  }
  return fmt::format("{}({} / {:#x})", kind, number, number);
}

}  // namespace

void read_second_version(IkeTransaction& transaction, Direction direction, uint8_t first_type,
                         Bytes payloads, IkeAlgorithms& chosen) {
  constexpr uint16_t first_status = 16384;
  if (!are_whole(first_type, payloads)) {
    return;
  }
  uint8_t type = first_type;
  transaction.payload_types.push_back(type);
  ByteReader reader(payloads);
  while (reader.left() != 0) {
    const Payload each = next_payload(reader);
    if (type == payload::association) {
      read_association(transaction, direction, each.content, chosen);
    } else if (type == payload::notify) {
      const uint16_t notification = load_big16(each.content.data() + 2);
      transaction.notify_types.push_back(notification);
      transaction.errors += notification < first_status ? 1 : 0;
    }
    type = each.following;
    transaction.payload_types.push_back(type);
  }
}

void describe_second_version(const IkeTransaction& transaction, JsonWriter& json) {
  constexpr uint8_t initiator_flag = 0x08;
  if ((transaction.flags & initiator_flag) != 0) {
    json.text("role", "initiator");
  } else {
    const IkeAlgorithms& chosen = transaction.chosen;
    json.text("role", "responder");
    json.text("alg_enc", name_of(encryption_names, "IkeTransformEncType", chosen.encryption));
    json.text("alg_auth", name_of(integrity_names, "IkeTransformAuthType", chosen.integrity));
    json.text("alg_prf",
              name_of(random_function_names, "IkeTransformPRFType", chosen.random_function));
    json.text("alg_dh", name_of(group_names, "IkeTransformDHType", chosen.group));
    json.text("alg_esn", name_of(sequence_names, "IkeTransformESNType", chosen.sequence_numbers));
  }
  json.begin_array("payload");
  for (const uint8_t type : transaction.payload_types) {
    json.element(name_of(payload_names, "IkePayloadType", type));
  }
  json.end_array();
  json.begin_object("ikev2");
  json.number("errors", transaction.errors);
  if (!transaction.notify_types.empty()) {
    json.begin_array("notify");
    for (const uint16_t type : transaction.notify_types) {
      json.element(name_of(notify_names, "NotifyType", type));
    }
    json.end_array();
  }
  json.end_object();
}

}  // namespace shrike::protocol
