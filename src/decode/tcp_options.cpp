#include "tcp_options.h"

namespace shrike::decode {
namespace {

constexpr size_t options_at = 20;
constexpr uint8_t window_scale_max = 14;
constexpr uint16_t fast_open_magic = 0xf989;

/// The first option of its kind counts. @return false where there was one before.
bool take_first(Work& work, uint8_t bit) noexcept {
  if (work.datagram.tcp.has(bit)) {
    work.note(DecodeEvent::tcp_option_duplicate);
    return false;
  }
  work.datagram.tcp.present |= bit;
  return true;
}

void note_length(Work& work) noexcept {
  work.note(DecodeEvent::tcp_option_invalid_length);
}

void take_mss(Work& work, Bytes option) noexcept {
  if (option.size() != 4) {
    note_length(work);
  } else if (take_first(work, tcp_option::mss)) {
    work.datagram.tcp.mss = load_big16(option.data() + 2);
  }
}

void take_window_scale(Work& work, Bytes option) noexcept {
  if (option.size() != 3) {
    note_length(work);
  } else if (take_first(work, tcp_option::window_scale)) {
    work.datagram.tcp.window_scale = option[2] <= window_scale_max ? option[2] : 0;
  }
}

void take_sack_permitted(Work& work, Bytes option) noexcept {
  if (option.size() != 2) {
    note_length(work);
  } else {
    take_first(work, tcp_option::sack_permitted);
  }
}

void take_sack(Work& work, Bytes option, size_t at) noexcept {
  const size_t content_bytes = option.size() - 2;
  if (content_bytes % 8 != 0 || content_bytes > 32) {
    note_length(work);
  } else if (take_first(work, tcp_option::sack)) {
    work.datagram.tcp.sack_count = static_cast<uint8_t>(content_bytes / 8);
    work.datagram.tcp.sack_at = static_cast<uint8_t>(at + 2);
  }
}

void take_timestamp(Work& work, Bytes option) noexcept {
  if (option.size() != 10) {
    note_length(work);
  } else if (take_first(work, tcp_option::timestamp)) {
    work.datagram.tcp.timestamp_value = load_big32(option.data() + 2);
    work.datagram.tcp.timestamp_echo = load_big32(option.data() + 6);
  }
}

/// RFC 7413: no cookie, or an even number of its bytes, at most 16.
void take_fast_open(Work& work, Bytes option) noexcept {
  const size_t cookie_bytes = option.size() - 2;
  if (cookie_bytes > 16 || cookie_bytes % 2 != 0) {
    note_length(work);
  } else {
    take_first(work, tcp_option::fast_open);
  }
}

/// The shared experimental kinds, of which only fast open's older form is known.
void take_experiment(Work& work, Bytes option) noexcept {
  if (option.size() != 4 && option.size() != 12) {
    note_length(work);
  } else if (load_big16(option.data() + 2) == fast_open_magic) {
    take_first(work, tcp_option::fast_open);
  }
}

void take_option(Work& work, Bytes option, size_t at) noexcept {
  switch (option[0]) {
    case 2:
      return take_mss(work, option);
    case 3:
      return take_window_scale(work, option);
    case 4:
      return take_sack_permitted(work, option);
    case 5:
      return take_sack(work, option, at);
    case 8:
      return take_timestamp(work, option);
    case 19:
      if (option.size() != 18) {
        work.fail(DecodeEvent::tcp_option_invalid_length);
      } else {
        work.datagram.tcp.present |= tcp_option::md5;
      }
      return;
    case 29:
      if (option.size() < 4) {
        work.fail(DecodeEvent::tcp_option_invalid_length);
      } else {
        work.datagram.tcp.present |= tcp_option::authentication;
      }
      return;
    case 34:
      return take_fast_open(work, option);
    case 253:
    case 254:
      return take_experiment(work, option);
    default:
      return;
  }
}

/// Any order and number of options.
void walk_options(Work& work, Bytes header) noexcept {
  size_t at = options_at;
  while (at < header.size() && header[at] != 0) {
    if (header[at] == 1) {
      ++at;
      continue;
    }
    const size_t left = header.size() - at;
    if (left < 2) {
      return;
    }
    const size_t length = header[at + 1];
    if (length < 2 || length > left) {
      work.fail(DecodeEvent::tcp_option_invalid_length);
      return;
    }
    take_option(work, header.subspan(at, length), at);
    at += length;
  }
}

}  // namespace

void decode_tcp_options(Work& work, Bytes header) noexcept {
  // What most segments carry: two NOPs and a time stamp (RFC 7323 appendix A).
  if (header.size() == 32 && load_big32(header.data() + options_at) == 0x0101080a) [[likely]] {
    TcpOptions& tcp = work.datagram.tcp;
    tcp.present = tcp_option::timestamp;
    tcp.timestamp_value = load_big32(header.data() + 24);
    tcp.timestamp_echo = load_big32(header.data() + 28);
    return;
  }
  walk_options(work, header);
}

}  // namespace shrike::decode
