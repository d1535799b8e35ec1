#include "ir_text.h"

#include <fmt/format.h>

#include "content_text.h"

namespace shrike::rule {

namespace {

std::string to_text(const AddressRange& range) {
  std::string first = shrike::to_text(range.first, range.version, true);
  if (range.first == range.last) return first;
  return first + "-" + shrike::to_text(range.last, range.version, true);
}

std::string to_text(const AddressSet& set) {
  if (set.is_any) return "any";
  std::string out;
  for (const AddressRange& range : set.ranges) {
    out += (out.empty() ? "" : ",") + to_text(range);
  }
  return out;
}

std::string to_text(const PortSet& set) {
  if (set.is_any) return "any";
  std::string out;
  for (const auto& range : set.ranges) {
    if (!out.empty()) out += ',';
    out += range.first == range.last ? fmt::format("{}", range.first)
                                     : fmt::format("{}:{}", range.first, range.last);
  }
  return out;
}

/// The protocol numbers of the header, "all" for every one.
std::string protocols_text(const std::bitset<256>& protocols) {
  if (protocols.all()) return "all";
  std::string out;
  for (size_t i = 0; i < protocols.size(); ++i) {
    if (protocols[i]) out += fmt::format("{}{}", out.empty() ? "" : ",", i);
  }
  return out.empty() ? "none" : out;
}

std::string header_text(const Header& header) {
  std::string out = fmt::format("  header protocols {}", protocols_text(header.ip_protocols));
  if (header.only_ipv4) out += " ipv4";
  if (header.only_ipv6) out += " ipv6";
  if (header.is_packet_header) out += " pkthdr";
  if (header.only_packets) out += " packets";
  if (header.only_streams) out += " streams";
  if (header.only_ethernet_or_arp) out += " link";
  if (header.app_protocol != AppProtocol::unknown) {
    out += fmt::format(" app {}", shrike::to_text(header.app_protocol));
  }
  if (!header.hook.empty()) out += " hook " + header.hook;
  const std::string_view direction = header.is_transactional ? "=>" : "->";
  return out + fmt::format(" from {} {} {} {} {}\n", to_text(header.source),
                           to_text(header.source_port), direction, to_text(header.target),
                           to_text(header.target_port));
}

/// Adds words to a line, each where it is so.
class Line {
 public:
  explicit Line(std::string_view name) : text_(name) {}
  Line& flag(bool is_set, std::string_view word) {
    if (is_set) text_ += fmt::format(" {}", word);
    return *this;
  }
  template <typename Value>
  Line& value(std::string_view name, const Value& value) {
    text_ += fmt::format(" {} {}", name, value);
    return *this;
  }
  template <typename Number>
  Line& unless_zero(std::string_view name, Number number) {
    return number == 0 ? *this : value(name, number);
  }
  [[nodiscard]] std::string text() const { return text_; }

 private:
  std::string text_;
};

/// Renders checks; variables by their name.
class CheckText {
 public:
  explicit CheckText(const Rule& rule) : rule_(rule) {}

  std::string operator()(const Content& check) const {
    Line line("content");
    line.flag(check.is_negated, "not").flag(true, "\"" + encode_content(check.bytes) + "\"");
    line.flag(check.is_nocase, "nocase").flag(check.starts_with, "startswith");
    line.flag(check.ends_with, "endswith");
    operand(line, "offset", check.offset);
    operand(line, "depth", check.depth);
    operand(line, "distance", check.distance);
    operand(line, "within", check.within);
    line.flag(check.is_fast_pattern, "fast_pattern");
    if (check.fast_pattern_slice) {
      line.flag(true, fmt::format("{},{}", check.fast_pattern_slice->first,
                                  check.fast_pattern_slice->second));
    }
    return line.text();
  }
  std::string operator()(const Pcre& check) const {
    Line line("pcre");
    line.flag(check.is_negated, "not").flag(true, "/" + check.pattern + "/");
    line.unless_zero("options", check.pcre2_options).flag(check.is_relative, "relative");
    for (const Pcre::Capture& capture : check.captures) line.value("capture", capture.name);
    return line.text();
  }
  std::string operator()(const ByteTest& check) const {
    static constexpr std::string_view ops[] = {"<", ">", "=", "<=", ">=", "&", "^"};
    Line line("byte_test");
    line.value("bytes", operand_text({check.bytes, check.bytes_variable}));
    line.value("at", operand_text(check.offset)).flag(check.is_relative, "relative");
    line.flag(check.is_negated, "not").flag(true, ops[static_cast<size_t>(check.op)]);
    line.flag(true, operand_text(check.value));
    return read_text(line, check.endian, check.base, check.bitmask);
  }
  std::string operator()(const ByteJump& check) const {
    Line line("byte_jump");
    line.value("bytes", operand_text(check.bytes)).value("at", operand_text(check.offset));
    line.flag(check.is_relative, "relative").value("times", check.multiplier);
    line.flag(check.align, "align").flag(check.from_beginning, "from_beginning");
    line.flag(check.from_end, "from_end").unless_zero("post_offset", check.post_offset);
    return read_text(line, check.endian, check.base, check.bitmask);
  }
  std::string operator()(const ByteExtract& check) const {
    Line line("byte_extract");
    line.value("bytes", check.bytes).value("at", check.offset).flag(check.is_relative, "relative");
    line.value("times", check.multiplier).unless_zero("align", check.align);
    line.value("into", variable(check.variable));
    return read_text(line, check.endian, check.base, 0);
  }
  std::string operator()(const ByteMath& check) const {
    static constexpr std::string_view ops[] = {"+", "-", "*", "/", "<<", ">>"};
    Line line("byte_math");
    line.value("bytes", operand_text(check.bytes)).value("at", operand_text(check.offset));
    line.flag(check.is_relative, "relative").flag(true, ops[static_cast<size_t>(check.op)]);
    line.flag(true, operand_text(check.right)).value("into", variable(check.result));
    return read_text(line, check.endian, check.base, check.bitmask);
  }
  std::string operator()(const IsDataAt& check) const {
    return Line("isdataat")
        .flag(check.is_negated, "not")
        .flag(true, operand_text(check.position_bytes))
        .flag(check.is_relative, "relative")
        .text();
  }
  std::string operator()(const BufferSize& check) const {
    return "bsize " + rule::to_text(check.comparison);
  }
  std::string operator()(const Absent& check) const {
    return Line("absent").flag(check.or_else, "or_else").text();
  }
  std::string operator()(const Base64Decode& check) const {
    return Line("base64_decode")
        .unless_zero("bytes", check.bytes)
        .unless_zero("offset", check.offset)
        .flag(check.is_relative, "relative")
        .text();
  }
  std::string operator()(const Asn1& check) const {
    Line line("asn1");
    line.flag(check.bitstring_overflow, "bitstring_overflow");
    line.flag(check.double_overflow, "double_overflow");
    line.unless_zero("oversize_length", check.oversize_length.value_or(0));
    line.unless_zero("absolute_offset", check.absolute_offset.value_or(0));
    return line.unless_zero("relative_offset", check.relative_offset.value_or(0)).text();
  }
  std::string operator()(const Rpc& check) const {
    Line line("rpc");
    line.value("program", check.program);
    if (check.version) line.value("version", *check.version);
    if (check.procedure) line.value("procedure", *check.procedure);
    return line.text();
  }
  std::string operator()(const Entropy& check) const {
    return Line("entropy").value("of", check.first).value("to", check.second).text();
  }
  std::string operator()(const UriLength& check) const {
    return Line("urilen " + rule::to_text(check.comparison)).flag(check.is_raw, "raw").text();
  }
  std::string operator()(const FieldNumbers& check) const {
    Line line("number");
    line.flag(check.is_negated, "not");
    for (const Comparison& comparison : check.any_of) line.flag(true, rule::to_text(comparison));
    const bool is_all = check.values == FieldNumbers::all_values;
    return line.flag(is_all, "all").unless_zero("of", is_all ? 0 : check.values).text();
  }
  std::string operator()(const DatasetCheck& check) const {
    static constexpr std::string_view commands[] = {"isset", "isnotset", "set", "unset",
                                                    "<",     ">",        "="};
    return Line("dataset")
        .flag(true, commands[static_cast<size_t>(check.command)])
        .value("number", check.dataset)
        .unless_zero("score", check.reputation)
        .text();
  }
  std::string operator()(const NotInspected& check) const {
    return "not inspected " + check.keyword;
  }

  std::string operator()(const FlowCheck& check) const {
    Line line("flow");
    line.flag(check.established, "established").flag(check.not_established, "not_established");
    line.flag(check.stateless, "stateless").flag(check.to_server, "to_server");
    line.flag(check.to_client, "to_client").flag(check.only_stream, "only_stream");
    line.flag(check.no_stream, "no_stream").flag(check.only_frag, "only_frag");
    return line.flag(check.no_frag, "no_frag").flag(check.opens_flow, "opens").text();
  }
  std::string operator()(const TcpFlags& check) const {
    return fmt::format("tcp.flags {} {:#04x} ignored {:#04x}", mode_text(check.mode), check.flags,
                       check.ignored);
  }
  std::string operator()(const FragmentBits& check) const {
    Line line("fragbits");
    line.flag(true, mode_text(check.mode)).flag(check.more, "more").flag(check.dont, "dont");
    return line.flag(check.reserved, "reserved").text();
  }
  std::string operator()(const IpOption& check) const { return "ipopts " + check.name; }
  std::string operator()(const HeaderNumber& check) const {
    static constexpr std::string_view names[] = {"ttl",
                                                 "tos",
                                                 "id",
                                                 "fragoffset",
                                                 "dsize",
                                                 "itype",
                                                 "icode",
                                                 "icmp_id",
                                                 "icmp_seq",
                                                 "icmpv6.mtu",
                                                 "tcp.seq",
                                                 "tcp.ack",
                                                 "window",
                                                 "tcp.mss",
                                                 "tcp.wscale",
                                                 "vlan.layers",
                                                 "flow.age",
                                                 "flow.pkts to_server",
                                                 "flow.pkts to_client",
                                                 "flow.bytes to_server",
                                                 "flow.bytes to_client",
                                                 "flow.pkts either",
                                                 "flow.bytes either"};
    return fmt::format("{} {}", names[static_cast<size_t>(check.what)],
                       rule::to_text(check.comparison));
  }
  std::string operator()(const IpProtocol& check) const {
    return "ip_proto " + protocols_text(check.allowed);
  }
  std::string operator()(const SameIp&) const { return "sameip"; }
  std::string operator()(const VlanId& check) const {
    return fmt::format("vlan.id {} layer {}", rule::to_text(check.comparison), check.layer);
  }
  std::string operator()(const StreamSize& check) const {
    static constexpr std::string_view sides[] = {"server", "client", "both", "either"};
    return fmt::format("stream_size {} {}", sides[static_cast<size_t>(check.side)],
                       rule::to_text(check.comparison));
  }
  std::string operator()(const DecodeEventCheck& check) const {
    return fmt::format("decode-event {}", shrike::to_text(check.event));
  }
  std::string operator()(const StreamEventCheck& check) const {
    return fmt::format("stream-event {}", shrike::to_text(check.event));
  }
  std::string operator()(const AppEventCheck& check) const {
    return fmt::format("app-layer-event {}", shrike::to_text(check.event));
  }
  std::string operator()(const ProgressCheck& check) const {
    static constexpr std::string_view whens[] = {"at", "below", "above"};
    static constexpr std::string_view steps[] = {"started", "line",    "headers",
                                                 "body",    "trailer", "complete"};
    const bool to_server = check.direction == FieldDirections::to_server;
    return fmt::format("progress {} {} {}", whens[static_cast<size_t>(check.when)],
                       steps[static_cast<size_t>(check.progress)],
                       to_server ? "to_server" : "to_client");
  }
  std::string operator()(const AppProtocolCheck& check) const {
    static constexpr std::string_view sides[] = {"any",    "to_server", "to_client",
                                                 "either", "final",     "original"};
    return Line("app-layer-protocol")
        .flag(check.is_negated, "not")
        .flag(true, shrike::to_text(check.protocol))
        .flag(check.side != ProtocolSide::any, sides[static_cast<size_t>(check.side)])
        .text();
  }
  std::string operator()(const AddressCheck& check) const {
    Line line(check.is_either ? "either" : check.is_source ? "source" : "target");
    line.flag(check.is_negated, "not");
    for (const AddressRange& range : check.ranges) line.flag(true, to_text(range));
    return line.text();
  }
  std::string operator()(const ChecksumCheck& check) const {
    static constexpr std::string_view names[] = {"ipv4",  "tcpv4",  "tcpv6", "udpv4",
                                                 "udpv6", "icmpv4", "icmpv6"};
    return fmt::format("{}-csum {}", names[static_cast<size_t>(check.what)],
                       check.must_be_valid ? "valid" : "invalid");
  }
  std::string operator()(const Layer3& check) const {
    return Line("l3_proto").flag(check.ipv4, "ipv4").flag(check.ipv6, "ipv6").text();
  }
  std::string operator()(const FlowBits& check) const {
    static constexpr std::string_view commands[] = {"set", "unset", "toggle", "isset", "isnotset"};
    Line line("flowbits");
    line.flag(true, commands[static_cast<size_t>(check.command)]);
    for (const std::string& name : check.names) line.flag(true, name);
    return line.text();
  }
  std::string operator()(const FlowInteger& check) const {
    static constexpr std::string_view commands[] = {
        "+", "-", "=", "isset", "isnotset", "==", "!=", "<", "<=", ">", ">="};
    return Line("flowint")
        .flag(true, check.name)
        .flag(true, commands[static_cast<size_t>(check.command)])
        .flag(true, check.value_of.empty() ? fmt::format("{}", check.value) : check.value_of)
        .text();
  }
  std::string operator()(const FlowVariableCheck& check) const {
    return Line(check.is_packet ? "pktvar" : "flowvar")
        .flag(true, check.name)
        .flag(check.is_negated, "not")
        .flag(true, "\"" + encode_content(check.bytes) + "\"")
        .text();
  }
  std::string operator()(const ReputationCheck& check) const {
    static constexpr std::string_view sides[] = {"any", "src", "dst", "both"};
    return fmt::format("iprep {} category {} {}", sides[static_cast<size_t>(check.side)],
                       check.category, rule::to_text(check.comparison));
  }

 private:
  [[nodiscard]] std::string variable(int index) const {
    const auto at = static_cast<size_t>(index);
    return index >= 0 && at < rule_.variable_names.size() ? rule_.variable_names[at] : "?";
  }
  [[nodiscard]] std::string operand_text(const Operand& operand) const {
    return operand.variable < 0 ? fmt::format("{}", operand.literal) : variable(operand.variable);
  }
  void operand(Line& line, std::string_view name, const std::optional<Operand>& operand) const {
    if (operand) line.value(name, operand_text(*operand));
  }
  static std::string read_text(Line& line, Endian endian, NumberBase base, uint32_t bitmask) {
    static constexpr std::string_view endians[] = {"big", "little", "dce"};
    static constexpr std::string_view bases[] = {"binary", "decimal", "hexadecimal", "octal"};
    line.flag(endian != Endian::big, endians[static_cast<size_t>(endian)]);
    line.flag(base != NumberBase::binary, bases[static_cast<size_t>(base)]);
    return line.unless_zero("bitmask", bitmask).text();
  }
  template <typename Mode>
  static std::string_view mode_text(Mode mode) {
    static constexpr std::string_view modes[] = {"exact", "all", "any", "none"};
    return modes[static_cast<size_t>(mode)];
  }

  const Rule& rule_;
};

std::string transforms_text(const Buffer& buffer) {
  static constexpr std::string_view names[] = {
      "dotprefix",    "domain",       "tld",    "strip_whitespace", "compress_whitespace",
      "to_lowercase", "to_uppercase", "to_md5", "to_sha1",          "to_sha256",
      "pcrexform",    "url_decode",   "xor",    "header_lowercase", "strip_pseudo_headers",
      "from_base64",  "luaxform",     "gunzip", "zlib_deflate"};
  std::string out;
  for (const Transform& transform : buffer.transforms) {
    out += fmt::format(" {}", names[static_cast<size_t>(transform.kind)]);
  }
  return out;
}

std::string_view action_text(Action action) {
  static constexpr std::string_view names[] = {"alert",     "pass",      "drop",       "reject",
                                               "rejectsrc", "rejectdst", "rejectboth", "config"};
  return names[static_cast<size_t>(action)];
}

}  // namespace

std::string to_text(const Comparison& comparison) {
  static constexpr std::string_view signs[] = {"=", "!=", "<", "<=", ">", ">="};
  if (comparison.op == Comparison::Operator::between) {
    return fmt::format("{}<>{}", comparison.first, comparison.second);
  }
  if (comparison.op == Comparison::Operator::not_between) {
    return fmt::format("!{}<>{}", comparison.first, comparison.second);
  }
  if (comparison.op == Comparison::Operator::masked_equal ||
      comparison.op == Comparison::Operator::masked_not_equal) {
    const bool is_equal = comparison.op == Comparison::Operator::masked_equal;
    return fmt::format("& {:#x} {} {:#x}", comparison.second,
                       is_equal ? "=" : "!=", comparison.first);
  }
  return fmt::format("{} {}", signs[static_cast<size_t>(comparison.op)], comparison.first);
}

std::string_view to_text(RuleKind kind) {
  switch (kind) {
    case RuleKind::decode_event:
      return "decode-event";
    case RuleKind::ip_only:
      return "ip-only";
    case RuleKind::like_ip_only:
      return "like-ip-only";
    case RuleKind::packet:
      return "packet";
    case RuleKind::packet_and_stream:
      return "packet-and-stream";
    case RuleKind::stream:
      return "stream";
    case RuleKind::app_event:
      return "app-event";
    case RuleKind::app_transaction:
      return "app-transaction";
    case RuleKind::protocol_detection_only:
      return "protocol-detection-only";
  }
  return "";
}

std::string to_text(const Rule& rule) {
  const RuleInfo& info = rule.info;
  std::string out = fmt::format("rule {}:{}:{} {} {} priority {}", info.gid, info.sid, info.rev,
                                action_text(info.action), to_text(rule.kind), info.priority);
  if (rule.needs_packet) out += " needs-packet";
  if (rule.needs_stream) out += " needs-stream";
  if (info.is_noalert) out += " noalert";
  if (!rule.dormant_reason.empty()) out += fmt::format(" dormant '{}'", rule.dormant_reason);
  out += fmt::format("\n  message \"{}\"\n", info.message);
  out += header_text(rule.header);
  const CheckText render(rule);
  for (const PacketCheck& check : rule.packet_checks) {
    out += "  " + std::visit(render, check) + "\n";
  }
  for (const Buffer& buffer : rule.buffers) {
    out += fmt::format("  buffer {}{}\n", shrike::to_text(buffer.field), transforms_text(buffer));
    for (const BufferCheck& check : buffer.checks) {
      out += "    " + std::visit(render, check) + "\n";
    }
  }
  return out;
}

}  // namespace shrike::rule
