#include "stream_digest.h"

#include <openssl/evp.h>

#include <algorithm>

namespace shrike::protocol {

namespace {

/// Contexts that nobody uses at the moment.
class SpareContexts {
 public:
  SpareContexts() = default;
  ~SpareContexts() {
    while (count_ > 0) {
      EVP_MD_CTX_free(spare_[--count_]);
    }
  }
  SpareContexts(const SpareContexts&) = delete;
  SpareContexts& operator=(const SpareContexts&) = delete;

  [[nodiscard]] EVP_MD_CTX* take() noexcept {
    return count_ > 0 ? spare_[--count_] : EVP_MD_CTX_new();
  }
  void give(EVP_MD_CTX* context) noexcept {
    if (count_ < spare_.size()) {
      spare_[count_++] = context;
    } else {
      EVP_MD_CTX_free(context);
    }
  }

 private:
  std::array<EVP_MD_CTX*, 256> spare_{};
  size_t count_ = 0;
};

thread_local SpareContexts spare_contexts;

/// Fetched once: an implicit fetch takes memory and a lock at every use.
const EVP_MD* method_of(StreamDigest::Kind kind) noexcept {
  static const std::array<const EVP_MD*, StreamDigest::kinds_count> methods{
      EVP_MD_fetch(nullptr, "MD5", nullptr), EVP_MD_fetch(nullptr, "SHA1", nullptr),
      EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  return methods[static_cast<size_t>(kind)];
}

}  // namespace

StreamDigest::StreamDigest(Kind kind) noexcept {
  EVP_MD_CTX* const context = spare_contexts.take();
  const EVP_MD* const method = method_of(kind);
  if (context == nullptr || method == nullptr || EVP_DigestInit_ex(context, method, nullptr) != 1) {
    EVP_MD_CTX_free(context);
    return;
  }
  context_ = context;
}

StreamDigest::~StreamDigest() {
  if (context_ != nullptr) {
    spare_contexts.give(static_cast<EVP_MD_CTX*>(context_));
  }
}

void StreamDigest::update(Bytes bytes) noexcept {
  if (context_ != nullptr) {
    EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size());
  }
}

Bytes StreamDigest::finish() noexcept {
  if (context_ != nullptr) {
    unsigned count = 0;
    auto* const context = static_cast<EVP_MD_CTX*>(context_);
    if (EVP_DigestFinal_ex(context, digest_.data(), &count) == 1) {
      digest_bytes_ = static_cast<uint8_t>(count);
    }
    spare_contexts.give(context);
    context_ = nullptr;
  }
  return {digest_.data(), digest_bytes_};
}

HexText::HexText(Bytes bytes) noexcept {
  static constexpr std::string_view digits = "0123456789abcdef";
  for (const uint8_t byte : bytes.first(std::min(bytes.size(), letters.size() / 2))) {
    letters[count++] = digits[byte >> 4];
    letters[count++] = digits[byte & 15];
  }
}

}  // namespace shrike::protocol
