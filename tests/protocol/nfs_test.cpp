#include "nfs.h"

#include <gtest/gtest.h>

#include "talk.h"

namespace shrike::protocol::test {
namespace {

using enum Direction;

std::string number(uint64_t value, size_t bytes = 4) {
  std::string text;
  for (size_t i = bytes; i-- > 0;) {
    text.push_back(static_cast<char>(value >> (8 * i)));
  }
  return text;
}
std::string zeros(size_t bytes) {
  return std::string(bytes, '\0');
}
std::string string(const std::string& text) {
  return number(text.size()) + text + zeros((4 - text.size() % 4) % 4);
}
std::string record(const std::string& message) {
  return number(0x80000000 | message.size()) + message;
}
std::string call(uint32_t xid, uint32_t version, uint32_t procedure, const std::string& data) {
  const std::string credentials =
      number(1) + string("nest") + number(1000) + number(100) + number(0);
  return number(xid) + number(0) + number(2) + number(100003) + number(version) +
         number(procedure) + number(1) + string(credentials) + number(0) + number(0) + data;
}
std::string reply(uint32_t xid, const std::string& data) {
  return number(xid) + number(1) + number(0) + number(0) + number(0) + number(0) + data;
}
std::string write3(uint32_t xid, uint64_t offset, const std::string& data, uint32_t stable) {
  return record(call(
      xid, 3, 7,
      string("hand") + number(offset, 8) + number(data.size()) + number(stable) + string(data)));
}
std::string read3(uint32_t xid, uint64_t offset) {
  return record(call(xid, 3, 6, string("hand") + number(offset, 8) + number(4096)));
}
std::string data3(uint32_t xid, const std::string& data, bool is_end) {
  return record(reply(xid, number(0) + number(1) + zeros(84) + number(data.size()) +
                               number(is_end ? 1 : 0) + string(data)));
}
std::string lookup3(uint32_t xid) {
  return record(call(xid, 3, 3, string("root") + string("egg.txt")));
}
std::string found3(uint32_t xid) {
  return record(reply(xid, number(0) + string("hand")));
}

/// A name, a file that is read in two pieces, and one that is written in two.
std::vector<Said> session() {
  return {client(lookup3(1)),
          server(found3(1)),
          client(read3(2, 0)),
          server(data3(2, std::string(700, 'a'), false)),
          client(read3(3, 700)),
          server(data3(3, "the end", true)),
          client(write3(4, 0, std::string(901, 'b'), 0)),
          server(record(reply(4, number(0)))),
          client(write3(5, 901, "the last", 2)),
          server(record(reply(5, number(0)))),
          client(record(call(
              6, 3, 14, string("root") + string("egg.txt") + string("root") + string("bird.txt")))),
          server(record(reply(6, number(0))))};
}

TEST(Nfs, NamesAndFiles) {
  Talk<NfsParser> talk;
  talk.say(session());
  EXPECT_EQ(talk.dump(),
            "tx 0 5/5\n > nfs_procedure= 3\n > nfs.version= 3\n"
            "tx 1 5/5\n > nfs_procedure= 6\n > nfs.version= 3\n < file.name=egg.txt\n"
            " < file.data=" +
                std::string(700, 'a') +
                "the end.\n < filesize= 707\n"
                "tx 2 5/5\n > nfs_procedure= 7\n > nfs.version= 3\n > file.name=egg.txt\n"
                " > file.data=" +
                std::string(901, 'b') +
                "the last.\n > filesize= 909\n"
                "tx 3 5/5\n > nfs_procedure= 14\n > nfs.version= 3\n");
  EXPECT_EQ(talk.describe(0),
            R"({"rpc":{"xid":1,"status":"ACCEPTED","auth_type":"UNIX","creds":)"
            R"({"machine_name":"nest","uid":1000,"gid":100}},"nfs":{"version":3,)"
            R"("procedure":"LOOKUP","filename":"egg.txt","hhash":"2762428f","id":1,)"
            R"("file_tx":false,"type":"response","status":"OK"}})");
  EXPECT_NE(talk.describe(1).find(R"("read":{"first":true,"last":true,"last_xid":3,"chunks":2})"),
            std::string::npos)
      << talk.describe(1);
  EXPECT_NE(talk.describe(3).find(R"("rename":{"from":"egg.txt","to":"bird.txt"})"),
            std::string::npos);
}

TEST(Nfs, AnySegmentation) {
  Talk<NfsParser> whole;
  whole.say(session());
  Talk<NfsParser> bytewise;
  bytewise.say(session(), {.bytes_max = 1});
  EXPECT_EQ(bytewise.dump(), whole.dump());
  for (unsigned seed = 0; seed < 20; ++seed) {
    Talk<NfsParser> cut;
    cut.say(session(), {.bytes_max = 300, .is_random = true, .random = std::mt19937(seed)});
    EXPECT_EQ(cut.dump(), whole.dump()) << seed;
    EXPECT_EQ(cut.describe(1), whole.describe(1)) << seed;
  }
}

TEST(Nfs, CommitEndsAWrittenFile) {
  Talk<NfsParser> talk;
  talk.say({client(write3(1, 0, "data", 0)),
            client(record(call(2, 3, 21, string("hand") + number(0, 8) + number(4))))});
  EXPECT_EQ(talk.dump(),
            "tx 0 5/5\n > nfs_procedure= 7\n > nfs.version= 3\n > file.data=data.\n"
            " > nfs_procedure= 21\n > filesize= 4\n");
}

TEST(Nfs, EndOfTheStreamTruncatesAFile) {
  Talk<NfsParser> talk;
  talk.say({client(write3(1, 0, "data", 0))});
  talk.end(to_server);
  EXPECT_TRUE(talk.session.transactions()[0]->is_complete());
  EXPECT_EQ(talk.session.transactions()[0]->files()[0]->state, FileState::truncated);
}

TEST(Nfs, ChunkBehindAFilledUpOneTruncates) {
  for (const auto& [first_bytes, state] : {std::pair{size_t{6}, FileState::truncated},
                                           {size_t{8}, FileState::open},
                                           {size_t{901}, FileState::open}}) {
    Talk<NfsParser> talk;
    talk.say({client(write3(1, 0, std::string(first_bytes, 'b'), 0) +
                     write3(2, first_bytes, "more", 0))});
    EXPECT_EQ(talk.session.transactions()[0]->files()[0]->state, state) << first_bytes;
  }
}

TEST(Nfs, DirectoryNamesItsFiles) {
  Talk<NfsParser> talk;
  const std::string entry = number(1) + number(7, 8) + string("egg.txt") + zeros(8) + number(0) +
                            number(1) + string("hand");
  talk.say(
      {client(record(call(1, 3, 17, string("root") + zeros(20)))),
       server(record(reply(1, number(0) + number(0) + zeros(8) + entry + number(0) + number(1)))),
       client(write3(2, 0, "data", 2))});
  EXPECT_NE(talk.dump().find("file.name=egg.txt"), std::string::npos) << talk.dump();
}

TEST(Nfs, MalformedCallIsAnEvent) {
  Talk<NfsParser> talk;
  talk.say({client(lookup3(1)), client(record(call(2, 3, 7, "short")))});
  EXPECT_NE(talk.dump().find("!nfs.malformed_data"), std::string::npos);
  EXPECT_FALSE(talk.is_broken);
}

TEST(Nfs, NoRecordEndsIt) {
  Talk<NfsParser> talk;
  talk.say({client(number(8) + std::string(40, 'x'))});
  EXPECT_TRUE(talk.is_broken);
}

TEST(Nfs, GapInsideAChunkIsAGapOfTheFile) {
  Talk<NfsParser> talk;
  const std::string record = write3(1, 0, std::string(2000, 'b'), 2);
  talk.feed(to_server, std::string_view(record).substr(0, 1000), false);
  talk.parser.parse({.direction = to_server, .offset = 1000, .gap_bytes = record.size() - 1000});
  talk.feed(to_server, lookup3(2), false);
  EXPECT_EQ(talk.session.opened(), 2u);
  EXPECT_EQ(talk.session.transactions()[0]->files()[0]->size, 2000u);
  EXPECT_TRUE(talk.session.transactions()[0]->files()[0]->has_gaps);
}

TEST(Nfs, GoesOnBehindAGap) {
  Talk<NfsParser> talk;
  talk.say({client(lookup3(1))});
  talk.parser.parse({.direction = to_server, .offset = 100, .gap_bytes = 50});
  talk.feed(to_server, "rest of what was lost" + lookup3(2), false);
  EXPECT_EQ(talk.session.opened(), 2u);
}

TEST(Nfs, Version4WritesAndNames) {
  Talk<NfsParser> talk;
  const std::string state = zeros(16);
  const std::string head = number(0) + number(0);  // no tag, minor version 0
  const std::string open = number(18) + zeros(20) + string("owner").substr(0, 9) + number(0) +
                           number(0) + string("egg.txt");
  const std::string opened =
      number(18) + number(0) + state + zeros(20) + number(0) + number(1) + number(0) + number(0);
  talk.say({client(record(call(1, 4, 1, head + number(2) + open + number(10)))),
            server(record(reply(1, number(0) + number(0) + number(2) + opened + number(10) +
                                       number(0) + string("hand")))),
            client(record(call(2, 4, 1,
                               head + number(2) + number(22) + string("hand") + number(38) + state +
                                   number(0, 8) + number(2) + string("hatch")))),
            client(record(call(
                3, 4, 1,
                head + number(2) + number(22) + string("root") + number(28) + string("egg.txt")))),
            server(record(reply(3, number(0) + number(0) + number(1) + number(28) + number(1))))});
  EXPECT_EQ(talk.dump(),
            "tx 0 5/5\n > nfs_procedure= 38\n > nfs.version= 4\n > file.name=egg.txt\n"
            " > file.data=hatch.\n > filesize= 5\n"
            "tx 1 5/5\n > nfs_procedure= 28\n > nfs.version= 4\n");
  EXPECT_NE(talk.describe(1).find(R"("procedure":"REMOVE","filename":"egg.txt")"),
            std::string::npos);
  EXPECT_NE(talk.describe(1).find("ERR_PERM"), std::string::npos);
}

TEST(Nfs, DatagramsOfVersion2) {
  Talk<NfsParser> talk;
  talk.datagram.protocol = ip_protocol::udp;
  const std::string handle(32, 'h');
  const std::string attributes = zeros(20) + number(5) + zeros(44);
  talk.feed(to_server, call(1, 2, 6, handle + zeros(4) + number(8192) + number(8192)), false);
  talk.feed(to_client, reply(1, number(0) + attributes + string("hatch")), false);
  EXPECT_EQ(talk.dump(),
            "tx 0 5/5\n > nfs_procedure= 6\n > nfs.version=\n"
            " < file.data=hatch.\n < filesize= 5\n");
}

TEST(Nfs, OldestIsGivenUpWhereThereAreTooMany) {
  ProtocolOptions options;
  options.others.emplace_back("nfs.max-tx", "2");
  Talk<NfsParser> talk(options);
  talk.say({client(lookup3(1) + lookup3(2) + lookup3(3) + lookup3(4))});
  EXPECT_NE(talk.dump().find("!nfs.too_many_transactions"), std::string::npos);
  EXPECT_TRUE(talk.session.transactions()[0]->is_complete());
  EXPECT_FALSE(talk.session.transactions()[1]->is_complete());
}

}  // namespace
}  // namespace shrike::protocol::test
