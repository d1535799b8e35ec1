#pragma once
#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "shrike/base/diagnostics.h"
#include "shrike/model/app_event.h"
#include "shrike/model/app_protocol.h"
#include "shrike/model/decode_event.h"
#include "shrike/model/field.h"
#include "shrike/model/rule_info.h"
#include "shrike/model/rule_program.h"
#include "shrike/model/stream_event.h"

/// The checked meaning of a rule: what the front end (lexer, AST, keyword table, checks) hands to
/// the back end (fast pattern, groups, databases, programs) and to the oracle. All variables are
/// resolved, all defaults filled in, all faults already reported. Cold; plain values.
namespace shrike::rule {

template <typename T>
struct Range {  ///< first <= value <= last
  T first{};
  T last{};
};

/// A number compared: `ttl:<10`, `dsize:10<>20` (the ends excluded, as Suricata does).
struct Comparison {
  enum class Operator : uint8_t {
    equal,
    not_equal,
    less,
    less_or_equal,
    greater,
    greater_or_equal,
    between,
    not_between,
    masked_equal,  ///< (value & second) == first: flags
    masked_not_equal
  } op = Operator::equal;
  uint64_t first = 0;
  uint64_t second = 0;
};

/// A literal number or a variable that byte_extract or byte_math filled (index into
/// Rule::variable_names).
struct Operand {
  int64_t literal = 0;
  int variable = -1;
};

/// `content` with all its modifiers, as written (nothing derived).
struct Content {
  std::string bytes;  ///< decoded pattern, 1 to 8192 bytes
  bool is_negated = false;
  bool is_nocase = false;
  bool starts_with = false;  ///< startswith
  bool ends_with = false;    ///< endswith
  bool is_relative = false;  ///< distance or within given
  std::optional<Operand> offset, depth, distance, within;
  bool is_fast_pattern = false;       ///< the rule says so
  bool is_fast_pattern_only = false;  ///< with `only`, which Suricata treats as a plain mark
  std::optional<std::pair<uint16_t, uint16_t>> fast_pattern_slice;  ///< offset, length
  Position position;
};

struct Pcre {
  std::string pattern;         ///< without slashes and flags
  uint32_t pcre2_options = 0;  ///< PCRE2_* compile options from the flags i s m x A E G
  bool is_negated = false;
  bool is_relative = false;  ///< R
  /// Captures in order of groups: `(?P<flow_name>…)` and the `flow:`, `pkt:`, `alert:` forms.
  struct Capture {
    enum class Scope : uint8_t { flow, packet, alert } scope;
    std::string name;
  };
  std::vector<Capture> captures;
  Position position;
};

enum class NumberBase : uint8_t { binary, decimal, hexadecimal, octal };
enum class Endian : uint8_t { big, little, dce };

struct ByteTest {
  uint8_t bytes = 0;  ///< 0 with a variable count; as text: as many digits as there are
  int bytes_variable = -1;
  bool is_negated = false;
  enum class Operator : uint8_t {
    less,
    greater,
    equal,
    less_or_equal,
    greater_or_equal,
    bit_and,
    bit_or
  } op;
  Operand value;
  Operand offset;
  bool is_relative = false;
  Endian endian = Endian::big;
  NumberBase base = NumberBase::binary;  ///< not binary: `string`
  uint32_t bitmask = 0;                  ///< 0: none
};
struct ByteJump {
  Operand bytes;
  Operand offset;
  bool is_relative = false;
  Endian endian = Endian::big;
  NumberBase base = NumberBase::binary;
  uint32_t multiplier = 1;
  bool align = false;
  bool from_beginning = false;
  bool from_end = false;
  int32_t post_offset = 0;
  uint32_t bitmask = 0;
};
struct ByteExtract {
  uint8_t bytes = 0;
  int32_t offset = 0;
  int variable = -1;  ///< filled
  bool is_relative = false;
  uint32_t multiplier = 1;
  Endian endian = Endian::big;
  NumberBase base = NumberBase::binary;
  uint8_t align = 0;  ///< 0, 2 or 4
};
struct ByteMath {
  Operand bytes;
  Operand offset;
  enum class Operator : uint8_t { add, subtract, multiply, divide, shift_left, shift_right } op;
  Operand right;
  int result = -1;
  bool is_relative = false;
  Endian endian = Endian::big;
  NumberBase base = NumberBase::binary;
  uint32_t bitmask = 0;
};
struct IsDataAt {
  Operand position_bytes;
  bool is_relative = false;
  bool is_negated = false;
};
struct BufferSize {
  Comparison comparison;
};  ///< bsize
struct Absent {
  bool or_else = false;
};  ///< absent, absent:or_else
struct Base64Decode {
  uint32_t bytes = 0;
  uint32_t offset = 0;
  bool is_relative = false;
};
struct Asn1 {
  bool bitstring_overflow = false, double_overflow = false;
  std::optional<uint32_t> oversize_length;
  std::optional<uint32_t> absolute_offset;
  std::optional<int32_t> relative_offset;
};
struct Rpc {
  uint32_t program = 0;
  std::optional<uint32_t> version;
  std::optional<uint32_t> procedure;
};
struct Entropy {
  Comparison comparison;
  double first = 0, second = 0;
  uint32_t bytes = 0;
  uint32_t offset = 0;
};
struct UriLength {
  Comparison comparison;
  bool is_raw = false;
};
/// The numbers of the buffer's field: a number must compare with one of `any_of`, or, negated, with
/// none of them. Written by add_field_numbers in values.h; alone in its buffer.
struct FieldNumbers {
  std::vector<Comparison> any_of;
  bool is_negated = false;
  /// Which of the numbers in a transaction: 0 any, all_values all of them (at least one), n the
  /// n-th from the front, from 1, and -n the n-th from the back.
  static constexpr int32_t all_values = INT32_MAX;
  int32_t values = 0;
};
/// `dataset`, `datarep`: a lookup of the buffer.
struct DatasetCheck {
  uint32_t dataset = 0;  ///< index of the load's datasets
  DatasetArguments::Command command = DatasetArguments::Command::is_set;
  uint16_t reputation = 0;
};
/// A file digest, script … check on the buffer that the engine does not run yet.
struct NotInspected {
  std::string keyword;
};

/// One check inside a buffer, in the order of the rule. Relative ones move or read the cursor.
using BufferCheck = std::variant<Content, Pcre, ByteTest, ByteJump, ByteExtract, ByteMath, IsDataAt,
                                 BufferSize, Absent, Base64Decode, Asn1, Rpc, Entropy, UriLength,
                                 FieldNumbers, DatasetCheck, NotInspected>;

struct Transform {
  enum class Kind : uint8_t {
    dotprefix,
    domain,
    tld,
    strip_whitespace,
    compress_whitespace,
    to_lowercase,
    to_uppercase,
    to_md5,
    to_sha1,
    to_sha256,
    pcrexform,
    url_decode,
    xor_key,
    header_lowercase,
    strip_pseudo_headers,
    from_base64,
    luaxform,
    gunzip,
    zlib_deflate,
  } kind;
  std::string argument;  ///< pcrexform pattern, xor key bytes
  uint32_t bytes = 0;    ///< from_base64, gunzip, zlib_deflate: bound; 0: the default
  uint32_t offset = 0;   ///< from_base64
  uint8_t mode = 0;      ///< from_base64: 0 RFC 2045, 1 RFC 4648, 2 strict
  bool operator==(const Transform&) const = default;
};

/// All checks of one buffer instance: they share a cursor.
struct Buffer {
  Field field = Field::payload;
  std::vector<Transform> transforms;
  std::vector<BufferCheck> checks;
  Position position;
  FieldDirections directions = FieldDirections::both;  ///< `file.data:to_client`: fewer
};

/// Checks on the packet, its headers and its flow. No cursor; order is free.
struct FlowCheck {  ///< `flow`
  bool established = false, not_established = false, stateless = false;
  bool to_server = false, to_client = false;
  bool only_stream = false, no_stream = false, only_frag = false, no_frag = false;
  bool opens_flow = false;  ///< tcp:flow_start: the first of a direction
};
struct TcpFlags {
  uint8_t flags = 0;
  uint8_t ignored = 0;
  enum class Mode : uint8_t { exact, all, any, none } mode = Mode::exact;
};
struct FragmentBits {
  bool more = false, dont = false, reserved = false;
  enum class Mode : uint8_t { exact, all, any, none } mode = Mode::exact;
};
struct IpOption {
  std::string name;
};  ///< rr, lsrr, eol, nop, ts, sec, esec, ssrr, satid, any
/// A number of a header or of the flow compared.
struct HeaderNumber {
  enum class What : uint8_t {
    ttl,
    tos,
    ip_id,
    fragment_offset,
    payload_bytes /*dsize*/,
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
  } what;
  Comparison comparison;
};
struct IpProtocol {
  std::bitset<256> allowed;
};  ///< all ip_proto of the rule together
struct SameIp {};
/// `vlan.id`: layer 0 to 2 from the outside, -1 to -3 from the inside, or one of the two below.
struct VlanId {
  static constexpr int any_layer = 3;   ///< some tag matches; the default
  static constexpr int all_layers = 4;  ///< every tag matches
  int layer = any_layer;
  Comparison comparison;
};
struct StreamSize {
  enum class Side : uint8_t { server, client, both, either } side;
  Comparison comparison;
};
struct DecodeEventCheck {
  DecodeEvent event;
};
struct StreamEventCheck {
  StreamEvent event;
};
/// Of a transaction, or, where its name begins with applayer_, of the flow.
struct AppEventCheck {
  AppEvent event;
};
/// How far a transaction is in a direction.
struct ProgressCheck {
  enum class When : uint8_t { reached, below, above } when = When::reached;
  Progress progress = Progress::started;
  FieldDirections direction = FieldDirections::to_server;
};
struct AppProtocolCheck {
  AppProtocol protocol;
  bool is_negated = false;
  ProtocolSide side = ProtocolSide::any;
};
struct AddressCheck {
  bool is_source = false;
  std::vector<AddressRange> ranges;
  bool is_negated = false;
  bool is_either = false;  ///< one of the two addresses, whichever
};
struct ChecksumCheck {
  enum class What : uint8_t { ipv4, tcpv4, tcpv6, udpv4, udpv6, icmpv4, icmpv6 } what;
  bool must_be_valid = true;
};
struct Layer3 {
  bool ipv4 = false, ipv6 = false;
};  ///< l3_proto
struct FlowBits {
  enum class Command : uint8_t { set, unset, toggle, is_set, is_not_set } command;
  std::vector<std::string> names;
};  ///< is_set with several: any of
struct FlowInteger {
  enum class Command : uint8_t {
    add,
    subtract,
    assign,
    is_set,
    not_set,
    equal,
    not_equal,
    less,
    less_or_equal,
    greater,
    greater_or_equal
  } command;
  std::string name;
  uint32_t value = 0;
  std::string value_of;  ///< another flow integer, where not empty
};
struct FlowVariableCheck {
  std::string name;
  std::string bytes;
  bool is_packet = false;
  bool is_negated = false;
};
/// `iprep`.
struct ReputationCheck {
  ReputationSide side = ReputationSide::any;
  uint32_t category = 0;
  Comparison comparison;
};

using PacketCheck =
    std::variant<FlowCheck, TcpFlags, FragmentBits, IpOption, HeaderNumber, IpProtocol, SameIp,
                 VlanId, StreamSize, DecodeEventCheck, StreamEventCheck, AppEventCheck,
                 ProgressCheck, AppProtocolCheck, AddressCheck, ChecksumCheck, Layer3, FlowBits,
                 FlowInteger, FlowVariableCheck, ReputationCheck, NotInspected>;

/// One side of the header, resolved to sorted, disjoint ranges; any where `is_any`.
struct AddressSet {
  bool is_any = true;
  std::vector<AddressRange> ranges;
  bool has_negation = false;
};
struct PortSet {
  bool is_any = true;
  std::vector<Range<uint16_t>> ranges;
};

struct Header {
  std::bitset<256> ip_protocols;  ///< all set for ip
  bool only_ipv4 = false, only_ipv6 = false;
  bool is_packet_header = false;                    ///< pkthdr: also frames without IP
  bool only_packets = false;                        ///< tcp-pkt
  bool only_streams = false;                        ///< tcp-stream
  bool only_ethernet_or_arp = false;                ///< ether, arp
  AppProtocol app_protocol = AppProtocol::unknown;  ///< alert http …
  std::string hook;                                 ///< "flow_start" of tcp:flow_start
  AddressSet source, target;
  PortSet source_port, target_port;
  bool is_bidirectional = false;
  bool is_transactional = false;  ///< =>
};

/// How Suricata inspects it (rules.md E.8 50, 54).
enum class RuleKind : uint8_t {
  decode_event,
  ip_only,
  like_ip_only,
  packet,
  packet_and_stream,
  stream,
  app_event,
  app_transaction,
  protocol_detection_only
};

struct Rule {
  RuleInfo info;
  std::string action_scope;  ///< "packet" or "flow" of drop:packet, pass:flow …; else empty
  Header header;
  std::vector<PacketCheck> packet_checks;
  std::vector<Buffer> buffers;              ///< in order of the rule
  std::vector<std::string> variable_names;  ///< byte_extract, byte_math results
  RuleKind kind = RuleKind::packet;
  bool needs_packet = false;       ///< SIG_FLAG_REQUIRE_PACKET
  bool needs_stream = false;       ///< SIG_FLAG_REQUIRE_STREAM
  bool prefilter_keyword = false;  ///< `prefilter` given
  bool is_bypass = false;
  /// `flow`, or fields that only one direction fills, tie the rule to it; never both.
  bool only_to_server = false, only_to_client = false;
  /// Why it loads but never fires: a field no parser fills, a keyword not inspected. Empty: awake.
  std::string dormant_reason;
  Position position;
};

}  // namespace shrike::rule
