#include "nfs.h"

#include <algorithm>
#include <charconv>

namespace shrike::protocol {

using enum Direction;
using nfs::Reading;

namespace {

constexpr size_t mark_bytes = 4;  // RFC 5531, section 11: the last fragment, and its length
/// A longer record is not waited for. Writes and reads are at most 1 MB, in version 4 with more.
constexpr size_t record_bytes_max = 17 << 20;
constexpr size_t large_record_bytes = 512;  // whose file data are taken as they come
constexpr size_t asked_sets = 64, names_sets = 256;
/// Bytes of a name that are kept: more is in no file system.
constexpr size_t name_bytes_max = 4096;
constexpr FileTransfer::Limits transfer_limits;

size_t index(Direction direction) noexcept {
  return static_cast<size_t>(direction);
}

std::array<uint8_t, 4> key_of(uint32_t xid) noexcept {
  return {static_cast<uint8_t>(xid), static_cast<uint8_t>(xid >> 8),
          static_cast<uint8_t>(xid >> 16), static_cast<uint8_t>(xid >> 24)};
}

size_t record_bytes(Bytes bytes) noexcept {
  return load_big32(bytes.data()) & 0x7fffffff;
}

Probe::Answer probe_call(Bytes bytes) noexcept {
  nfs::Call call;
  const Reading reading = nfs::read_call(bytes.subspan(mark_bytes), call);
  if (reading != Reading::good) {
    return reading == Reading::cut ? Probe::Answer::more : Probe::Answer::no;
  }
  constexpr uint32_t gss_flavor = 6;
  return record_bytes(bytes) >= 40 && call.rpc_version == 2 &&
                 (call.version == 3 || call.version == 4) && call.program == nfs::program_number &&
                 call.procedure <= nfs::procedure::commit && call.flavor <= gss_flavor
             ? Probe::Answer::yes
             : Probe::Answer::no;
}

Probe::Answer probe_reply(Bytes bytes) noexcept {
  nfs::Reply reply;
  const Reading reading = nfs::read_reply(bytes.subspan(mark_bytes), reply);
  const size_t length = record_bytes(bytes);
  const bool is_sound = length >= 24 && length <= 35000;
  if (reading == Reading::cut) {
    return is_sound && reply.xid != 0 ? Probe::Answer::yes : Probe::Answer::no;
  }
  return reading == Reading::good && is_sound && reply.state == 0 && reply.accept_state == 0
             ? Probe::Answer::yes
             : Probe::Answer::no;
}

/// A record, of either direction: `type` tells.
Probe::Answer probe_record(Bytes bytes, Direction direction) noexcept {
  constexpr size_t header_bytes = 12, length_min = 24;
  if (bytes.size() < header_bytes) {
    return Probe::Answer::more;
  }
  const uint32_t type = load_big32(bytes.data() + 8);
  if (record_bytes(bytes) < length_min || type > 1) {
    return Probe::Answer::no;
  }
  const Probe::Answer answer = type == 0 ? probe_call(bytes) : probe_reply(bytes);
  const bool is_turned = (type == 0) != (direction == to_server);
  return answer == Probe::Answer::yes && is_turned ? Probe::Answer::yes_reversed : answer;
}

Probe::Answer probe_datagram(Bytes bytes, Direction direction) noexcept {
  constexpr size_t call_bytes_min = 48, reply_bytes_min = 32;
  if (direction == to_server) {
    nfs::Call call;
    return nfs::read_call(bytes, call) == Reading::good && bytes.size() >= call_bytes_min &&
                   call.type == 0 && (call.version == 2 || call.version == 3) &&
                   call.program == nfs::program_number
               ? Probe::Answer::yes
               : Probe::Answer::no;
  }
  nfs::Reply reply;
  return nfs::read_datagram_reply(bytes, reply) == Reading::good &&
                 bytes.size() >= reply_bytes_min && reply.type == 1 && reply.state == 0 &&
                 reply.accept_state == 0
             ? Probe::Answer::yes
             : Probe::Answer::no;
}

constexpr uint16_t ports[] = {2049};
constexpr Probe probes[] = {{.transport = ip_protocol::tcp,
                             .server_ports = ports,
                             .bytes_min = 0,
                             .bytes_max = 32,
                             .probe = probe_record},
                            {.transport = ip_protocol::udp,
                             .server_ports = ports,
                             .bytes_min = 0,
                             .bytes_max = 32,
                             .probe = probe_datagram}};

}  // namespace

constinit const ParserRow nfs_row = row_of_parser<NfsParser>(
    {.protocol = AppProtocol::nfs, .probes = probes, .accepts_gaps = true});

NfsParser::NfsParser(Session& session) noexcept
    : session_(session), asked_(session.pool(), asked_sets), names_(session.pool(), names_sets) {
  for (const auto& [name, value] : session.options().others) {
    if (name == "nfs.max-tx") {
      std::from_chars(value.data(), value.data() + value.size(), open_max_);
    }
  }
}

Consumed NfsParser::parse(const Input& input) {
  is_udp_ = session_.tracked().datagram->protocol == ip_protocol::udp;
  if (is_udp_) {
    if (!input.bytes.empty()) {
      take_message(input.direction, input.bytes);
    }
    return Consumed::all(input);
  }
  Side& side = sides_[index(input.direction)];
  if (input.gap_bytes != 0) {
    take_gap(side, input);
    return {};
  }
  const Consumed consumed = take_bytes(side, input);
  if (input.is_end) {
    truncate_files(input.direction);
  }
  return consumed;
}

/// Nothing more comes of files that are still open.
void NfsParser::truncate_files(Direction direction) {
  for (AppTransaction* const each : session_.transactions()) {
    auto* const file = static_cast<NfsTransaction*>(each);
    if (file->transfer && !file->is_complete() && file->transfer->direction() == direction) {
      file->transfer->truncate();
      file->complete();
    }
  }
}

Consumed NfsParser::take_bytes(Side& side, const Input& input) {
  const uint64_t under_way = side.file_bytes + side.skip_bytes;
  size_t at = static_cast<size_t>(std::min<uint64_t>(under_way, input.bytes.size()));
  go_on(side, input.direction, input.bytes.first(at), 0);
  while (at < input.bytes.size()) {
    at += find_record(input.direction, input.bytes.subspan(at), side);
    const Bytes rest = input.bytes.subspan(at);
    // What tells calls apart has 28 bytes, replies 12 (of at least 28).
    constexpr size_t header_bytes = 28, type_at = 8, length_min = 24;
    if (side.is_lost || rest.size() < header_bytes) {
      return {.bytes = at, .needed = std::max(rest.size() + 1, header_bytes)};
    }
    const size_t length = record_bytes(rest);
    if (length < length_min || length > record_bytes_max || load_big32(&rest[type_at]) > 1) {
      raise(AppEvent::nfs_malformed_data);
      return Consumed::broken();
    }
    const size_t record = mark_bytes + length;
    if (rest.size() >= record) {
      take_message(input.direction, rest.subspan(mark_bytes, length));
      at += record;
      continue;
    }
    const bool is_large = record >= large_record_bytes;
    if (is_large && take_partly(input.direction, rest.subspan(mark_bytes), length)) {
      return Consumed::all(input);
    }
    return {.bytes = at, .needed = is_large ? rest.size() + 1 : record};
  }
  return {.bytes = at};
}

/// After a gap: how many bytes stand before what looks like a record.
size_t NfsParser::find_record(Direction direction, Bytes bytes, Side& side) noexcept {
  size_t at = 0;
  while (side.is_lost && at < bytes.size()) {
    const Probe::Answer answer = probe_record(bytes.subspan(at), direction);
    if (answer == Probe::Answer::more) {
      break;
    }
    side.is_lost = answer != Probe::Answer::yes;
    at += side.is_lost ? 1 : 0;
  }
  return at;
}

void NfsParser::take_gap(Side& side, const Input& input) {
  const uint64_t under_way = side.file_bytes + side.skip_bytes;
  go_on(side, input.direction, {}, std::min(under_way, input.gap_bytes));
  if (input.gap_bytes <= under_way && under_way != 0) {
    return;
  }
  side.is_lost = true;
  for (AppTransaction* const each : session_.transactions()) {
    if (!static_cast<NfsTransaction*>(each)->transfer) {
      each->reach(input.direction, Progress::complete);
      each->reach(to_server, Progress::complete);
    }
  }
}

/// More of the chunk under way, or the loss of it.
void NfsParser::go_on(Side& side, Direction direction, Bytes bytes, uint64_t gap_bytes) {
  const uint64_t count = bytes.size() + gap_bytes;
  const uint64_t of_file = std::min(count, side.file_bytes);
  if (of_file != 0) {
    side.file_bytes -= of_file;
    NfsTransaction* const file = find_id(side.file_id);
    if (file != nullptr && file->transfer->is_open()) {
      if (gap_bytes != 0) {
        file->transfer->skip(of_file);
      } else {
        file->transfer->append(bytes.first(static_cast<size_t>(of_file)));
      }
      if (side.file_bytes == 0) {
        finish_chunk(*file, direction);
      }
    }
  }
  side.skip_bytes -= std::min(count - of_file, side.skip_bytes);
}

void NfsParser::take_message(Direction direction, Bytes message) {
  // Bytes that fill up the data of a record at hand as a whole never come for Suricata: a chunk
  // behind it truncates the file. Large ones it gets in pieces, and takes those bytes.
  leaves_fill_ = is_udp_ || message.size() + mark_bytes < large_record_bytes;
  if (direction == to_server) {
    nfs::Call call;
    const Reading reading = nfs::read_call(message, call);
    if (reading == Reading::good && (!is_udp_ || call.version != 4)) {
      take_call(call);
    } else if (reading != Reading::good && !is_udp_) {
      raise(AppEvent::nfs_malformed_data);
    }
    return;
  }
  nfs::Reply reply;
  const Reading reading =
      is_udp_ ? nfs::read_datagram_reply(message, reply) : nfs::read_reply(message, reply);
  if (reading == Reading::good) {
    take_reply(reply);
  } else if (!is_udp_) {
    raise(AppEvent::nfs_malformed_data);
  }
}

/// The start of a large record: where it carries data of a file, they are taken as they come.
/// @return false where it has to be waited for.
bool NfsParser::take_partly(Direction direction, Bytes message, size_t message_bytes) {
  leaves_fill_ = false;
  Side& side = sides_[index(direction)];
  size_t data_bytes = 0, before_data = 0;
  if (direction == to_server) {
    nfs::Call call;
    nfs::Write write;
    if (nfs::read_call(message, call) != Reading::good || call.version != 3 ||
        call.procedure != nfs::procedure::write ||
        nfs::read_write3(call.data, write) != Reading::good) {
      return false;
    }
    data_bytes = write.data_bytes;
    before_data = message.size() - write.data.size();
    if (before_data + data_bytes > message_bytes) {
      return false;
    }
    take_call(call);
  } else {
    nfs::Reply reply;
    nfs::Read read;
    if (nfs::read_reply(message, reply) != Reading::good) {
      return false;
    }
    const Asked* const asked = asked_.find(key_of(reply.xid));
    if (asked == nullptr || asked->version != 3 || asked->procedure != nfs::procedure::read ||
        nfs::read_read3(reply.data, read) != Reading::good) {
      return false;
    }
    data_bytes = read.data_bytes;
    before_data = message.size() - read.data.size();
    if (before_data + data_bytes > message_bytes) {
      return false;
    }
    take_reply(reply);
  }
  // What take_call and take_reply did not say is under way is only passed over.
  side.skip_bytes = message_bytes - message.size() - side.file_bytes;
  return true;
}

void NfsParser::raise(AppEvent event) {
  if (!session_.transactions().empty()) {
    AppTransaction& last = *session_.transactions().back();
    last.raise(to_server, event);
    last.raise(to_client, event);
  }
}

NfsTransaction& NfsParser::make() {
  const std::span<AppTransaction* const> all = session_.transactions();
  if (all.size() > open_max_) {
    auto oldest = std::partition_point(all.begin(), all.end(), [this](const AppTransaction* each) {
      return each->id < given_up_id_;
    });
    while (oldest != all.end() && (*oldest)->is_complete()) {
      ++oldest;
    }
    if (oldest != all.end()) {
      auto& given_up = static_cast<NfsTransaction&>(**oldest);
      given_up.raise(to_server, AppEvent::nfs_too_many_transactions);
      given_up.raise(to_client, AppEvent::nfs_too_many_transactions);
      if (given_up.transfer) {
        given_up.transfer->truncate();
      }
      given_up.complete();
      given_up_id_ = given_up.id + 1;
    }
  }
  return session_.open<NfsTransaction>();
}

NfsTransaction& NfsParser::open(const nfs::Call& call, uint32_t procedure, const Asked& asked) {
  NfsTransaction& transaction = make();
  transaction.xid = call.xid;
  transaction.procedure = procedure;
  transaction.shown_version = version_;
  transaction.name = transaction.keep(Bytes(asked.name));
  transaction.handle = transaction.keep(Bytes(asked.handle));
  tell_who(transaction, call);
  transaction.add_number(to_server, Field::nfs_procedure, procedure);
  transaction.add_number(to_server, Field::nfs_version, call.version);
  transaction.reach(to_server, Progress::complete);
  session_.inspect_raw_now(to_server);
  return transaction;
}

void NfsParser::tell_who(NfsTransaction& transaction, const nfs::Call& call) {
  transaction.flavor = call.flavor;
  transaction.machine = transaction.keep(call.machine);
  transaction.user = call.user;
  transaction.group = call.group;
}

NfsTransaction& NfsParser::open_file(Direction direction, uint32_t xid, uint32_t procedure,
                                     uint32_t version, const Chunk& chunk) {
  NfsTransaction& file = make();
  file.xid = xid;
  file.procedure = procedure;
  file.shown_version = version_;
  file.name = file.keep(chunk.name);
  file.handle = file.keep(chunk.handle);
  file.transfer.emplace(file, direction, chunk.name);
  file.add_number(to_server, Field::nfs_procedure, procedure);
  file.add_number(to_server, Field::nfs_version, version);
  return file;
}

NfsTransaction* NfsParser::find_file(Bytes handle, Direction direction) noexcept {
  for (AppTransaction* const each : session_.transactions()) {
    auto* const file = static_cast<NfsTransaction*>(each);
    if (file->transfer && !file->is_complete() && file->transfer->is_open() &&
        file->transfer->direction() == direction && as_text(file->handle) == as_text(handle)) {
      return file;
    }
  }
  return nullptr;
}

NfsTransaction* NfsParser::find_call(uint32_t xid) noexcept {
  for (AppTransaction* const each : session_.transactions()) {
    auto* const call = static_cast<NfsTransaction*>(each);
    if (!call->transfer && call->xid == xid) {
      return call;
    }
  }
  return nullptr;
}

NfsTransaction* NfsParser::find_id(uint64_t id) noexcept {
  const std::span<AppTransaction* const> all = session_.transactions();
  const auto at = std::partition_point(all.begin(), all.end(),
                                       [id](const AppTransaction* each) { return each->id < id; });
  if (at == all.end() || (*at)->id != id || (*at)->is_complete()) {
    return nullptr;
  }
  return static_cast<NfsTransaction*>(*at);
}

void NfsParser::append_chunk(NfsTransaction& file, Direction direction, const Chunk& chunk) {
  using Start = FileTransfer::Start;
  const auto fill = static_cast<uint8_t>(leaves_fill_ ? (4 - chunk.bytes % 4) % 4 : 0);
  const Start start = file.transfer->begin_chunk(chunk.offset, chunk.bytes, fill, transfer_limits);
  if (start != Start::taken && start != Start::overlaps) {
    return;
  }
  const size_t count = static_cast<size_t>(std::min<uint64_t>(chunk.bytes, chunk.data.size()));
  file.transfer->append(chunk.data.first(count));
  file.is_last = chunk.is_last;
  if (chunk.bytes == count) {
    finish_chunk(file, direction);
  } else if (!is_udp_) {
    Side& side = sides_[index(direction)];
    side.file_id = file.id;
    side.file_bytes = chunk.bytes - count;
  }
}

void NfsParser::finish_chunk(NfsTransaction& file, Direction direction) {
  if (file.is_last) {
    file.transfer->close();
    file.complete();
    session_.inspect_raw_now(direction);
  }
}

void NfsParser::close_file(Bytes handle, uint32_t xid, bool is_commit) {
  NfsTransaction* const file = find_file(handle, to_server);
  if (file == nullptr) {
    return;
  }
  file->last_xid = xid;
  file->is_last = true;
  if (is_commit) {
    file->chunk_count += 1;
    file->add_number(to_server, Field::nfs_procedure, nfs::procedure::commit);
  }
  finish_chunk(*file, to_server);
}

void NfsParser::answer(uint32_t xid, uint32_t rpc_status, uint32_t status, Bytes handle) {
  NfsTransaction* const call = find_call(xid);
  if (call == nullptr) {
    return;
  }
  call->shown_version = version_;
  call->rpc_status = rpc_status;
  call->status = status;
  if (call->handle.empty()) {
    call->handle = call->keep(handle);
  }
  call->reach(to_client, Progress::complete);
  session_.inspect_raw_now(to_client);
}

NfsParser::Asked& NfsParser::ask(const nfs::Call& call) {
  Asked& asked = asked_.put(key_of(call.xid));
  asked.version = call.version;
  asked.procedure = call.procedure;
  return asked;
}

Bytes NfsParser::name_of(Bytes handle) noexcept {
  const PoolBytes* const name = names_.find(handle);
  return name == nullptr ? Bytes{} : Bytes(*name);
}

void NfsParser::name_it(Asked& asked, Bytes name) {
  name = name.first(std::min(name.size(), name_bytes_max));
  asked.name.assign(name.begin(), name.end());
}

/// … as its handle was called before.
void NfsParser::name_it(Asked& asked) {
  name_it(asked, name_of(asked.handle));
}

void NfsParser::learn(Bytes handle, Bytes name) {
  if (session_.pool().is_full()) {
    return;
  }
  name = name.first(std::min(name.size(), name_bytes_max));
  names_.put(handle).assign(name.begin(), name.end());
}

void NfsParser::take_reply(const nfs::Reply& reply) {
  Asked* const found = asked_.find(key_of(reply.xid));
  if (found == nullptr) {
    return;
  }
  Asked asked = std::move(*found);
  asked_.forget(key_of(reply.xid));
  version_ = version_ != 0 ? version_ : static_cast<uint16_t>(asked.version);
  switch (asked.version) {
    case 2:
      take_reply2(reply, asked);
      break;
    case 3:
      take_reply3(reply, asked);
      break;
    default:
      take_reply4(reply, asked);
      break;
  }
}

}  // namespace shrike::protocol
