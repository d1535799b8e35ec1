#pragma once
#include <cstdint>

#include "shrike/model/field.h"

/// What a rule's verification is made of: flat arrays of small instructions, written once by
/// `rule` and run by `detect`. Cheap checks on headers and flow come first (PacketInstruction),
/// then the checks inside buffers (BufferInstruction), then what a match does (PostInstruction).
/// Indices named `..._index` point into the arrays of RuleTables. Plain values, no pointers.
namespace shrike {

/// How a number is compared; `between` excludes both ends, as Suricata does. The masked ones
/// compare `value & second` with `first`: flags.
enum class Compare : uint8_t {
  equal,
  not_equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  between,
  not_between,
  masked_equal,
  masked_not_equal,
};

/// Tells whether `value` compares as asked.
[[nodiscard]] constexpr bool compares(Compare compare, uint64_t value, uint64_t first,
                                      uint64_t second) noexcept {
  switch (compare) {
    case Compare::equal:
      return value == first;
    case Compare::not_equal:
      return value != first;
    case Compare::less:
      return value < first;
    case Compare::less_or_equal:
      return value <= first;
    case Compare::greater:
      return value > first;
    case Compare::greater_or_equal:
      return value >= first;
    case Compare::between:
      return value > first && value < second;
    case Compare::not_between:
      return value <= first || value >= second;
    case Compare::masked_equal:
      return (value & second) == first;
    case Compare::masked_not_equal:
      return (value & second) != first;
  }
  return false;
}

/// Facts of a datagram as bits; a rule whose bits are not all there cannot match (Suricata:
/// SignatureMask). The upper eight are the TCP flags that must be set.
namespace need {
inline constexpr uint32_t payload = 1u << 0;  ///< payload or stream bytes
inline constexpr uint32_t no_payload = 1u << 1;
inline constexpr uint32_t event = 1u << 2;        ///< a decode or stream event
inline constexpr uint32_t real_packet = 1u << 3;  ///< not a pseudo datagram
inline constexpr uint32_t flow = 1u << 4;
inline constexpr uint32_t established = 1u << 5;
inline constexpr uint32_t not_established = 1u << 6;
inline constexpr uint32_t ipv4 = 1u << 7;
inline constexpr uint32_t ipv6 = 1u << 8;
inline constexpr uint32_t tcp = 1u << 9;      ///< with a valid TCP header
inline constexpr uint32_t icmp = 1u << 10;    ///< ICMP or ICMPv6 with a valid header
inline constexpr uint32_t stream = 1u << 11;  ///< stream bytes
inline constexpr uint32_t to_server = 1u << 12;
inline constexpr uint32_t to_client = 1u << 13;
inline constexpr uint32_t tcp_opens_or_ends = 1u << 14;  ///< SYN, FIN or RST
inline constexpr uint32_t tcp_unusual = 1u << 15;        ///< URG, ECE or CWR
inline constexpr unsigned tcp_flags_shift = 24;
}  // namespace need

enum class PacketOpcode : uint8_t {
  never,          ///< a check that the engine does not run: no match
  flow_start,     ///< the first datagram of its flow in this direction
  rebuilt,        ///< mode 0: not rebuilt from fragments, 1: rebuilt
  first_of_side,  ///< the first datagram of its flow's direction
  tcp_flags,      ///< mode FlagMode, bits first, ignored second
  fragment_bits,  ///< mode FlagMode, bits first: 1 more, 2 dont, 4 reserved
  ip_option,      ///< first: bits of ipv4_option, any of them
  ip_protocol,    ///< index: protocol_sets
  same_ip,
  address,       ///< index: address_sets; mode bit 0 source, bit 1 negated, bit 2 either side
  layer3,        ///< first: bit 0 IPv4, bit 1 IPv6
  checksum,      ///< mode ChecksumKind; first 1: must be valid
  decode_event,  ///< first: DecodeEvent
  stream_event,  ///< first: StreamEvent
  vlan_id,       ///< mode: layer 0..2 from outside, 3 any, 4 all, 5..7 from inside; compared
  stream_size,   ///< mode StreamSide; compared
  rpc,           ///< first: program; second: version << 32 | procedure; mode bit 0 any
                 ///< version, 1 any procedure
  // Numbers compared with (compare, first, second).
  ttl,
  tos,
  ip_id,
  fragment_offset,
  payload_bytes,
  icmp_type,
  icmp_code,
  icmp_id,
  icmp_sequence,
  icmpv6_mtu,
  tcp_sequence,
  tcp_acknowledgement,
  tcp_window,
  tcp_mss,
  tcp_wscale,
  vlan_layers,
  flow_age_seconds,
  flow_packets_to_server,
  flow_packets_to_client,
  flow_bytes_to_server,
  flow_bytes_to_client,
  flow_packets_either,
  flow_bytes_either,
  // Variables of the flow.
  bits_any_set,  ///< index, count: variable_lists of bit numbers
  bits_any_unset,
  integer_is_set,  ///< index: integer number
  integer_not_set,
  integer_compare,    ///< index: integer number; first: value, or mode 1: number of an integer
  variable_contains,  ///< index: variable number; count: pattern; mode bit 0 packet, 1 negated
  // The flow's application layer (AppView).
  app_protocol,  ///< first: AppProtocol; mode ProtocolSide | 16 where negated
  app_event,     ///< first: AppEvent of the flow (applayer_…), not of a transaction
  /// Reputation of an address, compared: index: category of RuleTables::reputation; mode
  /// ReputationSide; first: score.
  ip_reputation,
};

/// Whose reputation `iprep` asks about: either address, one of them, or both.
enum class ReputationSide : uint8_t { any, source, target, both };

/// Which identification `app-layer-protocol` asks about: that in the direction of the datagram
/// (any), in a direction, in either of them, the final one, or the one before a change.
enum class ProtocolSide : uint8_t { any, to_server, to_client, either, final, original };

enum class FlagMode : uint8_t { exact, all, any, none };
enum class ChecksumKind : uint8_t { ipv4, tcpv4, tcpv6, udpv4, udpv6, icmpv4, icmpv6 };
enum class StreamSide : uint8_t { server, client, both, either };

struct PacketInstruction {
  PacketOpcode opcode = PacketOpcode::never;
  Compare compare = Compare::equal;
  uint8_t mode = 0;
  uint32_t index = 0;
  uint32_t count = 0;
  uint64_t first = 0;
  uint64_t second = 0;
};

enum class BufferOpcode : uint8_t {
  never,
  content,
  pcre,
  byte_test,
  byte_jump,
  byte_extract,
  byte_math,
  is_data_at,
  buffer_size,
  absent,
  base64_decode,
  asn1,
  entropy,
  uri_length,
  /// Numbers of a field compared (NumberArguments). Several in a program: a number must compare
  /// with any of them; where they are `negated`, with none. NumberArguments::values of the first
  /// one tells which numbers must.
  number_in,
  dataset,  ///< the value looked up in a dataset (DatasetArguments)
};

/// Flags of a BufferInstruction; each opcode uses those that make sense for it.
namespace buffer_flag {
inline constexpr uint32_t negated = 1u << 0;
inline constexpr uint32_t nocase = 1u << 1;
inline constexpr uint32_t ends_with = 1u << 2;
inline constexpr uint32_t has_distance = 1u << 3;
inline constexpr uint32_t has_within = 1u << 4;
inline constexpr uint32_t relative = 1u << 5;          ///< reads the cursor
inline constexpr uint32_t next_is_relative = 1u << 6;  ///< a later check hangs on this one's end
/// … in a way that another hit further on may help (not only `distance`): worth a retry.
inline constexpr uint32_t retry_helps = 1u << 7;
// Operands that are variables (byte_extract, byte_math results) instead of numbers.
inline constexpr uint32_t offset_variable = 1u << 8;
inline constexpr uint32_t depth_variable = 1u << 9;
inline constexpr uint32_t distance_variable = 1u << 10;
inline constexpr uint32_t within_variable = 1u << 11;
inline constexpr uint32_t bytes_variable = 1u << 12;
inline constexpr uint32_t value_variable = 1u << 13;
inline constexpr uint32_t little_endian = 1u << 14;
inline constexpr uint32_t is_last = 1u << 15;
/// A content without any position: a negated one that is found ends the whole inspection.
inline constexpr uint32_t is_alone = 1u << 16;
/// Numbers are in the byte order of who sent the buffer (`dce`).
inline constexpr uint32_t sender_endian = 1u << 17;
}  // namespace buffer_flag

enum class NumberText : uint8_t { binary, decimal, hexadecimal, octal };

struct ContentArguments {
  uint32_t bytes_at;  ///< RuleTables::bytes
  uint32_t length;    ///< 1..255
  int32_t offset;
  int32_t depth;  ///< offset + depth as written: end of the window; 0 where there is none
  int32_t distance;
  int32_t within;
};
struct PcreArguments {
  uint32_t pcre_index;     ///< RuleTables::pcres
  uint32_t capture_index;  ///< RuleTables::captures
  uint32_t capture_count;
};
/// byte_test, byte_jump, byte_extract, byte_math.
struct ByteArguments {
  uint64_t value;  ///< byte_test: compared with; byte_math: right operand; byte_jump: post offset
  int32_t offset;
  uint32_t bitmask;  ///< 0: none
  uint32_t multiplier;
  uint8_t bytes;
  uint8_t operation;  ///< ByteTestOperator, ByteMathOperator, or JumpBase
  NumberText text;
  uint8_t align;   ///< 0, 2 or 4
  uint8_t result;  ///< variable that is written
};
enum class ByteTestOperator : uint8_t {
  less,
  greater,
  equal,
  less_or_equal,
  greater_or_equal,
  bit_and,
  bit_or,
};
enum class ByteMathOperator : uint8_t { add, subtract, multiply, divide, shift_left, shift_right };
enum class JumpBase : uint8_t { after_number, beginning, end };
struct NumberArguments {  ///< is_data_at (first), buffer_size, uri_length, number_in, dataset
  uint64_t first;
  uint64_t second;
  Compare compare;
  /// number_in: which of the field's numbers in a transaction must compare.
  static constexpr int32_t any_value = 0;
  static constexpr int32_t all_values = INT32_MAX;  ///< all that are there, at least one
  int32_t values;  ///< else: the n-th from the front, from 1; -n: from the back
};
/// `dataset`, `datarep`: the buffer's bytes are the key, in the form of Dataset::type; a buffer
/// that has not this form is in no set, and then only `is_not_set` holds.
struct DatasetArguments {
  enum class Command : uint8_t {
    is_set,
    is_not_set,
    set,    ///< true where it was not there; puts it in
    unset,  ///< true where it was there; takes it out
    reputation_below,
    reputation_above,
    reputation_equal,
  };
  uint32_t dataset;  ///< RuleTables::datasets
  uint16_t reputation;
  Command command;
};
struct Base64Arguments {
  uint32_t bytes;  ///< at most this many bytes of text
  uint32_t offset;
  uint32_t program_index;  ///< first instruction for the decoded bytes
  uint32_t program_count;  ///< 0: nothing looks into them, no match (as Suricata)
};
struct Asn1Arguments {
  uint32_t oversize_length;  ///< 0: not asked
  int32_t offset;
  bool bitstring_overflow;
  bool double_overflow;
};
struct EntropyArguments {
  double first;
  double second;
  uint32_t bytes;
  uint32_t offset;
  Compare compare;
};

/// One check inside a buffer. The active member of the union is told by `opcode`.
struct BufferInstruction {
  BufferOpcode opcode = BufferOpcode::never;
  uint32_t flags = 0;
  union {
    ContentArguments content;
    PcreArguments pcre;
    ByteArguments byte;
    NumberArguments number;
    DatasetArguments dataset;
    Base64Arguments base64;
    Asn1Arguments asn1;
    EntropyArguments entropy;
  };
  BufferInstruction() noexcept : entropy{} {}
};

/// The instructions for one buffer of a rule; the last one carries `is_last`. In a rule about
/// transactions (VerifyKind::transaction) each program is one step whose result is remembered.
struct BufferProgram {
  enum class Source : uint8_t {
    bytes,   ///< the values of `field`, `transforms` applied: one must match (or `absent`)
    number,  ///< the numbers of `field`: instructions are number_in
    event,   ///< `index` is an AppEvent that the transaction must have; no instructions
    /// The transaction's Progress compares with `index`; no instructions. Alone in a rule and
    /// greater_or_equal it is a hook: the rule keeps no state, and matches whenever the transaction
    /// is looked at in that step, or has gone past it since.
    progress,
  } source = Source::bytes;
  Field field = Field::payload;
  uint32_t transforms = 0;  ///< RuleTables::transform_lists; 0: none
  uint32_t index = 0;       ///< RuleTables::buffer_instructions
  uint32_t count = 0;
  /// Of the values it looks at: those of the field's row, or fewer (`file.data:to_client`).
  FieldDirections directions = FieldDirections::both;
  Compare compare = Compare::equal;  ///< progress
};

enum class PostOpcode : uint8_t {
  set_bit,
  unset_bit,
  toggle_bit,
  integer_assign,
  integer_add,
  integer_subtract,
  bypass,
};
/// What a rule does to its flow when all of it matched, whether it alerts or not.
struct PostInstruction {
  PostOpcode opcode = PostOpcode::set_bit;
  bool value_is_integer = false;  ///< `value` is the number of another flow integer
  uint32_t index = 0;             ///< bit or integer number
  uint32_t value = 0;
};

}  // namespace shrike
