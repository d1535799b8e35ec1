#pragma once
// Hostile bytes for a parser of protocol, as its engine would bring them: what is not consumed
// comes again with more behind it. Input: blocks, each behind one byte of flags (bit 0: to the
// client, bit 1: a gap of that length instead of bytes) and two bytes of length.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "protocol/parser.h"
#include "shrike/base/check.h"

namespace shrike::fuzz {

inline void read_all(std::span<const FieldValue> values) {
  unsigned sum = 0;
  for (const FieldValue& value : values) {
    for (const uint8_t byte : value.body != nullptr ? value.body->bytes : value.bytes) {
      sum += byte;
    }
  }
  volatile unsigned kept = sum;
  static_cast<void>(kept);
}

inline void look_at(const protocol::ParserRow& row,
                    std::span<protocol::AppTransaction* const> transactions) {
  std::string text;
  for (const protocol::AppTransaction* const each : transactions) {
    read_all(each->values_in(Direction::to_server));
    read_all(each->values_in(Direction::to_client));
    JsonWriter json(text);
    json.begin_object();
    row.describe(*each, json);
    json.end_object();
  }
}

/// Runs one conversation of a row's parser to its end.
inline void converse(const protocol::ParserRow& row, uint8_t transport, Bytes script) {
  static protocol::Pool pool(256 << 20);  // kept: its slabs are large
  const protocol::ProtocolOptions options;
  protocol::Session session(pool, options);
  Datagram datagram;
  datagram.protocol = transport;
  Tracked tracked;
  tracked.datagram = &datagram;
  session.attend(tracked);
  void* const parser = row.create(session);
  std::array<std::vector<uint8_t>, 2> held;
  ByteReader reader(script);
  for (bool goes_on = true; goes_on && reader.left() > 3;) {
    const uint8_t flags = reader.u8();
    const size_t length = reader.big16();
    const auto direction = static_cast<Direction>(flags & 1);
    std::vector<uint8_t>& bytes = held[flags & 1];
    protocol::Input input{.direction = direction};
    if ((flags & 2) != 0 && row.accepts_gaps && transport == ip_protocol::tcp) {
      bytes.clear();
      input.gap_bytes = length + 1;
    } else {
      const Bytes more = reader.take(std::min(length, reader.left()));
      bytes.insert(bytes.end(), more.begin(), more.end());
      input.bytes = bytes;
    }
    const protocol::Consumed consumed = row.parse(parser, input);
    check(consumed.bytes <= input.bytes.size(), "no more is consumed than there was");
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(consumed.bytes));
    if (transport == ip_protocol::udp) {
      bytes.clear();
    }
    goes_on = !consumed.is_broken;
  }
  look_at(row, session.transactions());
  row.destroy(session, parser);
}

}  // namespace shrike::fuzz
