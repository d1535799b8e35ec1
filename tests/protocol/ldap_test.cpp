#include "ldap.h"

#include <gtest/gtest.h>

#include "talk.h"

namespace shrike::protocol {
namespace {

using namespace test;
using namespace std::string_literals;

std::string element(char tag, const std::string& content) {
  return tag + std::string(1, static_cast<char>(content.size())) + content;
}
std::string message(char operation, const std::string& content) {
  return element('\x30', element('\x02', "\x07") + element(operation, content));
}
std::string attribute(const std::string& type) {
  return element('\x30', element('\x04', type) + element('\x31', element('\x04', "value")));
}

TEST(Ldap, ShowsTheAttributesOfEntriesHoweverTheyAreCut) {
  const std::string name = element('\x04', "dc=x");
  const std::string number = element('\x0a', "\0"s);
  const std::vector<Said> said = {
      client(message('\x63', name + number + number + element('\x02', "\0"s) +
                                 element('\x02', "\0"s) + element('\x01', "\0"s) +
                                 element('\x87', "objectClass") +
                                 element('\x30', element('\x04', "cn")))),
      server(message('\x64', name + element('\x30', attribute("cn") + attribute("mail")))),
      server(message('\x64', name + element('\x30', attribute("uid")))),
      server(message('\x65', number + element('\x04', "") + element('\x04', "")))};
  std::string whole;
  for (const Cut& cut : {Cut{}, Cut{1}, Cut{9, true}}) {
    Talk<LdapParser> talk;
    talk.say(said, cut);
    ASSERT_EQ(talk.session.transactions().size(), 1u);
    std::string types;
    for (const FieldValue& value :
         talk.session.transactions()[0]->values_in(Direction::to_client)) {
      if (value.field == Field::ldap_responses_attribute_type) {
        types += as_text(value.bytes);
        types += ' ';
      }
    }
    EXPECT_EQ(types, "cn mail uid ");
    whole = whole.empty() ? talk.dump() : whole;
    EXPECT_EQ(talk.dump(), whole);
  }
}

TEST(Ldap, StopsAtAnAttributeThatIsCutOff) {
  Talk<LdapParser> talk;
  const std::string name = element('\x04', "dc=x");
  talk.say({server(message('\x64', name + element('\x30', attribute("cn") + "\x30\x20")))});
  ASSERT_EQ(talk.session.transactions().size(), 1u);
  const AppTransaction& transaction = *talk.session.transactions()[0];
  EXPECT_EQ(transaction.text(Direction::to_client, Field::ldap_responses_attribute_type), "cn");
}

}  // namespace
}  // namespace shrike::protocol
