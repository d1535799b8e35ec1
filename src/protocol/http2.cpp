#include "http2.h"

#include <algorithm>

#include "dns.h"

namespace shrike::protocol {

namespace {

using enum Direction;

constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Frames up to here are waited for; of longer ones the beginning is looked at. Suricata's bounds.
constexpr size_t frame_bytes_max = 65536;
constexpr size_t frame_bytes_min = 256;
/// Headers that go on over several frames (Suricata: max-reassembly-size).
constexpr size_t block_bytes_max = 102400;

Http2FrameHeader read_header(Bytes bytes) noexcept {
  ByteReader reader(bytes);
  Http2FrameHeader header;
  header.length = static_cast<uint32_t>(reader.u8()) << 16;
  header.length |= reader.big16();
  header.type = reader.u8();
  header.flags = reader.u8();
  header.stream_id = reader.big32() & 0x7fffffff;
  return header;
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const size_t taken = utf8_sequence_bytes(text);
    if (taken == 0) {
      return false;
    }
    text.remove_prefix(taken);
  }
  return true;
}

/// A server speaks first with its settings.
Probe::Answer probe_settings(Bytes bytes, Direction direction) {
  constexpr uint32_t default_frame_bytes_max = 16384;
  if (direction == to_server) {
    return Probe::Answer::no;
  }
  if (bytes.size() < Http2FrameHeader::bytes) {
    return Probe::Answer::more;
  }
  const Http2FrameHeader header = read_header(bytes);
  const bool is_settings = header.type == http2_frame::settings &&
                           (header.flags & ~http2_flag::end_stream) == 0 &&
                           header.length <= default_frame_bytes_max && (bytes[5] & 0x80) == 0;
  return is_settings ? Probe::Answer::yes : Probe::Answer::no;
}

constexpr uint16_t probe_ports[] = {80};
constexpr Probe probes[] = {{.transport = ip_protocol::tcp,
                             .server_ports = probe_ports,
                             .bytes_min = Http2FrameHeader::bytes,
                             .bytes_max = preface.size(),
                             .probe = probe_settings,
                             .to_server_too = false}};
constexpr Pattern patterns[] = {{.transport = ip_protocol::tcp,
                                 .direction = to_server,
                                 .text = preface,
                                 .depth = preface.size()}};

}  // namespace

constinit const ParserRow http2_row = row_of_parser<Http2Parser>(
    {.protocol = AppProtocol::http2, .patterns = patterns, .probes = probes});
constinit const ParserRow doh2_row = row_of_parser<Http2Parser>({.protocol = AppProtocol::doh2});

Http2Transaction::~Http2Transaction() {
  for (Side& each : sides) {
    if (each.dns != nullptr) {
      destroy_in(pool(), each.dns);
    }
  }
}

Http2Parser::Http2Parser(Session& session)
    : session_(session), lanes_{Lane(session.pool()), Lane(session.pool())} {
  if (!session.handover().empty()) {
    mimic_upgrade(session.handover());
    session.handover().clear();
  }
}

void Http2Parser::keep_upgrade(const AppTransaction& request, PoolBytes& handover) {
  const auto write_line = [&](Bytes name, Bytes value) {
    const Bytes pieces[] = {name, as_bytes(": "), value, as_bytes("\n")};
    for (const Bytes piece : pieces) {
      handover.insert(handover.end(), piece.begin(), piece.end());
    }
  };
  handover.clear();
  write_line(as_bytes(":method"), as_bytes(request.text(to_server, Field::http_method)));
  write_line(as_bytes(":path"), as_bytes(request.text(to_server, Field::http_uri_raw)));
  for (const FieldValue& value : request.values_in(to_server)) {
    const std::string_view line = as_text(value.bytes);
    const size_t colon = line.find(": ");
    if (value.field == Field::http_request_header && colon != std::string_view::npos) {
      write_line(value.bytes.first(colon), value.bytes.subspan(colon + 2));
    }
  }
}

/// After an upgrade the request that asked for it is the first stream's (RFC 7540, section 3.2),
/// and one of its headers holds the client's settings.
void Http2Parser::mimic_upgrade(Bytes request) {
  Http2Transaction& stream = open(1);
  std::string_view settings;
  for (std::string_view rest = as_text(request); !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const size_t colon = std::min(line.find(": "), line.size());
    std::string_view name = line.substr(0, colon);
    const std::string_view value = line.substr(std::min(line.size(), colon + 2));
    if (name == "HTTP2-Settings") {
      settings = value;
      continue;
    }
    if (is_same_text(as_bytes(name), as_bytes("host"))) {
      name = ":authority";
    }
    stream.side(to_server).headers.push_back(
        {.name = as_bytes(stream.keep(name)), .value = as_bytes(stream.keep(value))});
  }
  look_at_headers(stream, to_server, 0);
  stream.state = State::half_closed_client;
  show(stream);
  if (!settings.empty()) {
    const PoolBytes frame = read_base64(session_.pool(), settings);
    Http2Transaction& connection = open(0);
    connection.state = State::connection;
    connection.add_number(to_server, Field::http2_frametype, http2_frame::settings);
    take_settings({.header = {.type = http2_frame::settings}, .bytes = frame}, connection);
    show(connection);
    connection.complete();
    if (frame.empty() || frame.size() % 6 != 0) {
      connection.raise_both(AppEvent::http2_invalid_http1_settings);
    }
  }
}

/// The client's first bytes. @return how many of them are the preface; none: more are needed.
std::optional<size_t> Http2Parser::skip_preface(Bytes bytes) {
  if (is_preface_done_) {
    return 0;
  }
  if (bytes.size() < preface.size()) {
    return std::nullopt;
  }
  is_preface_done_ = true;
  if (as_text(bytes.first(preface.size())) == preface) {
    return preface.size();
  }
  raise_on_last(AppEvent::http2_invalid_client_magic);
  return 0;
}

Consumed Http2Parser::parse(const Input& input) {
  Bytes bytes = input.bytes;
  size_t before = 0;
  if (input.direction == to_server) {
    if (!is_preface_done_ && bytes.size() >= preface.size() &&
        !is_utf8(as_text(bytes.first(preface.size())))) {
      return Consumed::broken();
    }
    const std::optional<size_t> skipped = skip_preface(bytes);
    if (!skipped) {
      return {0, preface.size()};
    }
    before = *skipped;
  }
  Lane& lane = this->lane(input.direction);
  const size_t skipped = std::min(lane.skip_bytes, bytes.size() - before);
  lane.skip_bytes -= skipped;
  before += skipped;
  return parse_frames(bytes.subspan(before), before, input.direction);
}

/// @param before bytes that were consumed in front of these.
Consumed Http2Parser::parse_frames(Bytes bytes, size_t before, Direction direction) {
  const size_t all = before + bytes.size();
  while (!bytes.empty()) {
    const size_t consumed = all - bytes.size();
    if (bytes.size() < Http2FrameHeader::bytes) {
      return {consumed, Http2FrameHeader::bytes};
    }
    Frame frame{.header = read_header(bytes), .direction = direction};
    const Bytes behind = bytes.subspan(Http2FrameHeader::bytes);
    if (behind.size() < frame.header.length) {
      const size_t wanted =
          frame.header.length < frame_bytes_max ? frame.header.length : frame_bytes_min;
      if (behind.size() < wanted) {
        return {consumed, Http2FrameHeader::bytes + wanted};
      }
      raise_on_last(AppEvent::http2_long_frame_data);
      lane(direction).skip_bytes = frame.header.length - behind.size();
      frame.is_whole = false;
    }
    frame.bytes = behind.first(std::min<size_t>(behind.size(), frame.header.length));
    bytes = behind.subspan(frame.bytes.size());
    if (!take_frame(frame)) {
      return Consumed::broken();
    }
  }
  return {all};
}

/// @return false where the connection has too many streams.
bool Http2Parser::take_frame(const Frame& frame) {
  const Http2FrameHeader& header = frame.header;
  if (header.length == 0 && header.type == http2_frame::settings) {
    return true;
  }
  HeaderBlock block;
  const bool has_headers = header.type == http2_frame::headers ||
                           header.type == http2_frame::push_promise ||
                           header.type == http2_frame::continuation;
  if (has_headers) {
    block = take_block(frame);
  }
  Http2Transaction* const transaction = transaction_for(frame, block.promised_stream);
  if (transaction == nullptr) {
    return false;
  }
  transaction->add_number(frame.direction, Field::http2_frametype, header.type);
  if (!has_headers) {
    take_numbers(frame, *transaction);
  } else if (!block.is_readable) {
    raise_on_last(AppEvent::http2_invalid_frame_data);
  }
  if (block.is_over_limit) {
    transaction->raise_both(AppEvent::http2_reassembly_limit_reached);
  }
  if (block.priority) {
    Http2Transaction::Side& side = transaction->side(frame.direction);
    side.has_multiple = side.priority && side.has_multiple.empty() ? "priority" : side.has_multiple;
    side.priority = side.priority ? side.priority : block.priority;
    transaction->add_number(frame.direction, Field::http2_priority, *block.priority);
  }
  if (has_headers && block.is_readable && block.is_decoded) {
    decode_headers(*transaction, frame.direction, block.bytes);
    Lane& own = lane(frame.direction);
    own.block.clear();
    own.block_stream = 0;
  }
  step(frame, *transaction);
  show(*transaction);
  if (header.type == http2_frame::data && header.stream_id != 0) {
    take_data(frame, *transaction);
  }
  if (transaction->state >= State::closed && lane(frame.direction).block_stream == 0) {
    transaction->complete();
  }
  session_.inspect_raw_now(frame.direction);
  return true;
}

/// Finds the header block in a HEADERS, PUSH_PROMISE or CONTINUATION frame (RFC 9113, 6.2, 6.6,
/// 6.10), and keeps one that is not whole.
Http2Parser::HeaderBlock Http2Parser::take_block(const Frame& frame) {
  HeaderBlock block;
  ByteReader reader(frame.bytes);
  size_t padding = 0;
  const bool is_continuation = frame.header.type == http2_frame::continuation;
  if (!is_continuation && (frame.header.flags & http2_flag::padded) != 0) {
    padding = reader.u8();
  }
  if (frame.header.type == http2_frame::push_promise) {
    block.promised_stream = reader.big32() & 0x7fffffff;
  } else if (!is_continuation && (frame.header.flags & http2_flag::has_priority) != 0) {
    reader.skip(4);
    block.priority = reader.u8();
  }
  if (reader.failed() || reader.left() < padding) {
    block.is_readable = false;
    block.priority.reset();
    return block;
  }
  block.bytes = reader.rest().first(reader.left() - padding);
  return gather(frame, block);
}

/// A header block may go on in the next frame of the same stream.
Http2Parser::HeaderBlock Http2Parser::gather(const Frame& frame, HeaderBlock block) {
  Lane& own = lane(frame.direction);
  const bool is_last = (frame.header.flags & http2_flag::end_headers) != 0;
  if (frame.header.type != http2_frame::continuation) {
    own.block.clear();
    own.block_stream = 0;
    if (is_last) {
      return block;
    }
    own.block_stream = frame.header.stream_id;
  } else if (own.block_stream != frame.header.stream_id) {
    return block;
  }
  const size_t room = block_bytes_max - own.block.size();
  const Bytes more = block.bytes.first(std::min(room, block.bytes.size()));
  block.is_over_limit = more.size() < block.bytes.size();
  own.block.insert(own.block.end(), more.begin(), more.end());
  block.is_decoded = is_last;
  block.bytes = own.block;
  return block;
}

void Http2Parser::raise_on_last(AppEvent event) {
  if (session_.transactions().empty()) {
    return;
  }
  AppTransaction& last = *session_.transactions().back();
  last.raise(to_server, event);
  last.raise(to_client, event);
}

Http2Transaction* Http2Parser::find(uint32_t stream_id) {
  const auto all = session_.transactions();
  for (auto each = all.rbegin(); each != all.rend(); ++each) {
    if ((*each)->protocol != protocol_) {
      break;
    }
    auto* const stream = static_cast<Http2Transaction*>(*each);
    if (stream->stream_id == stream_id) {
      return stream;
    }
  }
  return nullptr;
}

Http2Transaction& Http2Parser::open(uint32_t stream_id) {
  Http2Transaction& transaction = session_.open<Http2Transaction>(stream_id);
  transaction.protocol = protocol_;
  return transaction;
}

/// The transaction that a frame belongs to, which is not always that of its stream: a promise is
/// the pushed stream's. Null: there are too many.
Http2Transaction* Http2Parser::transaction_for(const Frame& frame, uint32_t promised_stream) {
  uint32_t stream_id = frame.header.stream_id;
  if (frame.header.type == http2_frame::push_promise && stream_id != 0) {
    stream_id = promised_stream;
  }
  Http2Transaction* found = stream_id == 0 ? nullptr : find(stream_id);
  if (found != nullptr && frame.header.type == http2_frame::continuation &&
      frame.direction == to_client && found->child_stream_id != 0) {
    stream_id = found->child_stream_id;
    found = find(stream_id);
  }
  if (found != nullptr) {
    const bool may_follow = frame.header.type == http2_frame::reset_stream ||
                            frame.header.type == http2_frame::window_update ||
                            frame.header.type == http2_frame::priority;
    if (found->state == State::closed && !may_follow) {
      raise_on_last(AppEvent::http2_stream_id_reuse);
    }
    return found;
  }
  if (session_.transactions().size() >= session_.options().transactions_per_flow_max) {
    for (AppTransaction* const each : session_.transactions()) {
      each->raise(to_server, AppEvent::http2_too_many_streams);
      each->raise(to_client, AppEvent::http2_too_many_streams);
      each->complete();
    }
    return nullptr;
  }
  Http2Transaction& opened = open(stream_id);
  opened.state = stream_id == 0 ? State::connection : State::open;
  return &opened;
}

/// What a frame does to its stream's state (RFC 9113, section 5.1, as far as it matters here).
void Http2Parser::step(const Frame& frame, Http2Transaction& transaction) {
  const bool is_client = frame.direction == to_server;
  const uint8_t type = frame.header.type;
  const bool ends_headers = (frame.header.flags & http2_flag::end_headers) != 0;
  State& state = transaction.state;
  if (type == http2_frame::push_promise && !is_client) {
    if (!ends_headers) {
      transaction.child_stream_id = transaction.stream_id;
    }
    state = State::reserved;
  } else if ((type == http2_frame::headers && !is_client) || type == http2_frame::reset_stream ||
             (type == http2_frame::continuation && !is_client && ends_headers)) {
    transaction.child_stream_id = 0;
  }
  if (type != http2_frame::headers && type != http2_frame::data) {
    return;
  }
  if ((frame.header.flags & http2_flag::end_stream) == 0) {
    if (type == http2_frame::data) {
      state = std::max(state, is_client ? State::data_client : State::data_server);
    }
    return;
  }
  switch (state) {
    case State::half_closed_client:
    case State::data_server:
      state = is_client ? state : State::closed;
      break;
    case State::half_closed_server:
      state = is_client ? State::closed : state;
      break;
    case State::closed:
    case State::connection:
      break;
    case State::idle:
    case State::open:
    case State::reserved:
    case State::data_client:
      state = is_client ? State::half_closed_client : State::half_closed_server;
      break;
  }
}

/// Lets rules see what is final in this state. Headers that go on in the next frame are not.
void Http2Parser::show(Http2Transaction& transaction) {
  const auto is_pending = [&](Direction direction) {
    return transaction.stream_id != 0 && lane(direction).block_stream == transaction.stream_id;
  };
  if (transaction.state >= State::data_client && !is_pending(to_server)) {
    add_http2_fields(transaction, to_server);
    transaction.reach(to_server, Progress::headers);
  }
  if (transaction.state >= State::data_server && !is_pending(to_client)) {
    add_http2_fields(transaction, to_client);
    transaction.reach(to_client, Progress::headers);
  }
}

}  // namespace shrike::protocol
