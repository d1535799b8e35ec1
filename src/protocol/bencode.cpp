#include "bencode.h"

#include <algorithm>
#include <array>

namespace shrike::protocol {

namespace {

constexpr bool is_digit(uint8_t byte) noexcept {
  return byte >= '0' && byte <= '9';
}

/// Strings are not longer than a datagram; numbers have at most 18 digits.
constexpr size_t length_digits_max = 6, number_digits_max = 18;

}  // namespace

BencodeReader::Kind BencodeReader::peek() const noexcept {
  if (failed_ || at_ >= bytes_.size()) {
    return Kind::none;
  }
  switch (bytes_[at_]) {
    case 'i':
      return Kind::number;
    case 'l':
      return Kind::list;
    case 'd':
      return Kind::dictionary;
    case 'e':
      return Kind::end;
    default:
      return is_digit(bytes_[at_]) ? Kind::text : Kind::none;
  }
}

Bytes BencodeReader::text() noexcept {
  if (peek() != Kind::text) {
    fail();
    return {};
  }
  size_t length = 0;
  size_t digits = 0;
  while (at_ < bytes_.size() && is_digit(bytes_[at_]) && digits < length_digits_max) {
    length = length * 10 + bytes_[at_++] - '0';
    ++digits;
  }
  if (at_ >= bytes_.size() || bytes_[at_] != ':' || bytes_.size() - at_ - 1 < length) {
    fail();
    return {};
  }
  const Bytes found = bytes_.subspan(at_ + 1, length);
  at_ += 1 + length;
  return found;
}

int64_t BencodeReader::number() noexcept {
  if (peek() != Kind::number) {
    fail();
    return 0;
  }
  ++at_;
  const bool is_negative = at_ < bytes_.size() && bytes_[at_] == '-';
  at_ += is_negative ? 1 : 0;
  const size_t first = at_;
  int64_t value = 0;
  while (at_ < bytes_.size() && is_digit(bytes_[at_]) && at_ - first < number_digits_max) {
    value = value * 10 + bytes_[at_++] - '0';
  }
  const size_t digits = at_ - first;
  const bool is_padded = digits > 0 && bytes_[first] == '0' && (digits > 1 || is_negative);
  if (digits == 0 || is_padded || at_ >= bytes_.size() || bytes_[at_] != 'e') {
    fail();
    return 0;
  }
  ++at_;
  return is_negative ? -value : value;
}

uint16_t BencodeReader::number_to(uint16_t max) noexcept {
  const int64_t value = number();
  if (value < 0 || value > max) {
    fail();
    return 0;
  }
  return static_cast<uint16_t>(value);
}

void BencodeReader::open(uint8_t letter) noexcept {
  if (failed_ || at_ >= bytes_.size() || bytes_[at_] != letter || depth_ == depth_max) {
    fail();
    return;
  }
  ++at_;
  ++depth_;
}

bool BencodeReader::ends() noexcept {
  if (failed_) {
    return true;
  }
  if (peek() != Kind::end) {
    return false;
  }
  ++at_;
  --depth_;
  return true;
}

Bytes BencodeReader::key(Bytes& last) noexcept {
  const bool is_first = last.data() == nullptr;
  const Bytes found = text();
  if (!failed_ && !is_first &&
      !std::lexicographical_compare(last.begin(), last.end(), found.begin(), found.end())) {
    fail();
  }
  last = found;
  return found;
}

void BencodeReader::skip_one(Kind kind) noexcept {
  switch (kind) {
    case Kind::number:
      number();
      break;
    case Kind::text:
      text();
      break;
    case Kind::list:
      open_list();
      break;
    case Kind::dictionary:
      open_dictionary();
      break;
    default:
      fail();
      break;
  }
}

void BencodeReader::skip() noexcept {
  struct Level {
    bool is_dictionary = false;
    Bytes last;
  };
  std::array<Level, depth_max + 1> levels{};
  const unsigned base = depth_;
  do {
    if (depth_ > base && ends()) {
      continue;
    }
    Level& level = levels[depth_ - base];
    if (depth_ > base && level.is_dictionary) {
      key(level.last);
    }
    const Kind kind = peek();
    skip_one(kind);
    if (kind == Kind::list || kind == Kind::dictionary) {
      levels[depth_ - base] = {kind == Kind::dictionary, {}};
    }
  } while (!failed_ && depth_ > base);
}

}  // namespace shrike::protocol
