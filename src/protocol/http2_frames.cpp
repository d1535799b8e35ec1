// What HTTP/2 frames hold: numbers, headers, data.
#include <algorithm>

#include "dns.h"
#include "http2.h"

namespace shrike::protocol {

namespace {

using enum Direction;

/// Headers of one direction of a stream that are kept, with their bytes. HPACK makes much of
/// little: what is beyond is decoded and dropped.
constexpr size_t headers_max = 1024;
constexpr size_t header_bytes_max = 256 << 10;
/// Settings of a frame that are kept; there are six kinds.
constexpr size_t settings_max = 64;
/// Names of settings known to RFC 9113: 1 to 6.
constexpr uint16_t settings_end = 7;
constexpr size_t dns_bytes_max = 0xffff;
constexpr std::string_view dns_media_type = "application/dns-message";

int base64_digit(char letter) noexcept {
  if (letter >= 'A' && letter <= 'Z') return letter - 'A';
  if (letter >= 'a' && letter <= 'z') return letter - 'a' + 26;
  if (letter >= '0' && letter <= '9') return letter - '0' + 52;
  if (letter == '-' || letter == '+') return 62;
  return letter == '_' || letter == '/' ? 63 : -1;
}

/// The DNS message in "/dns-query?dns=…" (RFC 8484, section 4.1), or nothing.
PoolBytes read_dns_path(Pool& pool, Bytes path) {
  constexpr std::string_view start = "/dns-query?dns=";
  if (path.size() > dns_bytes_max || !as_text(path).starts_with(start)) {
    return PoolBytes(pool);
  }
  return read_base64(pool, as_text(path).substr(start.size()));
}

ContentCoding coding_of(Bytes value) noexcept {
  const std::string_view text = as_text(value);
  if (text == "gzip") return ContentCoding::gzip;
  if (text == "deflate") return ContentCoding::deflate;
  return text == "br" ? ContentCoding::brotli : ContentCoding::none;
}

/// Where a body's bytes go, unpacked.
struct BodySink {
  Http2Transaction& transaction;
  Direction direction;
  uint64_t bytes_max;

  static bool take(void* context, Bytes bytes) {
    auto& sink = *static_cast<BodySink*>(context);
    Http2Transaction::Side& side = sink.transaction.side(sink.direction);
    side.decoded_bytes += bytes.size();
    sink.transaction.append_file(*side.file, bytes);
    side.body->append(bytes);
    if (side.is_dns) {
      if (side.dns_bytes.size() + bytes.size() <= dns_bytes_max) {
        side.dns_bytes.insert(side.dns_bytes.end(), bytes.begin(), bytes.end());
      } else {
        side.is_dns = false;
        sink.transaction.raise_both(sink.direction == to_client
                                        ? AppEvent::http2_dns_response_too_long
                                        : AppEvent::http2_dns_request_too_long);
      }
    }
    return !CompressionBound{sink.bytes_max}.is_exceeded(side.body_bytes, side.decoded_bytes);
  }
};

}  // namespace

bool is_same_text(Bytes first, Bytes second) noexcept {
  return std::equal(first.begin(), first.end(), second.begin(), second.end(),
                    [](uint8_t a, uint8_t b) {
                      const auto lower = [](uint8_t letter) {
                        return letter >= 'A' && letter <= 'Z' ? letter | 0x20 : letter;
                      };
                      return lower(a) == lower(b);
                    });
}

PoolBytes read_base64(Pool& pool, std::string_view text) {
  PoolBytes bytes(pool);
  uint32_t bits = 0;
  unsigned count = 0;
  for (const char letter : text.substr(0, text.find('='))) {
    const int digit = base64_digit(letter);
    if (digit < 0) {
      bytes.clear();
      return bytes;
    }
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<uint8_t>(bits >> count));
    }
  }
  return bytes;
}

/// Frames that say a number or two.
void Http2Parser::take_numbers(const Frame& frame, Http2Transaction& transaction) {
  Http2Transaction::Side& side = transaction.side(frame.direction);
  const auto say_error = [&](uint32_t code) {
    side.has_multiple =
        side.error_code && side.has_multiple.empty() ? "error_code" : side.has_multiple;
    side.error_code = side.error_code.value_or(code);
    transaction.add_number(frame.direction, Field::http2_errorcode, code);
  };
  ByteReader reader(frame.bytes);
  bool is_length_good = true;
  switch (frame.header.type) {
    case http2_frame::go_away:
      reader.skip(4);
      is_length_good = reader.left() >= 4;
      if (is_length_good) {
        say_error(reader.big32());
      }
      break;
    case http2_frame::reset_stream:
      is_length_good = frame.bytes.size() == 4;
      if (is_length_good) {
        say_error(reader.big32());
      }
      break;
    case http2_frame::priority:
      is_length_good = frame.bytes.size() == 5;
      if (is_length_good) {
        reader.skip(4);
        const uint8_t weight = reader.u8();
        side.has_multiple =
            side.priority && side.has_multiple.empty() ? "priority" : side.has_multiple;
        side.priority = side.priority.value_or(weight);
        transaction.add_number(frame.direction, Field::http2_priority, weight);
      }
      break;
    case http2_frame::window_update:
      is_length_good = frame.bytes.size() == 4;
      if (is_length_good) {
        transaction.add_number(frame.direction, Field::http2_window, reader.big32() & 0x7fffffff);
      }
      break;
    case http2_frame::settings:
      take_settings(frame, transaction);
      break;
    default:
      break;
  }
  if (!is_length_good) {
    raise_on_last(AppEvent::http2_invalid_frame_length);
  }
}

/// Settings up to the first unknown one.
void Http2Parser::take_settings(const Frame& frame, Http2Transaction& transaction) {
  ByteReader reader(frame.bytes);
  for (size_t i = 0; i < settings_max && reader.left() >= 6; ++i) {
    const uint16_t id = reader.big16();
    const uint32_t value = reader.big32();
    if (id == 0 || id >= settings_end) {
      break;
    }
    transaction.side(frame.direction).settings.push_back({id, value});
    transaction.add_number(frame.direction, Field::http2_settings, uint64_t{id} << 32 | value);
  }
}

void Http2Parser::decode_headers(Http2Transaction& transaction, Direction direction, Bytes block) {
  Http2Transaction::Side& side = transaction.side(direction);
  const size_t first = side.headers.size();
  Bytes updates = block;
  uint64_t table_bytes = 0;
  while (side.headers.size() < headers_max && take_table_size_update(updates, table_bytes)) {
    transaction.add_number(direction, Field::http2_size_update, table_bytes);
    side.headers.push_back({.table_bytes = table_bytes, .kind = Http2Header::Kind::table_size});
  }
  HpackDecoder::Header header;
  HpackDecoder::Step step = HpackDecoder::Step::header;
  while ((step = lane(direction).hpack.next(block, header)) == HpackDecoder::Step::header) {
    const size_t bytes = header.name.size() + header.value.size();
    if (side.headers.size() >= headers_max || side.header_bytes + bytes > header_bytes_max) {
      transaction.raise_both(AppEvent::http2_reassembly_limit_reached);
      continue;
    }
    side.header_bytes += bytes;
    side.headers.push_back(
        {.name = transaction.keep(header.name), .value = transaction.keep(header.value)});
  }
  if (step == HpackDecoder::Step::fault) {
    transaction.raise_both(AppEvent::http2_invalid_header);
    if (side.headers.size() < headers_max) {
      side.headers.push_back({.kind = Http2Header::Kind::fault});
    }
  }
  look_at_headers(transaction, direction, first);
}

/// What new headers mean for the stream, and the fields that show each header by itself.
void Http2Parser::look_at_headers(Http2Transaction& transaction, Direction direction,
                                  size_t first) {
  Http2Transaction::Side& side = transaction.side(direction);
  std::optional<Bytes> authority, host, path;
  bool accepts_dns = false;
  for (const Http2Header& header : std::span(side.headers).subspan(first)) {
    const std::string_view name = as_text(header.name);
    transaction.add_kept(direction, Field::http2_header_name, header.name);
    const Bytes parts[] = {header.name, as_bytes(": "), header.value};
    PoolBytes line(transaction.pool());
    for (const Bytes part : parts) {
      line.insert(line.end(), part.begin(), part.end());
    }
    transaction.add(
        direction,
        direction == to_server ? Field::http_request_header : Field::http_response_header, line);
    if (name == "content-encoding") {
      const ContentCoding coding = coding_of(header.value);
      if (coding != ContentCoding::none && side.decoder.is_empty()) {
        side.decoder.add_layer(coding);
      }
    } else if (name == "accept") {
      accepts_dns = as_text(header.value) == dns_media_type;
    } else if (name == "content-type") {
      side.is_dns = side.is_dns || as_text(header.value) == dns_media_type;
    } else if (name == ":path") {
      path = header.value;
    } else if (is_same_text(header.name, as_bytes(":authority"))) {
      authority = header.value;
      if (as_text(header.value).find('@') != std::string_view::npos) {
        transaction.raise_both(AppEvent::http2_userinfo_in_uri);
      }
    } else if (is_same_text(header.name, as_bytes("host"))) {
      host = header.value;
    }
  }
  if (authority && host && !is_same_text(*authority, *host)) {
    transaction.raise_both(AppEvent::http2_authority_host_mismatch);
  }
  if (accepts_dns && path) {
    take_dns(transaction, to_server, read_dns_path(transaction.pool(), *path));
  }
}

/// A body's bytes, without their padding (RFC 9113, section 6.1).
void Http2Parser::take_data(const Frame& frame, Http2Transaction& transaction) {
  Bytes bytes = frame.bytes;
  if ((frame.header.flags & http2_flag::padded) != 0 && !bytes.empty() && bytes[0] < bytes.size()) {
    bytes = bytes.subspan(1, bytes.size() - 1 - bytes[0]);
  }
  const Direction direction = frame.direction;
  Http2Transaction::Side& side = transaction.side(direction);
  if (side.file == nullptr) {
    side.file = &transaction.open_file(direction, {}, {});
    side.body = &transaction.add_body(
        direction, direction == to_server ? Field::http_request_body : Field::http_response_body,
        {});
  }
  side.body_bytes += bytes.size();
  BodySink sink{transaction, direction, session_.options().http.compression_bomb_bytes};
  const DecodedSink decoded{&sink, BodySink::take};
  const bool is_over = (frame.header.flags & http2_flag::end_stream) != 0;
  if (side.decoder.is_empty()) {
    BodySink::take(&sink, bytes);
  } else {
    side.decoder.decode(bytes, decoded);
    if (is_over) {
      side.decoder.finish(decoded);
    }
  }
  transaction.reach(direction, Progress::body);
  if (!is_over) {
    return;
  }
  transaction.close_file(*side.file, FileState::closed);
  side.body->finish();
  if (side.is_dns && !side.dns_bytes.empty()) {
    take_dns(transaction, direction, side.dns_bytes);
    side.dns_bytes.clear();
  }
}

/// A DNS message in this stream: from now on the flow is DNS over HTTP/2.
void Http2Parser::take_dns(Http2Transaction& transaction, Direction direction, Bytes bytes) {
  Http2Transaction::Side& side = transaction.side(direction);
  if (bytes.empty() || side.dns != nullptr) {
    return;
  }
  DnsMessage message(transaction.pool());
  if (read_dns_message(bytes, message) != DnsVerdict::good ||
      (direction == to_server && message.is_response())) {
    return;
  }
  side.dns = make_in<DnsMessage>(transaction.pool(), std::move(message));
  add_dns_fields(transaction, *side.dns, direction);
  if (protocol_ == AppProtocol::doh2) {
    return;
  }
  for (AppTransaction* const each : session_.transactions()) {
    each->protocol = each->protocol == protocol_ ? AppProtocol::doh2 : each->protocol;
  }
  protocol_ = AppProtocol::doh2;
  session_.change_protocol(AppProtocol::doh2);
}

}  // namespace shrike::protocol
