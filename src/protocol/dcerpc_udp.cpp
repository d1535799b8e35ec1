// DCERPC's connectionless messages, its identification, and what EVE shows of it.
#include <fmt/format.h>

#include <algorithm>

#include "dcerpc.h"

namespace shrike::protocol {

using dcerpc::MessageType;

namespace {

/// Source: C706, "Connectionless PDU Structure".
constexpr size_t datagram_header_bytes = 80;
constexpr uint8_t datagram_version = 4;
constexpr uint8_t flag_last = 2;
constexpr uint8_t flag_fragment = 4;

/// Of both kinds of headers: floating point and character format, integer format.
bool is_data_representation(uint8_t first, uint8_t second) noexcept {
  return (first & 0xee) == 0 && second <= 3;
}

void note_reversed(bool is_request, Direction direction, bool& reversed) noexcept {
  reversed = is_request != (direction == Direction::to_server);
}

bool confirm_stream(Bytes bytes, Direction direction, bool& reversed) {
  const auto header = dcerpc::read_header(bytes);
  if (!header || header->version != 5 || header->version_minor != 0 ||
      !is_data_representation(header->integer_format, header->character_format)) {
    return false;
  }
  note_reversed(header->type == MessageType::request, direction, reversed);
  return true;
}

bool confirm_datagram(Bytes bytes, Direction direction, bool& reversed) {
  if (bytes.size() < datagram_header_bytes || bytes[0] != datagram_version ||
      (bytes[3] & 0xfc) != 0 || !is_data_representation(bytes[4], bytes[5])) {
    return false;
  }
  note_reversed(bytes[1] == 0, direction, reversed);
  return true;
}

constexpr std::string_view stream_start("\x05\x00", 2);
constexpr std::string_view datagram_start("\x04\x00", 2);

constexpr Pattern patterns[] = {
    {ip_protocol::tcp, Direction::to_server, stream_start, 0, 2, false, confirm_stream,
     dcerpc::header_bytes},
    {ip_protocol::tcp, Direction::to_client, stream_start, 0, 2, false, confirm_stream,
     dcerpc::header_bytes},
    {ip_protocol::udp, Direction::to_server, datagram_start, 0, 2, false, confirm_datagram, 0},
};

void describe_request(const DcerpcTransaction& call, JsonWriter& json) {
  if (!call.is_done(Direction::to_server) || call.is_lost[0]) {
    json.text("request", "REQUEST_LOST");
    return;
  }
  json.text("request", dcerpc::to_text(call.request_type));
  if (call.request_type == MessageType::request) {
    json.begin_object("req");
    json.number("opnum", call.operation);
    json.number("frag_cnt", call.fragments[0]);
    json.number("stub_data_size", call.stub_bytes[0]);
    json.end_object();
  }
  if (call.request_type == MessageType::bind) {
    json.begin_array("interfaces");
    for (const dcerpc::Interface& each : call.interfaces) {
      json.begin_element_object();
      json.text("uuid", dcerpc::uuid_text(each.uuid));
      json.text("version", ShortText::format("{}.{}", each.version, each.version_minor));
      json.number("ack_result", each.ack_result);
      json.end_object();
    }
    json.end_array();
  }
}

void describe_response(const DcerpcTransaction& call, JsonWriter& json) {
  if (!call.is_done(Direction::to_client) || call.is_lost[1]) {
    json.text("response", "UNREPLIED");
    return;
  }
  json.text("response", dcerpc::to_text(call.response_type));
  if (call.response_type == MessageType::response) {
    json.begin_object("res");
    json.number("frag_cnt", call.fragments[1]);
    json.number("stub_data_size", call.stub_bytes[1]);
    json.end_object();
  }
}

}  // namespace

/// @param header behind the interface's UUID: at the activity's.
DcerpcTransaction& DcerpcParser::call_of_datagram(ByteReader header, bool is_little_endian,
                                                  MessageType type) {
  const Bytes activity_on_wire = header.take(16);
  header.skip(8);  // server boot time, interface version
  const uint32_t sequence_number = is_little_endian ? header.little32() : header.big32();
  const auto activity = dcerpc::written_uuid(activity_on_wire, true);
  const Direction direction =
      type == MessageType::request ? Direction::to_server : Direction::to_client;
  for (AppTransaction* const each : session_.transactions()) {
    auto* const call = static_cast<DcerpcTransaction*>(each);
    if (call->sequence_number == sequence_number && call->activity == activity &&
        !call->is_done(direction)) {
      return *call;
    }
  }
  auto& call = session_.open<DcerpcTransaction>();
  call.version = datagram_version;
  call.activity = activity;
  call.sequence_number = sequence_number;
  return call;
}

Consumed DcerpcParser::parse_datagram(const Input& input) {
  if (input.bytes.empty()) {
    return {};
  }
  if (input.bytes.size() < datagram_header_bytes || input.bytes[0] != datagram_version) {
    return Consumed::broken();
  }
  ByteReader reader(input.bytes);
  reader.skip(1);
  const auto type = static_cast<MessageType>(reader.u8());
  const uint8_t flags = reader.u8();
  reader.skip(1);
  const uint8_t representation = reader.u8();
  const bool is_little_endian = representation != 0;  // as Suricata reads this header
  reader.skip(3 + 16 + 16);                           // object and interface
  if (type != MessageType::request && type != MessageType::response) {
    return Consumed::broken();
  }
  const uint8_t* const length_at = input.bytes.data() + 74;
  const size_t fragment_bytes = is_little_endian ? load_little16(length_at) : load_big16(length_at);
  if (input.bytes.size() - datagram_header_bytes < fragment_bytes) {
    return Consumed::broken();
  }
  DcerpcTransaction& call = call_of_datagram(reader, is_little_endian, type);
  const Direction direction =
      type == MessageType::request ? Direction::to_server : Direction::to_client;
  const auto side = static_cast<size_t>(direction);
  const Bytes stub = input.bytes.subspan(datagram_header_bytes, fragment_bytes);
  if (call.stubs[side] == nullptr && !stub.empty()) {
    call.stubs[side] = &dcerpc::add_stub(call, direction, (representation & 0x10) != 0);
  }
  if (call.stubs[side] != nullptr) {
    call.stubs[side]->append(stub);
  }
  call.stub_bytes[side] += stub.size();
  ++call.fragments[side];
  if ((flags & flag_fragment) == 0 || (flags & flag_last) != 0) {
    if (call.stubs[side] != nullptr) {
      call.stubs[side]->finish();
    }
    call.reach(direction, Progress::complete);
  }
  return Consumed::all(input);
}

void DcerpcParser::describe(const AppTransaction& transaction, JsonWriter& json) {
  const auto& call = static_cast<const DcerpcTransaction&>(transaction);
  json.begin_object("dcerpc");
  describe_request(call, json);
  describe_response(call, json);
  if (call.version == datagram_version) {
    json.text("activityuuid", dcerpc::uuid_text(call.activity));
    json.number("seqnum", call.sequence_number);
    json.text("rpc_version", "4.0");
  } else {
    json.number("call_id", call.call_id);
    json.text("rpc_version", ShortText::format("{}.{}", call.version, call.version_minor));
  }
  json.end_object();
}

constinit const ParserRow dcerpc_row = row_of_parser<DcerpcParser>(
    {.protocol = AppProtocol::dcerpc, .patterns = patterns, .accepts_gaps = true});

}  // namespace shrike::protocol
