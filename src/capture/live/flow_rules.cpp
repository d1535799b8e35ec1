#include "flow_rules.h"

#include <fmt/format.h>
#include <rte_byteorder.h>
#include <rte_errno.h>
#include <rte_flow.h>

#include <cstring>

namespace shrike::capture {

namespace {

constexpr uint8_t protocol_tcp = 6;
constexpr uint16_t tag_id_mask = 0x0fff;
constexpr uint8_t fin_syn_rst = 0x07;
constexpr unsigned items_max = 5;
constexpr unsigned actions_max = 3;

uint32_t big_word(const IpAddress& address) noexcept {
  uint32_t word = 0;
  std::memcpy(&word, address.bytes.data(), sizeof word);
  return word;
}

/// One rule in DPDK's words. Its items point into it, so it stays where it is.
class Description {
 public:
  Description(const CardTuple& tuple, bool tells_tags, bool counts, bool spares_ends) noexcept {
    attributes_.ingress = 1;
    add_link(tuple, tells_tags);
    add_addresses(tuple);
    add_ports(tuple, spares_ends);
    pattern_[items_].type = RTE_FLOW_ITEM_TYPE_END;
    unsigned actions = 0;
    if (counts) {
      actions_[actions].type = RTE_FLOW_ACTION_TYPE_COUNT;
      actions_[actions++].conf = &count_;
    }
    actions_[actions++].type = RTE_FLOW_ACTION_TYPE_DROP;
    actions_[actions].type = RTE_FLOW_ACTION_TYPE_END;
  }
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;

  [[nodiscard]] const rte_flow_attr* attributes() const noexcept { return &attributes_; }
  [[nodiscard]] const rte_flow_item* pattern() const noexcept { return pattern_; }
  [[nodiscard]] const rte_flow_action* actions() const noexcept { return actions_; }

 private:
  void add(rte_flow_item_type type, const void* spec, const void* mask) noexcept {
    pattern_[items_].type = type;
    pattern_[items_].spec = spec;
    pattern_[items_++].mask = mask;
  }

  void add_link(const CardTuple& tuple, bool tells_tags) noexcept {
    if (tuple.has_vlan) {
      add(RTE_FLOW_ITEM_TYPE_ETH, nullptr, nullptr);
      tag_.tci = rte_cpu_to_be_16(tuple.vlan_id);
      tag_mask_.tci = rte_cpu_to_be_16(tag_id_mask);
      add(RTE_FLOW_ITEM_TYPE_VLAN, &tag_, &tag_mask_);
      return;
    }
    link_mask_.has_vlan = 1;  // and the frame's own is 0: without tags
    add(RTE_FLOW_ITEM_TYPE_ETH, tells_tags ? &link_ : nullptr, tells_tags ? &link_mask_ : nullptr);
  }

  void add_addresses(const CardTuple& tuple) noexcept {
    if (tuple.ip_version == 4) {
      ipv4_.hdr.src_addr = big_word(tuple.source);
      ipv4_.hdr.dst_addr = big_word(tuple.target);
      ipv4_mask_.hdr.src_addr = ipv4_mask_.hdr.dst_addr = UINT32_MAX;
      add(RTE_FLOW_ITEM_TYPE_IPV4, &ipv4_, &ipv4_mask_);
      return;
    }
    std::memcpy(ipv6_.hdr.src_addr, tuple.source.bytes.data(), sizeof ipv6_.hdr.src_addr);
    std::memcpy(ipv6_.hdr.dst_addr, tuple.target.bytes.data(), sizeof ipv6_.hdr.dst_addr);
    std::memset(ipv6_mask_.hdr.src_addr, 0xff, sizeof ipv6_mask_.hdr.src_addr);
    std::memset(ipv6_mask_.hdr.dst_addr, 0xff, sizeof ipv6_mask_.hdr.dst_addr);
    add(RTE_FLOW_ITEM_TYPE_IPV6, &ipv6_, &ipv6_mask_);
  }

  void add_ports(const CardTuple& tuple, bool spares_ends) noexcept {
    if (tuple.protocol == protocol_tcp) {
      tcp_.hdr.src_port = rte_cpu_to_be_16(tuple.source_port);
      tcp_.hdr.dst_port = rte_cpu_to_be_16(tuple.target_port);
      tcp_mask_.hdr.src_port = tcp_mask_.hdr.dst_port = UINT16_MAX;
      tcp_mask_.hdr.tcp_flags = spares_ends ? fin_syn_rst : uint8_t{0};
      add(RTE_FLOW_ITEM_TYPE_TCP, &tcp_, &tcp_mask_);
      return;
    }
    udp_.hdr.src_port = rte_cpu_to_be_16(tuple.source_port);
    udp_.hdr.dst_port = rte_cpu_to_be_16(tuple.target_port);
    udp_mask_.hdr.src_port = udp_mask_.hdr.dst_port = UINT16_MAX;
    add(RTE_FLOW_ITEM_TYPE_UDP, &udp_, &udp_mask_);
  }

  rte_flow_attr attributes_{};
  rte_flow_item pattern_[items_max]{};
  rte_flow_action actions_[actions_max]{};
  rte_flow_action_count count_{};
  rte_flow_item_eth link_{}, link_mask_{};
  rte_flow_item_vlan tag_{}, tag_mask_{};
  rte_flow_item_ipv4 ipv4_{}, ipv4_mask_{};
  rte_flow_item_ipv6 ipv6_{}, ipv6_mask_{};
  rte_flow_item_tcp tcp_{}, tcp_mask_{};
  rte_flow_item_udp udp_{}, udp_mask_{};
  unsigned items_ = 0;
};

/// A TCP connection between addresses that are for documentation alone (RFC 5737).
CardTuple sample_tuple() noexcept {
  CardTuple tuple;
  tuple.protocol = protocol_tcp;
  constexpr uint8_t source[4] = {192, 0, 2, 1};
  constexpr uint8_t target[4] = {198, 51, 100, 1};
  std::memcpy(tuple.source.bytes.data(), source, sizeof source);
  std::memcpy(tuple.target.bytes.data(), target, sizeof target);
  tuple.source_port = 40000;
  tuple.target_port = 443;
  return tuple;
}

}  // namespace

std::unique_ptr<FlowRules> FlowRules::probe(uint16_t port, std::string& says) {
  const CardTuple sample = sample_tuple();
  rte_flow_error error{};
  int fault = 0;
  constexpr unsigned every_wish = tells_tags | counts | spares_ends;
  for (unsigned wishes = every_wish + 1; wishes-- > 0;) {
    const Description rule(sample, (wishes & tells_tags) != 0, (wishes & counts) != 0,
                           (wishes & spares_ends) != 0);
    fault = rte_flow_validate(port, rule.attributes(), rule.pattern(), rule.actions(), &error);
    if (fault == 0) {
      says = fmt::format("bypassed flows are dropped by the card{}{}{}",
                         (wishes & counts) != 0 ? ", counted" : ", not counted",
                         (wishes & spares_ends) != 0 ? ", but for their ends" : "",
                         (wishes & tells_tags) != 0 ? "" : ", whatever their VLAN");
      return std::unique_ptr<FlowRules>(new FlowRules(port, wishes));
    }
    if (fault == -ENOSYS) {
      break;
    }
  }
  says = fmt::format("the driver takes no rules that drop flows ({})", rte_strerror(-fault));
  return nullptr;
}

FlowRules::~FlowRules() {
  rte_flow_error error{};
  rte_flow_flush(port_, &error);
}

CardRules::Rule FlowRules::install(const CardTuple& tuple) noexcept {
  const Description rule(tuple, (wishes_ & tells_tags) != 0, (wishes_ & counts) != 0,
                         (wishes_ & spares_ends) != 0);
  rte_flow_error error{};
  return rte_flow_create(port_, rule.attributes(), rule.pattern(), rule.actions(), &error);
}

void FlowRules::remove(Rule rule) noexcept {
  rte_flow_error error{};
  rte_flow_destroy(port_, static_cast<rte_flow*>(rule), &error);
}

bool FlowRules::count(Rule rule, uint64_t& packets, uint64_t& bytes) noexcept {
  if ((wishes_ & counts) == 0) {
    return false;
  }
  const rte_flow_action actions[] = {{RTE_FLOW_ACTION_TYPE_COUNT, nullptr},
                                     {RTE_FLOW_ACTION_TYPE_END, nullptr}};
  rte_flow_query_count answer{};
  rte_flow_error error{};
  if (rte_flow_query(port_, static_cast<rte_flow*>(rule), actions, &answer, &error) != 0) {
    return false;
  }
  packets = answer.hits_set != 0 ? answer.hits : 0;
  bytes = answer.bytes_set != 0 ? answer.bytes : 0;
  return answer.hits_set != 0;
}

}  // namespace shrike::capture
