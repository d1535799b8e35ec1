#include "pgsql.h"

#include <gtest/gtest.h>

#include "talk.h"

namespace shrike::protocol::test {
namespace {

using enum Direction;

std::string number(uint32_t value, size_t bytes = 4) {
  std::string text;
  for (size_t i = bytes; i-- > 0;) {
    text.push_back(static_cast<char>(value >> (8 * i)));
  }
  return text;
}
std::string zero() {
  return std::string(1, '\0');
}
std::string message(char type, const std::string& body) {
  return type + number(static_cast<uint32_t>(body.size() + 4)) + body;
}
std::string untyped(const std::string& body) {
  return number(static_cast<uint32_t>(body.size() + 4)) + body;
}
std::string startup() {
  return untyped(number(3 << 16) + "user" + zero() + "falcon" + zero() + "database" + zero() +
                 "nest" + zero() + zero());
}
std::string ssl_request() {
  return untyped(number(1234 << 16 | 5679));
}
std::string query(const std::string& text) {
  return message('Q', text + zero());
}
std::string ready() {
  return message('Z', "I");
}
std::string row(const std::string& value) {
  return message('D', number(1, 2) + number(static_cast<uint32_t>(value.size())) + value);
}
std::string rows() {
  return message('T', number(1, 2) + "name" + zero() + std::string(18, 'x')) + row("one") +
         row("three") + message('C', "SELECT 2" + zero()) + ready();
}
std::string fault() {
  return message('E', "SERROR" + zero() + "VERROR" + zero() + "C22012" + zero() +
                          "Mdivision by zero" + zero() + zero()) +
         ready();
}

std::vector<Said> session() {
  return {client(startup()),
          server(message('R', number(5) + "salt")),
          client(message('p', "md5secret" + zero())),
          server(message('R', number(0)) + message('S', "TimeZone" + zero() + "UTC" + zero()) +
                 message('K', number(7) + number(9)) + ready()),
          client(query("SELECT name FROM birds")),
          server(rows()),
          client(query("SELECT 1/0")),
          server(fault()),
          client(message('X', ""))};
}

TEST(Pgsql, Session) {
  Talk<PgsqlParser> talk;
  talk.say(session());
  EXPECT_EQ(talk.dump(),
            "tx 0 5/5\n"
            "tx 1 5/5\n"
            "tx 2 5/5\n > pgsql.query=SELECT name FROM birds\n"
            "tx 3 5/5\n > pgsql.query=SELECT 1/0\n"
            "tx 4 5/5\n");
  EXPECT_EQ(talk.describe(0),
            R"({"pgsql":{"tx_id":1,"request":{"protocol_version":"3.0","startup_parameters":)"
            R"({"user":"falcon","optional_parameters":[{"database":"nest"}]}},)"
            R"("response":{"authentication_md5_password":"salt"}}})");
  EXPECT_EQ(talk.describe(1),
            R"({"pgsql":{"tx_id":2,"request":{"password_redacted":true},"response":)"
            R"({"message":"authentication_ok","parameter_status":[{"time_zone":"UTC"}],)"
            R"("process_id":7,"secret_key":9}}})");
  EXPECT_EQ(talk.describe(2),
            R"({"pgsql":{"tx_id":3,"request":{"simple_query":"SELECT name FROM birds"},)"
            R"("response":{"field_count":1,"data_rows":2,"data_size":8,)"
            R"("command_completed":"SELECT 2"}}})");
  EXPECT_EQ(talk.describe(3),
            R"({"pgsql":{"tx_id":4,"request":{"simple_query":"SELECT 1/0"},"response":)"
            R"({"severity_localizable":"ERROR","severity_non_localizable":"ERROR",)"
            R"("code":"22012","message":"division by zero"}}})");
  EXPECT_EQ(talk.describe(4),
            R"({"pgsql":{"tx_id":5,"request":{"message":"termination_message"}}})");
}

TEST(Pgsql, AnySegmentation) {
  Talk<PgsqlParser> whole;
  whole.say(session());
  Talk<PgsqlParser> bytewise;
  bytewise.say(session(), {.bytes_max = 1});
  EXPECT_EQ(bytewise.dump(), whole.dump());
  for (unsigned seed = 0; seed < 20; ++seed) {
    Talk<PgsqlParser> cut;
    cut.say(session(), {.bytes_max = 30, .is_random = true, .random = std::mt19937(seed)});
    EXPECT_EQ(cut.dump(), whole.dump()) << seed;
    EXPECT_EQ(cut.describe(2), whole.describe(2)) << seed;
  }
}

TEST(Pgsql, CopyBothWays) {
  Talk<PgsqlParser> talk;
  talk.say({client(query("COPY birds TO STDOUT")),
            server(message('H', zero() + number(2, 2)) + message('d', "12") + message('d', "345") +
                   message('c', "") + message('C', "COPY 2" + zero()) + ready()),
            client(query("COPY birds FROM STDIN")), server(message('G', zero() + number(3, 2))),
            client(message('d', "1234") + message('d', "5") + message('c', "")),
            server(message('C', "COPY 2" + zero()) + ready())});
  EXPECT_EQ(talk.describe(0),
            R"({"pgsql":{"tx_id":1,"request":{"simple_query":"COPY birds TO STDOUT"},"response":)"
            R"({"copy_out_response":{"columns":2},"copy_data_out":{"row_count":2,"data_size":5},)"
            R"("message":"copy_done","command_completed":"COPY 2"}}})");
  EXPECT_NE(talk.describe(2).find(R"("copy_data_in":{"msg_count":2,"data_size":5})"),
            std::string::npos);
}

TEST(Pgsql, MalformedRequestIsAnEvent) {
  Talk<PgsqlParser> talk;
  talk.say({client(untyped(number(0x00ff00ff)))});
  EXPECT_EQ(talk.dump(), "tx 0 0/0\n > !pgsql.malformed_request\n");
}

TEST(Pgsql, MalformedResponseIsAnEvent) {
  Talk<PgsqlParser> talk;
  talk.say({client(startup()), server(message('R', number(99)))});
  EXPECT_NE(talk.dump().find("!pgsql.malformed_response"), std::string::npos);
}

TEST(Pgsql, BadLengthEndsIt) {
  Talk<PgsqlParser> talk;
  talk.say({client("Q" + number(2) + "xx")});
  EXPECT_TRUE(talk.is_broken);
}

TEST(Pgsql, RefusedTlsGoesOn) {
  Talk<PgsqlParser> talk;
  talk.say({client(ssl_request()), server("N"), client(startup())});
  EXPECT_EQ(talk.session.opened(), 2u);
  EXPECT_EQ(talk.describe(0),
            R"({"pgsql":{"tx_id":1,"request":{"message":"SSL Request"},"response":)"
            R"({"ssl_accepted":false}}})");
}

TEST(Pgsql, AcceptedTlsLeavesTheRest) {
  Talk<PgsqlParser> talk;
  talk.say({client(ssl_request())});
  const Consumed consumed =
      talk.parser.parse({.direction = to_client, .bytes = as_bytes("S\x16\x03\x03")});
  EXPECT_EQ(consumed.bytes, 1u);
  EXPECT_TRUE(talk.session.transactions()[0]->is_complete());
  EXPECT_NE(talk.describe(0).find(R"("ssl_accepted":true)"), std::string::npos);
}

TEST(Pgsql, OldestIsGivenUpWhereThereAreTooMany) {
  ProtocolOptions options;
  options.others.emplace_back("pgsql.max-tx", "2");
  Talk<PgsqlParser> talk(options);
  talk.say({client(query("1") + query("2") + query("3") + query("4"))});
  EXPECT_NE(talk.dump().find("tx 0 5/5\n > pgsql.query=1\n < !pgsql.too_many_transactions\n"),
            std::string::npos)
      << talk.dump();
}

}  // namespace
}  // namespace shrike::protocol::test
