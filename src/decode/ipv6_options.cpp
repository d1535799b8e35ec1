#include "ipv6_extensions.h"

namespace shrike::decode {
namespace {

constexpr uint8_t pad1 = 0, pad_n = 1, router_alert = 5, jumbo = 0xc2, home_address = 0xc9;

/// Bytes that a known option must carry at least.
size_t content_bytes_min(uint8_t type) noexcept {
  switch (type) {
    case router_alert:
      return 2;
    case jumbo:
      return 4;
    case home_address:
      return 16;
    default:
      return 0;
  }
}

struct Tally {
  bool padding = false;
  bool other = false;
};

/// @return false where the options end early.
bool take_option(Work& work, uint8_t type, size_t content_bytes, bool is_hop_by_hop,
                 Tally& tally) noexcept {
  if (content_bytes < content_bytes_min(type)) {
    work.fail(DecodeEvent::ipv6_extension_invalid_option_length);
    return false;
  }
  switch (type) {
    case pad_n:
      tally.padding = true;
      if (content_bytes == 0) {
        work.note(DecodeEvent::ipv6_zero_length_padding);
      }
      return true;
    case jumbo:
      return true;
    case router_alert:
    case home_address:
      tally.other = true;
      return true;
    default:
      work.note(is_hop_by_hop ? DecodeEvent::ipv6_hop_options_unknown_option
                              : DecodeEvent::ipv6_destination_options_unknown_option);
      tally.other = true;
      return true;
  }
}

}  // namespace

void decode_ipv6_options(Work& work, Bytes options, bool is_hop_by_hop) noexcept {
  Tally tally;
  size_t at = 0;
  while (at < options.size()) {
    const uint8_t type = options[at];
    if (type == pad1) {
      tally.padding = true;
      ++at;
      continue;
    }
    if (at + 1 >= options.size()) {
      work.fail(DecodeEvent::ipv6_extension_invalid_option_length);
      break;
    }
    const size_t content_bytes = options[at + 1];
    // One byte too many passes, as it does in Suricata; nothing reads it.
    if (at + 1 + content_bytes > options.size()) {
      work.fail(DecodeEvent::ipv6_extension_invalid_option_length);
      break;
    }
    if (!take_option(work, type, content_bytes, is_hop_by_hop, tally)) {
      break;
    }
    at += 2 + content_bytes;
  }
  if (tally.padding && !tally.other) {
    work.note(is_hop_by_hop ? DecodeEvent::ipv6_hop_options_only_padding
                            : DecodeEvent::ipv6_destination_options_only_padding);
  }
}

}  // namespace shrike::decode
