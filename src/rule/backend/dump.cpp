#include "backend/dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "shrike/model/app_event.h"
#include "shrike/model/field.h"

namespace shrike::rule {

namespace {

using Text = std::string;

template <typename... Args>
void append(Text& text, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
}

constexpr std::array<std::string_view, 49> packet_names{"never",
                                                        "flow_start",
                                                        "rebuilt",
                                                        "first_of_side",
                                                        "tcp_flags",
                                                        "fragment_bits",
                                                        "ip_option",
                                                        "ip_protocol",
                                                        "same_ip",
                                                        "address",
                                                        "layer3",
                                                        "checksum",
                                                        "decode_event",
                                                        "stream_event",
                                                        "vlan_id",
                                                        "stream_size",
                                                        "rpc",
                                                        "ttl",
                                                        "tos",
                                                        "ip_id",
                                                        "fragment_offset",
                                                        "payload_bytes",
                                                        "icmp_type",
                                                        "icmp_code",
                                                        "icmp_id",
                                                        "icmp_sequence",
                                                        "icmpv6_mtu",
                                                        "tcp_sequence",
                                                        "tcp_acknowledgement",
                                                        "tcp_window",
                                                        "tcp_mss",
                                                        "tcp_wscale",
                                                        "vlan_layers",
                                                        "flow_age_seconds",
                                                        "flow_packets_to_server",
                                                        "flow_packets_to_client",
                                                        "flow_bytes_to_server",
                                                        "flow_bytes_to_client",
                                                        "flow_packets_either",
                                                        "flow_bytes_either",
                                                        "bits_any_set",
                                                        "bits_any_unset",
                                                        "integer_is_set",
                                                        "integer_not_set",
                                                        "integer_compare",
                                                        "variable_contains",
                                                        "app_protocol",
                                                        "app_event",
                                                        "ip_reputation"};
static_assert(packet_names.back() == "ip_reputation" &&
              packet_names[static_cast<size_t>(PacketOpcode::ip_reputation)] == "ip_reputation");

constexpr std::array<std::string_view, 10> compare_names{"=",  "!=", "<",   "<=", ">",
                                                         ">=", "<>", "!<>", "&=", "&!="};

constexpr std::array<std::pair<uint32_t, std::string_view>, 16> need_names{{
    {need::payload, "payload"},
    {need::no_payload, "no_payload"},
    {need::event, "event"},
    {need::real_packet, "real_packet"},
    {need::flow, "flow"},
    {need::established, "established"},
    {need::not_established, "not_established"},
    {need::ipv4, "ipv4"},
    {need::ipv6, "ipv6"},
    {need::tcp, "tcp"},
    {need::icmp, "icmp"},
    {need::stream, "stream"},
    {need::to_server, "to_server"},
    {need::to_client, "to_client"},
    {need::tcp_opens_or_ends, "tcp_opens_or_ends"},
    {need::tcp_unusual, "tcp_unusual"},
}};

constexpr std::array<std::string_view, 8> kind_names{"packet",      "packet_and_stream", "stream",
                                                     "ip_only",     "like_ip_only",      "event",
                                                     "transaction", "protocol_detection"};

Text needs_text(uint32_t needs) {
  Text text;
  for (const auto& [bit, name] : need_names) {
    if ((needs & bit) != 0) {
      append(text, " {}", name);
    }
  }
  if (needs >> need::tcp_flags_shift != 0) {
    append(text, " tcp_flags:{:02x}", needs >> need::tcp_flags_shift);
  }
  return text.empty() ? " nothing" : text;
}

/// Printable bytes as they are, runs of others as hex between bars, as rules write them.
Text pattern_text(const uint8_t* bytes, size_t length) {
  Text text = "\"";
  bool in_hex = false;
  for (size_t i = 0; i < length; ++i) {
    const uint8_t byte = bytes[i];
    const bool is_plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '|';
    if (is_plain == in_hex) {
      text += '|';
      in_hex = !is_plain;
    } else if (in_hex) {
      text += ' ';
    }
    is_plain ? text.push_back(static_cast<char>(byte)) : append(text, "{:02x}", byte);
  }
  return text + (in_hex ? "|\"" : "\"");
}

struct FlagName {
  uint32_t flag;
  std::string_view name;
};
constexpr std::array flag_names{
    FlagName{buffer_flag::negated, "negated"},
    FlagName{buffer_flag::nocase, "nocase"},
    FlagName{buffer_flag::ends_with, "ends_with"},
    FlagName{buffer_flag::relative, "relative"},
    FlagName{buffer_flag::next_is_relative, "anchors"},
    FlagName{buffer_flag::retry_helps, "retries"},
    FlagName{buffer_flag::little_endian, "little"},
    FlagName{buffer_flag::sender_endian, "dce"},
    FlagName{buffer_flag::is_last, "last"},
};

void append_content(Text& text, const RuleTables& tables, const BufferInstruction& instruction) {
  const ContentArguments& content = instruction.content;
  append(text, "content {}", pattern_text(tables.bytes.data() + content.bytes_at, content.length));
  const auto number = [&](std::string_view name, int32_t value, bool is_there, uint32_t variable) {
    if (is_there || (instruction.flags & variable) != 0) {
      append(text, " {} {}{}", name, (instruction.flags & variable) != 0 ? "$" : "", value);
    }
  };
  number("offset", content.offset, content.offset != 0, buffer_flag::offset_variable);
  number("end", content.depth, content.depth != 0, buffer_flag::depth_variable);
  number("distance", content.distance, (instruction.flags & buffer_flag::has_distance) != 0,
         buffer_flag::distance_variable);
  number("within", content.within, (instruction.flags & buffer_flag::has_within) != 0,
         buffer_flag::within_variable);
}

void append_bytes(Text& text, std::string_view name, const BufferInstruction& instruction) {
  const ByteArguments& byte = instruction.byte;
  append(text,
         "{} bytes {}{} offset {}{} value {}{} operation {} mask {:x} times {} align {} to ${}",
         name, (instruction.flags & buffer_flag::bytes_variable) != 0 ? "$" : "", byte.bytes,
         (instruction.flags & buffer_flag::offset_variable) != 0 ? "$" : "", byte.offset,
         (instruction.flags & buffer_flag::value_variable) != 0 ? "$" : "",
         static_cast<int64_t>(byte.value), byte.operation, byte.bitmask, byte.multiplier,
         byte.align, byte.result);
}

void append_number(Text& text, std::string_view name, const NumberArguments& number) {
  append(text, "{} {} {} {}", name, compare_names[static_cast<size_t>(number.compare)],
         number.first, number.second);
}

void append_program(Text& text, const RuleTables& tables, uint32_t index, uint32_t count,
                    std::string_view indent);

void append_instruction(Text& text, const RuleTables& tables,
                        const BufferInstruction& instruction) {
  switch (instruction.opcode) {
    case BufferOpcode::never:
      append(text, "never");
      break;
    case BufferOpcode::content:
      append_content(text, tables, instruction);
      break;
    case BufferOpcode::pcre:
      append(text, "pcre #{} captures {}", instruction.pcre.pcre_index,
             instruction.pcre.capture_count);
      break;
    case BufferOpcode::byte_test:
      append_bytes(text, "byte_test", instruction);
      break;
    case BufferOpcode::byte_jump:
      append_bytes(text, "byte_jump", instruction);
      break;
    case BufferOpcode::byte_extract:
      append_bytes(text, "byte_extract", instruction);
      break;
    case BufferOpcode::byte_math:
      append_bytes(text, "byte_math", instruction);
      break;
    case BufferOpcode::is_data_at:
      append(text, "is_data_at {}", instruction.number.first);
      break;
    case BufferOpcode::buffer_size:
      append_number(text, "buffer_size", instruction.number);
      break;
    case BufferOpcode::absent:
      append(text, "absent");
      break;
    case BufferOpcode::base64_decode:
      append(text, "base64_decode bytes {} offset {}", instruction.base64.bytes,
             instruction.base64.offset);
      break;
    case BufferOpcode::asn1:
      append(text, "asn1 oversize {} offset {}", instruction.asn1.oversize_length,
             instruction.asn1.offset);
      break;
    case BufferOpcode::entropy:
      append(text, "entropy {} {} {}",
             compare_names[static_cast<size_t>(instruction.entropy.compare)],
             instruction.entropy.first, instruction.entropy.second);
      break;
    case BufferOpcode::uri_length:
      append_number(text, "uri_length", instruction.number);
      break;
    case BufferOpcode::number_in:
      append_number(text, "number", instruction.number);
      break;
    case BufferOpcode::dataset:
      append(text, "dataset {} command {} reputation {}",
             tables.datasets[instruction.dataset.dataset].name,
             static_cast<int>(instruction.dataset.command), instruction.dataset.reputation);
      break;
  }
}

void append_program(Text& text, const RuleTables& tables, uint32_t index, uint32_t count,
                    std::string_view indent) {
  for (uint32_t i = index; i < index + count; ++i) {
    const BufferInstruction& instruction = tables.buffer_instructions[i];
    text += indent;
    append_instruction(text, tables, instruction);
    for (const FlagName& flag : flag_names) {
      if ((instruction.flags & flag.flag) != 0) {
        append(text, " {}", flag.name);
      }
    }
    text += '\n';
    if (instruction.opcode == BufferOpcode::base64_decode) {
      append_program(text, tables, instruction.base64.program_index,
                     instruction.base64.program_count, "      ");
    }
  }
}

constexpr std::array<std::string_view, 18> transform_names{
    "dotprefix",    "domain",       "tld",         "strip_whitespace", "compress_whitespace",
    "to_lowercase", "to_uppercase", "to_md5",      "to_sha1",          "to_sha256",
    "pcrexform",    "url_decode",   "xor",         "header_lowercase", "strip_pseudo_headers",
    "from_base64",  "gunzip",       "zlib_deflate"};

void append_transforms(Text& text, const RuleTables& tables, uint32_t list) {
  for (const TransformStep& step : tables.transform_lists[list]) {
    append(text, " {}", transform_names[static_cast<size_t>(step.kind)]);
  }
}

void append_rule(Text& text, const RuleTables& tables, uint32_t index) {
  const CompiledRule& rule = tables.rules[index];
  const RuleInfo& info = tables.infos[index];
  append(text, "rule {} sid {} {}", index, info.sid, kind_names[static_cast<size_t>(rule.kind)]);
  if (rule.app_protocol != AppProtocol::unknown) {
    append(text, " of {}", to_text(rule.app_protocol));
  }
  append(text, " needs{}\n", needs_text(rule.needs));
  for (uint32_t i = rule.packet_index; i < rule.packet_index + rule.packet_count; ++i) {
    const PacketInstruction& check = tables.packet_instructions[i];
    append(text, "  {} mode {} {} {} {} index {} count {}\n",
           packet_names[static_cast<size_t>(check.opcode)], check.mode,
           compare_names[static_cast<size_t>(check.compare)], check.first, check.second,
           check.index, check.count);
  }
  for (uint32_t i = rule.buffer_index; i < rule.buffer_index + rule.buffer_count; ++i) {
    const BufferProgram& program = tables.buffer_programs[i];
    if (program.source == BufferProgram::Source::event) {
      append(text, "  event {}\n", to_text(static_cast<AppEvent>(program.index)));
      continue;
    }
    if (program.source == BufferProgram::Source::progress) {
      append(text, "  progress {} {}\n", compare_names[static_cast<size_t>(program.compare)],
             program.index);
      continue;
    }
    append(text, "  in {}", to_text(program.field));
    append_transforms(text, tables, program.transforms);
    text += '\n';
    append_program(text, tables, program.index, program.count, "    ");
  }
  for (uint32_t i = rule.post_index; i < rule.post_index + rule.post_count; ++i) {
    const PostInstruction& post = tables.post_instructions[i];
    append(text, "  then {} #{} {}\n", static_cast<int>(post.opcode), post.index, post.value);
  }
}

void append_layers(Text& text, const RuleTables& tables, std::string_view name,
                   const RuleGroup::Layers& layers) {
  for (const RuleGroup::Layer& layer : layers) {
    if (layer.anchors != no_index) {
      const AnchorTable& anchors = tables.anchors[layer.anchors];
      append(text, "  {} anchors #{}: {} literals at {} places\n", name, layer.anchors,
             anchors.entries.size(), anchors.places.size());
    }
    if (layer.database != no_index) {
      const LiteralDatabase& database = tables.databases[layer.database];
      append(text, "  {} #{} {:016x}: {} literals, {} rules\n", name, layer.database,
             database.content_hash, database.first_rule.size() - 1, database.rules.size());
    }
  }
}

bool holds(const RuleTables& tables, const RuleGroup::Layers& layers, uint32_t rule) {
  const auto is_rule = [rule](const auto& each) { return each.rule == rule; };
  return std::any_of(layers.begin(), layers.end(), [&](const RuleGroup::Layer& layer) {
    if (layer.anchors != no_index) {
      const auto& entries = tables.anchors[layer.anchors].entries;
      if (std::any_of(entries.begin(), entries.end(), is_rule)) {
        return true;
      }
    }
    if (layer.database == no_index) {
      return false;
    }
    const auto& rules = tables.databases[layer.database].rules;
    return std::any_of(rules.begin(), rules.end(), is_rule);
  });
}

bool holds(const RuleTables& tables, const AppGroup& group, uint32_t rule) {
  return std::find(group.open_rules.begin(), group.open_rules.end(), rule) !=
             group.open_rules.end() ||
         std::any_of(group.buffers.begin(), group.buffers.end(), [&](const AppGroup::Buffer& each) {
           return holds(tables, {each.layer, {}}, rule);
         });
}

void append_app_group(Text& text, const RuleTables& tables, const AppGroup& group) {
  append(text, "{} rules, {} without a literal\n", group.rules, group.open_rules.size());
  for (const AppGroup::Buffer& buffer : group.buffers) {
    Text name(to_text(buffer.field));
    append_transforms(name, tables, buffer.transforms);
    append_layers(text, tables, name, {buffer.layer, {}});
  }
}

bool holds(const RuleTables& tables, const RuleGroup& group, uint32_t rule) {
  return holds(tables, group.payload, rule) || holds(tables, group.stream, rule) ||
         std::any_of(tables.open_rules.begin() + group.open_index.front(),
                     tables.open_rules.begin() + group.open_index.back(),
                     [rule](const OpenRule& each) { return each.rule == rule; });
}

}  // namespace

std::string dump_programs(const RuleTables& tables, std::optional<uint32_t> sid) {
  Text text;
  for (uint32_t index = 0; index < tables.rules.size(); ++index) {
    if (!sid || tables.infos[index].sid == *sid) {
      append_rule(text, tables, index);
    }
  }
  return text;
}

std::string dump_groups(const RuleTables& tables, std::optional<uint32_t> sid) {
  Text text;
  for (size_t index = 0; index < tables.groups.size(); ++index) {
    const RuleGroup& group = tables.groups[index];
    bool is_wanted = !sid;
    for (uint32_t rule = 0; sid && rule < tables.rules.size(); ++rule) {
      is_wanted = is_wanted || (tables.infos[rule].sid == *sid && holds(tables, group, rule));
    }
    if (!is_wanted) {
      continue;
    }
    append(text, "group {} ({}): {} rules\n", index, group.name, group.rules);
    append_layers(text, tables, "payload", group.payload);
    append_layers(text, tables, "stream", group.stream);
    append(text, "  without a literal, by key:");
    for (unsigned key = 0; key < RuleGroup::open_keys; ++key) {
      append(text, " {}", group.open_index[key + 1] - group.open_index[key]);
    }
    text += '\n';
  }
  for (size_t direction = 0; direction < tables.app_groups.size(); ++direction) {
    for (size_t protocol = 0; protocol < tables.app_groups[direction].size(); ++protocol) {
      const AppGroup& group = tables.app_groups[direction][protocol];
      bool is_wanted = !sid && group.rules != 0;
      for (uint32_t rule = 0; sid && rule < tables.rules.size(); ++rule) {
        is_wanted = is_wanted || (tables.infos[rule].sid == *sid && holds(tables, group, rule));
      }
      if (!is_wanted) {
        continue;
      }
      append(text, "group ({} {}): ", to_text(static_cast<AppProtocol>(protocol)),
             direction == 0 ? "to_server" : "to_client");
      append_app_group(text, tables, group);
    }
  }
  return text;
}

}  // namespace shrike::rule
