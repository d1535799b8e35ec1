#include "smb.h"

#include <algorithm>

namespace shrike::protocol {

using smb::Magic;

namespace {

constexpr size_t session_header_bytes = 4;
constexpr uint8_t session_message = 0x00;
constexpr size_t magic_bytes = 4;
/// From here on a write or a read is looked at before it is whole (Suricata: 512).
constexpr size_t partial_bytes_min = 512;
/// A record that carries no file is kept whole up to here; beyond, its first bytes must do.
constexpr size_t record_bytes_max = 256 << 10;
/// What is pending or open at a time in one connection; Suricata 8 has the same bound.
constexpr size_t entries_max = 1024;
/// Partly read answers of pipes.
constexpr size_t fragments_max = 16;
constexpr uint64_t after_gap_timeout_ns = 60'000'000'000;
constexpr size_t probe_bytes_min = session_header_bytes + smb::header1_bytes;
constexpr size_t transform_header_bytes = 52;

bool is_magic(Bytes bytes) noexcept {
  return bytes.size() >= magic_bytes && bytes[0] >= static_cast<uint8_t>(Magic::smb3_transform) &&
         bytes[1] == 'S' && bytes[2] == 'M' && bytes[3] == 'B';
}

/// Kinds of messages in RFC 1002, section 4.3.1.
bool is_session_type(uint8_t type) noexcept {
  return type == session_message || (type >= 0x81 && type <= 0x85);
}

/// Offset of the next magic behind a session header (whatever of it there is), or nothing.
std::optional<size_t> search_magic(Bytes bytes) noexcept {
  for (size_t at = 0; at + magic_bytes <= bytes.size(); ++at) {
    if (!is_magic(bytes.subspan(at))) {
      continue;
    }
    if (at < session_header_bytes || bytes[at - session_header_bytes] == session_message) {
      return at;
    }
  }
  return std::nullopt;
}

/// Whether the record at a magic goes the other way than `direction`.
bool is_reversed(Bytes record, Direction direction) noexcept {
  bool is_response = direction == Direction::to_client;
  if (record[0] == static_cast<uint8_t>(Magic::smb1) && record.size() > 9) {
    is_response = (record[9] & 0x80) != 0;
  } else if (record[0] == static_cast<uint8_t>(Magic::smb2) && record.size() > 16) {
    is_response = (record[16] & 1) != 0;
  }
  return is_response != (direction == Direction::to_client);
}

bool confirm(Bytes bytes, Direction direction, bool& reversed) {
  if (bytes.size() < probe_bytes_min || !is_session_type(bytes[0]) ||
      !is_magic(bytes.subspan(session_header_bytes))) {
    return false;
  }
  reversed = is_reversed(bytes.subspan(session_header_bytes), direction);
  return true;
}

Probe::Answer found(Bytes record, Direction direction) noexcept {
  return is_reversed(record, direction) ? Probe::Answer::yes_reversed : Probe::Answer::yes;
}

/// A small NetBIOS message may come before SMB; a connection picked up late may start anywhere.
Probe::Answer probe(Bytes bytes, Direction direction) {
  if (bytes.size() < probe_bytes_min) {
    return Probe::Answer::more;
  }
  if (is_session_type(bytes[0]) && is_magic(bytes.subspan(session_header_bytes))) {
    return found(bytes.subspan(session_header_bytes), direction);
  }
  if (const auto at = search_magic(bytes)) {
    return found(bytes.subspan(*at), direction);
  }
  const uint32_t length = load_big32(bytes.data()) & 0xffffff;
  const bool is_small_other =
      is_session_type(bytes[0]) && bytes[0] != session_message && length < 256 &&
      bytes.size() < session_header_bytes + length + session_header_bytes + magic_bytes;
  return is_small_other ? Probe::Answer::more : Probe::Answer::no;
}

constexpr std::string_view magics[] = {"\xffSMB", "\xfeSMB", "\xfdSMB"};
constexpr Pattern pattern_of(std::string_view magic, Direction direction) {
  return {ip_protocol::tcp,
          direction,
          magic,
          session_header_bytes,
          session_header_bytes + magic_bytes,
          false,
          confirm,
          probe_bytes_min};
}
constexpr Pattern patterns[] = {
    pattern_of(magics[0], Direction::to_server), pattern_of(magics[0], Direction::to_client),
    pattern_of(magics[1], Direction::to_server), pattern_of(magics[1], Direction::to_client),
    pattern_of(magics[2], Direction::to_server), pattern_of(magics[2], Direction::to_client),
};
constexpr uint16_t ports[] = {139, 445};
constexpr Probe probes[] = {{ip_protocol::tcp, ports, 0, probe_bytes_min, probe, true}};

}  // namespace

SmbParser::SmbParser(Session& session)
    : session_(session),
      names_(session.pool(), entries_max),
      files_by_key_(session.pool(), entries_max),
      names_by_file_(session.pool(), entries_max),
      reads_(session.pool(), entries_max),
      trees_(session.pool(), entries_max),
      fragments_(session.pool(), fragments_max),
      interfaces_(session.pool()) {}

Consumed SmbParser::parse(const Input& input) {
  Side& side = side_of(input.direction);
  if (input.gap_bytes != 0) {
    take_gap(side, input);
    return {};
  }
  if (!side.is_started && !input.bytes.empty()) {
    side.is_started = true;
    side.is_searching = session_.flow().is_midstream;
  }
  size_t at = 0;
  while (at < input.bytes.size()) {
    at += go_on(side, input.direction, input.bytes.subspan(at));
    if (side.is_searching) {
      at += find_record(side, input.bytes.subspan(at));
    }
    const Bytes rest = input.bytes.subspan(at);
    if (rest.empty() || side.is_searching) {
      break;
    }
    const Consumed taken = take_session_record(input.direction, rest);
    if (taken.is_broken) {
      return taken;
    }
    at += taken.bytes;
    if (taken.bytes == 0) {
      return {.bytes = at, .needed = taken.needed};
    }
  }
  finish_after_gap(input.direction);
  return {.bytes = at, .needed = side.is_searching ? size_t{8} : size_t{0}};
}

void SmbParser::take_gap(Side& side, const Input& input) {
  uint64_t lost = input.gap_bytes;
  lost -= go_on_with_file(side, input.direction, {}, lost);
  side.skip_bytes -= std::min(side.skip_bytes, lost);
  side.is_searching = side.had_gap = side.is_started = true;
}

/// What the last record left: the rest of a file's chunk, then bytes that nobody wants.
size_t SmbParser::go_on(Side& side, Direction direction, Bytes bytes) {
  const size_t of_file = go_on_with_file(side, direction, bytes, 0);
  const auto skipped =
      static_cast<size_t>(std::min<uint64_t>(side.skip_bytes, bytes.size() - of_file));
  side.skip_bytes -= skipped;
  return of_file + skipped;
}

/// @param gap_bytes not 0: so many bytes were lost, and `bytes` is empty.
size_t SmbParser::go_on_with_file(Side& side, Direction direction, Bytes bytes,
                                  uint64_t gap_bytes) {
  const uint64_t there = gap_bytes != 0 ? gap_bytes : bytes.size();
  const uint64_t taken = std::min(side.file_bytes, there);
  side.file_bytes -= taken;
  if (taken == 0) {
    return 0;
  }
  Transaction* const file = find_file(side.file, direction, true);
  if (file != nullptr) {
    file->idle_since_ns = 0;
    if (gap_bytes != 0) {
      file->transfer->skip(taken);
    } else {
      file->transfer->append(bytes.first(static_cast<size_t>(taken)));
    }
  }
  return static_cast<size_t>(taken);
}

/// Bytes before the next record; what may be its beginning stays.
size_t SmbParser::find_record(Side& side, Bytes bytes) const noexcept {
  size_t at = 0;
  while (const auto magic = search_magic(bytes.subspan(at))) {
    at += *magic;
    if (at >= session_header_bytes) {
      side.is_searching = false;
      return at - session_header_bytes;
    }
    at += magic_bytes;  // its session header was lost
  }
  constexpr size_t kept = session_header_bytes + magic_bytes - 1;
  return std::max(at, bytes.size() > kept ? bytes.size() - kept : 0);
}

/// One session message at the front of `rest`. Consumed bytes 0: more are needed.
Consumed SmbParser::take_session_record(Direction direction, Bytes rest) {
  if (rest.size() < session_header_bytes) {
    return {.needed = session_header_bytes};
  }
  Side& side = side_of(direction);
  const size_t whole = session_header_bytes + (load_big32(rest.data()) & 0xffffff);
  const bool is_message = rest[0] == session_message;
  if (rest.size() >= whole) {
    const Bytes message = rest.first(whole).subspan(session_header_bytes);
    missing_bytes_ = 0;
    const bool is_broken = is_message && take_message(direction, message) == Step::broken;
    return is_broken ? Consumed::broken() : Consumed{whole};
  }
  if (whole >= partial_bytes_min && rest.size() < partial_bytes_min) {
    return {.needed = partial_bytes_min};
  }
  const Bytes come = rest.subspan(session_header_bytes);
  missing_bytes_ = whole - rest.size();
  if (rest.size() < partial_bytes_min) {
    const bool is_smb = is_session_type(rest[0]) && is_magic(come);
    if (come.size() > magic_bytes && !is_smb && !side.is_truncated) {
      side.is_truncated = true;
      for (AppTransaction* const each : session_.transactions()) {
        each->reach(direction, Progress::complete);
      }
    }
    return {.needed = whole};
  }
  if (is_message && take_partly(direction, come)) {
    return {rest.size()};
  }
  if (whole <= record_bytes_max) {
    return {.needed = whole};
  }
  if (rest.size() < record_bytes_max) {
    return {.needed = record_bytes_max};
  }
  const Bytes first = rest.first(record_bytes_max);
  missing_bytes_ = side.skip_bytes = whole - first.size();
  const bool is_broken =
      is_message && take_message(direction, first.subspan(session_header_bytes)) == Step::broken;
  return is_broken ? Consumed::broken() : Consumed{first.size()};
}

/// The bytes of one session message: one SMB1 record, or a chain of later ones.
SmbParser::Step SmbParser::take_message(Direction direction, Bytes message) {
  const bool is_response = direction == Direction::to_client;
  if (message.size() < magic_bytes && is_response) {
    return Step::done;  // an empty message
  }
  if (message.size() < magic_bytes || message[1] != 'S' || message[2] != 'M' || message[3] != 'B') {
    raise(AppEvent::smb_malformed_data);
    return Step::broken;
  }
  switch (static_cast<Magic>(message[0])) {
    case Magic::smb1:
      break;
    case Magic::smb2:
      return take_chain(direction, message);
    case Magic::smb3_transform:
      return pass_encrypted(message);
    default:
      return Step::done;  // compressed, or what may come
  }
  const auto record = smb::read_record1(message);
  if (!record) {
    raise(AppEvent::smb_malformed_data);
    return Step::broken;
  }
  if (record->is_response() == is_response) {
    is_response ? take_response(*record) : take_request(*record);
  }
  return Step::done;
}

SmbParser::Step SmbParser::take_chain(Direction direction, Bytes message) {
  const bool is_response = direction == Direction::to_client;
  while (!message.empty()) {
    const auto record = smb::read_record2(message, is_response);
    if (!record) {
      if (missing_bytes_ != 0) {
        return Step::done;  // too long to be kept whole
      }
      raise(AppEvent::smb_malformed_data);
      return Step::broken;
    }
    if (record->is_response == is_response) {
      is_response ? take_response(*record) : take_request(*record);
    }
    message = message.subspan(record->bytes);
  }
  return Step::done;
}

/// SMB3 transforms: nothing but their frame can be seen.
SmbParser::Step SmbParser::pass_encrypted(Bytes message) {
  while (!message.empty()) {
    const bool has_header = message.size() >= transform_header_bytes;
    const size_t bytes =
        has_header ? transform_header_bytes + size_t{load_little32(message.data() + 36)} : 0;
    if (!has_header || bytes > message.size()) {
      if (missing_bytes_ != 0) {
        return Step::done;
      }
      raise(AppEvent::smb_malformed_data);
      return Step::broken;
    }
    session_.pass_encrypted(bytes - transform_header_bytes);
    message = message.subspan(bytes);
  }
  return Step::done;
}

/// The beginning of a write or read of a file, of which missing_bytes_ are still to come. False
/// where the record is to be kept until it is whole.
bool SmbParser::take_partly(Direction direction, Bytes message) {
  const bool is_response = direction == Direction::to_client;
  Side& side = side_of(direction);
  if (const auto record = smb::read_record1(message)) {
    const auto wanted =
        static_cast<uint8_t>(is_response ? smb::Command1::read_andx : smb::Command1::write_andx);
    if (record->command != wanted || is_pipe(smb::key_of(*record, smb::KeyKind::share))) {
      return false;
    }
    side.skip_bytes = missing_bytes_;
    is_response ? take_read(*record, 0) : take_write(*record, wanted, 0);
    return true;
  }
  const auto record = smb::read_record2(message, is_response);
  const auto wanted =
      static_cast<uint16_t>(is_response ? smb::Command2::read : smb::Command2::write);
  if (!record || record->command != wanted || is_pipe(smb::key_of(*record, smb::KeyKind::share))) {
    return false;
  }
  side.skip_bytes = missing_bytes_;
  is_response ? take_read(*record) : take_write(*record);
  return true;
}

bool SmbParser::is_pipe(const smb::Key& share) noexcept {
  const Tree* const tree = trees_.find(share);
  return tree != nullptr && tree->is_pipe;
}

/// After a gap, what is pending will not be completed any more; files can do with gaps, but not
/// for ever.
void SmbParser::finish_after_gap(Direction direction) {
  if (!side_of(direction).had_gap) {
    return;
  }
  const auto all = session_.transactions();
  for (size_t i = 0; i + 1 < all.size(); ++i) {
    auto& each = static_cast<Transaction&>(*all[i]);
    if (each.kind != Kind::file) {
      finish(each, Direction::to_server);
      if (direction == Direction::to_client) {
        finish(each, Direction::to_client);
      }
      continue;
    }
    if (each.idle_since_ns == 0) {
      each.idle_since_ns = session_.time_ns();
    } else if (session_.time_ns() > each.idle_since_ns + after_gap_timeout_ns) {
      each.transfer->truncate();
      each.complete();
    }
  }
}

constinit const ParserRow smb_row = row_of_parser<SmbParser>(
    {.protocol = AppProtocol::smb, .patterns = patterns, .probes = probes, .accepts_gaps = true});

}  // namespace shrike::protocol
