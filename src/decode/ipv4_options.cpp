#include <array>

#include "network.h"

namespace shrike::decode {
namespace {

/// What makes an option of a kind well-formed.
enum class Form : uint8_t { exact, at_least, route, timestamp, tags };

struct Kind {
  uint8_t number;
  uint16_t bit;
  Form form;
  uint8_t bytes;  ///< exact or least length, type and length byte included
};

/// Source: RFC 791, 1108, 2113, 4782; draft-ietf-cipso-ipsecurity-01; FIPS 188.
constexpr std::array kinds = {
    Kind{7, ipv4_option::record_route, Form::route, 3},
    Kind{25, ipv4_option::quick_start, Form::at_least, 8},
    Kind{68, ipv4_option::timestamp, Form::timestamp, 5},
    Kind{130, ipv4_option::security, Form::at_least, 3},
    Kind{131, ipv4_option::loose_source_route, Form::route, 3},
    Kind{133, ipv4_option::extended_security, Form::at_least, 3},
    Kind{134, ipv4_option::commercial_security, Form::tags, 10},
    Kind{136, ipv4_option::stream_id, Form::exact, 4},
    Kind{137, ipv4_option::strict_source_route, Form::route, 3},
    Kind{148, ipv4_option::router_alert, Form::exact, 4},
};

const Kind* find_kind(uint8_t number) noexcept {
  for (const Kind& kind : kinds) {
    if (kind.number == number) {
      return &kind;
    }
  }
  return nullptr;
}

/// The pointer of a route counts from 1 and steps by addresses behind its three leading bytes.
bool is_route_sound(Bytes option) noexcept {
  const uint8_t pointer = option[2];
  return pointer >= 4 && pointer % 4 == 0 && pointer <= option.size() + 1;
}

/// Records are stamps, or addresses with stamps; the pointer steps by them behind five bytes.
bool is_timestamp_sound(Bytes option) noexcept {
  const uint8_t pointer = option[2];
  if (pointer < 5) {
    return false;
  }
  const uint8_t flag = option[3] & 0x0f;
  const unsigned record_bytes = flag == 1 || flag == 3 ? 8 : 4;
  return (pointer - 5u) % record_bytes == 0 && pointer <= option.size() + 1;
}

/// One tag: type, length, content. @return its length, 0 where it is malformed.
size_t sound_tag_bytes(Bytes tags) noexcept {
  if (tags.size() < 2) {
    return 0;
  }
  const uint8_t type = tags[0];
  const size_t bytes = tags[1];
  const bool is_known = type == 1 || type == 2 || (type >= 5 && type <= 7);
  if (!is_known || bytes < 4 || bytes > tags.size()) {
    return 0;
  }
  const bool has_alignment = type != 7;
  return has_alignment && tags[2] != 0 ? 0 : bytes;
}

bool are_tags_sound(Bytes option) noexcept {
  Bytes tags = option.subspan(6);
  while (!tags.empty()) {
    const size_t bytes = sound_tag_bytes(tags);
    if (bytes == 0) {
      return false;
    }
    tags = tags.subspan(bytes);
  }
  return true;
}

bool is_content_sound(const Kind& kind, Bytes option) noexcept {
  switch (kind.form) {
    case Form::exact:
    case Form::at_least:
      return true;
    case Form::route:
      return is_route_sound(option);
    case Form::timestamp:
      return is_timestamp_sound(option);
    case Form::tags:
      return are_tags_sound(option);
  }
  return true;
}

/// A malformed option makes the datagram invalid, but the walk goes on.
void take_option(Work& work, Bytes option) noexcept {
  const Kind* const kind = find_kind(option[0]);
  if (kind == nullptr) {
    work.note(DecodeEvent::ipv4_option_invalid);
    return;
  }
  if ((work.datagram.ipv4_options & kind->bit) != 0) {
    work.note(DecodeEvent::ipv4_option_duplicate);
    return;
  }
  const bool has_length =
      kind->form == Form::exact ? option.size() == kind->bytes : option.size() >= kind->bytes;
  if (!has_length) {
    work.fail(DecodeEvent::ipv4_option_invalid_length);
  } else if (!is_content_sound(*kind, option)) {
    work.fail(DecodeEvent::ipv4_option_malformed);
  } else {
    work.datagram.ipv4_options |= kind->bit;
  }
}

}  // namespace

bool decode_ipv4_options(Work& work, Bytes options) noexcept {
  if (options.size() % 8 != 0) {
    work.note(DecodeEvent::ipv4_option_padding_required);
  }
  size_t at = 0;
  while (at < options.size()) {
    const uint8_t number = options[at];
    if (number == 0) {
      work.datagram.ipv4_options |= ipv4_option::end_of_list;
      return true;
    }
    if (number == 1) {
      work.datagram.ipv4_options |= ipv4_option::no_operation;
      ++at;
      continue;
    }
    if (options.size() - at < 2) {
      work.note(DecodeEvent::ipv4_option_end_of_list_required);
      return true;
    }
    const size_t length = options[at + 1];
    if (length < 2 || length > options.size() - at) {
      return work.fail(DecodeEvent::ipv4_option_invalid_length);
    }
    take_option(work, options.subspan(at, length));
    at += length;
  }
  return true;
}

}  // namespace shrike::decode
