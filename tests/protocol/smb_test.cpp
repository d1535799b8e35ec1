#include "smb.h"

#include <gtest/gtest.h>

#include "smb_wire.h"
#include "talk.h"

namespace shrike::protocol {
namespace {

using namespace test;

Said ask(const Head2& head, std::string_view body) {
  return client(session(smb2(head, body)));
}
Said answer(Head2 head, std::string_view body) {
  head.is_response = true;
  return server(session(smb2(head, body)));
}

std::vector<Said> negotiation() {
  return {ask({.command = 0, .message = 0, .tree = 0}, negotiate2()),
          answer({.command = 0, .message = 0, .tree = 0}, negotiated2(0x0311))};
}
std::vector<Said> operator+(std::vector<Said> first, const std::vector<Said>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}
std::vector<Said> connection(std::string_view path, char type) {
  return {ask({.command = 3, .message = 1, .tree = 0}, tree2(path)),
          answer({.command = 3, .message = 1}, connected2(type))};
}
std::vector<Said> opening(std::string_view name, char file) {
  return {ask({.command = 5, .message = 2}, create2(name)),
          answer({.command = 5, .message = 2}, created2(file))};
}

const std::string long_text(3000, 'x');

std::vector<Said> file_talk() {
  return negotiation() + connection("\\\\server\\share", 1) + opening("a\\b.exe", 'f') +
         std::vector<Said>{
             ask({.command = 9, .message = 3}, write2('f', 0, "MZ" + long_text)),
             ask({.command = 9, .message = 4}, write2('f', 3002, "tail")),
             ask({.command = 8, .message = 5}, read2('f', 0, 100)),
             answer({.command = 8, .message = 5}, answered_read2("read it")),
             ask({.command = 6, .message = 6}, close2('f')),
             answer({.command = 6, .message = 6}, zeros(60)),
         };
}

std::vector<Said> pipe_talk() {
  const std::string stub = "stub data of the call";
  return connection("\\\\server\\IPC$", 2) + opening("svcctl", 'p') +
         std::vector<Said>{
             ask({.command = 9, .message = 3}, write2('p', 0, rpc(11, 1, bind_body()))),
             ask({.command = 8, .message = 4}, read2('p', 0, 1024)),
             answer({.command = 8, .message = 4}, answered_read2(rpc(12, 1, bind_ack_body()))),
             ask({.command = 9, .message = 5}, write2('p', 0, rpc(0, 2, call_body(15, stub), 1))),
             ask({.command = 9, .message = 6},
                 write2('p', 0, rpc(0, 2, call_body(15, " goes on"), 2))),
             ask({.command = 8, .message = 7}, read2('p', 0, 1024)),
             answer({.command = 8, .message = 7},
                    answered_read2(rpc(2, 2, call_body(0, "answer")))),
         };
}

template <typename Kind>
const SmbTransaction* find(const Talk<SmbParser>& talk, Kind kind, size_t skipped = 0) {
  for (const AppTransaction* const each : talk.session.transactions()) {
    const auto* const transaction = static_cast<const SmbTransaction*>(each);
    if (transaction->kind == kind && skipped-- == 0) {
      return transaction;
    }
  }
  return nullptr;
}

std::string whole(const Body& body) {
  return std::string(as_text(body.bytes));
}

TEST(Smb, NamesSharesAndPipesByTheAnswer) {
  Talk<SmbParser> share;
  share.say(connection("\\\\server\\share", 1));
  const auto* const tree = find(share, SmbTransaction::Kind::tree_connect);
  ASSERT_NE(tree, nullptr);
  EXPECT_EQ(tree->text(Direction::to_server, Field::smb_share), "\\\\server\\share");
  EXPECT_EQ(tree->find(Direction::to_server, Field::smb_named_pipe), nullptr);

  Talk<SmbParser> pipe;
  pipe.say(connection("\\\\server\\IPC$", 2));
  const auto* const of_pipe = find(pipe, SmbTransaction::Kind::tree_connect);
  ASSERT_NE(of_pipe, nullptr);
  EXPECT_EQ(of_pipe->text(Direction::to_server, Field::smb_named_pipe), "\\\\server\\IPC$");
  EXPECT_EQ(of_pipe->find(Direction::to_server, Field::smb_share), nullptr);
  EXPECT_TRUE(of_pipe->is_complete());
}

TEST(Smb, TellsTheDialect) {
  Talk<SmbParser> talk;
  talk.say(negotiation());
  EXPECT_EQ(talk.describe(0),
            R"({"smb":{"id":1,"dialect":"3.11","command":"SMB2_COMMAND_NEGOTIATE_PROTOCOL",)"
            R"("status":"STATUS_SUCCESS","status_code":"0x0","session_id":0,"tree_id":0,)"
            R"("client_dialects":["2.02","3.11"],)"
            R"("client_guid":"63636363-6363-6363-6363-636363636363",)"
            R"("server_guid":"73737373-7373-7373-7373-737373737373",)"
            R"("max_read_size":1048576,"max_write_size":1048576}})");
}

TEST(Smb, GathersFilesInBothDirections) {
  Talk<SmbParser> talk;
  talk.say(file_talk());
  const auto* const written = find(talk, SmbTransaction::Kind::file, 0);
  const auto* const read = find(talk, SmbTransaction::Kind::file, 1);
  ASSERT_NE(written, nullptr);
  ASSERT_NE(read, nullptr);
  ASSERT_EQ(written->files().size(), 1u);
  const File& file = *written->files()[0];
  EXPECT_EQ(as_text(file.name), "a\\b.exe");
  EXPECT_EQ(whole(file.body), "MZ" + long_text + "tail");
  EXPECT_EQ(file.state, FileState::closed);
  EXPECT_EQ(file.direction, Direction::to_server);
  ASSERT_EQ(read->files().size(), 1u);
  EXPECT_EQ(whole(read->files()[0]->body), "read it");
  EXPECT_EQ(read->files()[0]->direction, Direction::to_client);
  EXPECT_TRUE(written->is_complete());
}

TEST(Smb, KeepsChunksUntilItIsTheirTurn) {
  Talk<SmbParser> talk;
  talk.say(connection("\\\\server\\share", 1) + opening("b.bin", 'f') +
           std::vector<Said>{ask({.command = 9, .message = 3}, write2('f', 4, "4567")),
                             ask({.command = 9, .message = 4}, write2('f', 8, "89")),
                             ask({.command = 9, .message = 5}, write2('f', 0, "0123"))});
  const auto* const file = find(talk, SmbTransaction::Kind::file);
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(whole(file->files()[0]->body), "0123456789");
}

TEST(Smb, SaysWhereAFileOverlaps) {
  Talk<SmbParser> talk;
  talk.say(connection("\\\\server\\share", 1) + opening("b.bin", 'f') +
           std::vector<Said>{ask({.command = 9, .message = 3}, write2('f', 0, "0123")),
                             ask({.command = 9, .message = 4}, write2('f', 2, "other"))});
  const auto* const file = find(talk, SmbTransaction::Kind::file);
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(file->events[0].size(), 1u);
  EXPECT_EQ(file->events[0][0], AppEvent::smb_file_overlap);
  EXPECT_EQ(file->events[1].size(), 1u);
}

TEST(Smb, ReadsCallsThroughPipes) {
  Talk<SmbParser> talk;
  talk.say(pipe_talk());
  const auto* const bind = find(talk, SmbTransaction::Kind::pipe_call, 0);
  const auto* const call = find(talk, SmbTransaction::Kind::pipe_call, 1);
  ASSERT_NE(bind, nullptr);
  ASSERT_NE(call, nullptr);
  EXPECT_EQ(bind->find(Direction::to_server, Field::dcerpc_opnum), nullptr);
  for (const Direction direction : {Direction::to_server, Direction::to_client}) {
    ASSERT_NE(call->find(direction, Field::dcerpc_opnum), nullptr);
    EXPECT_EQ(call->find(direction, Field::dcerpc_opnum)->number, 15u);
    const std::string expected = std::string("\x36\x7a\xbb\x81\x98\x44\x35\xf1\xad\x32\x98\xf0") +
                                 std::string("\x38\x00\x10\x03\x00\x02\x01", 7);
    EXPECT_EQ(call->text(direction, Field::dcerpc_iface), expected);
  }
  const FieldValue* const stub = call->find(Direction::to_server, Field::dcerpc_stub_data);
  ASSERT_NE(stub, nullptr);
  EXPECT_EQ(as_text(stub->body->bytes), "stub data of the call goes on");
  EXPECT_TRUE(stub->body->is_whole);
  EXPECT_EQ(stub->number, 0u);  // `dce` is big endian through pipes
  const FieldValue* const answered = call->find(Direction::to_client, Field::dcerpc_stub_data);
  ASSERT_NE(answered, nullptr);
  EXPECT_EQ(as_text(answered->body->bytes), "answer");
  EXPECT_TRUE(call->is_complete());
}

TEST(Smb, LeavesOutInterfacesThatWereRefused) {
  Talk<SmbParser> talk;
  talk.say(connection("\\\\server\\IPC$", 2) + opening("svcctl", 'p') +
           std::vector<Said>{
               ask({.command = 9, .message = 3}, write2('p', 0, rpc(11, 1, bind_body()))),
               ask({.command = 8, .message = 4}, read2('p', 0, 1024)),
               answer({.command = 8, .message = 4}, answered_read2(rpc(12, 1, bind_ack_body(2)))),
               ask({.command = 9, .message = 5}, write2('p', 0, rpc(0, 2, call_body(15, "s")))),
           });
  const auto* const call = find(talk, SmbTransaction::Kind::pipe_call, 1);
  ASSERT_NE(call, nullptr);
  EXPECT_EQ(call->find(Direction::to_server, Field::dcerpc_iface), nullptr);
}

/// An NTLMSSP authentication with these names.
std::string authentication(std::string_view domain, std::string_view user) {
  const std::string wide_domain = utf16(domain);
  const std::string wide_user = utf16(user);
  constexpr unsigned data_from = 64;
  const auto part = [](size_t bytes, size_t offset) {
    return little(bytes, 2) + little(bytes, 2) + little(offset, 4);
  };
  const size_t user_at = data_from + wide_domain.size();
  const size_t end = user_at + wide_user.size();
  return "NTLMSSP" + zeros(1) + little(3, 4) + part(0, data_from) + part(0, data_from) +
         part(wide_domain.size(), data_from) + part(wide_user.size(), user_at) + part(0, end - 1) +
         part(0, data_from) + little(0, 4) + wide_domain + wide_user;
}

TEST(Smb, KnowsWhoLogsOn) {
  Talk<SmbParser> talk;
  const std::string setup = little(25, 2) + zeros(22) + authentication("CONTOSO", "Admin");
  talk.say({ask({.command = 1, .message = 1, .tree = 0}, setup)});
  const auto* const logon = find(talk, SmbTransaction::Kind::session_setup);
  ASSERT_NE(logon, nullptr);
  EXPECT_EQ(logon->text(Direction::to_server, Field::smb_ntlmssp_user), "Admin");
  EXPECT_EQ(logon->text(Direction::to_server, Field::smb_ntlmssp_domain), "CONTOSO");
}

TEST(Smb, TakesChainedRecordsOneByOne) {
  Talk<SmbParser> talk;
  std::string first = smb2({.command = 5, .message = 2, .next = 0}, create2("x"));
  first.resize((first.size() + 7) / 8 * 8);
  first =
      smb2({.command = 5, .message = 2, .next = static_cast<unsigned>(first.size())}, create2("x"));
  first.resize((first.size() + 7) / 8 * 8);
  talk.say({client(session(first + smb2({.command = 6, .message = 3}, close2('f'))))});
  EXPECT_EQ(talk.session.transactions().size(), 2u);
}

TEST(Smb, FindsItsWayBackAfterAGap) {
  Talk<SmbParser> talk;
  const Input gap{.direction = Direction::to_server, .gap_bytes = 100};
  talk.parser.parse(gap);
  talk.say({client("rest of a lost record, longer than a header of SMB would be"),
            ask({.command = 3, .message = 1, .tree = 0}, tree2("\\\\server\\share"))});
  EXPECT_FALSE(talk.is_broken);
  EXPECT_NE(find(talk, SmbTransaction::Kind::tree_connect), nullptr);
}

TEST(Smb, GivesUpOnWhatIsNoSmb) {
  Talk<SmbParser> talk;
  talk.say({client(session("nothing of the kind"))});
  EXPECT_TRUE(talk.is_broken);
}

TEST(Smb, SeesTheSameInAnySegmentation) {
  for (const auto& talk_of : {file_talk(), pipe_talk()}) {
    Talk<SmbParser> whole_talk;
    whole_talk.say(talk_of);
    const std::string expected = whole_talk.dump();
    EXPECT_FALSE(expected.empty());
    for (const Cut& cut : {Cut{1}, Cut{7}, Cut{700}, Cut{.bytes_max = 60, .is_random = true},
                           Cut{.bytes_max = 900, .is_random = true}}) {
      Talk<SmbParser> talk;
      talk.say(talk_of, cut);
      EXPECT_EQ(talk.dump(), expected) << cut.bytes_max;
    }
  }
}

}  // namespace
}  // namespace shrike::protocol
