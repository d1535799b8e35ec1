#include <algorithm>

#include "content_text.h"
#include "keywords_data.h"
#include "values.h"

/// Keywords about the flow and the hosts of a packet, and the bits and numbers kept on them.
namespace shrike::rule {

namespace {

bool set_direction(Builder& builder, const Word& word, bool is_to_server, FlowCheck& check) {
  KindFacts& facts = builder.facts();
  if (is_to_server ? check.to_server : check.to_client) {
    builder.report().error(word, "flow-conflict", "'{}' repeats the direction; keep one word",
                           word.text);
    return false;
  }
  if (is_to_server ? facts.to_client : facts.to_server) {
    builder.report().error(word, "direction-conflict",
                           "'{}' contradicts the other direction of the rule; keep one of them",
                           word.text);
    return false;
  }
  (is_to_server ? facts.to_server : facts.to_client) = true;
  (is_to_server ? check.to_server : check.to_client) = true;
  return true;
}

struct FlowWord {
  std::string_view text;
  bool FlowCheck::*flag;
  bool FlowCheck::*excluded;
  bool FlowCheck::*also_excluded;
};

constexpr FlowWord flow_words[] = {
    {"established", &FlowCheck::established, &FlowCheck::not_established, &FlowCheck::stateless},
    {"not_established", &FlowCheck::not_established, &FlowCheck::established,
     &FlowCheck::established},
    {"stateless", &FlowCheck::stateless, &FlowCheck::established, &FlowCheck::established},
    {"only_stream", &FlowCheck::only_stream, &FlowCheck::no_stream, &FlowCheck::no_stream},
    {"no_stream", &FlowCheck::no_stream, &FlowCheck::only_stream, &FlowCheck::only_stream},
    {"only_frag", &FlowCheck::only_frag, &FlowCheck::no_frag, &FlowCheck::no_frag},
    {"no_frag", &FlowCheck::no_frag, &FlowCheck::only_frag, &FlowCheck::only_frag},
};

/// One word of `flow`. @return false where a fault was reported.
bool read_flow_word(Builder& builder, const Keyword& keyword, const Word& word, FlowCheck& check) {
  const std::string lower = lower_cased(word.text);
  const bool is_to_server = lower == "to_server" || lower == "from_client";
  if (is_to_server || lower == "to_client" || lower == "from_server") {
    return set_direction(builder, word, is_to_server, check);
  }
  const auto* const found =
      std::find_if(std::begin(flow_words), std::end(flow_words),
                   [&](const FlowWord& entry) { return entry.text == lower; });
  if (found == std::end(flow_words)) {
    report_value(keyword, word, builder.report());
    return false;
  }
  if (check.*(found->flag) || check.*(found->excluded) || check.*(found->also_excluded)) {
    builder.report().error(word, "flow-conflict",
                           "'{}' repeats or contradicts another word of flow; keep one of them",
                           word.text);
    return false;
  }
  check.*(found->flag) = true;
  return true;
}

void parse_flow(Builder& builder, const Keyword& keyword, const Argument& argument) {
  KindFacts& facts = builder.facts();
  const size_t words = 1 + static_cast<size_t>(std::count(argument.value.text.begin(),
                                                          argument.value.text.end(), ','));
  FlowCheck check;
  for (Word rest = argument.value; !rest.empty();) {
    const Word word = rest.take_until(',');
    if (!read_flow_word(builder, keyword, word, check)) return;
  }
  const bool is_direction_only = words == 1 && (check.to_server || check.to_client);
  if (!is_direction_only && facts.has_flow) {
    builder.report().error(argument.name, "repeated",
                           "a second flow; join both in one, 'flow:established,to_server;'");
    return;
  }
  facts.requires_packet |= check.no_stream;
  facts.requires_stream |= check.only_stream;
  if (!is_direction_only) {
    facts.has_flow = true;
    builder.note_match(trait::packet_match);
  }
  builder.add(check);
}

/// Splits "a|b|c"; reports an empty or blank name.
std::vector<std::string> read_bit_names(Word rest, Builder& builder) {
  std::vector<std::string> names;
  if (rest.empty()) {
    builder.report().error(rest, "bit-name", "the name of the bit is missing; write 'set,name'");
  }
  while (!rest.empty()) {
    const Word name = rest.take_until('|');
    const bool is_good = !name.empty() && name.text.find_first_of(" \t,") == std::string_view::npos;
    if (!is_good || names.size() == bit_names_max) {
      builder.report().error(name, "bit-name",
                             "'{}' is no name for a bit; names have no blanks and no commas, at "
                             "most {} are joined by '|'",
                             name.text, bit_names_max);
      return {};
    }
    names.emplace_back(name.text);
  }
  return names;
}

struct BitCommand {
  std::string_view text;
  FlowBits::Command command;
};
constexpr BitCommand bit_commands[] = {{"set", FlowBits::Command::set},
                                       {"unset", FlowBits::Command::unset},
                                       {"toggle", FlowBits::Command::toggle},
                                       {"isset", FlowBits::Command::is_set},
                                       {"isnotset", FlowBits::Command::is_not_set}};

std::optional<FlowBits::Command> find_bit_command(std::string_view text) {
  for (const BitCommand& entry : bit_commands) {
    if (entry.text == text) return entry.command;
  }
  return std::nullopt;
}

bool is_question(FlowBits::Command command) {
  return command == FlowBits::Command::is_set || command == FlowBits::Command::is_not_set;
}

void parse_flowbits(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Word rest = argument.value;
  const Word word = rest.take_until(',');
  if (word.text == "noalert" && rest.empty()) {
    builder.rule().info.is_noalert = true;
    return;
  }
  const auto command = find_bit_command(word.text);
  if (!command) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  auto names = read_bit_names(rest.trimmed(), builder);
  if (names.empty()) return;
  if (names.size() > 1 && !is_question(*command)) {
    builder.report().error(rest, "bit-name",
                           "only isset and isnotset take several names; write '{}' "
                           "once for each",
                           word.text);
    return;
  }
  builder.add(FlowBits{*command, std::move(names)});
  const uint16_t ip_only = *command == FlowBits::Command::set ? trait::ip_only : uint16_t{0};
  builder.note_match((is_question(*command) ? trait::packet_match : trait::after_match) | ip_only);
}

struct IntegerCommand {
  std::string_view text;
  FlowInteger::Command command;
};
constexpr IntegerCommand integer_commands[] = {{"+", FlowInteger::Command::add},
                                               {"-", FlowInteger::Command::subtract},
                                               {"=", FlowInteger::Command::assign},
                                               {"==", FlowInteger::Command::equal},
                                               {"!=", FlowInteger::Command::not_equal},
                                               {"<", FlowInteger::Command::less},
                                               {"<=", FlowInteger::Command::less_or_equal},
                                               {">", FlowInteger::Command::greater},
                                               {">=", FlowInteger::Command::greater_or_equal},
                                               {"isset", FlowInteger::Command::is_set},
                                               {"isnotset", FlowInteger::Command::not_set},
                                               {"notset", FlowInteger::Command::not_set}};

void parse_flowint(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Word rest = argument.value;
  const Word name = rest.take_until(',');
  const Word word = rest.take_until(',');
  const Word value = rest.trimmed();
  const auto* const found =
      std::find_if(std::begin(integer_commands), std::end(integer_commands),
                   [&](const IntegerCommand& entry) { return entry.text == word.text; });
  if (found == std::end(integer_commands) || name.empty()) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  FlowInteger check{found->command, std::string(name.text), 0, {}};
  const bool is_question = check.command == FlowInteger::Command::is_set ||
                           check.command == FlowInteger::Command::not_set;
  if (!is_question && value.empty()) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  const bool is_name = !value.empty() && (value.text[0] == '_' || is_letter(value.text[0]));
  if (is_question) {
    check.value = 0;
  } else if (!is_name) {
    const auto number = parse_number(value, 0, UINT32_MAX, builder.report());
    if (!number) return;
    check.value = static_cast<uint32_t>(*number);
  } else {
    check.value_of = value.text;
  }
  const bool is_change = check.command == FlowInteger::Command::add ||
                         check.command == FlowInteger::Command::subtract ||
                         check.command == FlowInteger::Command::assign;
  builder.note_match(is_change ? trait::after_match : trait::packet_match);
  builder.add(std::move(check));
}

template <bool is_packet>
void parse_variable_check(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Word rest = argument.value;
  const Word name = rest.take_until(',');
  Word value = rest.trimmed();
  const bool is_negated = !value.empty() && value.text[0] == '!';
  if (is_negated) value = value.from(1).trimmed();
  if (value.text.size() >= 2 && value.text.front() == '"' && value.text.back() == '"') {
    value = value.part(1, value.text.size() - 2);
  }
  auto bytes = decode_content(value, builder.report());
  if (name.empty() || !bytes || bytes->empty()) {
    if (!builder.report().is_broken()) report_value(keyword, argument.value, builder.report());
    return;
  }
  builder.add(FlowVariableCheck{std::string(name.text), std::move(*bytes), is_packet, is_negated});
}

HostBitOperation::Command host_command(FlowBits::Command command) {
  switch (command) {
    case FlowBits::Command::set:
      return HostBitOperation::Command::set;
    case FlowBits::Command::unset:
      return HostBitOperation::Command::unset;
    case FlowBits::Command::toggle:
      return HostBitOperation::Command::toggle;
    case FlowBits::Command::is_set:
      return HostBitOperation::Command::is_set;
    case FlowBits::Command::is_not_set:
      return HostBitOperation::Command::is_not_set;
  }
  return HostBitOperation::Command::set;
}

void add_host_bit(Builder& builder, FlowBits::Command command, HostBitOperation operation) {
  operation.command = host_command(command);
  builder.rule().info.host_bits.push_back(std::move(operation));
  builder.note_match((is_question(command) ? trait::packet_match : trait::after_match) |
                     trait::ip_only);
}

/// "track ip_src" to the side; nothing where it is none. `track tx` is not evaluated.
std::optional<HostBitOperation::Track> find_bit_track(std::string_view text) {
  if (text == "ip_src") return HostBitOperation::Track::source;
  if (text == "ip_dst") return HostBitOperation::Track::target;
  if (text == "ip_pair") return HostBitOperation::Track::pair;
  return std::nullopt;
}

/// `xbits:set,name,track ip_src,expire 60`.
void parse_xbits(Builder& builder, const Keyword& keyword, const Argument& argument) {
  static constexpr uint32_t default_expire_seconds = 30;  // Suricata: DETECT_XBITS_EXPIRE_DEFAULT
  Word rest = argument.value;
  const Word word = rest.take_until(',');
  if (word.text == "noalert" && rest.empty()) {
    builder.rule().info.is_noalert = true;
    return;
  }
  const auto command = find_bit_command(word.text);
  const Word name = rest.take_until(',');
  Word track = rest.take_until(',');
  Word expire = rest.trimmed();
  if (!command || !track.text.starts_with("track")) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  track = track.from(5).trimmed();
  HostBitOperation operation;
  operation.names = read_bit_names(name, builder);
  operation.expire_seconds = default_expire_seconds;
  if (operation.names.empty()) return;
  if (!expire.empty()) {
    const bool is_named = expire.text.starts_with("expire");
    const auto seconds =
        is_named ? parse_number(expire.from(6).trimmed(), 1, UINT32_MAX, builder.report())
                 : std::nullopt;
    if (!is_named) report_value(keyword, argument.value, builder.report());
    if (!seconds) return;
    operation.expire_seconds = static_cast<uint32_t>(*seconds);
  }
  if (track.text == "tx") {
    builder.leave_to_later(keyword);
    return;
  }
  const auto side = find_bit_track(track.text);
  if (!side) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  operation.track = *side;
  add_host_bit(builder, *command, std::move(operation));
}

/// `hostbits:set,name,src`.
void parse_hostbits(Builder& builder, const Keyword& keyword, const Argument& argument) {
  static constexpr uint32_t expire_seconds = 300;  // Suricata gives no way to choose
  Word rest = argument.value;
  const Word word = rest.take_until(',');
  if (word.text == "noalert" && rest.empty()) {
    builder.rule().info.is_noalert = true;
    return;
  }
  const auto command = find_bit_command(word.text);
  const Word name = rest.take_until(',');
  const Word side = rest.trimmed();
  HostBitOperation operation;
  operation.is_hostbit = true;
  operation.expire_seconds = expire_seconds;
  if (side.text == "dst") operation.track = HostBitOperation::Track::target;
  const bool is_side = side.empty() || side.text == "src" || side.text == "dst";
  if (!command || !is_side) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  operation.names = read_bit_names(name, builder);
  if (!operation.names.empty()) add_host_bit(builder, *command, std::move(operation));
}

/// `stream_size:server,>,10`.
void parse_stream_size(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Word rest = argument.value;
  const Word side = rest.take_until(',');
  const Word op = rest.take_until(',');
  const Word number = rest.trimmed();
  StreamSize check{};
  static constexpr std::string_view names[] = {"server", "client", "both", "either"};
  const auto* const found = std::find(std::begin(names), std::end(names), side.text);
  static constexpr std::string_view signs[] = {"=", "<", ">", "<=", ">=", "!=", "!"};
  const bool is_sign = std::find(std::begin(signs), std::end(signs), op.text) != std::end(signs);
  if (found == std::end(names) || !is_sign || !to_number<uint32_t>(number.text)) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  check.side = static_cast<StreamSize::Side>(found - std::begin(names));
  const std::string joined = std::string(op.text) + std::string(number.text);
  const auto comparison = parse_comparison<uint32_t>({joined, op.position}, builder.report());
  if (!comparison) return;
  check.comparison = *comparison;
  builder.facts().has_stream_size = true;
  builder.add(check);
}

using What = HeaderNumber::What;

template <What what, typename Number>
void parse_flow_number(Builder& builder, const Keyword&, const Argument& argument) {
  if (const auto comparison = parse_comparison<Number>(argument.value, builder.report())) {
    builder.add(HeaderNumber{what, *comparison});
  }
}

/// `flow.pkts:toserver,>10`: the side first, then the comparison.
template <What to_server, What to_client, What either>
void parse_flow_side_number(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Word rest = argument.value;
  const Word side = rest.take_until(',');
  const auto comparison = parse_comparison<uint64_t>(rest.trimmed(), builder.report());
  if (!comparison) return;
  if (side.text == "toserver") {
    builder.add(HeaderNumber{to_server, *comparison});
  } else if (side.text == "toclient") {
    builder.add(HeaderNumber{to_client, *comparison});
  } else if (side.text == "either") {
    builder.add(HeaderNumber{either, *comparison});
  } else if (side.text == "both") {
    builder.add(HeaderNumber{to_server, *comparison});
    builder.add(HeaderNumber{to_client, *comparison});
  } else {
    report_value(keyword, argument.value, builder.report());
  }
}

using enum ArgumentNeed;
using namespace trait;

constexpr uint16_t packet_only = packet_match | needs_packet;
constexpr std::string_view number_syntax = "<n>|!<n>|<<n>|><n>|<n>-<n>";
constexpr std::string_view side_syntax = "toserver|toclient|both|either,<n>|<<n>|><n>|<n>-<n>";

constexpr Keyword rows[] = {
    {"flow", "", required,
     "established|not_established|stateless,to_server|to_client,only_stream|no_stream,"
     "only_frag|no_frag",
     "State and direction of the flow.", parse_flow},
    {"flowbits", "", required, "set|unset|toggle|isset|isnotset,<name>[|<name>…] or noalert",
     "Bits kept on the flow.", parse_flowbits},
    {"flowint", "", required, "<name>,+|-|=|==|!=|<|<=|>|>=,<n or name> or <name>,isset|isnotset",
     "Numbers kept on the flow.", parse_flowint},
    {"flowvar", "", required, "<name>,[!]\"<content>\"",
     "Looks for a content in what a pcre captured on the flow.", parse_variable_check<false>,
     packet_match},
    {"pktvar", "", required, "<name>,[!]\"<content>\"",
     "Looks for a content in what a pcre captured on the packet.", parse_variable_check<true>,
     packet_match},
    {"xbits", "", required,
     "set|unset|toggle|isset|isnotset,<name>,track ip_src|ip_dst|ip_pair[,expire <seconds>]",
     "Bits kept on hosts or pairs of hosts.", parse_xbits},
    {"hostbits", "", required, "set|unset|toggle|isset|isnotset,<name>[,src|dst]",
     "Bits kept on hosts.", parse_hostbits},
    {"stream_size", "", required, "server|client|both|either,<op>,<n>",
     "Compares the bytes that the TCP stream has had.", parse_stream_size, packet_match},
    {"tcp.session", "", required, "<what>", "Properties of the TCP session.", parse_dormant_value,
     packet_match | not_inspected},
    {"flow.age", "", required, number_syntax, "Compares the flow's age in seconds.",
     parse_flow_number<What::flow_age_seconds, uint32_t>, packet_only},
    {"flow.pkts", "", required, side_syntax, "Compares the packets of the flow.",
     parse_flow_side_number<What::flow_packets_to_server, What::flow_packets_to_client,
                            What::flow_packets_either>,
     packet_only},
    {"flow.pkts_toserver", "", required, number_syntax, "Compares the packets to the server.",
     parse_flow_number<What::flow_packets_to_server, uint32_t>, packet_only},
    {"flow.pkts_toclient", "", required, number_syntax, "Compares the packets to the client.",
     parse_flow_number<What::flow_packets_to_client, uint32_t>, packet_only},
    {"flow.bytes", "", required, side_syntax, "Compares the bytes of the flow.",
     parse_flow_side_number<What::flow_bytes_to_server, What::flow_bytes_to_client,
                            What::flow_bytes_either>,
     packet_only},
    {"flow.bytes_toserver", "", required, number_syntax, "Compares the bytes to the server.",
     parse_flow_number<What::flow_bytes_to_server, uint64_t>, packet_only},
    {"flow.bytes_toclient", "", required, number_syntax, "Compares the bytes to the client.",
     parse_flow_number<What::flow_bytes_to_client, uint64_t>, packet_only},
    {"flow.elephant", "", required, "toserver|toclient|both|either",
     "True in flows of much traffic.", parse_dormant_value, packet_match | not_inspected | later},
    {"iprep", "", required, "any|src|dst|both,<category>,<op>,<score>",
     "Compares the reputation of an address.", parse_iprep, packet_match | ip_only},
};

}  // namespace

std::span<const Keyword> flow_keywords() noexcept {
  return rows;
}

}  // namespace shrike::rule
