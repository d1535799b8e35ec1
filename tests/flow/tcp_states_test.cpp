#include <gtest/gtest.h>

#include "talk.h"

namespace shrike::flow::test {
namespace {

/// A segment and what is to come of it.
struct Step {
  Segment segment;
  TcpState state;
  const char* events = "";
};
struct Conversation {
  const char* name;
  std::vector<Step> steps;
  FlowOptions options = Talk::small();
};

FlowOptions with(auto change) {
  FlowOptions options = Talk::small();
  change(options);
  return options;
}

const std::vector<Step> opening = {
    {{'c', "S", 0}, TcpState::syn_sent},
    {{'s', "SA", 0, 1}, TcpState::syn_received},
    {{'c', "A", 1, 1}, TcpState::established},
};

std::vector<Step> opened(std::vector<Step> rest) {
  std::vector<Step> all = opening;
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

const Conversation conversations[] = {
    {"client closes first", opened({{{'c', "PA", 1, 1, "hello"}, TcpState::established},
                                    {{'s', "A", 1, 6}, TcpState::established},
                                    {{'c', "FA", 6, 1}, TcpState::close_wait},
                                    {{'s', "A", 1, 7}, TcpState::close_wait},
                                    {{'s', "FA", 1, 7}, TcpState::last_ack},
                                    {{'c', "A", 7, 2}, TcpState::closed}})},
    {"server closes first", opened({{{'s', "FA", 1, 1}, TcpState::fin_wait1},
                                    {{'c', "A", 1, 2}, TcpState::fin_wait2},
                                    {{'c', "FA", 1, 2}, TcpState::time_wait},
                                    {{'s', "A", 2, 2}, TcpState::closed}})},
    {"both close at once", opened({{{'s', "FA", 1, 1}, TcpState::fin_wait1},
                                   {{'c', "F", 1, 0}, TcpState::closing},
                                   {{'s', "A", 2, 1}, TcpState::time_wait}})},
    {"reset by the server", opened({{{'s', "RA", 1, 1}, TcpState::closed}})},
    {"reset that does not fit is refused", opened({{{'s', "RA", 4000, 1}, TcpState::established}})},
    {"reset with a wrong ack",
     opened({{{'s', "RA", 1, 90000}, TcpState::established, "pkt_invalid_ack rst_invalid_ack"}})},
    {"reset without a session", {{{'c', "R", 0}, TcpState::none, "rst_but_no_session"}}},
    {"fin without a session", {{{'c', "FA", 0, 1}, TcpState::none, "fin_but_no_session"}}},
    {"data without a session", {{{'c', "A", 5, 5, "x"}, TcpState::none}}},
    {"ack number without the flag", {{{'c', "S", 0, 7}, TcpState::syn_sent, "pkt_broken_ack"}}},
    {"syn/ack with a wrong ack",
     {{{'c', "S", 0}, TcpState::syn_sent},
      {{'s', "SA", 0, 9}, TcpState::syn_sent, "3whs_synack_with_wrong_ack"}}},
    {"syn/ack in the wrong direction",
     {{{'c', "S", 0}, TcpState::syn_sent},
      {{'c', "SA", 0, 1}, TcpState::syn_sent, "3whs_synack_in_wrong_direction"}}},
    {"syn/ack sent again, equal",
     {{{'c', "S", 0}, TcpState::syn_sent},
      {{'s', "SA", 0, 1}, TcpState::syn_received},
      {{'s', "SA", 0, 1}, TcpState::syn_received}}},
    {"syn/ack sent again with another ack",
     {{{'c', "S", 0}, TcpState::syn_sent},
      {{'s', "SA", 0, 1}, TcpState::syn_received},
      {{'s', "SA", 0, 5}, TcpState::syn_received, "3whs_synack_resend_with_different_ack"}}},
    {"the syn/ack that is answered counts",
     {{{'c', "S", 0}, TcpState::syn_sent},
      {{'s', "SA", 0, 1}, TcpState::syn_received},
      {{'s', "SA", 700, 1}, TcpState::syn_received},
      {{'c', "A", 1, 701}, TcpState::established}}},
    {"too many different syn/acks",
     {{{'c', "S", 0}, TcpState::syn_sent},
      {{'s', "SA", 0, 1}, TcpState::syn_received},
      {{'s', "SA", 700, 1}, TcpState::syn_received},
      {{'s', "SA", 800, 1}, TcpState::syn_received},
      {{'s', "SA", 900, 1}, TcpState::syn_received, "3whs_synack_flood"}},
     with([](FlowOptions& options) { options.synack_queue_max = 2; })},
    {"syn to the client in the handshake",
     {{{'c', "S", 0}, TcpState::syn_sent},
      {{'s', "SA", 0, 1}, TcpState::syn_received},
      {{'s', "S", 0}, TcpState::syn_received, "3whs_syn_toclient_on_syn_recv"}}},
    {"syn again with another number in the handshake",
     {{{'c', "S", 0}, TcpState::syn_sent},
      {{'s', "SA", 0, 1}, TcpState::syn_received},
      {{'c', "S", 50}, TcpState::syn_received, "3whs_syn_resend_diff_seq_on_syn_recv"}}},
    {"third packet with a wrong ack",
     {{{'c', "S", 0}, TcpState::syn_sent},
      {{'s', "SA", 0, 1}, TcpState::syn_received},
      {{'c', "A", 1, 9}, TcpState::syn_received, "3whs_right_seq_wrong_ack_evasion"}}},
    {"third packet with both wrong",
     {{{'c', "S", 0}, TcpState::syn_sent},
      {{'s', "SA", 0, 1}, TcpState::syn_received},
      {{'c', "A", 900, 9}, TcpState::syn_received, "3whs_wrong_seq_wrong_ack"}}},
    {"the third packet was lost",
     {{{'c', "S", 0}, TcpState::syn_sent},
      {{'s', "SA", 0, 1}, TcpState::syn_received},
      {{'s', "PA", 1, 1, "banner"}, TcpState::established}}},
    {"inline, the server does not go first",
     {{{'c', "S", 0}, TcpState::syn_sent},
      {{'s', "SA", 0, 1}, TcpState::syn_received},
      {{'s', "PA", 1, 1, "banner"}, TcpState::syn_received, "3whs_ack_data_inject"},
      {{'s', "A", 5, 1}, TcpState::syn_received, "3whs_ack_in_wrong_dir"}},
     with([](FlowOptions& options) { options.is_inline = true; })},
    {"syn against syn",
     {{{'c', "S", 0}, TcpState::syn_sent},
      {{'s', "S", 0}, TcpState::syn_sent},
      {{'c', "SA", 0, 9}, TcpState::syn_sent, "4whs_synack_with_wrong_ack"},
      {{'c', "SA", 5, 1}, TcpState::syn_sent, "4whs_synack_with_wrong_syn"},
      {{'c', "SA", 0, 1}, TcpState::syn_received},
      {{'s', "A", 7, 1}, TcpState::syn_received, "4whs_wrong_seq"},
      {{'s', "A", 1, 1}, TcpState::established}}},
    {"syn/ack again while established",
     opened({{{'s', "SA", 0, 1}, TcpState::established},
             {{'s', "SA", 0, 3}, TcpState::established, "est_synack_resend_with_different_ack"},
             {{'s', "SA", 9, 1}, TcpState::established, "est_synack_resend_with_diff_seq"},
             {{'s', "PA", 1, 1, "x"}, TcpState::established},
             {{'s', "SA", 0, 1}, TcpState::established, "est_synack_resend"},
             {{'c', "SA", 0, 1}, TcpState::established, "est_synack_toserver"}})},
    {"syn while established",
     opened({{{'c', "S", 0}, TcpState::established, "est_syn_resend"},
             {{'c', "S", 50}, TcpState::established, "est_syn_resend_diff_seq"},
             {{'s', "S", 0}, TcpState::established, "est_syn_toclient"}})},
    {"out of window",
     opened({{{'c', "PA", 9000, 1, "x"}, TcpState::established, "est_packet_out_of_window"}})},
    {"ack of what nobody sent",
     opened({{{'c', "A", 1, 60000}, TcpState::established, "pkt_invalid_ack est_invalid_ack"}})},
    {"bytes before the last ack",
     opened({{{'c', "PA", 1, 1, "hello"}, TcpState::established},
             {{'s', "A", 1, 6}, TcpState::established},
             {{'c', "PA", 6, 1, "world"}, TcpState::established},
             {{'s', "A", 1, 11}, TcpState::established},
             {{'c', "PA", 1, 1, "hello"},
              TcpState::established,
              "pkt_spurious_retransmission est_pkt_before_last_ack"}})},
    {"keep-alive and its answer", opened({{{'c', "A", 0, 1}, TcpState::established},
                                          {{'s', "A", 1, 1}, TcpState::established}})},
    {"fin out of window",
     opened({{{'c', "FA", 9000, 1}, TcpState::established, "fin_out_of_window"}})},
    {"fin with a wrong ack",
     opened({{{'c', "FA", 1, 60000}, TcpState::established, "pkt_invalid_ack fin_invalid_ack"}})},
    {"fin and syn", opened({{{'c', "SFA", 1, 1}, TcpState::established, "fin_syn"}})},
    {"syn while it shuts down",
     opened({{{'c', "FA", 1, 1}, TcpState::close_wait},
             {{'c', "S", 0}, TcpState::close_wait, "shutdown_syn_resend"}})},
    {"repetition while it shuts down",
     opened({{{'c', "PA", 1, 1, "hello"}, TcpState::established},
             {{'s', "FA", 1, 6}, TcpState::fin_wait1},
             {{'c', "PA", 1, 2, "hello"},
              TcpState::fin_wait1,
              "pkt_spurious_retransmission pkt_retransmission"}})},
    {"the wrong last ack",
     opened({{{'c', "FA", 1, 1}, TcpState::close_wait},
             {{'s', "FA", 1, 2}, TcpState::last_ack},
             {{'c', "A", 900, 2}, TcpState::last_ack, "lastack_ack_wrong_seq"},
             {{'c', "A", 2, 60000}, TcpState::last_ack, "pkt_invalid_ack lastack_invalid_ack"}})},
};

TEST(TcpStates, FollowConversations) {
  for (const Conversation& conversation : conversations) {
    SCOPED_TRACE(conversation.name);
    Talk talk(conversation.options);
    for (size_t i = 0; i < conversation.steps.size(); ++i) {
      const Step& step = conversation.steps[i];
      SCOPED_TRACE(i);
      const Result result = talk.say(step.segment);
      EXPECT_EQ(result.state, step.state);
      EXPECT_EQ(result.events, step.events);
    }
    talk.finish();
    talk.expect_sums_to_close();
  }
}

TEST(TcpStates, EstablishedBeginsBehindTheThirdPacket) {
  Talk talk;
  const Result syn = talk.say({'c', "S", 0});
  EXPECT_FALSE(syn.is_established || syn.tcp_established);
  const Result synack = talk.say({'s', "SA", 0, 1});
  EXPECT_FALSE(synack.is_established || synack.tcp_established);
  const Result third = talk.say({'c', "A", 1, 1});
  EXPECT_FALSE(third.is_established);
  EXPECT_TRUE(third.tcp_established);
  const Result data = talk.say({'c', "PA", 1, 1, "x"});
  EXPECT_TRUE(data.is_established && data.tcp_established && data.stream_added);
}

TEST(TcpStates, ThirdPacketWithPayloadIsEstablished) {
  Talk talk;
  talk.say({'c', "S", 0});
  talk.say({'s', "SA", 0, 1});
  const Result third = talk.say({'c', "PA", 1, 1, "x"});
  EXPECT_TRUE(third.is_established && third.tcp_established && third.stream_added);
}

TEST(TcpStates, InvalidSegmentsAreNotOfTheSession) {
  Talk talk;
  talk.shake_hands();
  const Result result = talk.say({'c', "FA", 9000, 1, "lost"});
  EXPECT_EQ(result.events, "fin_out_of_window");
  EXPECT_FALSE(result.tcp_established);
  EXPECT_FALSE(result.stream_added);
  EXPECT_TRUE(result.is_established);
}

TEST(TcpStates, TimestampsThatGoBackAreRefused) {
  Talk talk;
  talk.say({'c', "S", 0, 0, "", 8192, timestamps(1000, 0)});
  talk.say({'s', "SA", 0, 1, "", 8192, timestamps(7, 1000)});
  talk.say({'c', "A", 1, 1, "", 8192, timestamps(1001, 7)});
  EXPECT_EQ(talk.say({'c', "PA", 1, 1, "old", 8192, timestamps(500, 7)}).events,
            "pkt_invalid_timestamp");
  EXPECT_EQ(talk.say({'c', "PA", 1, 1, "new", 8192, timestamps(1002, 7)}).events, "");
}

TEST(TcpStates, MidstreamIsPickedUpOnlyWhereAsked) {
  Talk without;
  const Result ignored = without.say({'c', "PA", 5, 5, "x"});
  EXPECT_EQ(ignored.state, TcpState::none);
  EXPECT_FALSE(ignored.tcp_established || ignored.is_midstream);

  Talk talk(with([](FlowOptions& options) { options.midstream = true; }));
  const Result first = talk.say({'c', "PA", 5, 5, "x"});
  EXPECT_EQ(first.state, TcpState::established);
  EXPECT_TRUE(first.is_midstream && first.tcp_established && first.stream_added);
}

TEST(TcpStates, SynAckPickedUpReversesTheFlow) {
  Talk talk(with([](FlowOptions& options) { options.midstream = true; }));
  const Result synack = talk.say({'c', "SA", 0, 1});
  EXPECT_EQ(synack.state, TcpState::syn_received);
  EXPECT_EQ(synack.direction, Direction::to_client);
  const Result third = talk.say({'s', "A", 1, 1});
  EXPECT_EQ(third.direction, Direction::to_server);
  EXPECT_EQ(third.state, TcpState::established);
}

TEST(TcpStates, OneSideAloneIsFollowedWhereAsked) {
  Talk talk(with([](FlowOptions& options) { options.async_one_side = true; }));
  talk.say({'c', "S", 0});
  EXPECT_EQ(talk.say({'c', "A", 1, 1}).state, TcpState::established);
  EXPECT_EQ(talk.say({'c', "PA", 1, 1, "alone"}).state, TcpState::established);
  const auto looks = talk.finish();
  ASSERT_EQ(looks.size(), 2u);
  EXPECT_EQ(looks[0].chunks, "0:alone");
}

TEST(TcpStates, FastOpenDataCounts) {
  Talk talk;
  const std::vector<uint8_t> cookie = {34, 6, 1, 2, 3, 4, 1, 1};
  const Result syn = talk.say({'c', "S", 0, 0, "early", 8192, cookie});
  EXPECT_TRUE(syn.stream_added);
  EXPECT_FALSE(syn.tcp_established);  // the stream is looked at once the handshake is done
  EXPECT_EQ(talk.say({'s', "SA", 0, 6}).state, TcpState::syn_received);
  EXPECT_EQ(talk.say({'c', "A", 6, 1}).state, TcpState::established);
  const auto looks = talk.finish();
  ASSERT_FALSE(looks.empty());
  EXPECT_EQ(looks[0].chunks, "0:early");
}

TEST(TcpStates, FastOpenDataMayBeIgnored) {
  Talk talk;
  talk.say({'c', "S", 0, 0, "early", 8192, {34, 6, 1, 2, 3, 4, 1, 1}});
  EXPECT_EQ(talk.say({'s', "SA", 0, 1}).events, "3whs_synack_tfo_data_ignored");
}

TEST(TcpStates, WhoGoesOnAfterHisResetDidNotSendIt) {
  Talk talk;
  talk.server_isn = 0;  // a RST in answer to a SYN has the number 0
  talk.say({'c', "S", 0});
  EXPECT_EQ(talk.say({'s', "RA", 0, 1}).state, TcpState::closed);
  const Result synack = talk.say({'s', "SA", 0, 1});
  EXPECT_NE(synack.events.find("suspected_rst_inject"), std::string::npos);
}

}  // namespace
}  // namespace shrike::flow::test
