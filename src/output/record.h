#pragma once
#include <array>
#include <cstdint>
#include <type_traits>
#include <variant>

#include "shrike/base/bytes.h"
#include "shrike/model/datagram.h"
#include "shrike/model/packet.h"
#include "shrike/model/stream.h"
#include "shrike/output.h"

/// What a record in the ring looks like: a head, then sections, each with its kind and length, so
/// that more can be added (a transaction of a protocol) and a reader skips what it does not know.
/// Writer and reader are one program on one machine, so sections are plain structs as they lie in
/// memory; heads and sections start on multiples of 8 bytes.
namespace shrike::output {

enum class RecordKind : uint8_t {
  mark,
  alert,
  tagged_packet,
  flow_end,
  transaction,
  file,
  anomaly,
  file_piece
};

struct RecordHead {
  OrderKey key;
  uint64_t generation = 0;
  RecordKind kind = RecordKind::mark;
};

enum class SectionKind : uint16_t {
  datagram,       ///< DatagramSection
  flow,           ///< FlowView
  alert,          ///< AlertSection
  carrier,        ///< CarrierSection
  flow_end,       ///< FlowEnd
  flow_bits,      ///< uint32_t [n]
  flow_integers,  ///< pairs of uint32_t [n]
  payload,        ///< the packet's payload
  stream_bytes,   ///< what the rule matched in
  frame,          ///< the whole frame, or its first bytes where there is no IP
  app,            ///< AppSection
  app_members,    ///< JSON members of a transaction
  file_members,   ///< JSON member `fileinfo` of a file
  anomaly,        ///< AnomalySection
  file_piece,     ///< FilePieceSection
  file_bytes,     ///< … its bytes
};

struct SectionHead {
  SectionKind kind{};
  uint16_t reserved = 0;
  uint32_t bytes = 0;  ///< of the content, without this head and without padding
};

/// The parts of a Datagram that lines are made of.
struct DatagramSection {
  uint64_t time_ns = 0;
  uint64_t number = 0;
  IpAddress source;
  IpAddress target;
  uint16_t source_port = 0;
  uint16_t target_port = 0;
  uint32_t capture_index = 0;
  uint8_t ip_version = 0;
  uint8_t protocol = 0;       ///< the number that EVE names
  uint8_t flow_protocol = 0;  ///< of the flow: an ICMP error may belong to a TCP flow
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  uint8_t depth = 0;
  uint8_t vlan_count = 0;
  bool has_ports = false;
  bool has_icmp = false;
  bool has_ethernet = false;
  bool frame_is_raw_ip = false;  ///< the frame section starts with the IP header
  DatagramOrigin origin = DatagramOrigin::wire;
  LinkType link_type = LinkType::unknown;
  std::array<uint16_t, limits::vlan_tags_max> vlan_ids{};
  std::array<uint8_t, 6> ethernet_target{};
  std::array<uint8_t, 6> ethernet_source{};
};

struct AlertSection {
  uint64_t tx_id = 0;
  uint32_t rule_index = 0;
  bool from_stream = false;
  bool is_silent = false;
  bool drops = false;
  bool has_tx = false;
  bool is_about_flow = false;
};

/// What the flow's application layer was identified as.
struct AppSection {
  AppProtocol protocol = AppProtocol::unknown;
  std::array<AppProtocol, 2> by_direction{};
  AppProtocol original = AppProtocol::unknown;
  AppProtocol expected = AppProtocol::unknown;
};

struct AnomalySection {
  std::variant<DecodeEvent, StreamEvent, AppEvent> event;
  AppProtocol protocol = AppProtocol::unknown;
};

/// Where bytes of a file that is to be stored belong.
struct FilePieceSection {
  uint64_t file_id = 0;
  uint64_t offset = 0;
  bool is_end = false;
};

/// The outermost datagram that carried this one (EVE `tunnel`).
struct CarrierSection {
  uint64_t number = 0;
  IpAddress source;
  IpAddress target;
  uint16_t source_port = 0;
  uint16_t target_port = 0;
  uint8_t ip_version = 0;
  uint8_t protocol = 0;
  DatagramOrigin origin = DatagramOrigin::wire;
};

static_assert(std::is_trivially_copyable_v<RecordHead>);
static_assert(std::is_trivially_copyable_v<DatagramSection>);
static_assert(std::is_trivially_copyable_v<AnomalySection>);
static_assert(std::is_trivially_copyable_v<FlowView>);
static_assert(std::is_trivially_copyable_v<FlowEnd>);

[[nodiscard]] constexpr size_t padded(size_t bytes) noexcept {
  return (bytes + 7) & ~size_t{7};
}

/// A record taken apart. Byte spans borrow from the record's memory.
struct Record {
  RecordHead head;
  DatagramSection datagram;
  AlertSection alert;
  FlowView flow;  ///< of a flow end too
  FlowEnd flow_end;
  CarrierSection carrier;
  AppSection app;
  AnomalySection anomaly;
  FilePieceSection file_piece;
  bool has_flow = false;
  bool has_carrier = false;
  Bytes flow_bits;
  Bytes flow_integers;
  Bytes payload;
  Bytes stream_bytes;
  Bytes frame;
  Bytes app_members;
  Bytes file_members;
  Bytes file_bytes;
};

/// Reads only the head. False where the bytes are no record: a bug of ours, never input.
[[nodiscard]] bool read_head(Bytes bytes, RecordHead& head) noexcept;
/// Takes a record apart; unknown sections are skipped. False as above.
[[nodiscard]] bool read_record(Bytes bytes, Record& record) noexcept;

/// The index-th uint32_t of a section. REQUIRES: it lies within.
[[nodiscard]] uint32_t number_at(Bytes section, size_t index) noexcept;

}  // namespace shrike::output
