// SMB1: reads, writes, and the transactions that carry calls and file information.
#include <algorithm>

#include "smb.h"

namespace shrike::protocol {

using smb::Command1;
using smb::KeyKind;
using smb::Record1;

namespace {

constexpr uint8_t version = 1;
/// Kept of a partial answer: a record's data has a 16-bit length.
constexpr size_t answer_bytes_max = 65535;

struct WriteData {
  Bytes fid;
  uint64_t offset = 0;
  uint32_t bytes = 0;
  Bytes data;
};

/// @param at of the command in the record's data; the offset of its data counts from the record.
std::optional<WriteData> read_write_andx(const Record1& record, size_t at) noexcept {
  ByteReader reader(record.data.subspan(at));
  const uint8_t words = reader.u8();
  reader.skip(4);
  WriteData result;
  result.fid = reader.take(2);
  result.offset = reader.little32();
  reader.skip(8);
  const uint32_t high = reader.little16();
  result.bytes = high << 16 | reader.little16();
  const size_t data_offset = reader.little16();
  constexpr uint8_t words_with_high_offset = 14;
  if (words == words_with_high_offset) {
    result.offset |= uint64_t{reader.little32()} << 32;
  }
  reader.skip(3);  // count of bytes, padding
  const size_t fixed =
      smb::header1_bytes + at + 28 + (words == words_with_high_offset ? size_t{4} : size_t{0});
  reader.skip(data_offset > fixed ? data_offset - fixed : 0);
  result.data = reader.rest();
  return reader.failed() ? std::nullopt : std::optional(result);
}

std::optional<WriteData> read_write(const Record1& record) noexcept {
  ByteReader reader(record.data);
  reader.skip(1);
  WriteData result;
  result.fid = reader.take(2);
  reader.skip(2);
  result.offset = reader.little32();
  reader.skip(5);
  result.bytes = reader.little16();
  result.data = reader.take(result.bytes);
  return reader.failed() ? std::nullopt : std::optional(result);
}

std::optional<WriteData> read_write_and_close(const Record1& record) noexcept {
  ByteReader reader(record.data);
  reader.skip(1);
  WriteData result;
  result.fid = reader.take(2);
  result.bytes = reader.little16();
  result.offset = reader.little32();
  reader.skip(4);
  const uint16_t all_bytes = reader.little16();
  reader.skip(all_bytes > result.bytes ? all_bytes - result.bytes : 0);
  result.data = reader.take(result.bytes);
  return reader.failed() ? std::nullopt : std::optional(result);
}

std::optional<WriteData> read_any_write(const Record1& record, uint8_t command,
                                        size_t at) noexcept {
  switch (static_cast<Command1>(command)) {
    case Command1::write_andx:
      return read_write_andx(record, at);
    case Command1::write:
      return read_write(record);
    default:
      return read_write_and_close(record);
  }
}

struct PipeTransaction {
  Bytes fid;  ///< empty: goes to no open pipe
  Bytes data;
};

/// Source: MS-CIFS 2.2.4.33.1. Padding is found as Suricata finds it.
std::optional<PipeTransaction> read_transaction(const Record1& record, Pool& pool) {
  ByteReader reader(record.data);
  const uint8_t words = reader.u8();
  reader.skip(18);
  const uint16_t parameter_bytes = reader.little16();
  const size_t parameter_offset = reader.little16();
  const uint16_t data_bytes = reader.little16();
  const size_t data_offset = reader.little16();
  const uint8_t setup_words = reader.u8();
  reader.skip(1);
  PipeTransaction result;
  if (words == 16 && setup_words == 2 && data_bytes > 0) {
    reader.skip(2);
    result.fid = reader.take(2);
  }
  reader.skip(2);
  const auto offset = [&] { return smb::header1_bytes + record.data.size() - reader.left(); };
  if (record.is_unicode() && offset() % 2 == 1) {
    reader.skip(1);
  }
  if (reader.failed() || !smb::read_text(reader, record.is_unicode(), pool)) {
    return std::nullopt;
  }
  if (data_bytes == 0) {
    return result;
  }
  const bool is_there = offset() == parameter_offset || offset() == data_offset;
  reader.skip(is_there ? 0 : offset() % 4);
  reader.skip(parameter_bytes);
  reader.skip(offset() == data_offset ? 0 : offset() % 4);
  result.data = reader.take(data_bytes);
  return reader.failed() ? std::nullopt : std::optional(result);
}

std::optional<Bytes> read_transaction_answer(const Record1& record) noexcept {
  ByteReader reader(record.data);
  const uint8_t words = reader.u8();
  if (words == 0) {
    reader.skip(2);
    return reader.failed() ? std::nullopt : std::optional(Bytes{});
  }
  reader.skip(12);
  const uint16_t data_bytes = reader.little16();
  const size_t data_offset = reader.little16();
  reader.skip(7);
  const size_t fixed = 36 + 2 * size_t{words};
  reader.skip(data_offset > fixed ? data_offset - fixed : 0);
  const Bytes data = reader.take(data_bytes);
  return reader.failed() ? std::nullopt : std::optional(data);
}

struct Transaction2 {
  uint16_t sub_command = 0;
  Bytes parameters;
  Bytes data;
};
std::optional<Transaction2> read_transaction2(const Record1& record) noexcept {
  ByteReader reader(record.data);
  reader.skip(19);
  const uint16_t parameter_bytes = reader.little16();
  const size_t parameter_end = size_t{reader.little16()} + parameter_bytes;
  const uint16_t data_bytes = reader.little16();
  const size_t data_offset = reader.little16();
  reader.skip(2);
  Transaction2 result;
  result.sub_command = reader.little16();
  reader.skip(5);
  result.parameters = reader.take(parameter_bytes);
  reader.skip(data_offset > parameter_end ? data_offset - parameter_end : 0);
  result.data = reader.take(data_bytes);
  return reader.failed() || parameter_end > UINT16_MAX ? std::nullopt : std::optional(result);
}

/// The new name in the data of a rename.
std::optional<PoolBytes> read_new_name(Bytes data, Pool& pool) {
  ByteReader reader(data);
  reader.skip(8);
  const uint32_t bytes = reader.little32();
  const Bytes name = reader.take(bytes);
  return reader.failed() ? std::nullopt : std::optional(smb::without_zeros(name, pool));
}

}  // namespace

void SmbParser::request_read(const Record1& record, size_t at) {
  ByteReader reader(record.data.subspan(at));
  const uint8_t words = reader.u8();
  reader.skip(4);
  const Bytes fid = reader.take(2);
  uint64_t offset = reader.little32();
  reader.skip(10);
  constexpr uint8_t words_with_high_offset = 12;
  // Without the upper half Suricata counts from the beginning of the file.
  offset = words == words_with_high_offset ? uint64_t{reader.little32()} << 32 | offset : 0;
  if (!reader.failed()) {
    reads_.put(smb::key_of(record, KeyKind::read_offset),
               {smb::FileId::of(fid, record.user_id), offset});
  }
}

void SmbParser::take_write(const Record1& record, uint8_t command, size_t at) {
  const auto write = read_any_write(record, command, at);
  if (write) {
    const Chunk chunk{
        .file = smb::FileId::of(write->fid, record.user_id),
        .offset = write->offset,
        .bytes = write->bytes,
        .data = write->data.first(std::min<size_t>(write->data.size(), write->bytes))};
    const smb::Key share = smb::key_of(record, KeyKind::share);
    const auto andx = static_cast<uint8_t>(Command1::write_andx);
    if (!write_chunk(Direction::to_server, version, andx, share, chunk)) {
      write_pipe(version, command, smb::key_of(record, KeyKind::header), chunk.data);
    }
    if (command == static_cast<uint8_t>(Command1::write_and_close)) {
      close_file(chunk.file, Direction::to_server, false);
    }
  }
  generic_request(record, !write);
}

void SmbParser::take_read(const Record1& record, size_t at) {
  if (record.status != smb::status_success) {
    generic_response(record, false);
    return;
  }
  ByteReader reader(record.data.subspan(at));
  const uint8_t words = reader.u8();
  reader.skip(10);
  const uint16_t low = reader.little16();
  const size_t data_offset = reader.little16();
  const uint32_t high = reader.little32();
  reader.skip(6);
  const uint16_t all_bytes = reader.little16();
  reader.skip(all_bytes > low ? all_bytes - low : 0);
  const size_t fixed = 36 + 2 * size_t{words};
  reader.skip(data_offset > fixed ? data_offset - fixed : 0);
  if (reader.failed()) {
    generic_response(record, true);
    return;
  }
  const auto request = reads_.take(smb::key_of(record, KeyKind::read_offset));
  if (!request) {
    return;
  }
  Chunk chunk{.file = request->file,
              .offset = request->offset,
              .bytes = high << 16 | low,
              .data = reader.rest()};
  chunk.data =
      chunk.data.first(static_cast<size_t>(std::min<uint64_t>(chunk.data.size(), chunk.bytes)));
  const auto command = static_cast<uint8_t>(Command1::read_andx);
  const smb::Key share = smb::key_of(record, KeyKind::share);
  if (!write_chunk(Direction::to_client, version, command, share, chunk)) {
    read_pipe(version, command, smb::key_of(record, KeyKind::header), smb::status_success,
              smb::FileId::of(chunk.file.all().first(2)), chunk.data);
  }
  generic_response(record, false);
}

void SmbParser::take_transaction(const Record1& record) {
  const auto found = read_transaction(record, pool());
  if (found && !found->fid.empty()) {
    files_by_key_.put(smb::key_of(record, KeyKind::file_id), smb::FileId::of(found->fid));
    if (is_rpc_pipe(smb::FileId::of(found->fid, record.user_id))) {
      write_pipe(version, record.command, smb::key_of(record, KeyKind::header), found->data);
    }
  }
  generic_request(record, !found);
}

void SmbParser::take_transaction_answer(const Record1& record) {
  const auto data = read_transaction_answer(record);
  if (data) {
    const auto fid =
        files_by_key_.take(smb::key_of(record, KeyKind::file_id)).value_or(smb::FileId{});
    if (record.status == smb::status_buffer_overflow) {  // the rest is read later
      const Bytes kept = data->first(std::min(data->size(), answer_bytes_max));
      fragments_.put({smb::key_of(record, KeyKind::fragment), fid},
                     PoolBytes(kept.begin(), kept.end(), pool()));
    } else if (is_rpc_pipe(smb::FileId::of(fid.all(), record.user_id))) {
      read_pipe(version, record.command, smb::key_of(record, KeyKind::header), record.status, fid,
                *data);
    }
  }
  generic_response(record, !data);
}

bool SmbParser::rename(const Record1& record) {
  ByteReader reader(record.data);
  reader.skip(6);
  const auto old_name = smb::read_text(reader, true, pool());
  reader.skip(2);
  const auto new_name = smb::read_text(reader, true, pool());
  if (reader.failed() || !old_name || !new_name) {
    return false;
  }
  Transaction& transaction =
      open(Kind::rename, version, record.command, smb::key_of(record, KeyKind::generic));
  transaction.name = transaction.keep(Bytes(smb::without_zeros(*old_name, pool())));
  transaction.second_name = transaction.keep(Bytes(smb::without_zeros(*new_name, pool())));
  finish(transaction, Direction::to_server);
  return true;
}

/// SET_PATH_INFORMATION and SET_FILE_INFORMATION: renaming and deleting.
bool SmbParser::take_transaction2(const Record1& record) {
  constexpr uint16_t set_path = 6;
  constexpr uint16_t set_file = 8;
  constexpr uint16_t rename_level = 1010;
  constexpr uint16_t disposition_level = 1013;
  const auto found = read_transaction2(record);
  if (!found || (found->sub_command != set_path && found->sub_command != set_file)) {
    return false;
  }
  ByteReader reader(found->parameters);
  const bool has_path = found->sub_command == set_path;
  const Bytes fid = has_path ? Bytes{} : reader.take(2);
  const uint16_t level = reader.little16();
  reader.skip(has_path ? 4 : 0);
  const auto path =
      has_path ? smb::read_text(reader, true, pool()) : std::optional(PoolBytes(pool()));
  if (reader.failed() || !path || (level != rename_level && level != disposition_level)) {
    return false;
  }
  const Bytes name =
      has_path ? Bytes(*path) : name_of(smb::FileId::of(fid, record.user_id), "<unknown>");
  const smb::Key key = smb::key_of(record, KeyKind::generic);
  if (level == rename_level) {
    const auto new_name = read_new_name(found->data, pool());
    if (!new_name) {
      return false;
    }
    Transaction& transaction = open(Kind::rename, version, record.command, key);
    transaction.name = transaction.keep(name);
    transaction.second_name = transaction.keep(Bytes(*new_name));
    transaction.file_id = smb::FileId::of(fid);
    finish(transaction, Direction::to_server);
    return true;
  }
  if (found->data.empty()) {
    return false;
  }
  Transaction& transaction = open(Kind::set_information, version, record.command, key);
  transaction.name = transaction.keep(name);
  transaction.file_id = smb::FileId::of(fid);
  transaction.sub_command = found->sub_command;
  transaction.information_level = level;
  transaction.creation.deletes_on_close = (found->data[0] & 1) != 0;
  finish(transaction, Direction::to_server);
  return true;
}

void SmbParser::generic_request(const Record1& record, bool is_malformed) {
  const auto command = static_cast<Command1>(record.command);
  const bool has_none = command == Command1::read_andx || command == Command1::write_andx ||
                        command == Command1::transaction || command == Command1::transaction2;
  if (has_none && !is_malformed) {
    return;
  }
  Transaction& transaction =
      open_generic(version, record.command, smb::key_of(record, KeyKind::generic));
  if (is_malformed) {
    transaction.raise_both(AppEvent::smb_malformed_data);
  }
}

void SmbParser::generic_response(const Record1& record, bool is_malformed) {
  const smb::Key key = smb::key_of(record, KeyKind::generic);
  Transaction* transaction = find_generic(version, record.command, key);
  if (transaction == nullptr && is_malformed) {
    transaction = &open_generic(version, record.command, key);
  }
  if (transaction == nullptr) {
    return;
  }
  if (is_malformed) {
    transaction->raise_both(AppEvent::smb_malformed_data);
  }
  finish(*transaction, Direction::to_server);
  answer(*transaction, record.status, record.is_dos_error());
}

}  // namespace shrike::protocol
