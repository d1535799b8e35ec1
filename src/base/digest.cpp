#include "shrike/base/digest.h"

#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include <new>

namespace shrike {

namespace {

/// A state of the library in memory that it fits into.
template <typename State, size_t bytes>
State* state_in(std::array<std::byte, bytes>& memory) noexcept {
  static_assert(sizeof(State) <= bytes && alignof(State) <= 8);
  return std::launder(reinterpret_cast<State*>(memory.data()));
}

}  // namespace

Digest::Digest(Kind kind) noexcept : kind_(kind) {
  switch (kind) {
    case Kind::md5:
      nettle_md5_init(::new (state_.data()) md5_ctx);
      return;
    case Kind::sha1:
      nettle_sha1_init(::new (state_.data()) sha1_ctx);
      return;
    case Kind::sha256:
      nettle_sha256_init(::new (state_.data()) sha256_ctx);
      return;
  }
}

void Digest::update(Bytes bytes) noexcept {
  switch (kind_) {
    case Kind::md5:
      nettle_md5_update(state_in<md5_ctx>(state_), bytes.size(), bytes.data());
      return;
    case Kind::sha1:
      nettle_sha1_update(state_in<sha1_ctx>(state_), bytes.size(), bytes.data());
      return;
    case Kind::sha256:
      nettle_sha256_update(state_in<sha256_ctx>(state_), bytes.size(), bytes.data());
      return;
  }
}

Bytes Digest::finish() noexcept {
  if (digest_bytes_ == 0) {
    switch (kind_) {
      case Kind::md5:
        digest_bytes_ = MD5_DIGEST_SIZE;
        nettle_md5_digest(state_in<md5_ctx>(state_), digest_bytes_, digest_.data());
        break;
      case Kind::sha1:
        digest_bytes_ = SHA1_DIGEST_SIZE;
        nettle_sha1_digest(state_in<sha1_ctx>(state_), digest_bytes_, digest_.data());
        break;
      case Kind::sha256:
        digest_bytes_ = SHA256_DIGEST_SIZE;
        nettle_sha256_digest(state_in<sha256_ctx>(state_), digest_bytes_, digest_.data());
        break;
    }
  }
  return {digest_.data(), digest_bytes_};
}

}  // namespace shrike
