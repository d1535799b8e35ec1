// SMB2 and SMB3: one record, one command. Source: MS-SMB2 section 2.2.
#include <algorithm>

#include "smb.h"

namespace shrike::protocol {

using smb::Command2;
using smb::KeyKind;
using smb::Record2;

namespace {

constexpr uint8_t version = 2;
constexpr size_t guid_bytes = 16;
/// Suricata: max-read-size and max-write-size.
constexpr uint32_t transfer_bytes_max = 16u << 20;
constexpr uint32_t pipe_transceive = 0x0011c017;
constexpr size_t dialects_max = 64;

uint16_t number(Command2 command) noexcept {
  return static_cast<uint16_t>(command);
}

/// Commands whose transactions are files and pipe calls alone.
bool has_generic(uint16_t command) noexcept {
  return command != number(Command2::read) && command != number(Command2::write) &&
         command != number(Command2::get_info) && command != number(Command2::set_info);
}

}  // namespace

void SmbParser::take_request(const Record2& record) {
  if (take_request_of_its_own(record) || !has_generic(record.command)) {
    return;
  }
  open_generic(version, record.command, smb::key_of(record, KeyKind::generic));
}

/// False where the command is to have a plain transaction (with an event where it is malformed).
bool SmbParser::take_request_of_its_own(const Record2& record) {
  switch (static_cast<Command2>(record.command)) {
    case Command2::negotiate:
      return negotiate(record);
    case Command2::session_setup:
      set_up_session(record);
      return true;
    case Command2::tree_connect:
      return connect_tree(record);
    case Command2::tree_disconnect:
      (void)trees_.take(smb::key_of(record, KeyKind::share));
      return false;
    case Command2::create:
      return create(record);
    case Command2::close:
      close(record);
      return false;
    case Command2::read:
      request_read(record);
      return true;
    case Command2::write:
      take_write(record);
      return true;
    case Command2::ioctl:
      control(record);
      return true;
    case Command2::set_info:
      return set_information(record);
    default:
      return false;
  }
}

void SmbParser::take_response(const Record2& record) {
  if (take_response_of_its_own(record)) {
    return;
  }
  Transaction* const transaction =
      find_generic(version, record.command, smb::key_of(record, KeyKind::generic));
  if (transaction == nullptr) {
    return;
  }
  transaction->set_status(record.status, false);
  if (record.status != smb::status_pending) {
    finish(*transaction, Direction::to_client);
  }
}

bool SmbParser::take_response_of_its_own(const Record2& record) {
  switch (static_cast<Command2>(record.command)) {
    case Command2::negotiate:
      return take_negotiated(record);
    case Command2::session_setup:
      take_session(record);
      return true;
    case Command2::tree_connect:
      return take_connected(record);
    case Command2::tree_disconnect:
      (void)trees_.take(smb::key_of(record, KeyKind::share));
      return false;
    case Command2::create:
      return take_created(record);
    case Command2::read:
      if (record.status == smb::status_end_of_file) {
        take_end_of_file(record);
      } else if (record.status == smb::status_success ||
                 record.status == smb::status_buffer_overflow) {
        take_read(record);
      }
      return false;
    case Command2::write:
      (void)files_by_key_.take(smb::key_of(record, KeyKind::file_id));
      return false;
    case Command2::ioctl:
      take_controlled(record);
      return true;
    default:
      return false;
  }
}

bool SmbParser::negotiate(const Record2& record) {
  ByteReader reader(record.data);
  reader.skip(2);
  const uint16_t count = reader.little16();
  reader.skip(8);
  const Bytes client_guid = reader.take(guid_bytes);
  reader.skip(8);
  const Bytes wanted = reader.take(size_t{count} * 2);
  if (reader.failed()) {
    open_generic(version, record.command, smb::key_of(record, KeyKind::generic))
        .raise_both(AppEvent::smb_malformed_data);
    return true;
  }
  if (find_negotiation(version) != nullptr) {
    return true;
  }
  Transaction& transaction =
      open(Kind::negotiate, version, record.command, smb::Key{.kind = KeyKind::header});
  auto& negotiation = transaction.negotiation.emplace(pool());
  negotiation.client_guid = transaction.keep(client_guid);
  for (size_t i = 0; i < count && i < dialects_max; ++i) {
    const uint16_t dialect = load_little16(wanted.data() + 2 * i);
    negotiation.dialects.push_back(transaction.keep(std::string_view(smb::dialect_text(dialect))));
  }
  finish(transaction, Direction::to_server);
  return true;
}

bool SmbParser::take_negotiated(const Record2& record) {
  ByteReader reader(record.data);
  reader.skip(4);
  uint16_t dialect = 0;
  Bytes server_guid;
  if (record.status == smb::status_success) {
    dialect = reader.little16();
    reader.skip(2);
    server_guid = reader.take(guid_bytes);
    reader.skip(8);
    read_bytes_max_ = reader.little32();
    write_bytes_max_ = reader.little32();
  } else {
    read_bytes_max_ = write_bytes_max_ = 0;
  }
  if (reader.failed()) {
    return false;
  }
  if (read_bytes_max_ > transfer_bytes_max) {
    raise(AppEvent::smb_negotiate_max_read_size_too_large);
  }
  if (write_bytes_max_ > transfer_bytes_max) {
    raise(AppEvent::smb_negotiate_max_write_size_too_large);
  }
  if (dialect != 0) {
    set_dialect(smb::dialect_text(dialect));
  }
  Transaction* transaction = find_negotiation(version);
  if (transaction == nullptr) {
    transaction = find_negotiation(1);  // an answer of SMB2 to a question of SMB1
  }
  if (transaction == nullptr) {
    return false;
  }
  transaction->negotiation->server_guid = transaction->keep(server_guid);
  transaction->negotiation->read_bytes_max = read_bytes_max_;
  transaction->negotiation->write_bytes_max = write_bytes_max_;
  answer(*transaction, record.status, false);
  return true;
}

bool SmbParser::connect_tree(const Record2& record) {
  ByteReader reader(record.data);
  reader.skip(6);
  if (reader.failed()) {
    open_generic(version, record.command, smb::key_of(record, KeyKind::generic))
        .raise_both(AppEvent::smb_malformed_data);
    return true;
  }
  // The name's length is taken with it, and its first byte cut off again, as Suricata does.
  PoolBytes name = smb::without_zeros(reader.rest(), pool());
  if (name.size() > 1) {
    name.erase(name.begin());
  }
  Transaction& transaction =
      open(Kind::tree_connect, version, record.command, smb::key_of(record, KeyKind::tree));
  transaction.name = transaction.keep(Bytes(name));
  transaction.add_kept(Direction::to_server, Field::smb_share, transaction.name);
  finish(transaction, Direction::to_server);
  return true;
}

bool SmbParser::take_connected(const Record2& record) {
  Transaction* const transaction = find(Kind::tree_connect, smb::key_of(record, KeyKind::tree));
  if (record.status != smb::status_success) {
    if (transaction != nullptr) {
      answer(*transaction, record.status, false);
    }
    return transaction != nullptr;
  }
  constexpr size_t answer_bytes = 15;
  if (record.data.size() < answer_bytes) {
    return false;
  }
  if (transaction == nullptr) {
    return true;
  }
  transaction->tree.share_type = record.data[2];
  answer_tree(*transaction, record.data[2] == 2);
  transaction->key = smb::key_of(record, KeyKind::header);
  answer(*transaction, record.status, false);
  const Bytes name = transaction->name;
  trees_.put(smb::key_of(record, KeyKind::share),
             {PoolBytes(name.begin(), name.end(), pool()), transaction->tree.is_pipe});
  return true;
}

bool SmbParser::create(const Record2& record) {
  ByteReader reader(record.data);
  reader.skip(36);
  const uint32_t disposition = reader.little32();
  const uint32_t options = reader.little32();
  reader.skip(2);
  const uint16_t name_bytes = reader.little16();
  reader.skip(8);
  const Bytes name_on_wire = reader.take(name_bytes);
  const smb::Key key = smb::key_of(record, KeyKind::generic);
  if (reader.failed()) {
    open_generic(version, record.command, key).raise_both(AppEvent::smb_malformed_data);
    return true;
  }
  const PoolBytes name = smb::without_zeros(name_on_wire, pool());
  names_.put(smb::treeless_key_of(record, KeyKind::file_name), name);
  Transaction& transaction = open(Kind::create, version, record.command, key);
  transaction.name = transaction.keep(Bytes(name));
  transaction.creation.disposition = disposition;
  transaction.creation.deletes_on_close = (options & 0x1000) != 0;
  transaction.creation.is_directory = (options & 1) != 0;
  finish(transaction, Direction::to_server);
  return true;
}

bool SmbParser::take_created(const Record2& record) {
  if (record.status != smb::status_success) {
    return false;
  }
  ByteReader reader(record.data);
  reader.skip(8);
  SmbTransaction::Creation times;
  times.created = smb::unix_seconds(reader.little64());
  times.accessed = smb::unix_seconds(reader.little64());
  times.modified = smb::unix_seconds(reader.little64());
  times.changed = smb::unix_seconds(reader.little64());
  reader.skip(8);
  times.size = reader.little64();
  reader.skip(8);
  const smb::FileId file = smb::FileId::of(reader.take(guid_bytes));
  reader.skip(8);
  if (reader.failed()) {
    return true;
  }
  if (auto name = names_.take(smb::treeless_key_of(record, KeyKind::file_name))) {
    names_by_file_.put(file, std::move(*name));
  }
  Transaction* const transaction =
      find_generic(version, record.command, smb::key_of(record, KeyKind::generic));
  if (transaction != nullptr) {
    answer(*transaction, record.status, false);
    times.disposition = transaction->creation.disposition;
    times.deletes_on_close = transaction->creation.deletes_on_close;
    times.is_directory = transaction->creation.is_directory;
    transaction->creation = times;
    transaction->file_id = file;
  }
  return true;
}

void SmbParser::close(const Record2& record) {
  ByteReader reader(record.data);
  reader.skip(8);
  const smb::FileId file = smb::FileId::of(reader.take(guid_bytes));
  if (reader.failed()) {
    return;
  }
  for (const Direction direction : {Direction::to_server, Direction::to_client}) {
    if (Transaction* const transaction = find_file(file, direction, false)) {
      transaction->set_status(smb::status_success, false);
      close_file(file, direction, true);
    }
  }
}

void SmbParser::request_read(const Record2& record) {
  ByteReader reader(record.data);
  reader.skip(4);
  const uint32_t bytes = reader.little32();
  const uint64_t offset = reader.little64();
  const smb::FileId file = smb::FileId::of(reader.take(guid_bytes));
  reader.skip(16);
  if (reader.failed()) {
    return;
  }
  const bool is_too_large =
      (read_bytes_max_ != 0 && bytes > read_bytes_max_) || bytes > transfer_bytes_max;
  if (!is_too_large) {
    reads_.put(smb::treeless_key_of(record, KeyKind::read_offset), {file, offset});
  }
}

void SmbParser::take_write(const Record2& record) {
  ByteReader reader(record.data);
  reader.skip(4);
  Chunk chunk;
  chunk.bytes = reader.little32();
  chunk.offset = reader.little64();
  chunk.file = smb::FileId::of(reader.take(guid_bytes));
  reader.skip(16);
  if (reader.failed()) {
    raise(AppEvent::smb_malformed_data);
    return;
  }
  const bool is_too_large =
      (write_bytes_max_ != 0 && chunk.bytes > write_bytes_max_) || chunk.bytes > transfer_bytes_max;
  if (is_too_large) {
    raise(AppEvent::smb_write_request_too_large);
    return;
  }
  chunk.data = reader.rest().first(std::min<size_t>(reader.left(), chunk.bytes));
  const smb::Key share = smb::key_of(record, KeyKind::share);
  if (write_chunk(Direction::to_server, version, record.command, share, chunk)) {
    return;
  }
  if (target_of(share, chunk) == Target::rpc_pipe) {
    write_pipe(version, record.command, smb::key_of(record, KeyKind::header), chunk.data);
  }
}

void SmbParser::take_read(const Record2& record) {
  ByteReader reader(record.data);
  reader.skip(4);
  Chunk chunk;
  chunk.bytes = reader.little32();
  reader.skip(8);
  if (reader.failed()) {
    raise(AppEvent::smb_malformed_data);
    return;
  }
  chunk.data = reader.rest().first(std::min<size_t>(reader.left(), chunk.bytes));
  const bool is_too_large =
      (read_bytes_max_ != 0 && chunk.bytes > read_bytes_max_) || chunk.bytes > transfer_bytes_max;
  if (is_too_large) {
    raise(AppEvent::smb_read_response_too_large);
    return;
  }
  const auto request = reads_.take(smb::treeless_key_of(record, KeyKind::read_offset));
  if (!request) {
    return;
  }
  chunk.file = request->file;
  chunk.offset = request->offset;
  const smb::Key share = smb::key_of(record, KeyKind::share);
  if (write_chunk(Direction::to_client, version, record.command, share, chunk)) {
    return;
  }
  if (target_of(share, chunk) == Target::rpc_pipe) {
    read_pipe(version, record.command, smb::key_of(record, KeyKind::header), record.status,
              chunk.file, chunk.data);
  }
}

void SmbParser::take_end_of_file(const Record2& record) {
  const auto request = reads_.take(smb::treeless_key_of(record, KeyKind::read_offset));
  if (!request) {
    return;
  }
  Transaction* const file = find_file(request->file, Direction::to_client, false);
  if (file == nullptr) {
    return;
  }
  if (!file->is_done(Direction::to_server)) {
    file->transfer->close();
  }
  file->set_status(record.status, false);
  finish(*file, Direction::to_server);
}

/// Renaming and deleting; what else can be set is no transaction.
bool SmbParser::set_information(const Record2& record) {
  constexpr uint8_t of_file = 1;
  constexpr uint8_t rename_level = 10;
  constexpr uint8_t disposition_level = 13;
  ByteReader reader(record.data);
  reader.skip(2);
  const uint8_t information_class = reader.u8();
  const uint8_t level = reader.u8();
  const uint32_t bytes = reader.little32();
  reader.skip(8);
  const smb::FileId file = smb::FileId::of(reader.take(guid_bytes));
  ByteReader data(reader.take(bytes));
  if (reader.failed() || information_class != of_file) {
    return false;
  }
  const smb::Key key = smb::key_of(record, KeyKind::generic);
  if (level == rename_level) {
    data.skip(16);
    const uint32_t name_bytes = data.little32();
    const PoolBytes name = smb::without_zeros(data.take(name_bytes), pool());
    if (data.failed()) {
      return false;
    }
    Transaction& transaction = open(Kind::rename, version, record.command, key);
    transaction.name = transaction.keep(name_of(file, "<unknown>"));
    transaction.second_name = transaction.keep(Bytes(name));
    transaction.file_id = file;
    finish(transaction, Direction::to_server);
    return true;
  }
  if (level != disposition_level || data.left() == 0) {
    return false;
  }
  Bytes name = name_of(file, "");
  if (name.empty()) {  // chained behind the command that opens it
    smb::Key before = smb::treeless_key_of(record, KeyKind::file_name);
    const PoolBytes* const pending = before.message-- != 0 ? names_.find(before) : nullptr;
    name = pending != nullptr ? Bytes(*pending) : as_bytes("<unknown>");
  }
  Transaction& transaction = open(Kind::set_information, version, record.command, key);
  transaction.name = transaction.keep(name);
  transaction.file_id = file;
  transaction.sub_command = information_class;
  transaction.information_level = level;
  transaction.creation.deletes_on_close = (data.u8() & 1) != 0;
  finish(transaction, Direction::to_server);
  return true;
}

void SmbParser::control(const Record2& record) {
  ByteReader reader(record.data);
  reader.skip(4);
  const uint32_t function = reader.little32();
  const smb::FileId file = smb::FileId::of(reader.take(guid_bytes));
  reader.skip(4);
  const uint32_t bytes = reader.little32();
  reader.skip(24);
  const Bytes data = reader.take(bytes);
  const smb::Key key = smb::key_of(record, KeyKind::header);
  if (reader.failed()) {
    open_generic(version, record.command, key).raise_both(AppEvent::smb_malformed_data);
    return;
  }
  if (function == pipe_transceive && is_rpc_pipe(file)) {
    write_pipe(version, record.command, key, data);
    return;
  }
  Transaction& transaction = open(Kind::control, version, record.command, key);
  transaction.control_function = function;
  finish(transaction, Direction::to_server);
}

void SmbParser::take_controlled(const Record2& record) {
  ByteReader reader(record.data);
  reader.skip(4);
  const uint32_t function = reader.little32();
  const smb::FileId file = smb::FileId::of(reader.take(guid_bytes));
  reader.skip(4);
  const uint32_t input_bytes = reader.little32();
  reader.skip(4);
  const uint32_t output_bytes = reader.little32();
  reader.skip(8);
  reader.skip(input_bytes);
  const Bytes data = reader.take(output_bytes);
  const smb::Key key = smb::key_of(record, KeyKind::header);
  if (!reader.failed() && function == pipe_transceive && is_rpc_pipe(file)) {
    read_pipe(version, record.command, key, record.status, {}, data);
    return;
  }
  Transaction* const transaction = find_generic(version, record.command, key);
  if (transaction == nullptr) {
    return;
  }
  transaction->set_status(record.status, false);
  if (record.status != smb::status_pending) {
    finish(*transaction, Direction::to_client);
  }
  if (reader.failed() && record.status == smb::status_success) {
    transaction->raise_both(AppEvent::smb_malformed_data);
  }
}

}  // namespace shrike::protocol
