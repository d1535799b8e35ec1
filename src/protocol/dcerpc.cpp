#include "dcerpc.h"

#include <algorithm>

namespace shrike::protocol {

using dcerpc::Header;
using dcerpc::MessageType;

namespace {

constexpr uint8_t stream_version = 5;

MessageType answer_to(MessageType type) noexcept {
  switch (type) {
    case MessageType::request:
      return MessageType::response;
    case MessageType::bind:
      return MessageType::bind_ack;
    case MessageType::alter_context:
      return MessageType::alter_context_response;
    case MessageType::response:
    case MessageType::bind_ack:
    case MessageType::alter_context_response:
    case MessageType::orphaned:
    case MessageType::rts:
    case MessageType::unknown:
      break;
  }
  return MessageType::unknown;
}

MessageType question_of(MessageType type) noexcept {
  switch (type) {
    case MessageType::response:
      return MessageType::request;
    case MessageType::bind_ack:
      return MessageType::bind;
    case MessageType::alter_context_response:
      return MessageType::alter_context;
    case MessageType::request:
    case MessageType::bind:
    case MessageType::alter_context:
    case MessageType::orphaned:
    case MessageType::rts:
    case MessageType::unknown:
      break;
  }
  return MessageType::unknown;
}

}  // namespace

DcerpcParser::DcerpcParser(Session& session) : session_(session), interfaces_(session.pool()) {}

Consumed DcerpcParser::parse(const Input& input) {
  const bool is_datagram = session_.tracked().datagram->protocol == ip_protocol::udp;
  return is_datagram ? parse_datagram(input) : parse_stream(input);
}

/// Bytes before the next message: all but one where there is none yet.
size_t DcerpcParser::find_message(Bytes bytes, Side& side) const noexcept {
  static constexpr uint8_t start[] = {stream_version, 0};
  const auto at = std::search(bytes.begin(), bytes.end(), std::begin(start), std::end(start));
  side.is_searching = at == bytes.end();
  if (!side.is_searching) {
    return static_cast<size_t>(at - bytes.begin());
  }
  return bytes.empty() ? 0 : bytes.size() - 1;
}

Consumed DcerpcParser::parse_stream(const Input& input) {
  Side& side = sides_[static_cast<size_t>(input.direction)];
  if (input.gap_bytes != 0) {
    side.is_searching = side.had_gap = side.is_started = true;
    return {};
  }
  if (!side.is_started && !input.bytes.empty()) {
    side.is_started = true;
    side.is_searching = session_.flow().is_midstream;
  }
  size_t at = side.is_searching ? find_message(input.bytes, side) : 0;
  while (!side.is_searching && at < input.bytes.size()) {
    const Bytes rest = input.bytes.subspan(at);
    const auto header = dcerpc::read_header(rest);
    if (!header) {
      return {.bytes = at, .needed = dcerpc::header_bytes};
    }
    const bool is_valid = header->version == stream_version && header->version_minor <= 1 &&
                          header->fragment_bytes >= dcerpc::header_bytes;
    if (!is_valid) {
      return Consumed::broken();
    }
    if (rest.size() < header->fragment_bytes) {
      return {.bytes = at, .needed = header->fragment_bytes};
    }
    const Bytes message = rest.first(header->fragment_bytes);
    if (!take_message(input.direction, *header, message.subspan(dcerpc::header_bytes))) {
      return Consumed::broken();
    }
    finish_after_gap(input.direction);
    at += message.size();
  }
  return {.bytes = at};
}

/// False where the message is no such message.
bool DcerpcParser::take_message(Direction direction, const Header& header, Bytes body) {
  switch (header.type) {
    case MessageType::bind:
    case MessageType::alter_context:
      return take_bind(header, body);
    case MessageType::bind_ack:
    case MessageType::alter_context_response:
      return take_bind_ack(header, body);
    case MessageType::request:
      return take_request(header, body);
    case MessageType::response:
      take_response(header, body);
      return true;
    case MessageType::orphaned:
    case MessageType::rts:
    case MessageType::unknown:
      break;
  }
  // Authentication, faults, cancels: nothing that rules look at.
  session_.inspect_raw_now(direction);
  return true;
}

DcerpcTransaction& DcerpcParser::open_call(const Header& header) {
  auto& call = session_.open<DcerpcTransaction>();
  call.call_id = header.call_id;
  call.version = header.version;
  call.version_minor = header.version_minor;
  return call;
}

DcerpcTransaction* DcerpcParser::find_call(const Header& header,
                                           Direction direction) const noexcept {
  for (AppTransaction* const each : session_.transactions()) {
    auto* const call = static_cast<DcerpcTransaction*>(each);
    const bool is_other_kind = direction == Direction::to_server
                                   ? call->response_type != answer_to(header.type)
                                   : call->request_type != question_of(header.type);
    // A number may be used again: a first fragment is never more of a call that has begun.
    const auto side = static_cast<size_t>(direction);
    const bool is_over = header.is_first() && call->fragments[side] != 0;
    if (call->call_id == header.call_id && !is_other_kind && !is_over) {
      return call;
    }
  }
  return nullptr;
}

void DcerpcParser::finish(DcerpcTransaction& call, Direction direction) {
  call.reach(direction, Progress::complete);
  session_.inspect_raw_now(direction);
}

bool DcerpcParser::take_bind(const Header& header, Bytes body) {
  DcerpcTransaction& call = open_call(header);
  call.request_type = header.type;
  const bool is_whole = dcerpc::read_bind(body, header, call.interfaces);
  for (const dcerpc::Interface& each : call.interfaces) {
    if (interfaces_.size() == dcerpc::interfaces_max) {
      interfaces_.erase(interfaces_.begin());
    }
    interfaces_.push_back(each);
  }
  call.fragments[0] = 1;
  finish(call, Direction::to_server);
  return is_whole;
}

bool DcerpcParser::take_bind_ack(const Header& header, Bytes body) {
  DcerpcTransaction* call = find_call(header, Direction::to_client);
  if (call == nullptr) {
    call = &open_call(header);
  }
  call->response_type = header.type;
  const bool is_whole = dcerpc::read_bind_ack(body, call->interfaces);
  for (const dcerpc::Interface& each : call->interfaces) {
    for (dcerpc::Interface& known : interfaces_) {
      if (known.uuid == each.uuid && known.context_id == each.context_id) {
        known.ack_result = each.ack_result;
        known.is_acknowledged = each.is_acknowledged;
      }
    }
  }
  call->fragments[1] = 1;
  finish(*call, Direction::to_client);
  return is_whole;
}

bool DcerpcParser::take_request(const Header& header, Bytes body) {
  const auto request = dcerpc::read_request(body, header);
  if (!request) {
    return false;
  }
  DcerpcTransaction* call = find_call(header, Direction::to_server);
  if (call == nullptr) {
    call = &open_call(header);
  }
  call->request_type = header.type;
  call->context_id = request->context_id;
  call->operation = request->operation;
  if (!call->has_request) {
    call->has_request = true;
    dcerpc::add_operation(*call, request->operation);
    for (const dcerpc::Interface& each : interfaces_) {
      if (each.is_accepted() && each.context_id == request->context_id) {
        dcerpc::add_interface(*call, each);
      }
    }
  }
  add_stub(*call, Direction::to_server, header, request->stub);
  return true;
}

void DcerpcParser::take_response(const Header& header, Bytes body) {
  DcerpcTransaction* call = find_call(header, Direction::to_client);
  if (call == nullptr) {
    call = &open_call(header);
  }
  call->response_type = header.type;
  // Suricata takes the answer's own fields (allocation hint, context) for stub data.
  add_stub(*call, Direction::to_client, header, body);
}

/// Each fragment completes its side, as far as Suricata is concerned; more may follow.
void DcerpcParser::add_stub(DcerpcTransaction& call, Direction direction, const Header& header,
                            Bytes stub) {
  const auto side = static_cast<size_t>(direction);
  if (stub.empty()) {
    return;
  }
  if (call.stubs[side] == nullptr) {
    call.stubs[side] = &dcerpc::add_stub(call, direction, header.is_little_endian);
  }
  call.stubs[side]->append(stub);
  call.stub_bytes[side] += stub.size();
  call.fragments[side] = 1;
  if (header.is_last()) {
    call.stubs[side]->finish();
  }
  finish(call, direction);
}

/// What was lost will not be completed any more.
void DcerpcParser::finish_after_gap(Direction direction) {
  const auto side = static_cast<size_t>(direction);
  if (!sides_[side].had_gap) {
    return;
  }
  for (AppTransaction* const each : session_.transactions()) {
    auto& call = *static_cast<DcerpcTransaction*>(each);
    for (size_t i = 0; i <= side; ++i) {
      const auto finished = static_cast<Direction>(i);
      call.is_lost[i] = call.is_lost[i] || !call.is_done(finished);
      call.reach(finished, Progress::complete);
    }
  }
  session_.inspect_raw_now(direction);
}

}  // namespace shrike::protocol
