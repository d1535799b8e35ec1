// Version 4: one call is a list of operations (RFC 7530, section 16; RFC 8881, section 18).
#include <algorithm>
#include <array>

#include "nfs.h"

namespace shrike::protocol {

using enum Direction;

namespace nfs {

/// One of the list, as far as it matters here.
struct Operation {
  uint32_t number = 0;
  uint32_t status = 0;
  Bytes text;  ///< a name or a handle
  uint64_t offset = 0;
  bool is_last = false;  ///< a write that is final, a read that reached the end
  uint32_t data_bytes = 0;
  Bytes data;
};

}  // namespace nfs

namespace {

namespace operation {
constexpr uint32_t access = 3, close = 4, commit = 5, create = 6, return_delegation = 8,
                   get_attributes = 9, get_handle = 10, lookup = 15, open = 18, confirm_open = 20,
                   put_handle = 22, put_root_handle = 24, read = 25, read_directory = 26,
                   remove = 28, rename = 29, renew = 30, save_handle = 32, set_attributes = 34,
                   set_client = 35, confirm_client = 36, write = 38, exchange_id = 42,
                   create_session = 43, destroy_session = 44, get_device = 47, get_layout = 50,
                   return_layout = 51, no_name_security = 52, sequence = 53, destroy_client = 57,
                   reclaimed = 58;
}  // namespace operation

/// Linux takes 16 (NFSD_MAX_OPS_PER_COMPOUND); Suricata reads so many.
constexpr size_t operations_max = 64;
constexpr size_t state_bytes = 16, change_bytes = 20, channel_bytes = 28;

using nfs::Operation;

struct Compound {
  std::array<Operation, operations_max> operations;
  size_t count = 0;
};

void skip_bits(ByteReader& reader) noexcept {
  const uint32_t count = reader.big32();
  reader.skip(4);
  reader.skip(count >= 2 ? 4 : 0);
  reader.skip(count == 3 ? 4 : 0);
}

void skip_attributes(ByteReader& reader) noexcept {
  skip_bits(reader);
  static_cast<void>(nfs::take_counted(reader));
}

void skip_strings(ByteReader& reader, size_t count) noexcept {
  for (size_t i = 0; i < count; ++i) {
    static_cast<void>(nfs::take_string(reader));
  }
}

void take_data(ByteReader& reader, Operation& operation) noexcept {
  operation.data_bytes = reader.big32();
  operation.data = reader.take(operation.data_bytes);
  reader.skip(std::min<size_t>((4 - operation.data.size() % 4) % 4, reader.left()));
}

bool read_open(ByteReader& reader, Operation& operation) noexcept {
  constexpr uint32_t creates = 1, exclusive = 2;
  reader.skip(20);  // sequence, access, denial, client
  static_cast<void>(nfs::take_counted(reader));
  if (reader.big32() == creates) {
    const uint32_t mode = reader.big32();
    if (mode > exclusive) {
      return false;
    }
    if (mode == exclusive) {
      reader.skip(8);
    } else {
      skip_attributes(reader);
    }
  }
  reader.skip(4);
  operation.text = nfs::take_string(reader);
  return true;
}

/// Operations of fixed length.
/// @return false where it is none of them.
bool skip_fixed_request(ByteReader& reader, uint32_t number) noexcept {
  switch (number) {
    case operation::get_handle:
    case operation::save_handle:
    case operation::put_root_handle:
      return true;
    case operation::access:
    case operation::no_name_security:
    case operation::reclaimed:
      return reader.skip(4) || true;
    case operation::renew:
    case operation::destroy_client:
      return reader.skip(8) || true;
    case operation::commit:
      return reader.skip(12) || true;
    case operation::return_delegation:
    case operation::confirm_client:
    case operation::destroy_session:
      return reader.skip(16) || true;
    case operation::close:
    case operation::confirm_open:
      return reader.skip(4 + state_bytes) || true;
    case operation::sequence:
    case operation::get_device:
      return reader.skip(32) || true;
    case operation::get_layout:
      return reader.skip(40 + state_bytes) || true;
    default:
      return false;
  }
}

/// Operations about clients, sessions and layouts.
/// @return false where it is none of them.
bool skip_session_request(ByteReader& reader, uint32_t number) noexcept {
  switch (number) {
    case operation::set_client:
      reader.skip(8);
      skip_strings(reader, 1);
      reader.skip(4);
      skip_strings(reader, 2);
      reader.skip(4);
      break;
    case operation::exchange_id:
      reader.skip(8);
      skip_strings(reader, 1);
      reader.skip(12);
      skip_strings(reader, 2);
      reader.skip(12);
      break;
    case operation::create_session:
      reader.skip(32 + 2 * channel_bytes);
      skip_strings(reader, 1);
      reader.skip(reader.left());
      break;
    case operation::return_layout:
      reader.skip(32 + state_bytes);
      skip_strings(reader, 1);
      break;
    default:
      return false;
  }
  return true;
}

bool read_request(ByteReader& reader, Operation& operation) noexcept {
  constexpr uint32_t file_sync = 2, link = 5;
  operation.number = reader.big32();
  if (skip_fixed_request(reader, operation.number)) {
    return !reader.failed();
  }
  switch (operation.number) {
    case operation::put_handle:
      operation.text = nfs::take_handle(reader);
      break;
    case operation::read:
      reader.skip(state_bytes);
      operation.offset = reader.big64();
      reader.skip(4);
      break;
    case operation::write:
      reader.skip(state_bytes);
      operation.offset = reader.big64();
      operation.is_last = reader.big32() == file_sync;
      take_data(reader, operation);
      break;
    case operation::open:
      if (!read_open(reader, operation)) {
        return false;
      }
      break;
    case operation::lookup:
    case operation::remove:
      operation.text = nfs::take_string(reader);
      break;
    case operation::rename:
      skip_strings(reader, 2);
      break;
    case operation::create:
      skip_strings(reader, reader.big32() == link ? 1 : 0);
      operation.text = nfs::take_string(reader);
      skip_attributes(reader);
      break;
    case operation::get_attributes:
      skip_bits(reader);
      break;
    case operation::set_attributes:
      reader.skip(state_bytes);
      skip_attributes(reader);
      break;
    case operation::read_directory:
      reader.skip(24);
      skip_bits(reader);
      break;
    default:
      if (!skip_session_request(reader, operation.number)) {
        return false;
      }
      break;
  }
  return !reader.failed();
}

bool skip_delegation(ByteReader& reader) noexcept {
  constexpr uint32_t none = 0, of_reading = 1, of_writing = 2;
  switch (reader.big32()) {
    case none:
      return true;
    case of_reading:
      reader.skip(state_bytes + 16);
      static_cast<void>(nfs::take_counted(reader));
      return true;
    case of_writing:
      reader.skip(state_bytes + 24);
      skip_strings(reader, 1);
      return true;
    default:
      return false;
  }
}

bool skip_directory(ByteReader& reader) noexcept {
  reader.skip(8);
  while (!reader.failed()) {
    const uint32_t has_more = reader.big32();
    if (has_more != 1) {
      reader.skip(4);
      return has_more == 0;
    }
    reader.skip(8);
    skip_strings(reader, 1);
    skip_attributes(reader);
  }
  return false;
}

void skip_layout(ByteReader& reader) noexcept {
  reader.skip(4 + state_bytes + 4 + 16 + 12 + 16 + 16);
  const uint32_t handles = reader.big32();
  for (uint32_t i = 0; i < handles && !reader.failed(); ++i) {
    static_cast<void>(nfs::take_counted(reader));
  }
}

/// What follows the status of an operation that went well.
bool read_good_result(ByteReader& reader, Operation& operation) noexcept {
  switch (operation.number) {
    case operation::read:
      operation.is_last = reader.big32() == 1;
      take_data(reader, operation);
      break;
    case operation::write:
    case operation::confirm_open:
    case operation::close:
      reader.skip(16);
      break;
    case operation::access:
    case operation::commit:
      reader.skip(8);
      break;
    case operation::get_handle:
      operation.text = nfs::take_handle(reader);
      break;
    case operation::read_directory:
      return skip_directory(reader);
    case operation::get_attributes:
      skip_attributes(reader);
      break;
    case operation::set_attributes:
      skip_bits(reader);
      break;
    case operation::open:
      reader.skip(state_bytes + change_bytes + 4);
      skip_bits(reader);
      return skip_delegation(reader);
    case operation::remove:
      reader.skip(change_bytes);
      break;
    case operation::create:
      reader.skip(change_bytes);
      skip_bits(reader);
      break;
    case operation::exchange_id:
      reader.skip(28);
      skip_strings(reader, 2);
      reader.skip(4);
      skip_strings(reader, 2);
      reader.skip(12);
      break;
    case operation::sequence:
      reader.skip(36);
      break;
    case operation::create_session:
      reader.skip(24 + 2 * channel_bytes);
      break;
    case operation::get_layout:
      skip_layout(reader);
      break;
    case operation::get_device:
      reader.skip(24);
      skip_strings(reader, 2);
      reader.skip(4);
      break;
    default:
      break;
  }
  return true;
}

bool is_known_result(uint32_t number) noexcept {
  ByteReader nothing({});
  return skip_fixed_request(nothing, number) || number == operation::put_handle ||
         number == operation::read || number == operation::write || number == operation::open ||
         number == operation::lookup || number == operation::remove ||
         number == operation::rename || number == operation::create ||
         number == operation::get_attributes || number == operation::set_attributes ||
         number == operation::read_directory || number == operation::set_client ||
         number == operation::exchange_id || number == operation::create_session ||
         number == operation::return_layout;
}

bool read_result(ByteReader& reader, Operation& operation) noexcept {
  operation.number = reader.big32();
  operation.status = reader.big32();
  if (reader.failed() || !is_known_result(operation.number)) {
    return false;
  }
  // These have the same form, whatever the status.
  if (operation.number == operation::set_client) {
    reader.skip(12);
  } else if (operation.number == operation::return_layout ||
             operation.number == operation::no_name_security) {
    reader.skip(4);
  } else if (operation.status == 0 && !read_good_result(reader, operation)) {
    return false;
  }
  return !reader.failed();
}

template <typename ReadOne>
bool read_compound(ByteReader& reader, Compound& compound, ReadOne read_one) noexcept {
  compound.count = reader.big32();
  if (reader.failed() || compound.count > operations_max) {
    compound.count = 0;
    return false;
  }
  for (size_t i = 0; i < compound.count; ++i) {
    if (!read_one(reader, compound.operations[i])) {
      return false;
    }
  }
  return true;
}

/// What RPCSEC_GSS wraps for integrity (RFC 2203, section 5.3.2.2).
bool unwrap(Bytes& data) noexcept {
  constexpr uint32_t wrapped_bytes_max = 4096;
  ByteReader reader(data);
  const uint32_t length = reader.big32();
  reader.skip(4);
  data = reader.take(length);
  return !reader.failed() && length < wrapped_bytes_max;
}

}  // namespace

void NfsParser::take_call4(const nfs::Call& call) {
  constexpr uint32_t integrity = 2;
  leaves_fill_ = true;  // these records always come whole
  Bytes data = call.data;
  const bool is_wrapped = call.gss_procedure == 0 && call.gss_service == integrity;
  if (call.procedure == nfs::procedure::compound && is_wrapped && !unwrap(data)) {
    raise(AppEvent::nfs_malformed_data);
    return;
  }
  Asked& asked = ask(call);
  if (call.procedure != nfs::procedure::compound) {
    return;
  }
  asked.gss_procedure = call.gss_procedure;
  asked.gss_service = is_wrapped ? integrity : 0;
  Compound compound;
  ByteReader reader(data);
  static_cast<void>(nfs::take_counted(reader));  // a tag
  reader.skip(4);
  if (!read_compound(reader, compound, read_request)) {
    raise(AppEvent::nfs_malformed_data);
    return;
  }
  take_operations(call, std::span(compound.operations).first(compound.count), asked);
}

/// What a list of operations asks for. A handle is put before what is done with it.
void NfsParser::take_operations(const nfs::Call& call, std::span<const nfs::Operation> operations,
                                Asked& asked) {
  const Operation* handle = nullptr;
  uint32_t main_operation = 0;
  for (const Operation& each : operations) {
    switch (each.number) {
      case operation::put_handle:
        handle = &each;
        break;
      case operation::read:
        if (handle != nullptr) {
          asked.offset = each.offset;
          asked.handle.assign(handle->text.begin(), handle->text.end());
          name_it(asked);
        }
        break;
      case operation::write:
        if (handle != nullptr) {
          take_write(call, {.handle = handle->text,
                            .offset = each.offset,
                            .count = each.data_bytes,
                            .is_last = each.is_last,
                            .data_bytes = each.data_bytes,
                            .data = each.data});
        }
        break;
      case operation::commit:
      case operation::close:
        if (handle != nullptr) {
          close_file(handle->text, call.xid, false);
        }
        break;
      case operation::create:
        if (handle != nullptr) {
          asked.handle.assign(handle->text.begin(), handle->text.end());
        }
        [[fallthrough]];
      case operation::remove:
        main_operation = each.number;
        [[fallthrough]];
      case operation::open:
      case operation::lookup:
        name_it(asked, each.text);
        break;
      default:
        break;
    }
  }
  if (main_operation != 0) {
    open(call, main_operation, asked);
  }
}

void NfsParser::take_reply4(const nfs::Reply& reply, Asked& asked) {
  constexpr uint32_t integrity = 2;
  leaves_fill_ = true;
  if (asked.procedure != nfs::procedure::compound) {
    return;
  }
  Bytes data = reply.data;
  Compound compound;
  const bool is_wrapped = asked.gss_procedure == 0 && asked.gss_service == integrity;
  const bool is_sound = !is_wrapped || unwrap(data);
  ByteReader reader(data);
  reader.skip(4);
  static_cast<void>(nfs::take_counted(reader));  // a tag
  if (!is_sound || !read_compound(reader, compound, read_result)) {
    raise(AppEvent::nfs_malformed_data);
    return;
  }
  bool was_opened = false;
  const Operation* main_operation = nullptr;
  for (const Operation& each : std::span(compound.operations).first(compound.count)) {
    switch (each.number) {
      case operation::remove:
      case operation::create:
        main_operation = &each;
        break;
      case operation::read:
        if (each.status == 0) {
          take_read(reply,
                    {.count = each.data_bytes,
                     .is_end = each.is_last,
                     .data_bytes = each.data_bytes,
                     .data = each.data},
                    asked);
        }
        break;
      case operation::open:
        was_opened = was_opened || each.status == 0;
        break;
      case operation::get_handle:
        if (each.status == 0 && was_opened) {
          learn(each.text, asked.name);
        }
        break;
      case operation::put_root_handle:
        if (each.status == 0 && asked.name.empty()) {
          name_it(asked, as_bytes("<mount_root>"));
        }
        break;
      default:
        break;
    }
  }
  if (main_operation != nullptr) {
    answer(reply.xid, reply.state, main_operation->status, {});
  }
}

}  // namespace shrike::protocol
