#include "dcerpc.h"

#include <gtest/gtest.h>

#include "smb_wire.h"
#include "talk.h"

namespace shrike::protocol {
namespace {

using namespace test;

std::vector<Said> conversation() {
  return {client(rpc(11, 1, bind_body())), server(rpc(12, 1, bind_ack_body())),
          client(rpc(0, 2, call_body(4, "the stub"))), server(rpc(2, 2, call_body(0, "answer")))};
}

TEST(Dcerpc, ReadsACallWithItsInterface) {
  Talk<DcerpcParser> talk;
  talk.say(conversation());
  ASSERT_EQ(talk.session.transactions().size(), 2u);
  const AppTransaction& call = *talk.session.transactions()[1];
  for (const Direction direction : {Direction::to_server, Direction::to_client}) {
    ASSERT_NE(call.find(direction, Field::dcerpc_opnum), nullptr);
    EXPECT_EQ(call.find(direction, Field::dcerpc_opnum)->number, 4u);
    EXPECT_EQ(call.text(direction, Field::dcerpc_iface).size(), 19u);
  }
  const FieldValue* const stub = call.find(Direction::to_server, Field::dcerpc_stub_data);
  ASSERT_NE(stub, nullptr);
  EXPECT_EQ(as_text(stub->body->bytes), "the stub");
  EXPECT_EQ(stub->number, 1u);  // little endian
  // An answer's stub data begins with its own fields, as in Suricata.
  const FieldValue* const answered = call.find(Direction::to_client, Field::dcerpc_stub_data);
  ASSERT_NE(answered, nullptr);
  EXPECT_TRUE(as_text(answered->body->bytes).ends_with("answer"));
  EXPECT_EQ(answered->body->bytes.size(), 14u);
  EXPECT_TRUE(call.is_complete());
}

TEST(Dcerpc, DescribesBindAndCall) {
  Talk<DcerpcParser> talk;
  talk.say(conversation());
  EXPECT_EQ(talk.describe(0),
            R"({"dcerpc":{"request":"BIND","interfaces":[{"uuid":)"
            R"("367abb81-9844-35f1-ad32-98f038001003","version":"2.0","ack_result":0}],)"
            R"("response":"BINDACK","call_id":1,"rpc_version":"5.0"}})");
  EXPECT_EQ(talk.describe(1), R"({"dcerpc":{"request":"REQUEST","req":{"opnum":4,"frag_cnt":1,)"
                              R"("stub_data_size":8},"response":"RESPONSE","res":{"frag_cnt":1,)"
                              R"("stub_data_size":14},"call_id":2,"rpc_version":"5.0"}})");
}

TEST(Dcerpc, LeavesOutInterfacesOfOtherContexts) {
  Talk<DcerpcParser> talk;
  const std::string other_context = zeros(4) + little(9, 2) + little(4, 2) + "stub";
  talk.say({client(rpc(11, 1, bind_body())), server(rpc(12, 1, bind_ack_body())),
            client(rpc(0, 2, other_context))});
  const AppTransaction& call = *talk.session.transactions()[1];
  EXPECT_EQ(call.find(Direction::to_server, Field::dcerpc_iface), nullptr);
  EXPECT_NE(call.find(Direction::to_server, Field::dcerpc_opnum), nullptr);
}

TEST(Dcerpc, JoinsFragments) {
  Talk<DcerpcParser> talk;
  talk.say({client(rpc(0, 2, call_body(4, "one "), 1) + rpc(0, 2, call_body(4, "two"), 2))});
  const AppTransaction& call = *talk.session.transactions()[0];
  const FieldValue* const stub = call.find(Direction::to_server, Field::dcerpc_stub_data);
  ASSERT_NE(stub, nullptr);
  EXPECT_EQ(as_text(stub->body->bytes), "one two");
  EXPECT_TRUE(stub->body->is_whole);
}

TEST(Dcerpc, FindsItsWayBackAfterAGap) {
  Talk<DcerpcParser> talk;
  talk.parser.parse({.direction = Direction::to_server, .gap_bytes = 10});
  talk.say({client("the rest of something" + rpc(0, 2, call_body(4, "stub")))});
  EXPECT_FALSE(talk.is_broken);
  EXPECT_EQ(talk.session.transactions().size(), 1u);
}

struct HeaderCase {
  const char* what;
  std::string wire;
};
const HeaderCase faults[] = {
    {"another version", "\x04" + rpc(0, 1, call_body(1, "s")).substr(1)},
    {"a fragment shorter than its header", rpc(0, 1, "").replace(8, 1, "\x0f")},
    {"a call without its fields", rpc(0, 1, "1234")},
    {"a bind that promises more than it has", rpc(11, 1, bind_body().substr(0, 20))},
};
TEST(Dcerpc, GivesUpOnWhatIsNone) {
  for (const HeaderCase& test : faults) {
    SCOPED_TRACE(test.what);
    Talk<DcerpcParser> talk;
    talk.say({client(test.wire)});
    EXPECT_TRUE(talk.is_broken);
  }
}

/// A connectionless request or answer in little endian.
std::string datagram(unsigned type, unsigned flags, unsigned sequence, std::string_view stub) {
  std::string wire = little(4, 1) + little(type, 1) + little(flags, 1) + zeros(1) +
                     std::string("\x10\x00\x00\x00", 4) + zeros(16) + zeros(16) +
                     std::string(16, 'a') + zeros(8) + little(sequence, 4) + little(7, 2) +
                     zeros(4) + little(stub.size(), 2) + zeros(4);
  return wire.append(stub);
}

TEST(Dcerpc, ReadsDatagrams) {
  Talk<DcerpcParser> talk;
  talk.datagram.protocol = ip_protocol::udp;
  talk.say({client(datagram(0, 4, 1, "first ")), client(datagram(0, 6, 1, "second")),
            server(datagram(2, 0, 1, "answer"))});
  ASSERT_EQ(talk.session.transactions().size(), 1u);
  const AppTransaction& call = *talk.session.transactions()[0];
  const FieldValue* const stub = call.find(Direction::to_server, Field::dcerpc_stub_data);
  ASSERT_NE(stub, nullptr);
  EXPECT_EQ(as_text(stub->body->bytes), "first second");
  EXPECT_TRUE(call.is_complete());
  EXPECT_EQ(talk.describe(0),
            R"({"dcerpc":{"request":"REQUEST","req":{"opnum":0,"frag_cnt":2,)"
            R"("stub_data_size":12},"response":"RESPONSE","res":{"frag_cnt":1,)"
            R"("stub_data_size":6},"activityuuid":"61616161-6161-6161-6161-616161616161",)"
            R"("seqnum":1,"rpc_version":"4.0"}})");
}

TEST(Dcerpc, SeesTheSameInAnySegmentation) {
  Talk<DcerpcParser> whole_talk;
  whole_talk.say(conversation());
  for (const Cut& cut : {Cut{1}, Cut{7}, Cut{.bytes_max = 30, .is_random = true}}) {
    Talk<DcerpcParser> talk;
    talk.say(conversation(), cut);
    EXPECT_EQ(talk.dump(), whole_talk.dump());
  }
}

}  // namespace
}  // namespace shrike::protocol
