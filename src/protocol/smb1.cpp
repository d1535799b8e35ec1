// SMB1: one record may hold several commands, chained ("AndX"). Source: MS-CIFS section 2.2.4.
#include <algorithm>

#include "smb.h"

namespace shrike::protocol {

using smb::Command1;
using smb::KeyKind;
using smb::Record1;

namespace {

constexpr uint8_t version = 1;
constexpr size_t dialects_max = 64;
constexpr size_t guid_bytes = 16;
/// Commands in one record; each lies behind the one before it, sane clients chain two.
constexpr unsigned chain_max = 16;

bool is_chained(uint8_t command) noexcept {
  switch (static_cast<Command1>(command)) {
    case Command1::locking_andx:
    case Command1::open_andx:
    case Command1::read_andx:
    case Command1::write_andx:
    case Command1::session_setup_andx:
    case Command1::logoff_andx:
    case Command1::tree_connect_andx:
    case Command1::nt_create_andx:
      return true;
    default:
      return false;
  }
}

/// Commands whose transactions are files and pipe calls alone.
bool has_generic(uint8_t command) noexcept {
  return command != static_cast<uint8_t>(Command1::read_andx) &&
         command != static_cast<uint8_t>(Command1::write_andx) &&
         command != static_cast<uint8_t>(Command1::transaction) &&
         command != static_cast<uint8_t>(Command1::transaction2);
}

struct NextCommand {
  uint8_t command = 0;
  size_t at = 0;
};
/// The command chained to the one at `at` (in the record's data), where there is one.
std::optional<NextCommand> next_of(const Record1& record, uint8_t command, size_t at) noexcept {
  if (!is_chained(command)) {
    return std::nullopt;
  }
  ByteReader reader(record.data.subspan(at));
  reader.skip(1);
  const uint8_t next = reader.u8();
  reader.skip(1);
  const size_t offset = reader.little16();  // from the start of the record
  const bool is_there = !reader.failed() && next != static_cast<uint8_t>(Command1::none) &&
                        offset > at + smb::header1_bytes &&
                        offset - smb::header1_bytes < record.data.size();
  return is_there ? std::optional(NextCommand{next, offset - smb::header1_bytes}) : std::nullopt;
}

/// Text at the reader, `offset` bytes behind the record's start: UTF-16 begins at even ones.
std::optional<PoolBytes> read_aligned_text(ByteReader& reader, const Record1& record, size_t offset,
                                           Pool& pool) {
  if (record.is_unicode() && offset % 2 == 1) {
    reader.skip(1);
  }
  return smb::read_text(reader, record.is_unicode(), pool);
}

/// A text of ASCII up to its zero.
std::optional<Bytes> take_ascii(ByteReader& reader) noexcept {
  const Bytes rest = reader.rest();
  const auto end = std::find(rest.begin(), rest.end(), uint8_t{0});
  if (end == rest.end()) {
    return std::nullopt;
  }
  const Bytes text = rest.first(static_cast<size_t>(end - rest.begin()));
  reader.skip(text.size() + 1);
  return text;
}

}  // namespace

void SmbParser::take_request(const Record1& record) {
  NextCommand next{record.command, 0};
  for (unsigned i = 0; i < chain_max; ++i) {
    const bool has_own = take_request_part(record, next.command, next.at);
    if (!has_own && has_generic(next.command)) {
      Transaction& transaction =
          open_generic(version, next.command, smb::key_of(record, KeyKind::generic));
      const auto command = static_cast<Command1>(next.command);
      if (command == Command1::nt_cancel || command == Command1::transaction2_secondary ||
          command == Command1::locking_andx) {
        finish(transaction, Direction::to_client);  // nobody answers these
      }
    }
    const auto following = next_of(record, next.command, next.at);
    if (!following) {
      return;
    }
    next = *following;
  }
}

/// False where the command is to have a plain transaction.
bool SmbParser::take_request_part(const Record1& record, uint8_t command, size_t at) {
  switch (static_cast<Command1>(command)) {
    case Command1::negotiate:
      return negotiate(record);
    case Command1::session_setup_andx:
      set_up_session(record, at);
      return true;
    case Command1::tree_connect_andx:
      return connect_tree(record, at);
    case Command1::tree_disconnect:
      (void)trees_.take(smb::key_of(record, KeyKind::share));
      return false;
    case Command1::nt_create_andx:
      return create(record, at);
    case Command1::read_andx:
      request_read(record, at);
      return true;
    case Command1::write_andx:
    case Command1::write:
    case Command1::write_and_close:
      take_write(record, command, at);
      return true;
    case Command1::transaction:
      take_transaction(record);
      return true;
    case Command1::transaction2:
      return take_transaction2(record);
    case Command1::rename:
      return rename(record);
    case Command1::close:
      if (record.data.size() >= 3) {
        const auto file = smb::FileId::of(record.data.subspan(1, 2), record.user_id);
        files_by_key_.put(smb::key_of(record, KeyKind::file_id), file);
        close_file(file, Direction::to_server, false);
      }
      return false;
    default:
      return false;
  }
}

void SmbParser::take_response(const Record1& record) {
  NextCommand next{record.command, 0};
  for (unsigned i = 0; i < chain_max; ++i) {
    take_response_part(record, next.command, next.at);
    const auto following = next_of(record, next.command, next.at);
    if (!following) {
      return;
    }
    next = *following;
  }
}

void SmbParser::take_response_part(const Record1& record, uint8_t command, size_t at) {
  bool has_own = false;
  switch (static_cast<Command1>(command)) {
    case Command1::negotiate:
      has_own = take_negotiated(record);
      break;
    case Command1::session_setup_andx:
      take_session(record, at);
      return;
    case Command1::tree_connect_andx:
      has_own = take_connected(record, at);
      break;
    case Command1::tree_disconnect:
      (void)trees_.take(smb::key_of(record, KeyKind::share));
      break;
    case Command1::nt_create_andx:
      has_own = take_created(record, at);
      break;
    case Command1::read_andx:
      take_read(record, at);
      return;
    case Command1::transaction:
      take_transaction_answer(record);
      return;
    case Command1::close:
      if (const auto file = files_by_key_.take(smb::key_of(record, KeyKind::file_id))) {
        close_file(*file, Direction::to_client, false);
      }
      break;
    case Command1::logoff_andx:
      if (Transaction* const transaction = last(); transaction != nullptr &&
                                                   transaction->version == version &&
                                                   transaction->command == command) {
        answer(*transaction, record.status, record.is_dos_error());
      }
      return;
    default:
      break;
  }
  if (!has_own) {
    finish_generic(record, command);
  }
}

void SmbParser::finish_generic(const Record1& record, uint8_t command) {
  if (command == static_cast<uint8_t>(Command1::write_andx)) {
    return;
  }
  Transaction* const transaction =
      find_generic(version, command, smb::key_of(record, KeyKind::generic));
  if (transaction != nullptr) {
    finish(*transaction, Direction::to_server);
    answer(*transaction, record.status, record.is_dos_error());
  }
}

bool SmbParser::negotiate(const Record1& record) {
  ByteReader reader(record.data);
  reader.skip(3);
  const bool has_one = !reader.failed() && take_ascii(reader).has_value();
  if (!has_one) {
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
  ByteReader dialects(record.data.subspan(3));
  while (const auto dialect = take_ascii(dialects)) {
    if (dialect->size() <= 1) {
      transaction.raise_both(AppEvent::smb_negotiate_malformed_dialects);
    }
    if (!dialect->empty() && negotiation.dialects.size() < dialects_max) {
      negotiation.dialects.push_back(transaction.keep(as_text(dialect->subspan(1))));
    }
  }
  finish(transaction, Direction::to_server);
  return true;
}

bool SmbParser::take_negotiated(const Record1& record) {
  ByteReader reader(record.data);
  const uint8_t words = reader.u8();
  uint16_t index = 0;
  Bytes server_guid;
  if (words == 0) {
    reader.skip(2);
  } else {
    index = reader.little16();
    reader.skip(1 + 16 + 4 + 8 + 2 + 1);
    if (reader.little16() >= guid_bytes) {
      server_guid = reader.take(guid_bytes);
    }
  }
  if (reader.failed()) {
    return false;
  }
  Transaction* const transaction = find_negotiation(version);
  if (transaction == nullptr) {
    return false;
  }
  auto& negotiation = *transaction->negotiation;
  negotiation.server_guid = transaction->keep(server_guid);
  if (index < negotiation.dialects.size()) {
    set_dialect(negotiation.dialects[index]);
  } else {
    transaction->raise_both(AppEvent::smb_negotiate_malformed_dialects);
  }
  answer(*transaction, record.status, record.is_dos_error());
  return true;
}

bool SmbParser::connect_tree(const Record1& record, size_t at) {
  ByteReader reader(record.data.subspan(at));
  reader.skip(7);
  const uint16_t password_bytes = reader.little16();
  reader.skip(2);
  reader.skip(password_bytes);
  auto path = read_aligned_text(reader, record, 11 + size_t{password_bytes}, pool());
  const auto service = path ? take_ascii(reader) : std::nullopt;
  if (reader.failed() || !service) {
    open_generic(version, record.command, smb::key_of(record, KeyKind::generic))
        .raise_both(AppEvent::smb_malformed_data);
    return true;
  }
  if (path->size() > 1) {
    path->erase(path->begin());
  }
  Transaction& transaction =
      open(Kind::tree_connect, version, static_cast<uint8_t>(Command1::tree_connect_andx),
           smb::key_of(record, KeyKind::tree));
  transaction.name = transaction.keep(Bytes(*path));
  transaction.tree.requested_service = transaction.keep(*service);
  transaction.add_kept(Direction::to_server, Field::smb_share, transaction.name);
  finish(transaction, Direction::to_server);
  return true;
}

bool SmbParser::take_connected(const Record1& record, size_t at) {
  Transaction* const transaction = find(Kind::tree_connect, smb::key_of(record, KeyKind::tree));
  if (record.status != smb::status_success) {
    if (transaction != nullptr) {
      answer(*transaction, record.status, record.is_dos_error());
    }
    return true;
  }
  ByteReader reader(record.data.subspan(at));
  const uint8_t words = reader.u8();
  reader.skip(4);
  reader.skip(words >= 3 ? 2 : 0);
  reader.skip(words == 7 ? 8 : 0);
  reader.skip(2);
  const auto service = take_ascii(reader);
  if (reader.failed() || !service || transaction == nullptr) {
    return false;
  }
  answer_tree(*transaction, as_text(*service) == "IPC");
  transaction->tree.answered_service = transaction->keep(*service);
  transaction->key = smb::key_of(record, KeyKind::header);
  answer(*transaction, record.status, record.is_dos_error());
  const Bytes name = transaction->name;
  trees_.put(smb::key_of(record, KeyKind::share),
             {PoolBytes(name.begin(), name.end(), pool()), transaction->tree.is_pipe});
  return true;
}

bool SmbParser::create(const Record1& record, size_t at) {
  ByteReader reader(record.data.subspan(at));
  reader.skip(6);
  const uint16_t name_bytes = reader.little16();
  reader.skip(28);
  const uint32_t disposition = reader.little32();
  const uint32_t options = reader.little32();
  reader.skip(5);
  const uint16_t bytes = reader.little16();
  std::optional<PoolBytes> name(pool());
  if (bytes >= name_bytes) {
    name = read_aligned_text(reader, record, bytes - name_bytes, pool());
  }
  const smb::Key key = smb::key_of(record, KeyKind::generic);
  if (reader.failed() || !name) {
    open_generic(version, record.command, key).raise_both(AppEvent::smb_malformed_data);
    return true;
  }
  names_.put(smb::key_of(record, KeyKind::file_name), *name);
  Transaction& transaction =
      open(Kind::create, version, static_cast<uint8_t>(Command1::nt_create_andx), key);
  transaction.name = transaction.keep(Bytes(*name));
  transaction.creation.disposition = disposition;
  transaction.creation.deletes_on_close = (options & 0x1000) != 0;
  transaction.creation.is_directory = (options & 1) != 0;
  finish(transaction, Direction::to_server);
  return true;
}

bool SmbParser::take_created(const Record1& record, size_t at) {
  if (record.status != smb::status_success) {
    return false;
  }
  ByteReader reader(record.data.subspan(at));
  reader.skip(6);
  const Bytes fid = reader.take(2);
  reader.skip(4);
  SmbTransaction::Creation times;
  times.created = smb::unix_seconds(reader.little64());
  times.accessed = smb::unix_seconds(reader.little64());
  times.modified = smb::unix_seconds(reader.little64());
  times.changed = smb::unix_seconds(reader.little64());
  reader.skip(4);
  times.size = reader.little64();
  reader.skip(13);
  if (reader.failed()) {
    return true;
  }
  if (auto name = names_.take(smb::key_of(record, KeyKind::file_name))) {
    names_by_file_.put(smb::FileId::of(fid, record.user_id), std::move(*name));
  }
  Transaction* const transaction =
      find_generic(version, static_cast<uint8_t>(Command1::nt_create_andx),
                   smb::key_of(record, KeyKind::generic));
  if (transaction != nullptr) {
    answer(*transaction, record.status, false);
    times.disposition = transaction->creation.disposition;
    times.deletes_on_close = transaction->creation.deletes_on_close;
    times.is_directory = transaction->creation.is_directory;
    transaction->creation = times;
    transaction->file_id = smb::FileId::of(fid);
  }
  return true;
}

}  // namespace shrike::protocol
