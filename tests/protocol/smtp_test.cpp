#include "smtp.h"

#include <gtest/gtest.h>

#include "talk.h"

namespace shrike::protocol {
namespace {

using test::client;
using test::Cut;
using test::Said;
using test::server;
using SmtpTalk = test::Talk<SmtpParser>;

constexpr std::string_view mail_text =
    "From: Ann <ann@example.com>\r\n"
    "To: bob@example.com, carl@example.com\r\n"
    "Subject: a subject\r\n that goes on\r\n"
    "Received: by one\r\n"
    "Received: by two\r\n"
    "Content-Type: multipart/mixed; boundary=\"cut\"\r\n"
    "\r\n"
    "preamble\r\n"
    "--cut\r\n"
    "Content-Type: text/plain\r\n"
    "\r\n"
    "See http://one.example/a and HTTP://two.example>.\r\n"
    "--cut\r\n"
    "Content-Type: application/octet-stream; name=\"data.bin\"\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "\r\n"
    "aGVsbG8g\r\n"
    "d29ybGQ=\r\n"
    "--cut\r\n"
    "Content-Disposition: attachment; filename*0=note; filename*1=.txt\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "a=3Db=\r\n"
    "c\r\n"
    "--cut\r\n"
    "Content-Disposition: attachment; filename=plain.txt; size=4\r\n"
    "\r\n"
    "one\r\n"
    "two\r\n"
    "--cut--\r\n"
    "epilogue\r\n"
    ".\r\n";

std::vector<Said> whole_session() {
  return {server("220 mail.example.com ESMTP\r\n"),
          client("EHLO host.example\r\n"),
          server("250-mail.example.com\r\n250 SIZE 1000\r\n"),
          client("MAIL FROM:<ann@example.com> SIZE=10\r\n"),
          server("250 ok\r\n"),
          client("RCPT TO: <bob@example.com>\r\n"),
          server("250 ok\r\n"),
          client("RCPT TO:<carl@example.com>\r\n"),
          server("250 ok\r\n"),
          client("DATA\r\n"),
          server("354 go on\r\n"),
          client(mail_text),
          server("250 queued\r\n"),
          client("MAIL FROM:<ann@example.com>\r\n"),
          server("250 ok\r\n"),
          client("RSET\r\n"),
          server("250 ok\r\n"),
          client("QUIT\r\n"),
          server("221 bye\r\n")};
}

constexpr std::string_view whole_dump =
    "tx 0 5/5\n"
    " > smtp.helo=host.example\n"
    " > smtp.mail_from=<ann@example.com>\n"
    " > smtp.rcpt_to=<bob@example.com>\n"
    " > smtp.rcpt_to=<carl@example.com>\n"
    " > file.name=data.bin\n"
    " > file.data=hello world.\n"
    " > filesize= 11\n"
    " > file.name=note.txt\n"
    " > file.data=a=bc\r\n.\n"
    " > filesize= 6\n"
    " > file.name=plain.txt\n"
    " > file.data=one\r\ntwo.\n"
    " > filesize= 8\n"
    " > email.from=Ann <ann@example.com>\n"
    " > email.subject=a subjectthat goes on\n"
    " > email.to=bob@example.com, carl@example.com\n"
    " > email.received=by one\n"
    " > email.received=by two\n"
    " > email.url=one.example/a\n"
    " > email.url=two.example\n"
    "tx 1 5/5\n"
    " > smtp.helo=host.example\n"
    " > smtp.mail_from=<ann@example.com>\n";

TEST(Smtp, GivesTheSameMailsForAnySegments) {
  const std::vector<Cut> cuts{
      {}, {.bytes_max = 1}, {.bytes_max = 7}, {.bytes_max = 40, .is_random = true}};
  for (const Cut& cut : cuts) {
    SCOPED_TRACE(cut.bytes_max);
    SmtpTalk talk;
    talk.say(whole_session(), cut);
    EXPECT_FALSE(talk.is_broken);
    EXPECT_EQ(talk.dump(), whole_dump);
  }
}

TEST(Smtp, DescribesEnvelopeAndMail) {
  SmtpTalk talk;
  talk.say(whole_session());
  EXPECT_EQ(talk.describe(0),
            R"({"smtp":{"helo":"host.example","mail_from":"<ann@example.com>",)"
            R"("rcpt_to":["<bob@example.com>","<carl@example.com>"]},)"
            R"("email":{"from":"Ann <ann@example.com>",)"
            R"("to":["bob@example.com"," carl@example.com"],"status":"PARSE_DONE",)"
            R"("attachment":["data.bin","note.txt","plain.txt"],)"
            R"("url":["two.example","one.example/a"]}})");
  EXPECT_EQ(talk.describe(1),
            R"({"smtp":{"helo":"host.example","mail_from":"<ann@example.com>"}})");
}

struct TalkCase {
  const char* name;
  std::vector<Said> said;
  const char* dump;
  bool is_broken = false;
};

const TalkCase cases[] = {
    {"no welcome, and no file without a name",
     {client("HELO a\r\nDATA\r\n"), server("250 ok\r\n354 go\r\n"),
      client("Content-Type: text/html\r\n\r\n<a>\r\n.\r\n")},
     "tx 0 5/0\n > smtp.helo=a\n > !smtp.no_server_welcome_message\n"
     " < !smtp.no_server_welcome_message\n"},
    {"an unknown code is no reply",
     {server("220 a\r\n"), client("HELO a\r\n"), server("999 ok\r\n")},
     "tx 0 0/0\n > smtp.helo=a\n > !smtp.invalid_reply\n < !smtp.invalid_reply\n",
     true},
    {"a rejected DATA leaves no mail",
     {server("220 a\r\n"), client("DATA\r\n"), server("503 no\r\n"), client("NOOP\r\n")},
     "tx 0 2/0\n > !smtp.data_command_rejected\n < !smtp.data_command_rejected\n"},
    {"a second greeting",
     {server("220 a\r\n"), client("HELO a\r\n"), server("250 b\r\n"), client("EHLO c\r\n")},
     "tx 0 0/0\n > smtp.helo=a\n > !smtp.duplicate_fields\n < !smtp.duplicate_fields\n"},
    {"TLS begins",
     {server("220 a\r\n"), client("STARTTLS\r\n"), server("220 go\r\n")},
     "tx 0 5/5\n"},
    {"TLS is refused",
     {server("220 a\r\n"), client("STARTTLS\r\n"), server("454 no\r\n")},
     "tx 0 0/0\n > !smtp.tls_rejected\n < !smtp.tls_rejected\n"},
    {"a chunk is counted, not read",
     {server("220 a\r\n"), client("BDAT 9 LAST\r\nRSET\r\nab\nRCPT TO:<x>\r\n")},
     "tx 0 0/0\n > smtp.rcpt_to=<x>\n"},
    {"a chunk ends within a line",
     {server("220 a\r\n"), client("BDAT 3\r\nabcdef\r\n")},
     "tx 0 0/0\n > !smtp.bdat_chunk_len_exceeded\n < !smtp.bdat_chunk_len_exceeded\n",
     true},
    {"a mail in a mail",
     {server("220 a\r\n"), client("DATA\r\n"), server("354 go\r\n"),
      client("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"
             "Content-Type: message/rfc822\r\n\r\n"
             "Content-Type: application/x-thing; name=inner.exe\r\n\r\nMZ\r\n--x--\r\n.\r\n")},
     "tx 0 5/0\n > file.name=inner.exe\n > file.data=MZ.\n > filesize= 2\n"},
    {"wrong encodings",
     {server("220 a\r\n"), client("DATA\r\n"), server("354 go\r\n"),
      client("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"
             "Content-Type: a/b; name=q\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
             "=zz=41\r\n--x\r\n"
             "Content-Type: a/b; name=b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
             "=AAA\r\n--x--\r\n.\r\n")},
     "tx 0 5/0\n > file.name=q\n > file.data=A\r\n.\n > filesize= 3\n > file.name=b\n > "
     "file.data=.\n"
     " > filesize=\n"
     " > !smtp.mime_invalid_qp\n > !smtp.mime_invalid_base64\n"
     " < !smtp.mime_invalid_qp\n < !smtp.mime_invalid_base64\n"},
};

TEST(Smtp, SaysWhatIsOdd) {
  for (const TalkCase& each : cases) {
    SCOPED_TRACE(each.name);
    SmtpTalk talk;
    talk.say(each.said);
    EXPECT_EQ(talk.dump(), each.dump);
    EXPECT_EQ(talk.is_broken, each.is_broken);
    SmtpTalk by_bytes;
    by_bytes.say(each.said, {.bytes_max = 1});
    EXPECT_EQ(by_bytes.dump(), each.dump);
  }
}

TEST(Smtp, CutsAFileWhereTheConnectionEnds) {
  SmtpTalk talk;
  talk.say({server("220 a\r\n"), client("DATA\r\n"), server("354 go\r\n"),
            client("Content-Type: a/b; name=c\r\n\r\nbegin\r\n")});
  talk.end(Direction::to_server);
  ASSERT_EQ(talk.session.transactions().size(), 1u);
  const auto files = talk.session.transactions()[0]->files();
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0]->state, FileState::truncated);
  EXPECT_EQ(files[0]->size, 5u);
}

TEST(Smtp, PassesOverLinesThatAreTooLong) {
  SmtpTalk talk;
  talk.say({server("220 a\r\n"), client("HELO " + std::string(5000, 'x') + "\r\nHELO b\r\n")},
           {.bytes_max = 1000});
  EXPECT_EQ(talk.dump(), "tx 0 0/0\n > smtp.helo=b\n");
}

TEST(Smtp, TakesLongLinesOfABodyInPieces) {
  SmtpTalk talk;
  const std::string line(10000, 'y');
  talk.say({server("220 a\r\n"), client("DATA\r\n"), server("354 go\r\n"),
            client("Content-Type: a/b; name=c\r\n\r\n" + line + "\r\n.\r\n")},
           {.bytes_max = 333});
  ASSERT_EQ(talk.session.transactions().size(), 1u);
  const auto files = talk.session.transactions()[0]->files();
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(as_text(files[0]->body.bytes), line);
}

TEST(Smtp, CountsTheBodysDigest) {
  ProtocolOptions options;
  options.smtp.body_md5 = true;
  SmtpTalk talk(options);
  talk.say({server("220 a\r\n"), client("DATA\r\n"), server("354 go\r\n"),
            client("From: a\r\n\r\nabc\n.\r\n")});
  EXPECT_EQ(talk.dump(),
            "tx 0 5/0\n > email.from=a\n > email.body_md5=0bee89b07a248e27c83fc3d5951213c1\n");
}

}  // namespace
}  // namespace shrike::protocol
