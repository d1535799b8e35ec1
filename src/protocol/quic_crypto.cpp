#include "quic_crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace shrike::protocol {

namespace {

using Secret = std::array<uint8_t, 32>;  ///< SHA-256
using Salt = std::array<uint8_t, 20>;

constexpr size_t tag_bytes = 16;
constexpr size_t sample_bytes = 16;
constexpr size_t number_bytes_max = 4;  ///< of a packet number
constexpr uint32_t version1 = 1;
constexpr uint32_t version2 = 0x6b3343cf;

constexpr Salt salt_q050{0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94,
                         0x5c, 0xfc, 0xdb, 0xd3, 0xa7, 0xf0, 0xd3, 0xb5, 0x6b, 0x45};
constexpr Salt salt_draft23{0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
                            0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02};
constexpr Salt salt_draft29{0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
                            0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99};
constexpr Salt salt_version1{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                             0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
constexpr Salt salt_version2{0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
                             0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9};

const Salt* salt_of(uint32_t version) noexcept {
  if (version == 0x51303530) {
    return &salt_q050;
  }
  if (version == 0xfaceb002 || (version >= 0xff000017 && version <= 0xff00001c)) {
    return &salt_draft23;
  }
  if (version >= 0xff00001d && version <= 0xff000020) {
    return &salt_draft29;
  }
  if (version == version1 || (version >= 0xff000021 && version <= 0xff000022)) {
    return &salt_version1;
  }
  return version == version2 ? &salt_version2 : nullptr;
}

Secret hmac(Bytes key, Bytes text) noexcept {
  Secret out{};
  unsigned count = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), text.data(), text.size(), out.data(),
       &count);
  return out;
}

/// HKDF-Expand-Label of RFC 8446 section 7.1 without a context; at most one block of output.
template <size_t count>
std::array<uint8_t, count> expand(const Secret& secret, std::string_view label) noexcept {
  static_assert(count <= sizeof(Secret));
  constexpr std::string_view prefix = "tls13 ";
  std::array<uint8_t, 32> info{0, count};
  size_t at = 2;
  info[at++] = static_cast<uint8_t>(prefix.size() + label.size());
  for (const std::string_view part : {prefix, label}) {
    at = static_cast<size_t>(std::copy(part.begin(), part.end(), info.begin() + at) - info.begin());
  }
  info[at++] = 0;
  info[at++] = 1;  // the first block of HKDF-Expand
  const Secret block = hmac(secret, Bytes(info).first(at));
  std::array<uint8_t, count> out{};
  std::copy_n(block.begin(), count, out.begin());
  return out;
}

QuicDirectionKeys keys_of(const Secret& initial, std::string_view label, bool is_version2) {
  const Secret secret = expand<32>(initial, label);
  return {.packet = expand<16>(secret, is_version2 ? "quicv2 key" : "quic key"),
          .nonce = expand<12>(secret, is_version2 ? "quicv2 iv" : "quic iv"),
          .header = expand<16>(secret, is_version2 ? "quicv2 hp" : "quic hp")};
}

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};

/// One context a thread, used again for each packet.
EVP_CIPHER_CTX* context_of_thread() noexcept {
  thread_local const std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context(EVP_CIPHER_CTX_new());
  return context.get();
}

/// One block of AES: what is added to the protected parts of a header.
bool make_mask(const QuicDirectionKeys& keys, Bytes sample,
               std::array<uint8_t, sample_bytes>& mask) noexcept {
  static const EVP_CIPHER* const method = EVP_CIPHER_fetch(nullptr, "AES-128-ECB", nullptr);
  EVP_CIPHER_CTX* const context = context_of_thread();
  int count = 0;
  return context != nullptr && method != nullptr &&
         EVP_EncryptInit_ex(context, method, nullptr, keys.header.data(), nullptr) == 1 &&
         EVP_EncryptUpdate(context, mask.data(), &count, sample.data(), sample_bytes) == 1;
}

struct Sealed {
  Bytes header;  ///< in the clear
  Bytes payload;
  Bytes tag;
};

bool decrypt(const QuicDirectionKeys& keys, uint32_t number, const Sealed& sealed,
             PoolBytes& opened) {
  static const EVP_CIPHER* const method = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
  EVP_CIPHER_CTX* const context = context_of_thread();
  std::array<uint8_t, 12> nonce = keys.nonce;
  for (size_t i = 0; i < number_bytes_max; ++i) {
    nonce[nonce.size() - 1 - i] ^= static_cast<uint8_t>(number >> (8 * i));
  }
  std::array<uint8_t, tag_bytes> tag{};
  std::copy(sealed.tag.begin(), sealed.tag.end(), tag.begin());
  opened.resize(sealed.payload.size() + 1);  // never without memory
  int count = 0;
  if (context == nullptr || method == nullptr ||
      EVP_DecryptInit_ex(context, method, nullptr, keys.packet.data(), nonce.data()) != 1 ||
      EVP_DecryptUpdate(context, nullptr, &count, sealed.header.data(),
                        static_cast<int>(sealed.header.size())) != 1 ||
      EVP_DecryptUpdate(context, opened.data(), &count, sealed.payload.data(),
                        static_cast<int>(sealed.payload.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data()) != 1) {
    return false;
  }
  int rest = 0;
  const bool is_genuine = EVP_DecryptFinal_ex(context, opened.data() + count, &rest) == 1;
  opened.resize(sealed.payload.size());
  return is_genuine;
}

}  // namespace

std::optional<QuicKeys> quic_initial_keys(uint32_t version, Bytes connection) {
  const Salt* const salt = salt_of(version);
  if (salt == nullptr) {
    return std::nullopt;
  }
  static constexpr uint8_t nothing = 0;
  const Secret initial = hmac(*salt, connection.empty() ? Bytes(&nothing, 0) : connection);
  const bool is_version2 = version == version2;
  return QuicKeys{
      {keys_of(initial, "client in", is_version2), keys_of(initial, "server in", is_version2)}};
}

bool open_quic_packet(const QuicDirectionKeys& keys, Bytes packet, size_t header_bytes,
                      PoolBytes& opened) {
  if (packet.size() < header_bytes + number_bytes_max + sample_bytes) {
    return false;
  }
  std::array<uint8_t, sample_bytes> mask{};
  if (!make_mask(keys, packet.subspan(header_bytes + number_bytes_max, sample_bytes), mask)) {
    return false;
  }
  PoolBytes header(packet.begin(), packet.begin() + static_cast<ptrdiff_t>(header_bytes) + 4,
                   opened.get_allocator());
  header[0] ^= mask[0] & ((header[0] & 0x80) != 0 ? 0x0f : 0x1f);
  const size_t number_bytes = (header[0] & 3U) + 1;
  uint32_t number = 0;
  for (size_t i = 0; i < number_bytes; ++i) {
    header[header_bytes + i] ^= mask[1 + i];
    number = number << 8 | header[header_bytes + i];
  }
  const Bytes sealed = packet.subspan(header_bytes + number_bytes);
  if (sealed.size() < tag_bytes) {
    return false;
  }
  return decrypt(keys, number,
                 {.header = Bytes(header).first(header_bytes + number_bytes),
                  .payload = sealed.first(sealed.size() - tag_bytes),
                  .tag = sealed.last(tag_bytes)},
                 opened);
}

}  // namespace shrike::protocol
