#include "http.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "http_uri.h"
#include "http_values.h"
#include "talk.h"

namespace shrike::protocol {
namespace {

using test::client;
using test::Cut;
using test::Said;
using test::server;
using HttpTalk = test::Talk<HttpParser>;

std::vector<Said> two_requests() {
  return {client("GET /a/./b%41//c?x=%20+y#f HTTP/1.1\r\nHost: WWW.Example.com:8080\r\n"
                 "User-Agent: me\r\nAccept: */*\r\nX: 1\r\nx: 2\r\nCookie: a=b\r\n"
                 "Long: one\r\n two\r\n\r\n"),
          server("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=x\r\nSet-Cookie: c\r\n"
                 "Content-Length: 5\r\n\r\nhello"),
          client("POST /post.txt HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "3\r\nabc\r\n4;e\r\ndefg\r\n0\r\nT: t\r\n\r\n"),
          server("HTTP/1.1 302\r\nLocation: /n\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "2\r\nxy\r\n0\r\n\r\n")};
}

constexpr std::string_view two_requests_dump =
    "tx 0 5/5\n"
    " > http.uri=/a/bA/c?x= +y#f\n"
    " > http.request_line=GET /a/./b%41//c?x=%20+y#f HTTP/1.1\n"
    " > http.method=GET\n"
    " > http.uri.raw=/a/./b%41//c?x=%20+y#f\n"
    " > http.protocol=HTTP/1.1\n"
    " > http.accept=*/*\n"
    " > http.cookie=a=b\n"
    " > http.user_agent=me\n"
    " > http.request_header=Host: WWW.Example.com:8080\n"
    " > http.request_header=User-Agent: me\n"
    " > http.request_header=Accept: */*\n"
    " > http.request_header=X: 1, 2\n"
    " > http.request_header=Cookie: a=b\n"
    " > http.request_header=Long: one two\n"
    " > http.host=www.example.com\n"
    " > http.host.raw=WWW.Example.com:8080\n"
    " > http.header.raw=Host: WWW.Example.com:8080\r\nUser-Agent: me\r\nAccept: */*\r\nX: 1\r\n"
    "x: 2\r\nCookie: a=b\r\nLong: one\r\n two\r\n\r\n\n"
    " > http.start=GET /a/./b%41//c?x=%20+y#f HTTP/1.1\r\nHost: WWW.Example.com:8080\r\n"
    "User-Agent: me\r\nAccept: */*\r\nX: 1, 2\r\nCookie: a=b\r\nLong: one two\r\n\r\n\n"
    " > http.header=Host: WWW.Example.com:8080\r\nUser-Agent: me\r\nAccept: */*\r\nX: 1, 2\r\n"
    "Long: one two\r\n\n"
    " > http.header_names=\r\nHost\r\nUser-Agent\r\nAccept\r\nX\r\nCookie\r\nLong\r\n\r\n\n"
    " > !http.request_header_repetition\n"
    " < http.response_line=HTTP/1.1 200 OK\n"
    " < http.protocol=HTTP/1.1\n"
    " < http.stat_code=200\n"
    " < http.stat_msg=OK\n"
    " < http.content_len=5\n"
    " < http.content_type=text/plain; charset=x\n"
    " < http.cookie=c\n"
    " < http.response_header=Content-Type: text/plain; charset=x\n"
    " < http.response_header=Set-Cookie: c\n"
    " < http.response_header=Content-Length: 5\n"
    " < http.header.raw=Content-Type: text/plain; charset=x\r\nSet-Cookie: c\r\n"
    "Content-Length: 5\r\n\r\n\n"
    " < http.start=HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=x\r\nSet-Cookie: c\r\n"
    "Content-Length: 5\r\n\r\n\n"
    " < http.header=Content-Type: text/plain; charset=x\r\nContent-Length: 5\r\n\n"
    " < http.header_names=\r\nContent-Type\r\nSet-Cookie\r\nContent-Length\r\n\r\n\n"
    " < http.response_body=hello.\n"
    " < file.name=/a/bA/c\n"
    " < file.data=hello.\n"
    " < !http.request_header_repetition\n"
    "tx 1 5/5\n"
    " > http.uri=/post.txt\n"
    " > http.request_line=POST /post.txt HTTP/1.1\n"
    " > http.method=POST\n"
    " > http.uri.raw=/post.txt\n"
    " > http.protocol=HTTP/1.1\n"
    " > http.request_header=Host: h\n"
    " > http.request_header=Transfer-Encoding: chunked\n"
    " > http.host=h\n"
    " > http.host.raw=h\n"
    " > http.header.raw=Host: h\r\nTransfer-Encoding: chunked\r\n\r\n\n"
    " > http.start=POST /post.txt HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\n"
    " > http.header=Host: h\r\nTransfer-Encoding: chunked\r\n\n"
    " > http.header_names=\r\nHost\r\nTransfer-Encoding\r\n\r\n\n"
    " > http.request_body=abcdefg.\n"
    " > file.name=/post.txt\n"
    " > file.data=abcdefg.\n"
    " > http.header.raw=Host: h\r\nTransfer-Encoding: chunked\r\n\r\nT: t\r\n\r\n\n"
    " > http.start=POST /post.txt HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nT: t\r\n"
    "\r\n\n"
    " > http.header=Host: h\r\nTransfer-Encoding: chunked\r\nT: t\r\n\n"
    " > http.header_names=\r\nHost\r\nTransfer-Encoding\r\nT\r\n\r\n\n"
    " > !http.request_chunk_extension\n"
    " < http.response_line=HTTP/1.1 302\n"
    " < http.protocol=HTTP/1.1\n"
    " < http.stat_code=302\n"
    " < http.location=/n\n"
    " < http.response_header=Location: /n\n"
    " < http.response_header=Transfer-Encoding: chunked\n"
    " < http.header.raw=Location: /n\r\nTransfer-Encoding: chunked\r\n\r\n\n"
    " < http.start=HTTP/1.1 302\r\nLocation: /n\r\nTransfer-Encoding: chunked\r\n\r\n\n"
    " < http.header=Location: /n\r\nTransfer-Encoding: chunked\r\n\n"
    " < http.header_names=\r\nLocation\r\nTransfer-Encoding\r\n\r\n\n"
    " < http.response_body=xy.\n"
    " < file.name=/post.txt\n"
    " < file.data=xy.\n"
    " < !http.request_chunk_extension\n";

/// A dump without what the files of a transaction add by themselves.
std::string dump_of(const HttpTalk& talk) {
  std::string kept;
  const std::string all = talk.dump();
  for (size_t at = 0; at < all.size();) {
    const size_t end = all.find('\n', at) + 1;
    const std::string line = all.substr(at, end - at);
    if (line.find(" filestore=") == std::string::npos &&
        line.find(" filesize=") == std::string::npos) {
      kept += line;
    }
    at = end;
  }
  return kept;
}

TEST(Http, ReadsRequestsAndResponsesInAnySegments) {
  HttpTalk whole;
  whole.say(two_requests());
  EXPECT_EQ(dump_of(whole), two_requests_dump);
  HttpTalk bytewise;
  bytewise.say(two_requests(), {.bytes_max = 1});
  EXPECT_EQ(dump_of(bytewise), two_requests_dump);
  for (unsigned seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    HttpTalk random;
    random.say(two_requests(), {.bytes_max = 40, .is_random = true, .random = std::mt19937(seed)});
    EXPECT_EQ(dump_of(random), two_requests_dump);
  }
}

TEST(Http, DescribesAsSuricataDoes) {
  HttpTalk talk;
  talk.say(two_requests());
  EXPECT_EQ(talk.describe(0),
            R"({"http":{"hostname":"www.example.com","http_port":8080,)"
            R"("url":"/a/./b%41//c?x=%20+y#f","http_user_agent":"me",)"
            R"("http_content_type":"text/plain","http_method":"GET","protocol":"HTTP/1.1",)"
            R"("status":200,"length":5}})");
  EXPECT_EQ(talk.describe(1),
            R"({"http":{"hostname":"h","url":"/post.txt","http_method":"POST",)"
            R"("protocol":"HTTP/1.1","status":302,"redirect":"/n","length":10}})");
}

/// What one transaction has in one field after a talk.
struct FieldCase {
  const char* name;
  std::vector<Said> talk;
  Direction direction;
  Field field;
  std::string_view value;
};

std::string value_of(HttpTalk& talk, Direction direction, Field field) {
  if (talk.session.transactions().empty()) {
    return "(none)";
  }
  const FieldValue* const value = talk.session.transactions()[0]->find(direction, field);
  if (value == nullptr) {
    return "(none)";
  }
  return std::string(as_text(value->body != nullptr ? value->body->bytes : value->bytes));
}

const std::string ok = "HTTP/1.1 200 OK\r\n";
const std::string get = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";

std::string compressed(std::string_view text, int window_bits) {
  std::string out(text.size() + 100, '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string response(std::string_view fields, std::string_view body) {
  return ok + std::string(fields) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

std::vector<FieldCase> field_cases() {
  constexpr Direction up = Direction::to_server;
  constexpr Direction down = Direction::to_client;
  const std::string gzip = compressed("some text, some text", 31);
  const std::string zlib_text = compressed("some text, some text", 15);
  const std::string raw = compressed("some text, some text", -15);
  return {
      {"space in the target", {client("GET /a b HTTP/1.1\r\n\r\n")}, up, Field::http_uri, "/a b"},
      {"leading blank", {client(" GET /a HTTP/1.1\r\n\r\n")}, up, Field::http_method, "GET"},
      {"absolute target",
       {client("GET http://U@Other.com:81/p?q HTTP/1.1\r\nHost: h\r\n\r\n")},
       up,
       Field::http_host,
       "other.com"},
      {"path of an absolute target",
       {client("GET http://Other.com:81/p?q HTTP/1.1\r\n\r\n")},
       up,
       Field::http_uri,
       "/p?q"},
      {"host of CONNECT",
       {client("CONNECT H.com:443 HTTP/1.1\r\n\r\n")},
       up,
       Field::http_host,
       "h.com"},
      {"gzip",
       {client(get), server(response("Content-Encoding: gzip\r\n", gzip))},
       down,
       Field::file_data,
       "some text, some text"},
      {"zlib",
       {client(get), server(response("Content-Encoding: deflate\r\n", zlib_text))},
       down,
       Field::file_data,
       "some text, some text"},
      {"raw deflate",
       {client(get), server(response("Content-Encoding: x-deflate\r\n", raw))},
       down,
       Field::file_data,
       "some text, some text"},
      {"gzip that is zlib",
       {client(get), server(response("Content-Encoding: gzip\r\n", zlib_text))},
       down,
       Field::file_data,
       "some text, some text"},
      {"gzip that is nothing",
       {client(get), server(response("Content-Encoding: gzip\r\n", "plain"))},
       down,
       Field::file_data,
       "plain"},
      {"gzip without its trailer",
       {client(get),
        server(response("Content-Encoding: gzip\r\n", gzip.substr(0, gzip.size() - 8)))},
       down,
       Field::file_data,
       "some text, some text"},
      {"two layers",
       {client(get), server(response("Content-Encoding: gzip, gzip\r\n", compressed(gzip, 31)))},
       down,
       Field::file_data,
       "some text, some text"},
      {"name of the file",
       {client(get),
        server(response("Content-Disposition: attachment; filename=\"a b.exe\"\r\n", "x"))},
       down,
       Field::file_name,
       "a b.exe"},
      {"junk instead of a status line",
       {client(get), server("only a body\n")},
       down,
       Field::file_data,
       "only a body\n"},
      {"100 Continue",
       {client(get), server("HTTP/1.1 100 Continue\r\nA: b\r\n\r\n" + response("C: d\r\n", "x"))},
       down,
       Field::http_header_names,
       "\r\nC\r\nContent-Length\r\n\r\n"},
      {"chunk size that is none",
       {client(get), server(ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n")},
       down,
       Field::file_data,
       "zz\r\n"},
      {"file in a form",
       {client("POST /f HTTP/1.1\r\nHost: h\r\n"
               "Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: 160\r\n\r\n"
               "--cut\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
               "--cut\r\nContent-Disposition: form-data; name=\"f\"; filename=\"n.txt\"\r\n\r\n"
               "the bytes\r\n--cut--\r\n")},
       up,
       Field::file_data,
       "the bytes"},
  };
}

TEST(Http, IsAsGenerousAsLibhtp) {
  for (const FieldCase& test : field_cases()) {
    SCOPED_TRACE(test.name);
    HttpTalk talk;
    talk.say(test.talk);
    EXPECT_EQ(value_of(talk, test.direction, test.field), test.value);
    EXPECT_FALSE(talk.is_broken);
  }
}

struct EventCase {
  const char* name;
  std::vector<Said> talk;
  AppEvent event;
};

TEST(Http, RaisesEvents) {
  const EventCase cases[] = {
      {"no request",
       {server(response("", "x"))},
       AppEvent::http_unable_to_match_response_to_request},
      {"no host", {client("GET / HTTP/1.1\r\n\r\n")}, AppEvent::http_missing_host_header},
      {"no colon",
       {client("GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n")},
       AppEvent::http_request_field_missing_colon},
      {"bad chunk",
       {client("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")},
       AppEvent::http_invalid_request_chunk_len},
      {"bad length",
       {client(get), server(ok + "Content-Length: x\r\n\r\n")},
       AppEvent::http_invalid_content_length_field_in_response},
      {"strange coding",
       {client(get), server(response("Content-Encoding: odd\r\n", "x"))},
       AppEvent::http_abnormal_ce_header},
      {"too many layers",
       {client(get), server(response("Content-Encoding: gzip, gzip, gzip\r\n", "x"))},
       AppEvent::http_too_many_encoding_layers},
      {"long line",
       {client("GET /" + std::string(20000, 'a') + " HTTP/1.1\r\n\r\n")},
       AppEvent::http_request_field_too_long},
      {"unexpected body",
       {client("POST /x HTTP/1.1\r\nHost: h\r\n\r\nname=value")},
       AppEvent::http_request_body_unexpected},
  };
  for (const EventCase& test : cases) {
    SCOPED_TRACE(test.name);
    HttpTalk talk;
    talk.say(test.talk);
    talk.end(Direction::to_server);
    talk.end(Direction::to_client);
    EXPECT_NE(talk.dump().find("!" + std::string(to_text(test.event))), std::string::npos)
        << talk.dump();
  }
}

TEST(Http, EndsABodyWithTheConnection) {
  HttpTalk talk;
  talk.say({client(get), server(ok + "\r\nfirst"), server(" second")});
  const HttpTransaction& transaction =
      static_cast<const HttpTransaction&>(*talk.session.transactions()[0]);
  EXPECT_EQ(transaction.progress_in(Direction::to_client), Progress::body);
  talk.end(Direction::to_client);
  EXPECT_EQ(transaction.progress_in(Direction::to_client), Progress::complete);
  EXPECT_EQ(value_of(talk, Direction::to_client, Field::file_data), "first second");
}

TEST(Http, ShowsTheFieldsOfHeadersThatNeverEnd) {
  HttpTalk talk;
  talk.say(
      {client("GET / HTTP/1.1\r\nUser-Agent: me\r\nCookie: a=b\r\nX: 1\r\n"), server(ok + "\r\n")});
  EXPECT_EQ(value_of(talk, Direction::to_server, Field::http_user_agent), "(none)");
  talk.end(Direction::to_server);
  EXPECT_EQ(value_of(talk, Direction::to_server, Field::http_user_agent), "me");
  EXPECT_EQ(value_of(talk, Direction::to_server, Field::http_cookie), "a=b");
  EXPECT_EQ(value_of(talk, Direction::to_server, Field::http_header_names),
            "\r\nUser-Agent\r\nCookie\r\nX\r\n\r\n");
}

TEST(Http, StopsABombAtItsBound) {
  const std::string bomb = compressed(compressed(std::string(40u << 20, 'a'), 31), 31);
  HttpTalk talk;
  talk.say({client(get), server(response("Content-Encoding: gzip, gzip\r\n", bomb))});
  EXPECT_NE(talk.dump().find("!http.compression_bomb"), std::string::npos);
  const auto& transaction = static_cast<const HttpTransaction&>(*talk.session.transactions()[0]);
  EXPECT_LT(transaction.response_decoded_bytes, uint64_t{4} << 20);
}

TEST(Http, NormalizesPaths) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 14> cases{{
      {"/a/b/c/./../../g", "/a/g"},
      {"mid/content=5/../6", "mid/6"},
      {"./one", "one"},
      {"../one", "one"},
      {".", ""},
      {"..", ""},
      {"one/.", "one"},
      {"one/..", ""},
      {"/", "/"},
      {"one/../", ""},
      {"/../../../images.gif", "/images.gif"},
      {"/a\\b%2f%2Fc", "/a/b/c"},
      {"/%u0041%zz%", "/A%zz%"},
      {"/caf%C3%A9\xe4\xb8\xad", "/caf\xe9?"},
  }};
  Pool pool(1 << 20);
  PoolBytes out(pool);
  for (const auto& [path, expected] : cases) {
    SCOPED_TRACE(path);
    http::normalize_path(as_bytes(path), out);
    EXPECT_EQ(as_text(out), expected);
  }
}

TEST(Http, KnowsValidHosts) {
  constexpr std::array<std::pair<std::string_view, bool>, 10> cases{{
      {"www.ExAmplE-1984.com", true},
      {"[::]", true},
      {"[2001:3db8:0000:0000:0000:ff00:d042:8530]", true},
      {"www.exa_mple.com", true},
      {".www.example.com", false},
      {"www..example.com", false},
      {"www.example.com..", false},
      {"www example com", false},
      {"[::", false},
      {"", false},
  }};
  for (const auto& [host, is_valid] : cases) {
    SCOPED_TRACE(host);
    EXPECT_EQ(http::is_valid_host(as_bytes(host)), is_valid);
  }
}

TEST(Http, ReadsChunkLengths) {
  using Kind = http::ChunkLength::Kind;
  struct Case {
    std::string_view line;
    Kind kind;
    uint64_t bytes;
  };
  constexpr Case cases[] = {{"1a\r\n", Kind::number, 26}, {"  5 ;x\r\n", Kind::number, 5},
                            {"g\r\n", Kind::wrong, 0},    {"80000000\r\n", Kind::none, 0},
                            {"0x5\r\n", Kind::number, 0}, {"", Kind::none, 0}};
  for (const Case& test : cases) {
    SCOPED_TRACE(test.line);
    const http::ChunkLength length = http::chunk_length(as_bytes(test.line));
    EXPECT_EQ(length.kind, test.kind);
    if (test.kind == Kind::number) {
      EXPECT_EQ(length.bytes, test.bytes);
    }
  }
}

}  // namespace
}  // namespace shrike::protocol
