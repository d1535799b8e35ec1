// Frames of Initial packets: the handshake's bytes, and the tags of Google's versions.
#include <algorithm>

#include "digest_text.h"
#include "quic.h"

namespace shrike::protocol {

namespace {

namespace frame {
constexpr uint8_t padding = 0x00;
constexpr uint8_t ping = 0x01;
constexpr uint8_t acknowledgement = 0x02;
constexpr uint8_t acknowledgement_with_counts = 0x03;
constexpr uint8_t crypto = 0x06;
constexpr uint8_t crypto_stream = 0x08;  ///< of Google's versions, with tags
constexpr uint8_t stream = 0x80;         ///< bit, of Google's versions
}  // namespace frame

constexpr size_t crypto_bytes_max = 65535;  ///< as Suricata
constexpr size_t ranges_max = 64;           ///< of handshake bytes out of order
constexpr size_t tags_max = 64;             ///< Chrome's hello has 25
constexpr size_t handshake_header_bytes = 4;

/// Tags that Suricata knows, with zero bytes behind short ones: a message with another is no hello.
using namespace std::string_view_literals;
constexpr std::string_view tag_names[] = {
    "AEAD"sv,  "CCRT"sv,  "CCS\0"sv, "CETV"sv, "CFCW"sv,  "CHLO"sv, "COPT"sv, "CSCT"sv,
    "CTIM"sv,  "ICSL"sv,  "IRTT"sv,  "KEXS"sv, "MIDS"sv,  "MSPC"sv, "NONC"sv, "NONP"sv,
    "PAD\0"sv, "PDMD"sv,  "PUBS"sv,  "SCID"sv, "SCLS"sv,  "SFCW"sv, "SMHL"sv, "SNI\0"sv,
    "SNO\0"sv, "STK\0"sv, "TCID"sv,  "UAID"sv, "VER\0"sv, "XLCT"sv,
};

bool is_known_tag(std::string_view tag) noexcept {
  return std::find(std::begin(tag_names), std::end(tag_names), tag) != std::end(tag_names);
}

std::string_view without_zeros(std::string_view tag) noexcept {
  return tag.substr(0, tag.find('\0'));
}

std::string_view cyu_version(uint32_t version) noexcept {
  switch (version) {
    case quic_version::q043:
      return "43";
    case quic_version::q044:
    case quic_version::q045:
      return "44";
    case quic_version::q046:
      return "46";
    default:
      return {};
  }
}

/// A tag and where its value ends, counted from the first value.
struct Tag {
  std::string_view name;
  uint32_t end = 0;
};

/// "CHLO", the number of tags, the tags, their values, and nothing else.
/// @return whether the bytes are that.
bool read_tag_list(Bytes message, PoolVector<Tag>& tags, Bytes& values) {
  ByteReader reader(message);
  const Bytes kind = reader.take(4);
  const uint16_t count = reader.little16();
  reader.skip(2);
  if (reader.failed() || !is_known_tag(as_text(kind)) || count > tags_max) {
    return false;
  }
  uint32_t end = 0;
  for (size_t i = 0; i < count; ++i) {
    const Tag tag{as_text(reader.take(4)), reader.little32()};
    if (reader.failed() || !is_known_tag(tag.name) || tag.end < end) {
      return false;
    }
    end = tag.end;
    tags.push_back(tag);
  }
  values = reader.rest();
  return end == values.size();
}

}  // namespace

/// @return whether all frames could be read.
bool QuicParser::read_frames(Bytes frames, QuicTransaction& transaction) {
  ByteReader reader(frames);
  while (reader.left() > 0) {
    if (!read_frame(reader, transaction)) {
      return false;
    }
  }
  return side().has_hello || read_handshake(transaction);
}

bool QuicParser::read_frame(ByteReader& reader, QuicTransaction& transaction) {
  const uint8_t type = reader.u8();
  if ((type & frame::stream) != 0) {
    return read_stream(reader, type, transaction);
  }
  switch (type) {
    case frame::padding:
    case frame::ping:
      return true;
    case frame::acknowledgement:
    case frame::acknowledgement_with_counts:
      return read_acknowledgement(reader, type == frame::acknowledgement_with_counts);
    case frame::crypto:
      return read_crypto(reader, transaction);
    case frame::crypto_stream: {
      read_quic_number(reader);
      const uint64_t bytes = read_quic_number(reader);
      if (reader.failed() || bytes > reader.left()) {
        return false;
      }
      read_tags(reader.take(static_cast<size_t>(bytes)), transaction);
      return true;
    }
    default:
      reader.skip(reader.left());  // what it is nobody knows, nor where it ends
      return true;
  }
}

bool QuicParser::read_acknowledgement(ByteReader& reader, bool has_counts) {
  read_quic_number(reader);
  read_quic_number(reader);
  const uint64_t ranges = read_quic_number(reader);
  read_quic_number(reader);
  for (uint64_t i = 0; i < ranges && !reader.failed(); ++i) {
    read_quic_number(reader);
    read_quic_number(reader);
  }
  for (int i = 0; i < 3 && has_counts; ++i) {
    read_quic_number(reader);
  }
  return !reader.failed();
}

bool QuicParser::read_crypto(ByteReader& reader, QuicTransaction& transaction) {
  const uint64_t offset = read_quic_number(reader);
  const uint64_t bytes = read_quic_number(reader);
  if (reader.failed() || bytes > reader.left()) {
    return false;
  }
  const Bytes data = reader.take(static_cast<size_t>(bytes));
  Side& from = side();
  if (offset > crypto_bytes_max || data.size() > crypto_bytes_max - offset ||
      from.known.size() >= ranges_max) {
    transaction.raise(direction_, AppEvent::quic_crypto_frag_too_long);
    return true;
  }
  const auto first = static_cast<size_t>(offset);
  if (from.crypto.size() < first + data.size()) {
    from.crypto.resize(first + data.size());
  }
  std::copy(data.begin(), data.end(), from.crypto.begin() + static_cast<ptrdiff_t>(first));
  add_range({first, first + data.size()});
  return true;
}

/// Keeps the ranges in order and apart from each other.
void QuicParser::add_range(Range range) {
  PoolVector<Range>& known = side().known;
  const auto touches = [&range](const Range& each) {
    return each.first <= range.last && range.first <= each.last;
  };
  for (const Range& each : known) {
    if (touches(each)) {
      range = {std::min(range.first, each.first), std::max(range.last, each.last)};
    }
  }
  std::erase_if(known, touches);
  const auto at = std::find_if(known.begin(), known.end(),
                               [&range](const Range& each) { return range.first < each.first; });
  known.insert(at, range);
}

/// Reads the hello once it is whole.
/// @return false where the handshake begins with something else.
bool QuicParser::read_handshake(QuicTransaction& transaction) {
  Side& from = side();
  if (from.known.empty() || from.known.front().first != 0 ||
      from.known.front().last < handshake_header_bytes) {
    return true;
  }
  const Bytes bytes = Bytes(from.crypto).first(from.known.front().last);
  const size_t message_bytes = load_big32(bytes.data()) & 0xffffff;
  const uint8_t type = bytes[0];
  if (type != 1 && type != 2) {
    return false;
  }
  if (bytes.size() - handshake_header_bytes < message_bytes) {
    return true;
  }
  Hello hello(session_.pool());
  hello.is_client = type == 1;
  hello.keeps_grease = true;  // as Suricata, in QUIC only
  read_hello(bytes.subspan(handshake_header_bytes, message_bytes), hello);
  if (!hello.is_whole) {
    return false;
  }
  add_hello(hello, transaction);
  from.has_hello = true;
  from.known.clear();
  PoolBytes(session_.pool()).swap(from.crypto);
  return true;
}

void QuicParser::add_hello(const Hello& hello, QuicTransaction& transaction) {
  if (!hello.sni.empty()) {
    transaction.add(direction_, Field::quic_sni, hello.sni);
  }
  const bool is_client = direction_ == Direction::to_server;
  const PoolString text = ja3_of(hello, session_.pool());
  const DigestText hash = md5_text(as_bytes(text));
  transaction.add(direction_, is_client ? Field::ja3_string : Field::ja3s_string,
                  std::string_view(text));
  transaction.add(direction_, is_client ? Field::ja3_hash : Field::ja3s_hash, hash.text());
  if (is_client) {
    transaction.add(direction_, Field::ja4_hash,
                    std::string_view(ja4_of(hello, true, session_.pool())));
  }
}

/// Google's: the type's bits say how long its fields are.
bool QuicParser::read_stream(ByteReader& reader, uint8_t type, QuicTransaction& transaction) {
  const size_t offset_bits = type >> 2 & 7U;
  reader.skip((type & 3U) + 1);
  reader.skip(offset_bits == 0 ? 0 : offset_bits + 1);
  const bool has_length = (type & 0x20) != 0;
  const size_t bytes = has_length ? reader.big16() : reader.left();
  const Bytes data = reader.take(bytes);
  if (reader.failed()) {
    return false;
  }
  read_tags(data, transaction);
  return true;
}

void QuicParser::read_tags(Bytes stream, QuicTransaction& transaction) {
  PoolVector<Tag> tags(session_.pool());
  Bytes values;
  if (!read_tag_list(stream, tags, values)) {
    return;
  }
  PoolString text(session_.pool());
  text += cyu_version(transaction.version);
  const bool has_cyu = !text.empty();
  uint32_t first = 0;
  for (const Tag& tag : tags) {
    const Bytes value = values.subspan(first, tag.end - first);
    first = tag.end;
    if (tag.name == "SNI\0"sv) {
      transaction.add(direction_, Field::quic_sni, value);
    } else if (tag.name == "UAID") {
      transaction.add(direction_, Field::quic_ua, value);
    }
    text.push_back(&tag == &tags.front() ? ',' : '-');
    text += without_zeros(tag.name);
  }
  if (has_cyu) {
    transaction.add(direction_, Field::quic_cyu_hash, md5_text(as_bytes(text)).text());
    transaction.add(direction_, Field::quic_cyu_string, std::string_view(text));
  }
}

}  // namespace shrike::protocol
