// Which files are stored: what `filestore` says of directions and transactions, and the bounds.
#include <gtest/gtest.h>

#include "walk.h"

namespace shrike {
namespace {

using Contents = std::vector<std::string>;

/// Two transactions, each with a body in both directions; the rule's match is in the first.
std::vector<craft::TimedFrame> talk() {
  const auto post = [](const std::string& path, const std::string& body) {
    return "POST " + path +
           " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
  };
  const auto answer = [](const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  craft::Conversation flow({.server_port = 80});
  flow.handshake()
      .client(post("/wanted", "first up"))
      .server(answer("first down"))
      .client(post("/other", "second up"))
      .server(answer("second down"));
  return flow.close().frames();
}

test::WalkResult stored_by(const std::string& options, protocol::FileStoring storing,
                           uint64_t file_bytes_max = 1 << 20) {
  test::WalkOptions walk{.workers = 1, .engines = {}};
  walk.file_store = output::FileStoreOptions{};
  walk.engines.protocols.file_storing = storing;
  walk.engines.protocols.stored_file_bytes_max = file_bytes_max;
  const std::string match =
      options.starts_with("down")
          ? "http.response_body; content:\"first\"; filestore" + options.substr(4) + "; sid:1;)"
          : "http.uri; content:\"/wanted\"; filestore" + options + "; sid:1;)";
  return test::walk(talk(), "alert http any any -> any any (msg:\"files\"; " + match, walk);
}

struct Wish {
  const char* options;  ///< of filestore; "down": the match is in the answer
  Contents stored;
};

TEST(FileStoring, GoesByDirectionAndScope) {
  const Wish wishes[] = {
      {"", {"first up"}},
      {":request", {"first up"}},
      {":response", {"first down"}},
      {":both", {"first down", "first up"}},
      {":request,tx", {"first up"}},
      {":both,tx", {"first down", "first up"}},
      {":both,ssn", {"first down", "first up", "second down", "second up"}},
      {":request,flow", {"first up", "second up"}},
      {":response,flow", {"first down", "second down"}},
      {"down", {"first down"}},
      {"down:response,flow", {"first down", "second down"}},
  };
  for (const Wish& wish : wishes) {
    SCOPED_TRACE(wish.options);
    const test::WalkResult result = stored_by(wish.options, protocol::FileStoring::by_rule);
    EXPECT_EQ(result.faults, "");
    EXPECT_EQ(result.stored, wish.stored);
  }
}

TEST(FileStoring, TakesAllFilesWhereForced) {
  EXPECT_EQ(stored_by("", protocol::FileStoring::all).stored,
            (Contents{"first down", "first up", "second down", "second up"}));
}

TEST(FileStoring, KeepsSoManyBytesOfEachFile) {
  EXPECT_EQ(stored_by("", protocol::FileStoring::all, 7).stored,
            (Contents{"first d", "first u", "second "}))
      << "the two of the second transaction begin alike";
}

/// The last of a file is stored where its flow ends in the middle of it.
TEST(FileStoring, EndsWithTheFlow) {
  craft::Conversation flow({.server_port = 80});
  flow.handshake().client("PUT /wanted HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
  test::WalkOptions walk{.workers = 1, .engines = {}};
  walk.file_store = output::FileStoreOptions{};
  walk.engines.protocols.file_storing = protocol::FileStoring::all;
  const test::WalkResult result =
      test::walk(flow.frames(), "alert tcp any any -> any any (msg:\"x\"; flags:S; sid:1;)", walk);
  EXPECT_EQ(result.stored, Contents{"half"}) << result.eve;
}

}  // namespace
}  // namespace shrike
