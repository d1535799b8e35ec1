#include "tls.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "talk.h"
#include "tls_wire.h"

namespace shrike::protocol {
namespace {

using test::client;
using test::Said;
using test::server;
using TlsTalk = test::Talk<TlsParser>;
using namespace test::tls;

const HelloParts hello_of_client{
    .versions = {0x0a0a, 0x0304, 0x0303},
    .ciphers = {0x1a1a, 0x1301, 0xc02b},
    .sni = "www.shrike.example",
    .alpns = {"h2", "http/1.1"},
};

std::string first_certificate() {
  return certificate({
      .issuer = {{attribute::country, "AQ"}, {attribute::organization, "Shrike CA"}},
      .subject = {{attribute::country, "AQ"},
                  {attribute::organization, "Shrike"},
                  {attribute::common_name, "shrike.example"},
                  {attribute::mail, "bird@shrike.example"}},
      .names = {"shrike.example", "www.shrike.example"},
  });
}

/// TLS 1.2 with certificates of the server.
std::vector<Said> session12() {
  return {
      client(record(handshake, client_hello(hello_of_client))),
      server(record(handshake, server_hello({.versions = {}, .ciphers = {0xc02b}})) +
             record(handshake, certificates({first_certificate(), "second"}) +
                                   message(server_hello_done, ""))),
      client(record(handshake, message(client_key_exchange, std::string(64, 'k'))) +
             record(change_cipher, "\x01") + record(handshake, std::string(40, '\xee'))),
      server(record(change_cipher, "\x01") + record(handshake, std::string(40, '\xee'))),
      client(record(application_data, std::string(300, '\xaa'))),
      server(record(application_data, std::string(5000, '\xbb'))),
  };
}

TEST(Tls, ReadsHellosAndCertificates) {
  TlsTalk talk;
  talk.say(session12());
  EXPECT_FALSE(talk.is_broken);
  ASSERT_EQ(talk.session.transactions().size(), 1u);
  const AppTransaction& tls = *talk.session.transactions()[0];
  const auto sent = [&tls](Field field) { return tls.text(Direction::to_server, field); };
  const auto got = [&tls](Field field) { return tls.text(Direction::to_client, field); };
  EXPECT_EQ(sent(Field::tls_sni), "www.shrike.example");
  EXPECT_EQ(sent(Field::tls_alpn), "h2");
  EXPECT_EQ(sent(Field::tls_random), std::string(32, 'r'));
  EXPECT_EQ(sent(Field::tls_random_time).size(), 4u);
  EXPECT_EQ(sent(Field::tls_random_bytes).size(), 28u);
  EXPECT_EQ(sent(Field::ja3_string), "771,4865-49195,0-43-10-11-13-16,29-23,0");
  EXPECT_EQ(sent(Field::ja4_hash).substr(0, 10), "t13d0206h2");
  EXPECT_EQ(got(Field::ja3s_string), "771,49195,");
  EXPECT_EQ(got(Field::tls_cert_subject),
            "C=AQ, O=Shrike, CN=shrike.example, Email=bird@shrike.example");
  EXPECT_EQ(got(Field::tls_cert_issuer), "C=AQ, O=Shrike CA");
  EXPECT_EQ(got(Field::tls_cert_serial), "00:AB:CD");
  EXPECT_EQ(got(Field::tls_cert_fingerprint).size(), 59u);
  EXPECT_EQ(got(Field::tls_subjectaltname), "shrike.example");
  EXPECT_EQ(tls.find(Direction::to_client, Field::tls_cert_notbefore)->number, 946'684'800u);
  EXPECT_EQ(tls.find(Direction::to_client, Field::tls_cert_notafter)->number, 4'102'444'799u);
  EXPECT_EQ(tls.find(Direction::to_client, Field::tls_cert_expired)->number, 0u);
  EXPECT_EQ(tls.find(Direction::to_client, Field::tls_cert_valid)->number, 1u);
  EXPECT_EQ(tls.find(Direction::to_client, Field::tls_cert_chain_len)->number, 2u);
  EXPECT_EQ(tls.find(Direction::to_server, Field::tls_version)->number, 0x0304u);
  EXPECT_EQ(tls.find(Direction::to_client, Field::ssl_version)->number, 0x0303u);
  EXPECT_EQ(tls.progress_in(Direction::to_server), Progress::trailer);
  talk.end(Direction::to_server);
  talk.end(Direction::to_client);
  EXPECT_TRUE(tls.is_complete());
}

TEST(Tls, WritesWhatEveShows) {
  TlsTalk talk;
  talk.say(session12());
  const std::string text = talk.describe(0);
  EXPECT_EQ(text.substr(0, text.find(",\"fingerprint\"")),
            R"({"tls":{"subject":"C=AQ, O=Shrike, CN=shrike.example, Email=bird@shrike.example",)"
            R"("issuerdn":"C=AQ, O=Shrike CA",)"
            R"("subjectaltname":["shrike.example","www.shrike.example"],"serial":"00:AB:CD")");
  EXPECT_NE(text.find(R"("sni":"www.shrike.example","version":"TLS 1.2",)"
                      R"("notbefore":"2000-01-01T00:00:00","notafter":"2099-12-31T23:59:59",)"
                      R"("ja3":{"hash":")"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("client_alpns":["h2","http/1.1"]}})"), std::string::npos) << text;
}

/// What was read, in an order of its own: versions and states are told with the bytes that come
/// together. A header that comes alone tells its record's version, before the hello knows better.
std::set<std::string> lines_of(const std::string& dump) {
  std::set<std::string> lines;
  std::istringstream text(dump);
  for (std::string line; std::getline(text, line);) {
    if (line.find("version= 769") == std::string::npos) {
      lines.insert(line);
    }
  }
  return lines;
}

TEST(Tls, GivesTheSameForAnySegmentation) {
  TlsTalk whole;
  whole.say(session12());
  for (const test::Cut& cut : {test::Cut{1}, test::Cut{7}, test::Cut{40, true}}) {
    TlsTalk talk;
    talk.say(session12(), cut);
    EXPECT_EQ(lines_of(talk.dump()), lines_of(whole.dump()));
  }
}

TEST(Tls, JoinsMessagesOverRecords) {
  std::string hello = client_hello(hello_of_client);
  TlsTalk talk;
  talk.say({client(record(handshake, hello.substr(0, 30)) +
                   record(handshake, hello.substr(30, 50)) + record(handshake, hello.substr(80)))});
  EXPECT_FALSE(talk.is_broken);
  EXPECT_EQ(talk.session.transactions()[0]->text(Direction::to_server, Field::tls_sni),
            "www.shrike.example");
}

TEST(Tls, StopsRawInspectionWhereDataIsEncrypted) {
  TlsTalk talk;
  talk.say(session12());
  EXPECT_EQ(talk.session.transactions()[0]->progress_in(Direction::to_client), Progress::trailer);
  TlsTalk early;
  early.say({client(record(handshake, client_hello(hello_of_client)))});
  EXPECT_EQ(early.session.transactions()[0]->progress_in(Direction::to_server), Progress::line);
}

TEST(Tls, KeepsTheFirstOfTwoHellos) {
  HelloParts second = hello_of_client;
  second.sni = "other.example";
  TlsTalk talk;
  talk.say({client(record(handshake, client_hello(hello_of_client)) +
                   record(handshake, client_hello(second)))});
  EXPECT_EQ(talk.session.transactions()[0]->text(Direction::to_server, Field::tls_sni),
            "www.shrike.example");
  EXPECT_NE(talk.dump().find("!tls.multiple_sni_extensions"), std::string::npos);
}

struct FaultCase {
  const char* what;
  std::string bytes;
  const char* event;
  bool is_broken;
};

std::vector<FaultCase> fault_cases() {
  const std::string hello = record(handshake, client_hello(hello_of_client));
  HelloParts bad_name = hello_of_client;
  bad_name.sni = std::string(256, 'a');
  std::string short_hello = client_hello(hello_of_client).substr(4, 20);
  return {
      {"cut message", record(handshake, "\x01\x01\x01"), "tls.invalid_ssl_record", true},
      {"type", hello + "\x19\x03\x03\x01\x01x", "tls.invalid_record_type", true},
      {"version", "\x16\x02\x01\x01\x01x", "tls.invalid_record_version", true},
      {"message", record(handshake, message(99, "x")), "tls.invalid_handshake_message", false},
      {"hello", record(handshake, message(1, short_hello)), "tls.handshake_invalid_length", false},
      {"name", record(handshake, client_hello(bad_name)), "tls.invalid_sni_length", false},
      {"chain", record(handshake, message(11, std::string("\x00\x00\x05\x00\x00\x09xx", 8))),
       "tls.invalid_certificate", false},
      {"heartbeat", hello + record(heartbeat, std::string("\x01\x40\x00", 3)),
       "tls.overflow_heartbeat_message", true},
      {"padding", hello + record(heartbeat, std::string("\x01\x00\x01x", 4)),
       "tls.invalid_heartbeat_message", true},
      {"ssl 2", std::string("\x80\x03\x01xx", 5), "tls.invalid_ssl_record", true},
  };
}

/// Rules see a version as soon as its bytes are there: the rest may never come.
TEST(Tls, TellsTheVersionOfHalfAHeader) {
  for (const test::Cut& cut : {test::Cut{}, test::Cut{1}, test::Cut{2}}) {
    TlsTalk talk;
    talk.say({client(std::string("\x01\x03\x00", 3))}, cut);
    EXPECT_NE(talk.dump().find("> ssl_version= 768"), std::string::npos) << talk.dump();
    EXPECT_FALSE(talk.is_broken);
  }
}

TEST(Tls, WhatLooksLikeSsl2BehindTheHandshakeIsNone) {
  TlsTalk talk;
  talk.say({client(record(handshake, client_hello(hello_of_client)) +
                   record(application_data, "secret") + "\xfc\x43\x8b\x3a")});
  EXPECT_EQ(talk.dump().find("ssl_version= 2\n"), std::string::npos) << talk.dump();
}

TEST(Tls, NamesWhatIsWrong) {
  for (const FaultCase& test : fault_cases()) {
    SCOPED_TRACE(test.what);
    TlsTalk talk;
    talk.say({client(test.bytes)});
    EXPECT_NE(talk.dump().find("!" + std::string(test.event)), std::string::npos) << talk.dump();
    EXPECT_EQ(talk.is_broken, test.is_broken);
  }
}

struct CertificateCase {
  const char* what;
  std::string der;
  const char* event;
};

std::vector<CertificateCase> certificate_cases() {
  const CertificateParts good{.subject = {{attribute::country, "AQ"}}};
  CertificateParts bad_date = good;
  bad_date.not_after = "2099";
  CertificateParts bad_serial = good;
  bad_serial.serial_tag = 0x0c;
  const std::string whole = certificate(good);
  const std::string algorithm = "\x30\x04\x06\x02";
  std::string key_in_a_set = whole;
  key_in_a_set[whole.find(algorithm, whole.find(algorithm) + 1)] = 0x31;
  std::string cut_algorithm = whole;
  cut_algorithm[whole.rfind(algorithm) + 3] = 3;
  return {
      {"the key's algorithm", key_in_a_set, "tls.certificate_invalid_der"},
      {"the signature's algorithm", cut_algorithm, "tls.certificate_invalid_length"},
      {"cut", whole.substr(0, whole.size() - 10), "tls.certificate_invalid_length"},
      {"no DER", "\x02\x01\x01", "tls.certificate_invalid_der"},
      {"date", certificate(bad_date), "tls.certificate_invalid_date"},
      {"serial", certificate(bad_serial), "tls.certificate_invalid_serial"},
  };
}

TEST(Tls, NamesWhatIsWrongWithACertificate) {
  for (const CertificateCase& test : certificate_cases()) {
    SCOPED_TRACE(test.what);
    TlsTalk talk;
    talk.say({server(record(handshake, certificates({test.der})))});
    EXPECT_NE(talk.dump().find("!" + std::string(test.event)), std::string::npos) << talk.dump();
    EXPECT_EQ(talk.dump().find("cert_subject"), std::string::npos);
  }
}

TEST(Tls, ANameEndsWhereItIsBroken) {
  std::string der = certificate({.issuer = {{attribute::country, "AQ"}},
                                 .subject = {{attribute::country, "AQ"},
                                             {attribute::organization, "Shrike"},
                                             {attribute::common_name, "shrike.example"}}});
  const size_t organization = der.find(attribute::organization);
  ASSERT_NE(organization, std::string::npos);
  der[organization - 3] += 40;  // the attribute says that it is longer than its set
  TlsTalk talk;
  talk.say({server(record(handshake, certificates({der})))});
  ASSERT_EQ(talk.session.transactions().size(), 1u);
  const AppTransaction& tls = *talk.session.transactions()[0];
  EXPECT_EQ(tls.text(Direction::to_client, Field::tls_cert_subject), "C=AQ");
  EXPECT_EQ(tls.text(Direction::to_client, Field::tls_cert_issuer), "C=AQ");
  EXPECT_EQ(talk.dump().find("!tls.certificate"), std::string::npos) << talk.dump();
}

TEST(Tls, ExtensionsEndWithTheBody) {
  std::string der = first_certificate();
  --der[der.find('\xa3') + 1];  // the length around them is too short
  TlsTalk talk;
  talk.say({server(record(handshake, certificates({der})))});
  EXPECT_NE(talk.dump().find("www.shrike.example"), std::string::npos) << talk.dump();
  EXPECT_EQ(talk.dump().find("!tls.certificate"), std::string::npos) << talk.dump();
}

TEST(Tls, ReadsTheHelloOfSsl2) {
  // Length, hello, version 3.1, three ciphers' bytes, no session id, challenge.
  TlsTalk talk;
  talk.say({client(std::string("\x80\x0e\x01\x03\x01\x00\x03\x00\x00\x00\x02\x01\x00\x80xx", 16))});
  EXPECT_FALSE(talk.is_broken);
  EXPECT_EQ(talk.session.transactions()[0]->find(Direction::to_server, Field::tls_version)->number,
            0x0301u);
  EXPECT_EQ(talk.session.transactions()[0]->progress_in(Direction::to_server), Progress::line);
}

TEST(Tls, EndsWithAFatalAlert) {
  TlsTalk talk;
  talk.say({client(record(handshake, client_hello(hello_of_client))),
            server(record(alert, "\x02\x28"))});
  EXPECT_TRUE(talk.session.transactions()[0]->is_complete());
}

TEST(Tls, ReadsCertificatesOfClients) {
  TlsTalk talk;
  talk.say({server(record(handshake, message(13, "x"))),
            client(record(handshake, certificates({first_certificate()})))});
  const AppTransaction& tls = *talk.session.transactions()[0];
  EXPECT_EQ(tls.text(Direction::to_server, Field::tls_cert_issuer), "C=AQ, O=Shrike CA");
  EXPECT_EQ(tls.progress_in(Direction::to_client), Progress::trailer);
  EXPECT_NE(talk.describe(0).find(R"("client":{"subject":"C=AQ)"), std::string::npos);
}

}  // namespace
}  // namespace shrike::protocol
