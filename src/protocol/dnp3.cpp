#include "dnp3.h"

#include <algorithm>
#include <cctype>

#include "dnp3_objects.h"

namespace shrike::protocol {

namespace {

constexpr size_t link_header_bytes = 10;
constexpr size_t block_bytes = 16;
constexpr size_t crc_bytes = 2;
/// Bytes of the link header that its length counts.
constexpr uint8_t counted_bytes = 5;
constexpr uint8_t flag_final = 0x80;
constexpr uint8_t flag_first = 0x40;
constexpr uint8_t sequence_mask = 0x3f;
constexpr uint8_t control_from_master = 0x80;
constexpr uint8_t function_confirm = 0;
constexpr std::string_view banner = "DNP3";
/// Suricata: max-tx; more messages at once, unfinished or not looked at yet, are a flood.
constexpr size_t kept_max = 32;
/// As many segments as the transport's sequence numbers tell apart, of the largest size.
constexpr size_t message_bytes_max = size_t{63} * 255;

/// Source: IEEE 1815-2012, 9.2.4.4: polynomial 0x3d65, reflected, inverted.
uint16_t crc_of(Bytes bytes) noexcept {
  uint16_t crc = 0;
  for (const uint8_t byte : bytes) {
    crc = static_cast<uint16_t>(crc ^ byte);
    for (int i = 0; i < 8; ++i) {
      crc = static_cast<uint16_t>((crc & 1) != 0 ? crc >> 1 ^ 0xa6bc : crc >> 1);
    }
  }
  return static_cast<uint16_t>(~crc);
}

/// Bytes with their CRC behind them.
bool has_good_crc(Bytes block) noexcept {
  return block.size() > crc_bytes && crc_of(block.first(block.size() - crc_bytes)) ==
                                         load_little16(block.data() + block.size() - crc_bytes);
}

bool has_good_crcs(Bytes blocks) noexcept {
  while (!blocks.empty()) {
    const Bytes block = blocks.first(std::min(blocks.size(), block_bytes + crc_bytes));
    if (!has_good_crc(block)) {
      return false;
    }
    blocks = blocks.subspan(block.size());
  }
  return true;
}

/// Bytes of a frame with its CRCs; 0 where its length is too small.
size_t frame_bytes(uint8_t length) noexcept {
  if (length < counted_bytes) {
    return 0;
  }
  const size_t user_bytes = length - size_t{counted_bytes};
  const size_t blocks = (user_bytes + block_bytes - 1) / block_bytes;
  return link_header_bytes + user_bytes + blocks * crc_bytes;
}

bool carries_user_data(uint8_t link_control) noexcept {
  constexpr uint8_t confirmed = 3;
  constexpr uint8_t unconfirmed = 4;
  const uint8_t function = link_control & 0x0f;
  return function == confirmed || function == unconfirmed;
}

bool is_banner(Bytes bytes) noexcept {
  return as_text(bytes).find(banner) != std::string_view::npos &&
         std::all_of(bytes.begin(),
                     bytes.begin() + static_cast<ptrdiff_t>(std::min<size_t>(bytes.size(), 256)),
                     [](uint8_t each) { return each >= 0x20 && each < 0x7f; });
}

Probe::Answer probe(Bytes bytes, Direction direction) {
  using Answer = Probe::Answer;
  const bool to_server = direction == Direction::to_server;
  if (is_banner(bytes)) {
    return to_server ? Answer::yes_reversed : Answer::yes;
  }
  if (bytes.size() < link_header_bytes) {
    return Answer::more;
  }
  if (bytes[0] != 0x05 || bytes[1] != 0x64 || bytes[2] < counted_bytes) {
    return Answer::no;
  }
  const bool is_from_master = (bytes[3] & control_from_master) != 0;
  return is_from_master == to_server ? Answer::yes : Answer::yes_reversed;
}

constexpr uint16_t ports[] = {20000};
constexpr Probe probes[] = {{ip_protocol::tcp, ports, 1, link_header_bytes, probe, true}};

}  // namespace

Consumed Dnp3Parser::parse(const Input& input) {
  const bool is_response = input.direction == Direction::to_client;
  size_t at = 0;
  if (is_response && is_banner(input.bytes)) {
    return Consumed::all(input);
  }
  while (at < input.bytes.size()) {
    const Bytes rest = input.bytes.subspan(at);
    if (rest.size() < link_header_bytes) {
      return {.bytes = at, .needed = link_header_bytes};
    }
    if (rest[0] != 0x05 || rest[1] != 0x64) {
      return Consumed::broken();
    }
    if (!has_good_crc(rest.first(link_header_bytes))) {
      raise(AppEvent::dnp3_bad_link_crc);
      return Consumed::broken();
    }
    const size_t whole = frame_bytes(rest[2]);
    if (whole == 0) {
      raise(AppEvent::dnp3_len_too_small);
      return Consumed::broken();
    }
    if (rest.size() < whole) {
      return {.bytes = at, .needed = whole};
    }
    const size_t headers_bytes = counted_bytes + (is_response ? size_t{5} : size_t{3});
    if (!carries_user_data(rest[3])) {
      // nothing of the application layer
    } else if (rest[2] < headers_bytes) {
      raise(AppEvent::dnp3_len_too_small);
      if (is_response) {
        return Consumed::broken();
      }
    } else if (!has_good_crcs(rest.first(whole).subspan(link_header_bytes))) {
      raise(AppEvent::dnp3_bad_transport_crc);
    } else {
      take_frame(input.direction, rest.first(whole));
    }
    at += whole;
  }
  return {.bytes = at};
}

Dnp3Transaction& Dnp3Parser::open(Direction direction, Bytes frame) {
  const size_t kept = session_.transactions().size();
  auto& message = session_.open<Dnp3Transaction>();
  message.direction = direction;
  message.skip(opposite(direction));
  message.link_control = frame[3];
  message.target = load_little16(frame.data() + 4);
  message.source = load_little16(frame.data() + 6);
  if (kept >= kept_max) {
    message.raise(direction, AppEvent::dnp3_flooded);
    for (AppTransaction* const each : session_.transactions()) {
      auto& older = static_cast<Dnp3Transaction&>(*each);
      if (!older.is_whole && older.id + kept_max <= message.id) {
        older.is_whole = true;
        older.complete();
      }
    }
  }
  return message;
}

/// The message that a further segment goes on with.
Dnp3Transaction* Dnp3Parser::find_open(Direction direction, Bytes frame,
                                       uint8_t transport) const noexcept {
  const uint16_t target = load_little16(frame.data() + 4);
  const uint16_t source = load_little16(frame.data() + 6);
  for (AppTransaction* const each : session_.transactions()) {
    auto* const message = static_cast<Dnp3Transaction*>(each);
    const uint8_t next = (message->transport + 1) & sequence_mask;
    if (message->direction == direction && !message->is_whole && message->target == target &&
        message->source == source && next == (transport & sequence_mask)) {
      return message;
    }
  }
  return nullptr;
}

/// A frame whose CRCs are good.
void Dnp3Parser::take_frame(Direction direction, Bytes frame) {
  Bytes blocks = frame.subspan(link_header_bytes);
  const uint8_t transport = blocks[0];
  const bool is_first = (transport & flag_first) != 0;
  if (is_first && direction == Direction::to_server && blocks[2] == function_confirm) {
    return;
  }
  Dnp3Transaction* const message =
      is_first ? &open(direction, frame) : find_open(direction, frame, transport);
  if (message == nullptr) {
    return;
  }
  message->transport = transport;
  for (bool is_first_block = true; !blocks.empty(); is_first_block = false) {
    const Bytes block = blocks.first(std::min(blocks.size(), block_bytes + crc_bytes));
    const size_t skipped = is_first_block ? 1 : 0;  // the transport header
    const Bytes data = block.subspan(skipped, block.size() - crc_bytes - skipped);
    message->data.insert(message->data.end(), data.begin(), data.end());
    blocks = blocks.subspan(block.size());
  }
  if (message->data.size() > message_bytes_max) {
    message->raise(direction, AppEvent::dnp3_too_long_reassembly);
    message->is_whole = true;
    message->reach(direction, Progress::complete);
    return;
  }
  if ((transport & flag_final) != 0) {
    finish(*message);
  }
}

void Dnp3Parser::finish(Dnp3Transaction& message) {
  message.is_whole = true;
  const Direction direction = message.direction;
  const bool is_response = direction == Direction::to_client;
  const size_t header_bytes = is_response ? 4 : 2;
  if (message.data.size() >= header_bytes) {
    message.control = message.data[0];
    message.function = message.data[1];
    message.add_number(direction, Field::dnp3_func, message.function);
    if (is_response) {
      message.indications = load_big16(message.data.data() + 2);
      message.add_number(direction, Field::dnp3_ind, message.indications);
    }
    message.add_kept(direction, Field::dnp3_data, message.data);
    decode_objects(message, Bytes(message.data).subspan(header_bytes));
    for (const Dnp3Transaction::Object& each : message.objects) {
      message.add_number(direction, Field::dnp3_obj,
                         static_cast<uint64_t>(each.group) << 8 | each.variation);
    }
  }
  message.reach(direction, Progress::complete);
}

/// Faults of frames belong to the newest message; without any they are lost, as in Suricata.
void Dnp3Parser::raise(AppEvent event) {
  const auto all = session_.transactions();
  if (!all.empty()) {
    all.back()->raise(static_cast<Dnp3Transaction*>(all.back())->direction, event);
  }
}

constinit const ParserRow dnp3_row =
    row_of_parser<Dnp3Parser>({.protocol = AppProtocol::dnp3, .probes = probes});

}  // namespace shrike::protocol
