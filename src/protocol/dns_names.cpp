#include "dns_names.h"

#include <algorithm>
#include <span>

namespace shrike::protocol {

namespace {

struct Name {
  uint16_t number;
  std::string_view text;
};

constexpr Name types[] = {
    {1, "a"},      {2, "ns"},        {3, "md"},          {4, "mf"},     {5, "cname"},
    {6, "soa"},    {7, "mb"},        {8, "mg"},          {9, "mr"},     {10, "null"},
    {11, "wks"},   {12, "ptr"},      {13, "hinfo"},      {14, "minfo"}, {15, "mx"},
    {16, "txt"},   {17, "rp"},       {18, "afsdb"},      {19, "x25"},   {20, "isdn"},
    {21, "rt"},    {22, "nsap"},     {23, "nsapptr"},    {24, "sig"},   {25, "key"},
    {26, "px"},    {27, "gpos"},     {28, "aaaa"},       {29, "loc"},   {30, "nxt"},
    {33, "srv"},   {34, "atma"},     {35, "naptr"},      {36, "kx"},    {37, "cert"},
    {38, "a6"},    {39, "dname"},    {41, "opt"},        {42, "apl"},   {43, "ds"},
    {44, "sshfp"}, {45, "ipseckey"}, {46, "rrsig"},      {47, "nsec"},  {48, "dnskey"},
    {49, "dhcid"}, {50, "nsec3"},    {51, "nsec3param"}, {52, "tlsa"},  {55, "hip"},
    {59, "cds"},   {60, "cdnskey"},  {65, "https"},      {99, "spf"},   {249, "tkey"},
    {250, "tsig"}, {254, "maila"},   {255, "any"},       {256, "uri"}};

constexpr Name rcodes[] = {{0, "noerror"}, {1, "formerr"},  {2, "servfail"}, {3, "nxdomain"},
                           {4, "notimp"},  {5, "refused"},  {6, "yxdomain"}, {7, "yxrrset"},
                           {8, "nxrrset"}, {9, "notauth"},  {10, "notzone"}, {16, "badvers"},
                           {17, "badkey"}, {18, "badtime"}, {19, "badmode"}, {20, "badname"},
                           {21, "badalg"}, {22, "badtrunc"}};

std::string_view find(std::span<const Name> names, uint16_t number) noexcept {
  const auto found =
      std::lower_bound(names.begin(), names.end(), number,
                       [](const Name& name, uint16_t wanted) { return name.number < wanted; });
  return found != names.end() && found->number == number ? found->text : std::string_view{};
}

}  // namespace

std::string_view dns_type_name(uint16_t type) noexcept {
  return find(types, type);
}

std::string_view dns_rcode_name(uint16_t rcode) noexcept {
  return find(rcodes, rcode);
}

}  // namespace shrike::protocol
