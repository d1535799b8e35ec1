#pragma once
#include <array>
#include <bitset>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shrike/model/address.h"
#include "shrike/model/app_protocol.h"
#include "shrike/model/rule_info.h"
#include "shrike/model/rule_program.h"

struct hs_database;        // Hyperscan's, made by rule, scanned by detect
struct pcre2_real_code_8;  // PCRE2's

/// The compiled form of a rule set: tables that `rule` fills and `detect` reads. No table changes
/// after it was built.
namespace shrike {

inline constexpr uint32_t no_index = 0xffffffff;

/// Inclusive port ranges, sorted and disjoint.
struct PortRange {
  uint16_t first = 0;
  uint16_t last = 0;
};
using PortSet = std::vector<PortRange>;

/// Inclusive address ranges of both versions, each sorted and disjoint.
struct AddressSet {
  struct Range4 {
    uint32_t first, last;  ///< host order
  };
  struct Range6 {
    IpAddress first, last;
  };
  std::vector<Range4> ipv4;
  std::vector<Range6> ipv6;

  [[nodiscard]] bool contains(const IpAddress& address, unsigned version) const noexcept;
};

/// What a pass or drop rule speaks for: as its match says, or as the rule says.
enum class ActionScope : uint8_t { by_match, packet, flow };

enum class VerifyKind : uint8_t {
  packet,
  packet_and_stream,
  stream,
  ip_only,
  like_ip_only,
  event,
  transaction,         ///< looks into fields of transactions (or their events)
  protocol_detection,  ///< asks how the flow was identified, once that is over in its direction
};

/// What verification needs of one rule before its program: 64 bytes, one cache line.
struct alignas(64) CompiledRule {
  uint32_t needs = 0;  ///< need:: bits
  VerifyKind kind = VerifyKind::packet;
  Action action = Action::alert;
  ActionScope scope = ActionScope::by_match;
  bool stream_only = false;    ///< never the packet's own payload
  bool payload_first = false;  ///< captures: payload is inspected before the packet checks
  bool is_noalert = false;
  bool has_host_bits = false;
  bool has_thresholds = false;
  bool has_tag = false;
  /// `=>`: its programs may be of both directions of one transaction; all of them must have matched
  /// there. In Suricata it fires in the direction in which the last one does.
  bool both_directions = false;
  /// `alert http …`, or the protocol of its fields: flows of another kind (is_kind_of) cannot
  /// match. unknown: any.
  AppProtocol app_protocol = AppProtocol::unknown;
  uint16_t protocol_set = 0;  ///< RuleTables::protocol_sets
  uint16_t packet_count = 0;
  uint16_t buffer_count = 0;
  uint16_t post_count = 0;
  uint32_t packet_index = 0;             ///< RuleTables::packet_instructions
  uint32_t buffer_index = 0;             ///< RuleTables::buffer_programs
  uint32_t post_index = 0;               ///< RuleTables::post_instructions
  uint32_t source_addresses = no_index;  ///< RuleTables::address_sets; no_index: any
  uint32_t target_addresses = no_index;
  uint32_t source_ports = no_index;  ///< RuleTables::port_sets; no_index: any
  uint32_t target_ports = no_index;
  uint32_t dsize_first = 0;  ///< payload length, both ends included
  uint32_t dsize_last = no_index;
};
static_assert(sizeof(CompiledRule) == 64);

/// A rule that becomes a candidate when a literal is found and its end lies in a window.
struct PatternRule {
  uint32_t rule = 0;
  uint32_t needs = 0;      ///< as in CompiledRule, so that most hits end here
  uint32_t end_first = 0;  ///< the literal's end offset in the buffer, both included
  uint32_t end_last = no_index;
};

/// One literal database; several groups may share it. Pattern ids index `first_rule`.
struct LiteralDatabase {
  std::unique_ptr<hs_database, void (*)(hs_database*)> database{nullptr, nullptr};
  std::vector<uint32_t> first_rule;  ///< [patterns + 1] into rules
  std::vector<PatternRule> rules;
  uint32_t shortest_bytes = 0;         ///< buffers below this cannot match
  uint32_t scan_bytes_max = no_index;  ///< no window ends behind this: scan no further
  uint64_t content_hash = 0;           ///< of the literals, for dumps
};

/// Literals that can stand at one place only (`depth` equal to their length, `startswith`): looked
/// up by their first bytes instead of searched. A third of ET's TCP rules are found this way.
struct AnchorTable {
  struct Entry {
    uint32_t rule = 0;
    uint32_t needs = 0;
    uint32_t bytes_at = 0;  ///< AnchorTable::bytes
    uint32_t length = 0;
  };
  /// A hash table over the first `key_bytes` (1 to 4) bytes of literals at one place.
  struct Probe {
    uint32_t key_bytes = 0;
    bool is_nocase = false;   ///< keys and bytes are in lower case
    uint32_t slot_index = 0;  ///< slots [slot_index, +slot_mask + 1)
    uint32_t slot_mask = 0;
  };
  struct Slot {
    uint32_t key = 0;
    uint32_t first = 0;  ///< entries [first, last)
    uint32_t last = 0;   ///< equal to first: an empty slot, the end of a search
  };
  struct Place {
    std::array<uint64_t, 4> first_bytes{};  ///< bit set of what a literal here may begin with
    uint32_t offset = 0;
    uint32_t probe_first = 0;
    uint32_t probe_last = 0;
  };
  std::vector<Place> places;  ///< by offset
  std::vector<Probe> probes;
  std::vector<Slot> slots;
  std::vector<Entry> entries;
  std::vector<uint8_t> bytes;

  [[nodiscard]] static constexpr uint32_t slot_of(uint32_t key, uint32_t mask) noexcept {
    return (key * 0x9e3779b1u >> 16) & mask;
  }
};

/// A rule without a literal, with the facts it needs so that most are passed over at once.
struct OpenRule {
  uint32_t needs = 0;
  uint32_t rule = 0;
};

/// What one direction of a flow, or one datagram without flow, meets.
struct RuleGroup {
  /// What is looked for in one kind of bytes: literals at fixed places, and all others.
  struct Layer {
    uint32_t anchors = no_index;   ///< RuleTables::anchors
    uint32_t database = no_index;  ///< RuleTables::databases
  };
  /// The first layer holds the rules for any port and is shared by all groups of a direction and
  /// transport, so that it stays in the CPU's cache; the second holds those of the group's ports.
  using Layers = std::array<Layer, 2>;
  Layers payload;  ///< of a packet
  Layers stream;   ///< chunks; and payload that did not enter the stream
  /// Rules without a literal, in inspection order, by open_key of the datagram.
  static constexpr unsigned open_keys = 16;
  std::array<uint32_t, open_keys + 1> open_index{};  ///< RuleTables::open_rules
  uint32_t rules = 0;                                ///< all rules of the group
  std::string name;                                  ///< for dumps: "tcp to_server 80"
};

/// Which of a group's lists of literal-free rules a datagram with these facts walks.
[[nodiscard]] constexpr unsigned open_key(uint32_t facts) noexcept {
  return ((facts & need::payload) != 0 ? 1u : 0u) | ((facts & need::event) != 0 ? 2u : 0u) |
         ((facts & need::flow) != 0 ? 4u : 0u) |
         ((facts >> need::tcp_flags_shift & 2u) != 0 ? 8u : 0u);
}

/// One step of a transform list, see ir.h Transform.
struct TransformStep {
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
    gunzip,
    zlib_deflate,
  } kind;
  std::vector<uint8_t> key;  ///< xor_key
  uint32_t pcre = no_index;  ///< pcrexform: RuleTables::pcres
  uint32_t bytes = 0;        ///< from_base64, gunzip, zlib_deflate: bounds; 0: the default
  uint32_t offset = 0;
  uint8_t mode = 0;  ///< from_base64: 0 RFC 2045, 1 RFC 4648, 2 strict
};

/// What `dataset` and `datarep` look buffers up in. Rules that set or unset change what detect
/// keeps for itself, never this.
struct Dataset {
  /// Keys are bytes: a text as it is, a digest of 16 or 32 bytes, an address of 4 or of 16 bytes in
  /// network order (ip: IPv4 as ::ffff:a.b.c.d).
  enum class Type : uint8_t { text, md5, sha256, ipv4, ip };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const noexcept {
      return std::hash<std::string_view>{}(key);
    }
  };
  std::string name;
  Type type = Type::text;
  bool has_changes = false;  ///< a rule sets or unsets
  uint32_t keys_max = 0;     ///< what it may hold with what rules set; 0: no bound
  std::unordered_map<std::string, uint16_t, Hash, std::equal_to<>> keys;  ///< to their reputation
};

/// Reputation lists of addresses (`iprep`): a network's score in a category, the longest prefix
/// counts.
struct Reputation {
  struct Entry {
    IpAddress first, last;  ///< inclusive
    uint8_t version = 4;
    uint8_t category = 0;
    uint8_t score = 0;
  };
  std::vector<std::string> categories;  ///< by number; empty: none of it
  std::vector<Entry> hosts;             ///< single addresses, by version, first, category
  std::vector<Entry> networks;          ///< longest prefix first
};

/// The rules about transactions of one protocol in one direction.
struct AppGroup {
  /// What is looked for in the values of one field under one list of transforms.
  struct Buffer {
    Field field = Field::payload;
    uint32_t transforms = 0;  ///< RuleTables::transform_lists
    RuleGroup::Layer layer;   ///< PatternRule::end_* are offsets in the transformed value
  };
  std::vector<Buffer> buffers;  ///< by field, then transforms
  /// Rules without a literal in a field, in inspection order: tried with every transaction.
  std::vector<uint32_t> open_rules;
  uint32_t rules = 0;  ///< all rules of the group, those found by a literal in payload too
};

/// From a group's point of view the transports that have groups of their own.
enum class TransportClass : uint8_t { tcp, udp, sctp, icmp, icmpv6, other, count_ };
[[nodiscard]] TransportClass transport_class(uint8_t protocol) noexcept;

/// Rules that addresses alone (nearly) decide: sorted address intervals, each with the rules that
/// name it, looked up with one binary search behind a table of the address's first 16 bits.
struct AddressTable {
  std::vector<uint32_t> starts4;  ///< interval i is [starts4[i], starts4[i + 1])
  std::vector<uint32_t> lists4;   ///< first entry in `rules` of interval i, [intervals + 1]
  std::vector<uint32_t> prefix4;  ///< [65537] first interval that may hold addresses of a /16
  std::vector<IpAddress> starts6;
  std::vector<uint32_t> lists6;
  std::vector<uint32_t> rules4;  ///< rule indices, ascending within an interval
  std::vector<uint32_t> rules6;

  struct Found {
    const uint32_t* first = nullptr;
    const uint32_t* last = nullptr;
  };
  [[nodiscard]] Found find(const IpAddress& address, unsigned version) const noexcept;
};

struct PcreCode {
  std::unique_ptr<pcre2_real_code_8, void (*)(pcre2_real_code_8*)> code{nullptr, nullptr};
  uint32_t captures = 0;
};
/// A named capture of a pcre: which group goes to which variable.
struct PcreCapture {
  bool to_packet = false;
  uint32_t variable = 0;  ///< RuleTables::variable_names
};

struct RuleTables {
  uint64_t generation = 0;
  std::vector<RuleInfo> infos;  ///< in inspection order, dormant ones too
  std::vector<std::string> bit_names;
  std::vector<std::string> integer_names;
  std::vector<std::string> variable_names;  ///< flow and packet variables

  std::vector<CompiledRule> rules;  ///< parallel to infos
  std::vector<PacketInstruction> packet_instructions;
  std::vector<BufferProgram> buffer_programs;
  std::vector<BufferInstruction> buffer_instructions;
  std::vector<PostInstruction> post_instructions;
  std::vector<uint8_t> bytes;      ///< patterns; nocase ones in lower case
  std::vector<std::string> texts;  ///< values that flow variables are searched for
  std::vector<uint32_t> variable_lists;
  std::vector<std::bitset<256>> protocol_sets;
  std::vector<AddressSet> address_sets;
  std::vector<PortSet> port_sets;
  std::vector<PcreCode> pcres;
  std::vector<PcreCapture> captures;

  std::vector<AnchorTable> anchors;
  std::vector<LiteralDatabase> databases;
  std::vector<OpenRule> open_rules;
  std::vector<RuleGroup> groups;
  /// Group of a server port, by direction and transport (tcp, udp); see RuleSet::group_of.
  std::array<std::array<std::vector<uint16_t>, 2>, 2> port_groups;
  /// Group of the other transports, by direction.
  std::array<std::array<uint16_t, static_cast<size_t>(TransportClass::count_)>, 2> other_groups{};
  uint16_t event_group = 0;  ///< for what has no IP header
  /// By direction and the AppProtocol of the flow; the group of http1 holds the rules for http too.
  /// A rule whose fast pattern is in the payload is in none of these: a hit in the packet and
  /// stream groups makes it a candidate for the transactions.
  std::array<std::array<AppGroup, static_cast<size_t>(AppProtocol::count_)>, 2> app_groups;
  /// Lists of transforms; the first is empty.
  std::vector<std::vector<TransformStep>> transform_lists{1};
  std::vector<Dataset> datasets;
  Reputation reputation;

  AddressTable address_only_source;        ///< ip-only rules, filed by their source
  AddressTable address_only_target;        ///< … by their target, where the source is any
  std::vector<uint32_t> address_only_any;  ///< … with neither
};

}  // namespace shrike
