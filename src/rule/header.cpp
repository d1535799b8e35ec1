#include "header.h"

#include <algorithm>
#include <array>

#include "availability.h"
#include "hooks.h"

namespace shrike::rule {

namespace {

constexpr size_t icmp = 1;
constexpr size_t tcp = 6;
constexpr size_t udp = 17;
constexpr size_t icmpv6 = 58;
constexpr size_t sctp = 132;

struct ActionName {
  std::string_view name;
  Action action;
};
constexpr ActionName action_names[] = {
    {"alert", Action::alert},
    {"pass", Action::pass},
    {"drop", Action::drop},
    {"reject", Action::reject},
    {"rejectsrc", Action::reject_source},
    {"rejectdst", Action::reject_target},
    {"rejectboth", Action::reject_both},
    {"config", Action::config},
    {"accept", Action::pass},
};

/// `drop`, `drop:flow`, `accept:hook,alert`: the first action counts, with its scope.
void read_action(const Word& word, Builder& builder) {
  Word rest = word;
  Word first = rest.take_until(',');
  const Word name = first.take_until(':');
  const auto* const found =
      std::find_if(std::begin(action_names), std::end(action_names),
                   [&](const ActionName& entry) { return is_same_word(entry.name, name.text); });
  static constexpr std::array<std::string_view, 5> scopes{"", "packet", "flow", "hook", "tx"};
  const bool is_scope = std::find(scopes.begin(), scopes.end(), first.text) != scopes.end();
  if (found == std::end(action_names) || !is_scope) {
    builder.report().error(word, "action",
                           "'{}' is no action; write alert, pass, drop, reject, rejectsrc, "
                           "rejectdst, rejectboth or config",
                           word.text);
    return;
  }
  Rule& rule = builder.rule();
  rule.info.action = found->action;
  rule.info.is_noalert = found->action == Action::pass;  // until `alert` says otherwise
  rule.action_scope = first.text;
  // A firewall's verdicts: Shrike watches, it does not forward.
  const bool is_firewall = name.text == "accept" || first.text == "hook" || first.text == "tx";
  if (is_firewall) builder.set_dormant("action " + std::string(word.text));
}

struct ProtocolName {
  std::string_view name;
  size_t first;
  size_t second;  ///< the same where there is only one
};
constexpr ProtocolName protocol_names[] = {
    {"tcp", tcp, tcp},          {"tcp-pkt", tcp, tcp},  {"tcp-stream", tcp, tcp},
    {"udp", udp, udp},          {"icmp", icmp, icmpv6}, {"icmpv4", icmp, icmp},
    {"icmpv6", icmpv6, icmpv6}, {"sctp", sctp, sctp},
};

/// Protocols that mean every IP protocol.
bool read_general_protocol(std::string_view name, Header& header) {
  if (name != "ip" && name != "ipv4" && name != "ip4" && name != "ipv6" && name != "ip6" &&
      name != "pkthdr") {
    return false;
  }
  header.ip_protocols.set();
  header.only_ipv4 = name == "ipv4" || name == "ip4";
  header.only_ipv6 = name == "ipv6" || name == "ip6";
  header.is_packet_header = name == "pkthdr";
  return true;
}

bool read_transport(std::string_view name, Builder& builder) {
  Header& header = builder.rule().header;
  if (read_general_protocol(name, header)) return true;
  if (name == "ether" || name == "arp") {
    header.only_ethernet_or_arp = true;
    builder.set_dormant("protocol " + std::string(name));
    return true;
  }
  const auto* const found =
      std::find_if(std::begin(protocol_names), std::end(protocol_names),
                   [&](const ProtocolName& entry) { return entry.name == name; });
  if (found == std::end(protocol_names)) return false;
  header.ip_protocols.set(found->first);
  header.ip_protocols.set(found->second);
  header.only_packets = name == "tcp-pkt";
  header.only_streams = name == "tcp-stream";
  builder.facts().requires_packet |= header.only_packets;
  builder.facts().requires_stream |= header.only_streams;
  return true;
}

/// `http1:request_headers`; a firewall's `tls:<client_hello_done` takes the steps before it too.
void read_app_hook(const Word& hook, Builder& builder) {
  const AppProtocol protocol = builder.rule().header.app_protocol;
  const bool is_of_firewall = hook.text.starts_with('<');
  const std::string_view name = hook.text.substr(is_of_firewall ? 1 : 0);
  const auto found = find_hook(protocol, name);
  if (is_untold_hook(protocol, name) || (found && is_of_firewall)) {
    builder.set_dormant("hook " + std::string(hook.text));
    return;
  }
  if (found) {
    builder.add_progress(ProgressCheck::When::reached, *found);
    return;
  }
  if (protocol == AppProtocol::http) {
    builder.report().error(hook, "hook",
                           "http is two protocols, whose hooks differ; write http1:{} "
                           "or a hook of http2",
                           name);
    return;
  }
  builder.report().error(hook, "hook", "'{}' is no hook of {}; write one of {}", name,
                         shrike::to_text(protocol), hook_names(protocol));
}

/// `tcp:flow_start`.
void read_hook(const Word& hook, bool is_app, Builder& builder) {
  builder.rule().header.hook = hook.text;
  if (is_app) {
    read_app_hook(hook, builder);
    return;
  }
  if (hook.text == "all") {
    return;
  } else if (hook.text == "flow_start") {
    FlowCheck check;
    check.opens_flow = true;
    builder.rule().packet_checks.emplace_back(check);
    builder.facts().is_ip_only = false;
    return;
  } else if (hook.text == "pre_flow" || hook.text == "pre_stream") {
    builder.set_dormant("hook " + std::string(hook.text));
    return;
  }
  builder.report().error(hook, "hook",
                         "'{}' is no hook; write all, flow_start, pre_flow, pre_stream or a state "
                         "of the protocol",
                         hook.text);
}

void read_protocol(const Word& word, Builder& builder) {
  Word rest = word;
  const Word name = rest.take_until(':');
  const std::string lower = lower_cased(name.text);
  Header& header = builder.rule().header;
  const bool is_transport = read_transport(lower, builder);
  if (!is_transport) {
    const auto protocol = find_app_protocol(lower);
    const bool is_named = protocol && *protocol != AppProtocol::unknown &&
                          *protocol != AppProtocol::failed && *protocol != AppProtocol::count_;
    if (!is_named) {
      builder.report().error(name, "protocol",
                             "'{}' is no protocol; write ip, tcp, udp, icmp, http, tls, dns …",
                             name.text);
      return;
    }
    header.app_protocol = *protocol;
    header.ip_protocols = transports_of(*protocol);
  }
  if (word.text.find(':') != std::string_view::npos) read_hook(rest, !is_transport, builder);
}

void read_direction(const Word& word, Header& header, RuleReport& report) {
  header.is_bidirectional = word.text == "<>";
  header.is_transactional = word.text == "=>";
  if (word.text == "->" || header.is_bidirectional || header.is_transactional) return;
  report.error(word, "direction", "'{}' is no direction; write '->', '<>' or '=>'", word.text);
}

}  // namespace

std::bitset<256> transports_of(AppProtocol protocol) {
  std::bitset<256> transports;
  switch (protocol) {
    case AppProtocol::ntp:
    case AppProtocol::tftp:
    case AppProtocol::ike:
    case AppProtocol::quic:
    case AppProtocol::dhcp:
    case AppProtocol::snmp:
    case AppProtocol::mdns:
    case AppProtocol::llmnr:
    case AppProtocol::bittorrent_dht:
      transports.set(udp);
      break;
    case AppProtocol::dns:
    case AppProtocol::dcerpc:
    case AppProtocol::enip:
    case AppProtocol::nfs:
    case AppProtocol::krb5:
    case AppProtocol::sip:
    case AppProtocol::ldap:
      transports.set(udp).set(tcp);
      break;
    case AppProtocol::unknown:
    case AppProtocol::failed:
    case AppProtocol::http:
    case AppProtocol::http1:
    case AppProtocol::http2:
    case AppProtocol::ftp:
    case AppProtocol::ftp_data:
    case AppProtocol::smtp:
    case AppProtocol::tls:
    case AppProtocol::ssh:
    case AppProtocol::imap:
    case AppProtocol::pop3:
    case AppProtocol::irc:
    case AppProtocol::jabber:
    case AppProtocol::smb:
    case AppProtocol::doh2:
    case AppProtocol::modbus:
    case AppProtocol::dnp3:
    case AppProtocol::rfb:
    case AppProtocol::rdp:
    case AppProtocol::mqtt:
    case AppProtocol::pgsql:
    case AppProtocol::telnet:
    case AppProtocol::websocket:
    case AppProtocol::template_protocol:
    case AppProtocol::count_:
      transports.set(tcp);
      break;
  }
  return transports;
}

void HeaderReader::read(const RuleNode& node, Builder& builder) {
  RuleReport& report = builder.report();
  Header& header = builder.rule().header;
  read_action(node.action, builder);
  read_protocol(node.protocol, builder);
  if (auto set = addresses_.read(node.source, report)) header.source = std::move(*set);
  if (auto set = ports_.read(node.source_port, report)) header.source_port = std::move(*set);
  read_direction(node.direction, header, report);
  if (auto set = addresses_.read(node.target, report)) header.target = std::move(*set);
  if (auto set = ports_.read(node.target_port, report)) header.target_port = std::move(*set);
}

}  // namespace shrike::rule
