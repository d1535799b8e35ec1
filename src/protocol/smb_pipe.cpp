// DCERPC through pipes: written with one record, read with another.
#include <algorithm>

#include "smb.h"

namespace shrike::protocol {

using dcerpc::MessageType;

namespace {

/// Source: C706: message types end at 20.
bool is_message_type(MessageType type) noexcept {
  return type <= MessageType::rts;
}

/// Answers that are read in pieces are kept up to here: two of the largest fragments.
constexpr size_t fragment_bytes_max = 128 << 10;

/// Writes and reads are exchanges of their own: only SMB2's IOCTL has question and answer in one.
smb::Key call_key(uint8_t version, uint16_t command, smb::Key key) noexcept {
  key.kind = smb::KeyKind::pipe;
  const bool is_one_exchange = version == 2 &&
                               command != static_cast<uint16_t>(smb::Command2::read) &&
                               command != static_cast<uint16_t>(smb::Command2::write);
  if (!is_one_exchange) {
    key.message = 0;
  }
  return key;
}

}  // namespace

SmbParser::Transaction& SmbParser::open_call(uint8_t version, uint16_t command, const smb::Key& key,
                                             uint32_t call_id) {
  Transaction& transaction = open(Kind::pipe_call, version, command, key);
  transaction.call.emplace(pool());
  transaction.call->call_id = call_id;
  return transaction;
}

SmbParser::Transaction* SmbParser::find_call(uint8_t version, uint16_t command, const smb::Key& key,
                                             uint32_t call_id) noexcept {
  const smb::Key wanted = call_key(version, command, key);
  for (AppTransaction* const each : session_.transactions()) {
    auto* const transaction = static_cast<Transaction*>(each);
    if (transaction->kind == Kind::pipe_call && transaction->call->call_id == call_id &&
        call_key(version, command, transaction->key).is_same_exchange(wanted)) {
      return transaction;
    }
  }
  return nullptr;
}

void SmbParser::add_stub(Transaction& transaction, Direction direction, Bytes stub) {
  auto& call = *transaction.call;
  const auto side = static_cast<size_t>(direction);
  ++call.fragments[side];
  call.stub_bytes[side] += stub.size();
  if (stub.empty()) {
    return;
  }
  if (call.stubs[side] == nullptr) {
    // Suricata does not tell `dce` checks the byte order of what pipes carry: always big endian.
    call.stubs[side] = &dcerpc::add_stub(transaction, direction, false);
  }
  call.stubs[side]->append(stub);
}

void SmbParser::take_pipe_request(Transaction& transaction, const dcerpc::Header& header,
                                  Bytes body, bool is_first) {
  const auto request = dcerpc::read_request(body, header);
  if (!request) {
    transaction.raise_both(AppEvent::smb_malformed_data);
    finish(transaction, Direction::to_server);
    return;
  }
  auto& call = *transaction.call;
  if (is_first) {
    call.operation = request->operation;
    call.context_id = request->context_id;
    dcerpc::add_operation(transaction, request->operation);
    for (dcerpc::Interface each : interfaces_) {
      if (each.is_accepted()) {
        each.is_first_fragment = true;  // through pipes, any fragment will do
        dcerpc::add_interface(transaction, each);
        call.interfaces.push_back(each);
      }
    }
  }
  add_stub(transaction, Direction::to_server, request->stub);
  if (header.is_last()) {
    if (call.stubs[0] != nullptr) {
      call.stubs[0]->finish();
    }
    finish(transaction, Direction::to_server);
  }
}

void SmbParser::take_pipe_bind(Transaction& transaction, const dcerpc::Header& header, Bytes body) {
  PoolVector<dcerpc::Interface> interfaces(pool());
  if (dcerpc::read_bind(body, header, interfaces)) {
    if (!header.is_little_endian) {
      for (dcerpc::Interface& each : interfaces) {
        std::swap(each.version, each.version_minor);
      }
    }
    transaction.call->interfaces.assign(interfaces.begin(), interfaces.end());
    interfaces_.assign(interfaces.begin(), interfaces.end());
  } else {
    transaction.raise_both(AppEvent::smb_malformed_data);
  }
  finish(transaction, Direction::to_server);
}

/// What a client writes: with a write, an IOCTL, or a transaction.
void SmbParser::write_pipe(uint8_t version, uint16_t command, const smb::Key& key, Bytes data) {
  const auto header = dcerpc::read_header(data);
  if (!header) {
    raise(AppEvent::smb_malformed_data);
    return;
  }
  const Bytes body = data.subspan(dcerpc::header_bytes);
  if (header->type == MessageType::request && !header->is_first()) {
    if (Transaction* const known = find_call(version, command, key, header->call_id)) {
      take_pipe_request(*known, *header, body, false);
    }
    return;
  }
  Transaction& transaction = open_call(version, command, key, header->call_id);
  transaction.call->request = header->type;
  if (header->type == MessageType::request) {
    take_pipe_request(transaction, *header, body, true);
  } else if (header->type == MessageType::bind) {
    take_pipe_bind(transaction, *header, body);
  } else {
    if (!is_message_type(header->type)) {
      transaction.raise_both(AppEvent::smb_malformed_data);
    }
    finish(transaction, Direction::to_server);
  }
}

void SmbParser::take_pipe_bind_ack(Transaction* transaction, Bytes body, uint32_t status) {
  PoolVector<dcerpc::Interface> acknowledged(interfaces_.begin(), interfaces_.end(), pool());
  if (!dcerpc::read_bind_ack(body, acknowledged)) {
    raise(AppEvent::smb_malformed_data);
    return;
  }
  if (transaction == nullptr) {
    return;
  }
  interfaces_.assign(acknowledged.begin(), acknowledged.end());
  transaction->call->interfaces.assign(acknowledged.begin(), acknowledged.end());
  transaction->call->response = MessageType::bind_ack;
  answer(*transaction, status, false);
}

void SmbParser::take_pipe_answer(Transaction& transaction, const dcerpc::Header& header, Bytes body,
                                 uint32_t status) {
  auto& call = *transaction.call;
  if (header.type != MessageType::response) {
    call.response = header.type;
    if (!is_message_type(header.type)) {
      transaction.raise_both(AppEvent::smb_malformed_data);
    }
    answer(transaction, status, false);
    return;
  }
  const auto stub = dcerpc::read_response(body, header);
  if (!stub) {
    transaction.raise_both(AppEvent::smb_malformed_data);
    return;
  }
  call.response = header.type;
  transaction.set_status(status, false);
  add_stub(transaction, Direction::to_client, *stub);
  if (header.is_last()) {
    if (call.stubs[1] != nullptr) {
      call.stubs[1]->finish();
    }
    finish(transaction, Direction::to_client);
  }
}

/// What a client reads. With "buffer overflow" it is a part of a message, which goes on.
// NOLINTNEXTLINE(readability-function-size): what an answer says
bool SmbParser::read_pipe(uint8_t version, uint16_t command, const smb::Key& key, uint32_t status,
                          const smb::FileId& file, Bytes data) {
  if (status != smb::status_success && status != smb::status_buffer_overflow) {
    Transaction* const transaction = find_generic(version, command, key);
    if (transaction != nullptr) {
      answer(*transaction, status, false);
    }
    return transaction != nullptr;
  }
  smb::Key fragment_key = key;
  fragment_key.kind = smb::KeyKind::fragment;
  fragment_key.message = 0;
  const FragmentName name{fragment_key, file};
  std::optional<PoolBytes> before = fragments_.take(name);
  if (before) {
    before->insert(before->end(), data.begin(), data.end());
    data = *before;
  }
  if (data.empty()) {
    return false;
  }
  const auto header = dcerpc::read_header(data);
  if (!header) {
    raise(AppEvent::smb_malformed_data);
    return true;
  }
  if (status == smb::status_buffer_overflow && data.size() < header->fragment_bytes) {
    if (data.size() <= fragment_bytes_max) {
      fragments_.put(name, PoolBytes(data.begin(), data.end(), pool()));
    }
    return true;
  }
  Transaction* transaction = find_call(version, command, key, header->call_id);
  const Bytes body = data.subspan(dcerpc::header_bytes);
  if (header->type == MessageType::bind_ack) {
    take_pipe_bind_ack(transaction, body, status);
    return true;
  }
  if (transaction == nullptr) {
    transaction = &open_call(version, command, key, header->call_id);
  }
  take_pipe_answer(*transaction, *header, body, status);
  return true;
}

}  // namespace shrike::protocol
