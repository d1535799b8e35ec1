#include "ip_protocols.h"

#include "words.h"

namespace shrike::rule {

namespace {

struct IpProtocolName {
  std::string_view name;
  uint8_t number;
};

constexpr IpProtocolName names[] = {
    {"hopopt", 0},       {"icmp", 1},        {"igmp", 2},     {"ggp", 3},        {"ipv4", 4},
    {"ipencap", 4},      {"ip-encap", 4},    {"st", 5},       {"tcp", 6},        {"cbt", 7},
    {"egp", 8},          {"igp", 9},         {"pup", 12},     {"emcon", 14},     {"chaos", 16},
    {"udp", 17},         {"hmp", 20},        {"xns-idp", 22}, {"rdp", 27},       {"irtp", 28},
    {"iso-tp4", 29},     {"dccp", 33},       {"xtp", 36},     {"ddp", 37},       {"ipv6", 41},
    {"idrp", 45},        {"ipv6-route", 43}, {"rsvp", 46},    {"ipv6-frag", 44}, {"gre", 47},
    {"dsr", 48},         {"esp", 50},        {"ah", 51},      {"swipe", 53},     {"narp", 54},
    {"mobile", 55},      {"skip", 57},       {"icmp6", 58},   {"ipv6-icmp", 58}, {"icmpv6", 58},
    {"ipv6-nonxt", 59},  {"ipv6-opts", 60},  {"eigrp", 88},   {"ospf", 89},      {"ospfigp", 89},
    {"mtp", 92},         {"ax.25", 93},      {"ipip", 94},    {"etherip", 97},   {"encap", 98},
    {"pim", 103},        {"ipcomp", 108},    {"vrrp", 112},   {"pgm", 113},      {"l2tp", 115},
    {"stp", 118},        {"isis", 124},      {"sctp", 132},   {"fc", 133},       {"udplite", 136},
    {"mpls-in-ip", 137}, {"manet", 138},     {"shim6", 140},  {"ethernet", 143},
};

}  // namespace

std::optional<uint8_t> find_ip_protocol(std::string_view name) noexcept {
  if (!name.empty() && is_digit(name[0])) return to_number<uint8_t>(name);
  for (const IpProtocolName& entry : names) {
    if (is_same_word(entry.name, name)) return entry.number;
  }
  return std::nullopt;
}

}  // namespace shrike::rule
