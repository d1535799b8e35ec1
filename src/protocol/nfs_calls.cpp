// What calls of versions 2 and 3 ask for, and what their replies say.
#include <algorithm>

#include "nfs.h"

namespace shrike::protocol {

using enum Direction;
using nfs::Reading;
namespace procedure = nfs::procedure;

namespace {

/// Linux allows 1 MB; several of them are let pass. Source: Suricata.
constexpr uint32_t chunk_bytes_max = 16 << 20;
constexpr size_t name_bytes_max = 4096;
constexpr size_t handle_bytes2 = 32;

void assign(PoolBytes& to, Bytes bytes) {
  to.assign(bytes.begin(),
            bytes.begin() + static_cast<ptrdiff_t>(std::min(bytes.size(), name_bytes_max)));
}

uint32_t status_of(const nfs::Reply& reply) noexcept {
  return ByteReader(reply.data).big32();
}

}  // namespace

void NfsParser::take_call(const nfs::Call& call) {
  switch (call.version) {
    case 2:
      take_call2(call);
      break;
    case 3:
      take_call3(call);
      break;
    case 4:
      take_call4(call);
      break;
    default:
      break;
  }
}

/// Version 2 is read by the numbers of version 3, as Suricata does: of what differs only a call
/// without a file is seen.
void NfsParser::take_call2(const nfs::Call& call) {
  Asked& asked = ask(call);
  ByteReader reader(call.data);
  if (call.procedure == procedure::lookup || call.procedure == procedure::read) {
    const Bytes handle = reader.take(handle_bytes2);
    const uint32_t second = reader.big32();  // the name's length, or the offset
    reader.skip(call.procedure == procedure::lookup ? second : 4);
    if (reader.failed()) {
      raise(AppEvent::nfs_malformed_data);
    } else {
      assign(asked.handle, handle);
      name_it(asked);
      asked.offset = call.procedure == procedure::read ? second : 0;
    }
  }
  if (call.procedure != procedure::commit && call.procedure != procedure::write &&
      call.procedure != procedure::read) {
    open(call, call.procedure, asked);
  }
}

/// @return false where they are not what the procedure takes.
bool NfsParser::read_arguments(const nfs::Call& call, Asked& asked, Bytes& second_name) {
  ByteReader reader(call.data);
  switch (call.procedure) {
    case procedure::lookup:
    case procedure::create:
    case procedure::remove:
    case procedure::mkdir:
    case procedure::rmdir: {
      const Bytes handle = nfs::take_handle(reader);
      const Bytes name = nfs::take_counted(reader);
      if (call.procedure != procedure::lookup) {
        assign(asked.handle, handle);
      }
      assign(asked.name, name);
      break;
    }
    case procedure::rename:
      assign(asked.handle, nfs::take_handle(reader));
      assign(asked.name, nfs::take_string(reader));
      static_cast<void>(nfs::take_handle(reader));
      second_name = nfs::take_counted(reader);
      break;
    case procedure::access:
    case procedure::getattr:
    case procedure::readdirplus:
    case procedure::read:
      assign(asked.handle, nfs::take_handle(reader));
      if (call.procedure == procedure::read) {
        asked.offset = reader.big64();
      }
      name_it(asked);
      break;
    default:
      break;
  }
  return !reader.failed();
}

void NfsParser::take_call3(const nfs::Call& call) {
  version_ = version_ != 0 ? version_ : 3;
  Asked& asked = ask(call);
  if (call.procedure == procedure::write) {
    nfs::Write write;
    if (nfs::read_write3(call.data, write) == Reading::good) {
      take_write(call, write);
    } else {
      raise(AppEvent::nfs_malformed_data);
    }
    return;
  }
  if (call.procedure == procedure::commit) {
    ByteReader reader(call.data);
    const Bytes handle = nfs::take_handle(reader);
    if (reader.failed()) {
      raise(AppEvent::nfs_malformed_data);
    } else {
      close_file(handle, call.xid, true);
    }
    return;
  }
  Bytes second_name;
  if (!read_arguments(call, asked, second_name)) {
    raise(AppEvent::nfs_malformed_data);
  }
  if (call.procedure != procedure::read) {
    NfsTransaction& transaction = open(call, call.procedure, asked);
    transaction.second_name =
        transaction.keep(second_name.first(std::min(second_name.size(), name_bytes_max)));
  } else if (find_file(asked.handle, to_client) == nullptr) {
    const Chunk chunk{.handle = asked.handle, .name = asked.name};
    tell_who(open_file(to_client, call.xid, procedure::read, call.version, chunk), call);
  }
}

void NfsParser::take_write(const nfs::Call& call, const nfs::Write& write) {
  if (write.count == 0 || write.count > chunk_bytes_max) {
    return;
  }
  const Chunk chunk{.handle = write.handle,
                    .name = name_of(write.handle),
                    .offset = write.offset,
                    .bytes = write.data_bytes,
                    .is_last = write.is_last,
                    .data = write.data};
  NfsTransaction* file = find_file(write.handle, to_server);
  if (file == nullptr) {
    const uint32_t procedure = call.version == 4 ? 38 : procedure::write;  // RFC 7530: OP_WRITE
    file = &open_file(to_server, call.xid, procedure, call.version, chunk);
  } else {
    file->chunk_count += 1;  // Suricata does not count the one that began it
  }
  if (write.is_last) {
    file->last_xid = call.xid;
  }
  append_chunk(*file, to_server, chunk);
}

void NfsParser::take_read(const nfs::Reply& reply, const nfs::Read& read, const Asked& asked) {
  if (read.count == 0 || read.count > chunk_bytes_max) {
    return;
  }
  const bool is_end =
      read.is_end || (asked.version == 2 && read.file_bytes == asked.offset + read.data_bytes);
  const Chunk chunk{.handle = asked.handle,
                    .name = asked.name,
                    .offset = asked.offset,
                    .bytes = read.data_bytes,
                    .is_last = is_end,
                    .data = read.data};
  NfsTransaction* file = find_file(asked.handle, to_client);
  if (file == nullptr) {
    const uint32_t procedure = asked.version == 4 ? 25 : procedure::read;  // RFC 7530: OP_READ
    // Suricata does not note the version where it did not see the file asked for.
    file = &open_file(to_client, reply.xid, procedure, 0, chunk);
  } else {
    file->chunk_count += 1;
  }
  file->shown_version = version_;
  if (is_end) {
    file->last_xid = reply.xid;
    file->rpc_status = reply.state;
    file->status = read.status;
    file->reach(to_server, Progress::complete);
  }
  append_chunk(*file, to_client, chunk);
}

void NfsParser::take_reply2(const nfs::Reply& reply, const Asked& asked) {
  if (asked.procedure != procedure::read) {
    answer(reply.xid, reply.state, status_of(reply), {});
    return;
  }
  nfs::Read read;
  if (nfs::read_read2(reply.data, read) == Reading::good) {
    take_read(reply, read, asked);
  } else {
    raise(AppEvent::nfs_malformed_data);
  }
}

void NfsParser::take_reply3(const nfs::Reply& reply, const Asked& asked) {
  ByteReader reader(reply.data);
  Bytes handle;
  bool is_sound = true;
  switch (asked.procedure) {
    case procedure::lookup:
      reader.skip(4);
      handle = nfs::take_handle(reader);
      is_sound = !reader.failed();
      if (is_sound) {
        learn(handle, asked.name);
      }
      break;
    case procedure::create: {
      reader.skip(4);
      const uint32_t has_handle = reader.big32();
      handle = has_handle == 1 ? nfs::take_handle(reader) : Bytes{};
      is_sound = !reader.failed() && has_handle <= 1;
      if (is_sound && has_handle == 1) {
        learn(handle, asked.name);
      }
      break;
    }
    case procedure::read: {
      nfs::Read read;
      is_sound = nfs::read_read3(reply.data, read) == Reading::good;
      if (is_sound) {
        take_read(reply, read, asked);
      }
      break;
    }
    case procedure::readdirplus:
      is_sound = learn_directory(reply.data);
      break;
    default:
      break;
  }
  if (!is_sound) {
    raise(AppEvent::nfs_malformed_data);
  }
  if (asked.procedure != procedure::read) {
    answer(reply.xid, reply.state, is_sound ? status_of(reply) : 0, is_sound ? handle : Bytes{});
  }
}

/// The names of a directory's files, with their handles. Source: RFC 1813, section 3.3.17.
bool NfsParser::learn_directory(Bytes data) {
  constexpr size_t attribute_bytes = 84;
  ByteReader reader(data);
  reader.skip(4);
  uint32_t has_more = reader.big32();
  reader.skip(has_more == 1 ? attribute_bytes : 0);
  reader.skip(8);
  if (reader.failed() || has_more > 1) {
    return false;
  }
  while (reader.big32() == 1) {
    reader.skip(8);
    const Bytes name = nfs::take_string(reader);
    reader.skip(8);
    has_more = reader.big32();
    reader.skip(has_more == 1 ? attribute_bytes : 0);
    const uint32_t has_handle = reader.big32();
    const Bytes handle = has_handle == 1 ? nfs::take_handle(reader) : Bytes{};
    if (reader.failed() || has_more > 1 || has_handle > 1) {
      break;
    }
    if (has_handle == 1) {
      learn(handle, name);
    }
  }
  return true;
}

}  // namespace shrike::protocol
