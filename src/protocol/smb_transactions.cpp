// Transactions of SMB: opened with a question, found again by its answer.
#include <algorithm>

#include "smb.h"

namespace shrike::protocol {

SmbParser::Transaction& SmbParser::open(Kind kind, uint8_t version, uint16_t command,
                                        const smb::Key& key) {
  auto& transaction = session_.open<Transaction>(kind);
  transaction.key = key;
  transaction.dialect = transaction.keep(dialect_);
  transaction.set_command(version, command);
  if (side_of(Direction::to_client).is_truncated) {
    finish(transaction, Direction::to_client);
  }
  return transaction;
}

SmbParser::Transaction& SmbParser::open_generic(uint8_t version, uint16_t command,
                                                const smb::Key& key) {
  Transaction& transaction = open(Kind::generic, version, command, key);
  finish(transaction, Direction::to_server);
  return transaction;
}

/// The first of its version, command, session and message, whatever its kind.
SmbParser::Transaction* SmbParser::find_generic(uint8_t version, uint16_t command,
                                                const smb::Key& key) noexcept {
  for (AppTransaction* const each : session_.transactions()) {
    auto* const transaction = static_cast<Transaction*>(each);
    if (transaction->version == version && transaction->command == command &&
        transaction->key.is_same_exchange(key)) {
      return transaction;
    }
  }
  return nullptr;
}

SmbParser::Transaction* SmbParser::find(Kind kind, const smb::Key& key) noexcept {
  for (AppTransaction* const each : session_.transactions()) {
    auto* const transaction = static_cast<Transaction*>(each);
    if (transaction->kind == kind && transaction->key.is_same_exchange(key)) {
      return transaction;
    }
  }
  return nullptr;
}

SmbParser::Transaction* SmbParser::find_negotiation(uint8_t version) noexcept {
  for (AppTransaction* const each : session_.transactions()) {
    auto* const transaction = static_cast<Transaction*>(each);
    if (transaction->kind == Kind::negotiate && transaction->version == version) {
      return transaction;
    }
  }
  return nullptr;
}

SmbParser::Transaction* SmbParser::find_file(const smb::FileId& file, Direction direction,
                                             bool must_be_open) noexcept {
  for (AppTransaction* const each : session_.transactions()) {
    auto* const transaction = static_cast<Transaction*>(each);
    if (transaction->kind == Kind::file && transaction->file_id == file &&
        transaction->transfer->direction() == direction &&
        (transaction->transfer->is_open() || !must_be_open)) {
      return transaction;
    }
  }
  return nullptr;
}

SmbParser::Transaction* SmbParser::last() noexcept {
  const auto all = session_.transactions();
  return all.empty() ? nullptr : static_cast<Transaction*>(all.back());
}

/// Events belong to the newest transaction; without any they are lost, as in Suricata.
void SmbParser::raise(AppEvent event) {
  if (Transaction* const transaction = last()) {
    transaction->raise_both(event);
  }
}

void SmbParser::finish(Transaction& transaction, Direction direction) {
  transaction.reach(direction, Progress::complete);
}

void SmbParser::answer(Transaction& transaction, uint32_t status, bool is_dos_error) {
  transaction.set_status(status, is_dos_error);
  finish(transaction, Direction::to_client);
}

/// A tree is a share until its answer tells that it is a pipe.
void SmbParser::answer_tree(Transaction& transaction, bool is_pipe) {
  transaction.tree.is_pipe = is_pipe;
  if (is_pipe) {
    transaction.rename_unseen(Direction::to_server, Field::smb_share, Field::smb_named_pipe);
  }
}

void SmbParser::set_dialect(std::string_view dialect) {
  const size_t bytes = std::min(dialect.size(), dialect_name_.size());
  std::copy_n(dialect.begin(), bytes, dialect_name_.begin());
  dialect_ = {dialect_name_.data(), bytes};
  for (AppTransaction* const each : session_.transactions()) {
    static_cast<Transaction*>(each)->dialect = each->keep(dialect_);
  }
}

}  // namespace shrike::protocol
