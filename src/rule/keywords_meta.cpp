#include <algorithm>
#include <array>

#include "availability.h"
#include "requirements.h"
#include "thresholds.h"
#include "values.h"

/// Keywords about the rule itself: what it is called, when it alerts, what it needs.
namespace shrike::rule {

namespace {

/// Takes the backslashes off: in messages any character may be escaped.
std::string unescaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool is_escaped = false;
  for (const char letter : text) {
    if (letter == '\\' && !is_escaped) {
      is_escaped = true;
      continue;
    }
    is_escaped = false;
    out += letter;
  }
  return out;
}

void parse_msg(Builder& builder, const Keyword&, const Argument& argument) {
  std::string& message = builder.rule().info.message;
  if (!message.empty()) {
    builder.report().error(argument.name, "repeated", "a second msg; remove one of them");
    return;
  }
  message = unescaped(argument.value.text);
  if (message.empty()) {
    builder.report().error(argument.value, "value-missing", "an empty msg; write msg:\"<text>\"");
  }
}

void parse_id(Builder& builder, const Argument& argument, uint32_t& id, bool is_gid) {
  const auto number = parse_number(argument.value, is_gid ? 0 : 1, UINT32_MAX, builder.report());
  if (number && id != 0 && !is_gid) {
    builder.report().error(argument.name, "repeated", "a second {}; remove one of them",
                           argument.name.text);
    return;
  }
  if (number) id = static_cast<uint32_t>(*number);
}

void parse_sid(Builder& builder, const Keyword&, const Argument& argument) {
  parse_id(builder, argument, builder.rule().info.sid, false);
}
void parse_gid(Builder& builder, const Keyword&, const Argument& argument) {
  parse_id(builder, argument, builder.rule().info.gid, true);
}
void parse_rev(Builder& builder, const Keyword&, const Argument& argument) {
  parse_id(builder, argument, builder.rule().info.rev, false);
}

void parse_classtype(Builder& builder, const Keyword&, const Argument& argument) {
  RuleInfo& info = builder.rule().info;
  Context& context = builder.context();
  const auto found = context.classes.find(lower_cased(argument.value.text));
  if (found == context.classes.end()) {
    if (context.unknown_names.insert("class " + std::string(argument.value.text)).second) {
      builder.report().warning(argument.value, "class-unknown",
                               "class '{}' is not in the classification file, its priority is 3; "
                               "add 'config classification: {},description,priority'",
                               argument.value.text, argument.value.text);
    }
    info.class_name = argument.value.text;
    info.class_description = argument.value.text;
    return;
  }
  // Several classes: the most urgent one names the rule, as in Suricata.
  const bool is_first = info.class_name.empty();
  if (is_first || found->second.priority < builder.class_priority()) {
    info.class_name = found->second.name;
    info.class_description = found->second.description;
    builder.set_class_priority(found->second.priority);
  }
}

void parse_priority(Builder& builder, const Keyword&, const Argument& argument) {
  const auto number = parse_number(argument.value, 0, INT32_MAX, builder.report());
  if (number) builder.set_priority(static_cast<uint32_t>(*number));
}

void parse_reference(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Word rest = argument.value;
  const Word kind = rest.take_until(',');
  rest = rest.trimmed();
  if (kind.empty() || rest.empty()) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  Context& context = builder.context();
  auto& references = builder.rule().info.references;
  const auto found = context.references.find(lower_cased(kind.text));
  if (found != context.references.end()) {
    references.push_back(found->second + std::string(rest.text));
    return;
  }
  references.emplace_back(rest.text);
  if (context.unknown_names.insert("reference " + std::string(kind.text)).second) {
    builder.report().warning(kind, "reference-unknown",
                             "reference '{}' is not in the reference file; add 'config reference: "
                             "{} https://…'",
                             kind.text, kind.text);
  }
}

void parse_metadata(Builder& builder, const Keyword&, const Argument& argument) {
  auto& metadata = builder.rule().info.metadata;
  for (Word rest = argument.value; !rest.empty();) {
    const Word entry = rest.take_until(',');
    const size_t blank = entry.text.find_first_of(" \t");
    if (blank == std::string_view::npos) continue;  // Suricata passes over a key without value
    const std::string_view key = entry.text.substr(0, blank);
    const std::string_view value = trim(entry.text.substr(blank));
    size_t at = 0;
    while (at < metadata.size() && metadata[at].first != key) ++at;
    if (at == metadata.size()) metadata.emplace_back(key, std::vector<std::string>{});
    metadata[at].second.emplace_back(value);
  }
}

void parse_target(Builder& builder, const Keyword& keyword, const Argument& argument) {
  const RuleTarget before = builder.rule().info.target;
  if (argument.value.text == "src_ip") {
    builder.rule().info.target = RuleTarget::source_ip;
  } else if (argument.value.text == "dest_ip") {
    builder.rule().info.target = RuleTarget::target_ip;
  } else {
    report_value(keyword, argument.value, builder.report());
  }
  if (before != RuleTarget::none && before != builder.rule().info.target) {
    builder.report().error(argument.name, "repeated", "a second target; remove one of them");
  }
}

/// Whether they are met was decided before the rule was read on; here only the form counts.
void parse_requires(Builder& builder, const Keyword& keyword, const Argument& argument) {
  if (builder.was_required()) {
    builder.report().error(argument.name, "repeated",
                           "a second requires; join both with ', ' in one");
    return;
  }
  builder.set_required();
  if (check_requirements(argument.value.text) == Requirement::malformed) {
    report_value(keyword, argument.value, builder.report());
  }
}

void parse_noalert(Builder& builder, const Keyword&, const Argument&) {
  builder.rule().info.is_noalert = true;
}
void parse_alert(Builder& builder, const Keyword&, const Argument&) {
  builder.rule().info.is_noalert = false;
}
void parse_bypass(Builder& builder, const Keyword&, const Argument&) {
  builder.rule().is_bypass = true;
}

void parse_prefilter(Builder& builder, const Keyword&, const Argument& argument) {
  const bool has_check = !builder.nodes().empty() || !builder.rule().packet_checks.empty();
  if (!has_check) {
    builder.report().error(argument.name, "no-content",
                           "'prefilter' needs a keyword before it; write 'content:\"…\"; "
                           "prefilter;'");
    return;
  }
  if (Content* const content = builder.last_check_content()) content->is_fast_pattern = true;
  builder.rule().prefilter_keyword = true;
}

void parse_decode_event(Builder& builder, const Keyword& keyword, const Argument& argument) {
  const auto event = find_decode_event(argument.value.text);
  if (!event) {
    builder.report().error(argument.value, "event-unknown",
                           "'{}' is no event of {}; see the list in rules/README.md",
                           argument.value.text, keyword.name);
    return;
  }
  builder.facts().has_event = true;
  builder.add(DecodeEventCheck{*event});
}

void parse_stream_event(Builder& builder, const Keyword& keyword, const Argument& argument) {
  std::string_view name = argument.value.text;
  if (name.starts_with("stream.")) name.remove_prefix(7);
  const auto event = find_stream_event(name);
  if (!event) {
    builder.report().error(argument.value, "event-unknown",
                           "'{}' is no event of {}; see the list in rules/README.md",
                           argument.value.text, keyword.name);
    return;
  }
  builder.add(StreamEventCheck{*event});
}

/// Events of either kind: `stream.…` or a decoder's, with or without `decoder.`.
void parse_engine_event(Builder& builder, const Keyword& keyword, const Argument& argument) {
  if (argument.value.text.starts_with("stream.")) {
    parse_stream_event(builder, keyword, argument);
    return;
  }
  Argument plain = argument;
  if (plain.value.text.starts_with("decoder.")) plain.value = plain.value.from(8);
  parse_decode_event(builder, keyword, plain);
}

void parse_app_event(Builder& builder, const Keyword& keyword, const Argument& argument) {
  const std::string_view name = argument.value.text;
  const auto event = find_app_event(name);
  if (!event) {
    builder.report().error(argument.value, "event-unknown",
                           "'{}' is no event of {}; see the list in rules/README.md", name,
                           keyword.name);
    return;
  }
  builder.add(AppEventCheck{*event});
  const auto protocol = find_app_protocol(name.substr(0, name.find('.')));
  if (!protocol) {  // applayer_…: of the flow
    builder.note_match(trait::packet_match);
    return;
  }
  builder.facts().has_app_event = true;
  builder.set_protocol(*protocol, argument.value);
}

void parse_app_state(Builder& builder, const Keyword&, const Argument& argument) {
  const AppProtocol protocol = builder.rule().header.app_protocol;
  const char sign = argument.value.text.empty() ? ' ' : argument.value.text.front();
  const bool is_compared = sign == '<' || sign == '>';
  const std::string_view name = argument.value.text.substr(is_compared ? 1 : 0);
  if (protocol == AppProtocol::unknown || protocol == AppProtocol::http) {
    builder.report().error(argument.value, "state-protocol",
                           "app-layer-state needs a rule about one protocol; write alert tls, "
                           "alert http1 …");
    return;
  }
  const auto found = find_hook(protocol, name);
  if (is_untold_hook(protocol, name)) {
    builder.set_dormant("state " + std::string(name));
  } else if (!found) {
    builder.report().error(argument.value, "state-unknown",
                           "'{}' is no state of {}; write one of {}", name,
                           shrike::to_text(protocol), hook_names(protocol));
  } else {
    using When = ProgressCheck::When;
    builder.add_progress(sign == '<'   ? When::below
                         : sign == '>' ? When::above
                                       : When::reached,
                         *found);
  }
}

/// Two that ask about the same identification, unless both exclude different protocols.
bool contradicts_another(const AppProtocolCheck& check, Builder& builder) {
  const auto& checks = builder.rule().packet_checks;
  return std::any_of(checks.begin(), checks.end(), [&](const PacketCheck& each) {
    const auto* const other = std::get_if<AppProtocolCheck>(&each);
    return other != nullptr && other->side == check.side &&
           (!check.is_negated || !other->is_negated || other->protocol == check.protocol);
  });
}

void parse_app_protocol(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Word mode = argument.value;
  const Word name = mode.take_until(',');
  const auto protocol = find_app_protocol(name.text);
  static constexpr std::array<std::string_view, 6> sides{"direction", "to_server", "to_client",
                                                         "either",    "final",     "original"};
  mode = mode.trimmed();
  const auto* const side =
      mode.empty() ? sides.begin() : std::find(sides.begin(), sides.end(), mode.text);
  if (!protocol || side == sides.end()) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  if (builder.rule().header.app_protocol != AppProtocol::unknown) {
    builder.report().error(argument.name, "protocol-conflict",
                           "the rule is for {} already; remove app-layer-protocol",
                           to_text(builder.rule().header.app_protocol));
    return;
  }
  const AppProtocolCheck check{*protocol, argument.is_negated,
                               static_cast<ProtocolSide>(side - sides.begin())};
  if (contradicts_another(check, builder)) {
    builder.report().error(argument.name, "protocol-conflict",
                           "only several negated protocols can stand together; remove one of them");
    return;
  }
  builder.facts().has_protocol_check = true;
  builder.add(check);
  if (!is_available(*protocol) && !builder.context().options.assume_inspected) {
    builder.set_dormant("protocol " + std::string(to_text(*protocol)));
  }
}

void parse_tag(Builder& builder, const Keyword& keyword, const Argument& argument) {
  Word rest = argument.value;
  const Word kind = rest.take_until(',');
  const Word count = rest.take_until(',');
  const Word metric = rest.take_until(',');
  const Word side = rest.take_until(',');
  TagOperation tag;
  tag.by_host = kind.text == "host";
  tag.host_is_target = side.text == "dst";
  tag.count = 1;
  bool is_good = (tag.by_host || kind.text == "session") && rest.empty() &&
                 (side.empty() || side.text == "src" || side.text == "dst");
  if (!count.empty()) {
    const auto number = to_number<uint32_t>(count.text);
    is_good &= number.has_value();
    tag.count = number.value_or(0);
  }
  if (metric.text == "seconds") tag.metric = TagOperation::Metric::seconds;
  if (metric.text == "bytes") tag.metric = TagOperation::Metric::bytes;
  is_good &= metric.text == "packets" || tag.metric != TagOperation::Metric::packets ||
             (metric.empty() && count.empty());
  if (!is_good) {
    report_value(keyword, argument.value, builder.report());
    return;
  }
  builder.rule().info.tag = tag;
}

void parse_rule_threshold(Builder& builder, const Keyword& keyword, const Argument& argument) {
  auto& thresholds = builder.rule().info.thresholds;
  if (!thresholds.empty()) {
    builder.report().error(argument.name, "repeated",
                           "the rule has a threshold or detection_filter already; remove one");
    return;
  }
  const bool is_filter = keyword.name == "detection_filter";
  if (const auto threshold = parse_threshold(argument.value, is_filter, builder.report())) {
    thresholds.push_back(*threshold);
  } else if (!builder.report().is_broken()) {
    report_value(keyword, argument.value, builder.report());
  }
}

using enum ArgumentNeed;
using namespace trait;

constexpr std::string_view threshold_syntax =
    "type limit|threshold|both|backoff, track by_src|by_dst|by_both|by_rule|by_flow, count <n>, "
    "seconds <n>";

constexpr Keyword rows[] = {
    {"msg", "", required, "\"<text>\"", "Text of the alert.", parse_msg, must_be_quoted},
    {"sid", "", required, "<number>", "Number of the rule, unique with gid.", parse_sid},
    {"gid", "", required, "<number>", "Group of numbers the sid is in, 1 by default.", parse_gid},
    {"rev", "", required, "<number>", "Revision of the rule; the highest of equal sids is loaded.",
     parse_rev},
    {"classtype", "", required, "<class>", "Class of the rule, which gives category and priority.",
     parse_classtype},
    {"priority", "", required, "<number>",
     "Priority of the rule instead of its class's; 1 is most urgent.", parse_priority},
    {"reference", "", required, "<type>,<text>", "Where to read more about what the rule finds.",
     parse_reference},
    {"metadata", "", required, "<key> <value>, …", "Key and value pairs that go into the alert.",
     parse_metadata},
    {"target", "", required, "src_ip|dest_ip", "Which side of the alert is the attacked one.",
     parse_target},
    {"requires", "", required, "feature <name>, version <op> <version>, keyword <name>",
     "Skips the rule where the sensor lacks something.", parse_requires},
    {"noalert", "", none, "", "Evaluates the rule and sets its bits, but raises no alert.",
     parse_noalert},
    {"alert", "", none, "", "Raises an alert although the action would not.", parse_alert},
    {"threshold", "", required, threshold_syntax, "Limits the alerts of the rule in a time.",
     parse_rule_threshold},
    {"detection_filter", "", required,
     "track by_src|by_dst|by_both|by_rule|by_flow, count <n>, seconds <n>",
     "Alerts only after more than count matches in a time.", parse_rule_threshold},
    {"tag", "", required, "session|host[,<n>,packets|seconds|bytes[,src|dst]]",
     "Keeps further packets of the session or host after an alert.", parse_tag},
    {"prefilter", "", none, "", "Makes the keyword before it decide whether the rule is looked at.",
     parse_prefilter},
    {"bypass", "", none, "", "Stops inspecting the flow after a match.", parse_bypass,
     packet_match},
    {"decode-event", "", required, "<event>", "True where decoding found this malformation.",
     parse_decode_event, packet_match | decode_only},
    {"stream-event", "", required, "<event>", "True where the TCP session did this.",
     parse_stream_event, packet_match},
    {"engine-event", "", required, "<event>", "A decode-event or stream-event by its full name.",
     parse_engine_event, packet_match | decode_only},
    {"app-layer-event", "", required, "<protocol>.<event>",
     "True where a protocol's parser noticed this.", parse_app_event},
    {"app-layer-protocol", "", required,
     "[!]<protocol>[,final|either|to_server|to_client|original]",
     "True where the flow was identified as this protocol.", parse_app_protocol,
     packet_match | negatable | may_be_quoted | ip_only},
    {"app-layer-state", "", required, "[<|>]<state>",
     "True where a transaction's parsing has come this far.", parse_app_state},
    {"config", "", required, "logging disable, type tx, scope tx",
     "Changes the sensor's settings for what matched.", parse_dormant_value,
     not_inspected | after_match},
    {"nfq_set_mark", "", required, "<value>/<mask>", "Marks the packet for the kernel's queues.",
     parse_nothing, no_effect | packet_match},
};

}  // namespace

std::span<const Keyword> meta_keywords() noexcept {
  return rows;
}

}  // namespace shrike::rule
