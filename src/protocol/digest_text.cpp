#include "digest_text.h"

#include <algorithm>

#include "shrike/base/hex_text.h"

namespace shrike::protocol {

namespace {

using Separator = DigestText::Separator;

DigestText make(Digest::Kind kind, Bytes bytes, Separator separator) noexcept {
  Digest digest(kind);
  digest.update(bytes);
  return DigestText(digest.finish(), separator);
}

}  // namespace

DigestText::DigestText(Bytes digest, Separator separator) noexcept {
  for (const uint8_t byte : digest.first(std::min(digest.size(), Digest::bytes_max))) {
    if (separator == Separator::colon && length_ > 0) {
      letters_[length_++] = ':';
    }
    for (const char digit : hex_digits(byte)) {
      letters_[length_++] = digit;
    }
  }
}

DigestText md5_text(Bytes bytes) noexcept {
  return make(Digest::Kind::md5, bytes, Separator::none);
}

DigestText sha256_text(Bytes bytes) noexcept {
  return make(Digest::Kind::sha256, bytes, Separator::none);
}

DigestText sha1_text_with_colons(Bytes bytes) noexcept {
  return make(Digest::Kind::sha1, bytes, Separator::colon);
}

}  // namespace shrike::protocol
