#include "digest_text.h"

#include <openssl/evp.h>

#include <memory>

namespace shrike::protocol {

/// One context a thread, used again for each digest.
class DigestMaker {
 public:
  DigestText make(const EVP_MD* method, Bytes bytes, bool has_colons) noexcept {
    static constexpr char digits[] = "0123456789abcdef";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned count = 0;
    DigestText text;
    if (context_ == nullptr || method == nullptr ||
        EVP_DigestInit_ex(context_.get(), method, nullptr) != 1 ||
        EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1 ||
        EVP_DigestFinal_ex(context_.get(), digest.data(), &count) != 1) {
      return text;
    }
    const size_t width = has_colons ? 3 : 2;
    for (size_t i = 0; i < count && (i + 1) * width <= text.letters_.size(); ++i) {
      if (has_colons && i > 0) {
        text.letters_[text.length_++] = ':';
      }
      text.letters_[text.length_++] = digits[digest[i] >> 4];
      text.letters_[text.length_++] = digits[digest[i] & 15];
    }
    return text;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_{EVP_MD_CTX_new()};
};

namespace {

DigestText make(const EVP_MD* method, Bytes bytes, bool has_colons) noexcept {
  thread_local DigestMaker maker;
  return maker.make(method, bytes, has_colons);
}

/// Fetched once: an implicit fetch takes memory and a lock at every use.
const EVP_MD* fetched(const char* name) noexcept {
  return EVP_MD_fetch(nullptr, name, nullptr);
}

}  // namespace

DigestText md5_text(Bytes bytes) noexcept {
  static const EVP_MD* const method = fetched("MD5");
  return make(method, bytes, false);
}

DigestText sha256_text(Bytes bytes) noexcept {
  static const EVP_MD* const method = fetched("SHA256");
  return make(method, bytes, false);
}

DigestText sha1_text_with_colons(Bytes bytes) noexcept {
  static const EVP_MD* const method = fetched("SHA1");
  return make(method, bytes, true);
}

}  // namespace shrike::protocol
