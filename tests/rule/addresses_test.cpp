#include "addresses.h"

#include <gtest/gtest.h>

#include "parsed.h"
#include "ports.h"

namespace shrike::rule {
namespace {

using test::Parsed;

/// Source address and port of a rule's header as the meaning shows them; errors where it is broken.
std::string source_of(const std::string& address, const std::string& port = "any") {
  Options options;
  options.address_groups = {{"HOME_NET", "[10.0.0.0/8,192.168.0.0/16]"},
                            {"EXTERNAL_NET", "!$HOME_NET"},
                            {"ANY", "any"},
                            {"SERVERS", "[$HOME_NET,!10.1.0.0/16]"}};
  options.port_groups = {{"HTTP_PORTS", "[80,8080]"}, {"NOT_HTTP", "!$HTTP_PORTS"}};
  const Parsed parsed("alert tcp " + address + " " + port + " -> any any (sid:1;)", options);
  if (parsed.rules.empty()) return parsed.diagnostics.all().at(0).code;
  const std::string text = to_text(parsed.rules[0]);
  const size_t begin = text.find(" from ") + 6;
  return text.substr(begin, text.find(" -> ", begin) - begin);
}

struct SetCase {
  const char* text;
  const char* set;
};

TEST(Addresses, ListsAreUnionsWithoutUnions) {
  const SetCase cases[] = {
      {"any", "any any"},
      {"$ANY", "any any"},
      {"1.2.3.4", "1.2.3.4 any"},
      {"1.2.3.4/16", "1.2.0.0-1.2.255.255 any"},
      {"1.2.3.4/255.255.0.0", "1.2.0.0-1.2.255.255 any"},
      {"0.0.0.0/0", "0.0.0.0-255.255.255.255 any"},
      {"1.2.3.4-1.2.3.9", "1.2.3.4-1.2.3.9 any"},
      {"[1.2.3.4,1.2.3.5]", "1.2.3.4-1.2.3.5 any"},
      {"[1.2.3.9,1.2.3.4]", "1.2.3.4,1.2.3.9 any"},
      {"[1.2.3.0/24,!1.2.3.4]", "1.2.3.0-1.2.3.3,1.2.3.5-1.2.3.255 any"},
      {"[10.0.0.0/8,![10.1.0.0/16,!10.1.1.0/24]]",
       "10.0.0.0-10.0.255.255,10.2.0.0-10.255.255.255 any"},
      {"![!1.2.3.4]", "1.2.3.4 any"},
      {"!!1.2.3.4", "1.2.3.4 any"},
      {"2001:db8::1/64", "2001:db8::-2001:db8::ffff:ffff:ffff:ffff any"},
      {"[::1,1.2.3.4]", "1.2.3.4,::1 any"},
      {"!255.255.255.255",
       "0.0.0.0-255.255.255.254,::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff any"},
      {"$HOME_NET", "10.0.0.0-10.255.255.255,192.168.0.0-192.168.255.255 any"},
      {"$SERVERS", "10.0.0.0-10.0.255.255,10.2.0.0-10.255.255.255,192.168.0.0-192.168.255.255 any"},
      {"!$EXTERNAL_NET", "10.0.0.0-10.255.255.255,192.168.0.0-192.168.255.255 any"},
      {"[1.2.3.4,5.6.7.8,]", "1.2.3.4,5.6.7.8 any"},
      {"!$ANY", "address-space"},
      {"!0.0.0.0/0", "address-space"},
      {"!::/0", "address-space"},
      {"[1.2.3.4,!1.2.3.4]", "address-space"},
      {"1.2.3", "address"},
      {"1.2.3.4.5", "address"},
      {"256.1.1.1", "address"},
      {"01.2.3.4", "address"},
      {"1.2.3.4/33", "address"},
      {"1.2.3.4/255.0.255.0", "address"},
      {"::1/129", "address"},
      {"1.2.3.9-1.2.3.4", "address"},
      {"1.2.3.4-::1", "address"},
      {"$NOWHERE", "variable"},
      {"[1.2.3.4", "header"},
      {"[]", "list-empty"},
  };
  for (const SetCase& test : cases) EXPECT_EQ(source_of(test.text), test.set) << test.text;
}

TEST(Addresses, NegationIsRemembered) {
  const Parsed parsed("alert ip !1.2.3.4 any -> 1.2.3.4 any (sid:1;)");
  ASSERT_EQ(parsed.rules.size(), 1U);
  EXPECT_TRUE(parsed.rules[0].header.source.has_negation);
  EXPECT_FALSE(parsed.rules[0].header.target.has_negation);
}

TEST(Ports, ListsAreUnionsWithoutUnions) {
  const SetCase cases[] = {
      {"any", "any any"},
      {"80", "any 80"},
      {"80:90", "any 80:90"},
      {"1024:", "any 1024:65535"},
      {":1023", "any 0:1023"},
      {":", "any any"},
      {"0:65535", "any any"},
      {"!80", "any 0:79,81:65535"},
      {"[80,81]", "any 80:81"},
      {"[80,[443,8080:8090]]", "any 80,443,8080:8090"},
      {"[80:90,!85]", "any 80:84,86:90"},
      {"![80,443]", "any 0:79,81:442,444:65535"},
      {"$HTTP_PORTS", "any 80,8080"},
      {"!$NOT_HTTP", "any 80,8080"},
      {"[$HTTP_PORTS,!80]", "any 8080"},
      {"65536", "port"},
      {"-1", "port"},
      {"http", "port"},
      {"90:80", "port-order"},
      {"!any", "port-space"},
      {"[80,!80]", "port-space"},
      {"$NOWHERE", "variable"},
  };
  for (const SetCase& test : cases) EXPECT_EQ(source_of("any", test.text), test.set) << test.text;
}

TEST(Addresses, SubtractsAcrossTheEndsOfTheSpace) {
  const auto range = [](const char* text) { return *parse_address_range(text); };
  std::vector<AddressRange> all{range("0.0.0.0/0")};
  EXPECT_TRUE(subtract(all, {range("0.0.0.0/0")}).empty());
  EXPECT_EQ(subtract(all, {range("0.0.0.0/1")}), (std::vector{range("128.0.0.0/1")}));
  EXPECT_EQ(subtract(all, {range("128.0.0.0/1")}), (std::vector{range("0.0.0.0/1")}));
  std::vector<AddressRange> touching{range("128.0.0.0/1"), range("0.0.0.0/1"), range("::/0")};
  normalize(touching);
  EXPECT_EQ(touching, (std::vector{range("0.0.0.0/0"), range("::/0")}));
}

}  // namespace
}  // namespace shrike::rule
