#include "nfs_records.h"

#include <algorithm>

namespace shrike::protocol::nfs {

namespace {

/// More than any implementation sends; Suricata's bounds.
constexpr uint32_t machine_bytes_max = 256, credentials_bytes_max = 4096;
constexpr size_t attribute_bytes3 = 84, attribute_bytes2 = 68;

Reading cut_or_good(const ByteReader& reader) noexcept {
  return reader.failed() ? Reading::cut : Reading::good;
}

/// @return false where they are not what their flavor says.
bool read_credentials(Bytes bytes, Call& call) noexcept {
  constexpr uint32_t unix_flavor = 1, gss_flavor = 6;
  ByteReader reader(bytes);
  if (call.flavor == unix_flavor) {
    reader.skip(4);
    const uint32_t machine_bytes = reader.big32();
    if (machine_bytes >= machine_bytes_max) {
      return false;
    }
    call.machine = reader.take(machine_bytes);
    call.user = reader.big32();
    call.group = reader.big32();
  } else if (call.flavor == gss_flavor) {
    reader.skip(4);
    call.gss_procedure = reader.big32();
    reader.skip(4);
    call.gss_service = reader.big32();
    reader.skip(reader.big32());
  }
  return !reader.failed();
}

}  // namespace

Reading read_call(Bytes message, Call& call) noexcept {
  ByteReader reader(message);
  call.xid = reader.big32();
  call.type = reader.big32();
  call.rpc_version = reader.big32();
  call.program = reader.big32();
  call.version = reader.big32();
  call.procedure = reader.big32();
  call.flavor = reader.big32();
  const uint32_t credentials_bytes = reader.big32();
  if (call.type > 1 || credentials_bytes >= credentials_bytes_max) {
    return Reading::bad;
  }
  const Bytes credentials = reader.take(credentials_bytes);
  if (!reader.failed() && !read_credentials(credentials, call)) {
    return Reading::bad;
  }
  reader.skip(4);
  const uint32_t verifier_bytes = reader.big32();
  if (verifier_bytes >= credentials_bytes_max) {
    return Reading::bad;
  }
  reader.skip(verifier_bytes);
  call.data = reader.rest();
  return cut_or_good(reader);
}

Reading read_reply(Bytes message, Reply& reply) noexcept {
  ByteReader reader(message);
  reply.xid = reader.big32();
  reply.type = reader.big32();
  reply.state = reader.big32();
  reader.skip(4);
  const uint32_t verifier_bytes = reader.big32();
  if (reply.type > 1 || reply.state > 1 || verifier_bytes >= credentials_bytes_max) {
    return Reading::bad;
  }
  reader.skip(verifier_bytes);
  reply.accept_state = reader.big32();
  reply.data = reader.rest();
  return cut_or_good(reader);
}

Reading read_datagram_reply(Bytes message, Reply& reply) noexcept {
  ByteReader reader(message);
  reply.xid = reader.big32();
  reply.type = reader.big32();
  reader.skip(4);
  const uint32_t verifier_bytes = reader.big32();
  if (reply.type > 1 || verifier_bytes >= credentials_bytes_max) {
    return Reading::bad;
  }
  reader.skip(verifier_bytes);
  reply.state = reader.big32();
  reply.accept_state = reader.big32();
  reply.data = reader.rest();
  return reply.state > 1 ? Reading::bad : cut_or_good(reader);
}

Bytes take_counted(ByteReader& reader) noexcept {
  return reader.take(reader.big32());
}

Bytes take_handle(ByteReader& reader) noexcept {
  constexpr size_t handle_bytes_max = 128;
  const Bytes handle = take_counted(reader);
  return handle.first(std::min(handle.size(), handle_bytes_max));
}

Bytes take_string(ByteReader& reader) noexcept {
  const Bytes text = take_counted(reader);
  reader.skip((4 - text.size() % 4) % 4);
  return text;
}

Reading read_write3(Bytes data, Write& write) noexcept {
  constexpr uint32_t file_sync = 2;
  ByteReader reader(data);
  write.handle = take_handle(reader);
  write.offset = reader.big64();
  write.count = reader.big32();
  const uint32_t stable = reader.big32();
  write.data_bytes = reader.big32();
  if (reader.failed()) {
    return Reading::cut;
  }
  write.is_last = stable == file_sync;
  write.data = reader.rest();
  return stable > file_sync || write.data_bytes > write.count ? Reading::bad : Reading::good;
}

Reading read_read3(Bytes data, Read& read) noexcept {
  ByteReader reader(data);
  read.status = reader.big32();
  const uint32_t has_attributes = reader.big32();
  reader.skip(attribute_bytes3);
  read.count = reader.big32();
  const uint32_t is_end = reader.big32();
  read.data_bytes = reader.big32();
  if (reader.failed()) {
    return Reading::cut;
  }
  read.is_end = is_end != 0;
  read.data = reader.rest();
  return has_attributes > 1 || is_end > 1 || read.data_bytes > read.count ? Reading::bad
                                                                          : Reading::good;
}

Reading read_read2(Bytes data, Read& read) noexcept {
  ByteReader reader(data);
  read.status = reader.big32();
  ByteReader attributes(reader.take(attribute_bytes2));
  constexpr size_t before_size = 20;
  attributes.skip(before_size);
  read.file_bytes = attributes.big32();
  read.data_bytes = reader.big32();
  read.count = read.data_bytes;
  read.data = reader.rest();
  return cut_or_good(reader);
}

}  // namespace shrike::protocol::nfs
