#include "apply.h"

namespace shrike::app {

namespace {

using flow::ExceptionPolicy;
using flow::FlowOptions;

void apply_timeouts(const ConfigReader& config, const std::string& section,
                    flow::Timeouts& timeouts) {
  constexpr Bounds bounds{0, 1u << 30};
  config.number(section + ".new", timeouts.fresh, bounds);
  config.number(section + ".established", timeouts.established, bounds);
  config.number(section + ".closed", timeouts.closed, bounds);
  config.number(section + ".bypassed", timeouts.bypassed, bounds);
}

/// "automatic" stands for what the mode asks for.
enum class PolicyWord : uint8_t {
  ignore,
  bypass,
  pass_flow,
  pass_packet,
  drop_flow,
  drop_packet,
  reject,
  automatic,
};
constexpr Word<PolicyWord> policy_words[] = {
    {"ignore", PolicyWord::ignore},       {"bypass", PolicyWord::bypass},
    {"pass-flow", PolicyWord::pass_flow}, {"pass-packet", PolicyWord::pass_packet},
    {"drop-flow", PolicyWord::drop_flow}, {"drop-packet", PolicyWord::drop_packet},
    {"reject", PolicyWord::reject},       {"auto", PolicyWord::automatic},
};

ExceptionPolicy policy_of(PolicyWord word, ExceptionPolicy automatic) {
  switch (word) {
    case PolicyWord::ignore:
      return ExceptionPolicy::ignore;
    case PolicyWord::bypass:
      return ExceptionPolicy::bypass;
    case PolicyWord::pass_flow:
      return ExceptionPolicy::pass_flow;
    case PolicyWord::pass_packet:
      return ExceptionPolicy::pass_packet;
    case PolicyWord::drop_flow:
      return ExceptionPolicy::drop_flow;
    case PolicyWord::drop_packet:
      return ExceptionPolicy::drop_packet;
    case PolicyWord::reject:
      return ExceptionPolicy::reject;
    case PolicyWord::automatic:
      break;
  }
  return automatic;
}

/// stream.midstream-policy decides; else the master switch; else the mode: an IPS without
/// midstream pick-up drops. A detecting sensor cannot drop: the master's drop means ignore there.
/// Source: Suricata user guide, "Exception Policies".
void apply_midstream_policy(const ConfigReader& config, const Mode& mode, FlowOptions& options) {
  const ExceptionPolicy automatic = mode.simulate_ips && !options.midstream
                                        ? ExceptionPolicy::drop_flow
                                        : ExceptionPolicy::ignore;
  PolicyWord master = PolicyWord::automatic;
  config.word("exception-policy", master, policy_words);
  const bool drops = master == PolicyWord::drop_flow || master == PolicyWord::drop_packet;
  if (drops && !mode.simulate_ips) {
    master = PolicyWord::ignore;
  }
  options.midstream_policy = policy_of(master, automatic);

  const ConfigNode* const own = config.find_scalar("stream.midstream-policy");
  if (own == nullptr) {
    return;
  }
  PolicyWord word = PolicyWord::automatic;
  config.word("stream.midstream-policy", word, policy_words);
  const ExceptionPolicy policy = policy_of(word, automatic);
  const bool is_packet_policy =
      policy == ExceptionPolicy::pass_packet || policy == ExceptionPolicy::drop_packet;
  const bool contradicts_midstream = word != PolicyWord::automatic && options.midstream &&
                                     policy != ExceptionPolicy::ignore &&
                                     policy != ExceptionPolicy::pass_flow;
  if (is_packet_policy) {
    config.diagnostics().error(own->position(), "midstream-policy",
                               "{} is for packets; write ignore, pass-flow, bypass, reject or auto",
                               own->text);
  } else if (contradicts_midstream) {
    config.diagnostics().error(own->position(), "midstream-policy",
                               "{} contradicts stream.midstream: yes; write pass-flow or ignore",
                               own->text);
  } else if (policy == ExceptionPolicy::drop_flow && !mode.simulate_ips) {
    config.diagnostics().error(
        own->position(), "midstream-policy",
        "a sensor that only listens cannot drop-flow; write ignore, or use --simulate-ips");
  } else {
    options.midstream_policy = policy;
  }
}

constexpr Word<FlowOptions::Urgent> urgent_words[] = {
    {"oob", FlowOptions::Urgent::oob},
    {"inline", FlowOptions::Urgent::inline_},
    {"drop", FlowOptions::Urgent::drop},
    {"gap", FlowOptions::Urgent::gap},
};

enum class InlineWord : uint8_t { no, yes, automatic };
constexpr Word<InlineWord> inline_words[] = {
    {"auto", InlineWord::automatic}, {"yes", InlineWord::yes},  {"no", InlineWord::no},
    {"true", InlineWord::yes},       {"false", InlineWord::no}, {"on", InlineWord::yes},
    {"off", InlineWord::no},         {"1", InlineWord::yes},    {"0", InlineWord::no},
};

void apply_stream(const ConfigReader& config, const Mode& mode, FlowOptions& options) {
  config.flag("stream.midstream", options.midstream);
  config.flag("stream.async-oneside", options.async_one_side);
  config.flag("stream.checksum-validation", options.check_checksums);
  config.flag("stream.drop-invalid", options.drop_invalid);
  config.number("stream.max-synack-queued", options.synack_queue_max, {0, 255});
  InlineWord inline_word = InlineWord::no;
  config.word("stream.inline", inline_word, inline_words);
  options.is_inline =
      inline_word == InlineWord::yes || (inline_word == InlineWord::automatic && mode.simulate_ips);

  config.size("stream.reassembly.depth", options.depth_bytes, {0, 1ull << 40});
  config.size("stream.reassembly.memcap", options.stream_memory_bytes_max, {1u << 20, 1ull << 40});
  uint64_t to_server = options.chunk_bytes[0];
  uint64_t to_client = options.chunk_bytes[1];
  config.size("stream.reassembly.toserver-chunk-size", to_server, {1, 65535});
  config.size("stream.reassembly.toclient-chunk-size", to_client, {1, 65535});
  options.chunk_bytes = {static_cast<uint32_t>(to_server), static_cast<uint32_t>(to_client)};
  config.word("stream.reassembly.urgent.policy", options.urgent, urgent_words);
}

}  // namespace

void apply_flows(const ConfigReader& config, const Mode& mode, Settings& settings) {
  FlowOptions& options = settings.flow;
  apply_timeouts(config, "flow-timeouts.tcp", options.tcp);
  apply_timeouts(config, "flow-timeouts.udp", options.udp);
  apply_timeouts(config, "flow-timeouts.icmp", options.icmp);
  apply_timeouts(config, "flow-timeouts.default", options.other);
  apply_stream(config, mode, options);
  apply_midstream_policy(config, mode, options);
}

}  // namespace shrike::app
