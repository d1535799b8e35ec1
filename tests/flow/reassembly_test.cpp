#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "talk.h"

namespace shrike::flow::test {
namespace {

FlowOptions with(auto change) {
  FlowOptions options = Talk::small();
  change(options);
  return options;
}

/// All bytes of one direction, as the chunks of a whole conversation gave them.
std::string joined(const std::vector<Result>& results, Direction direction) {
  std::string all;
  for (const Result& result : results) {
    if (result.direction == direction && !result.chunks.empty()) {
      all += (all.empty() ? "" : " ") + result.chunks;
    }
  }
  return all;
}

TEST(Reassembly, SmallStreamsAreInspectedAtTheirEnd) {
  Talk talk;
  talk.shake_hands();
  EXPECT_EQ(talk.say({'c', "PA", 1, 1, "hello "}).chunks, "");
  talk.say({'s', "A", 1, 7});
  EXPECT_EQ(talk.say({'c', "PA", 7, 1, "world"}).chunks, "");
  const auto looks = talk.finish();
  ASSERT_EQ(looks.size(), 2u);
  EXPECT_EQ(looks[0].direction, Direction::to_server);
  EXPECT_EQ(looks[0].chunks, "0:hello world");  // acknowledged or not
  EXPECT_TRUE(looks[0].stream_end && looks[0].tcp_established && looks[0].is_established);
  EXPECT_EQ(looks[1].direction, Direction::to_client);
  EXPECT_EQ(looks[1].chunks, "");
  talk.expect_sums_to_close();
}

TEST(Reassembly, AFullChunkIsInspectedWithTheNextPacketOfItsDirection) {
  Talk talk(with([](FlowOptions& options) { options.chunk_bytes = {10, 10}; }));
  talk.shake_hands();
  talk.say({'c', "PA", 1, 1, "0123456789ab"});
  EXPECT_EQ(talk.say({'s', "A", 1, 13}).chunks, "");
  EXPECT_EQ(talk.say({'c', "PA", 13, 1, "cd"}).chunks, "0:0123456789ab");
  EXPECT_EQ(talk.say({'c', "PA", 15, 1, "ef"}).chunks, "");
  const auto looks = talk.finish();
  EXPECT_EQ(looks[0].chunks, "12:cdef");
  talk.expect_sums_to_close();
}

TEST(Reassembly, OnlyAcknowledgedBytesAreInspected) {
  Talk talk(with([](FlowOptions& options) { options.chunk_bytes = {4, 4}; }));
  talk.shake_hands();
  talk.say({'c', "PA", 1, 1, "01234567"});
  EXPECT_EQ(talk.say({'c', "PA", 9, 1, "89"}).chunks, "");
  talk.say({'s', "A", 1, 7});
  EXPECT_EQ(talk.say({'c', "PA", 11, 1, "x"}).chunks, "0:012345");
  EXPECT_EQ(talk.finish()[0].chunks, "6:6789x");
}

TEST(Reassembly, ClosingStatesInspectAtOnce) {
  Talk talk;
  talk.shake_hands();
  talk.say({'c', "PA", 1, 1, "hello"});
  talk.say({'s', "A", 1, 6});
  EXPECT_EQ(talk.say({'c', "FA", 6, 1}).chunks, "0:hello");  // close_wait
}

TEST(Reassembly, SegmentsOutOfOrderJoin) {
  Talk talk;
  talk.shake_hands();
  talk.say({'c', "PA", 7, 1, "world"});
  talk.say({'c', "PA", 4, 1, "lo "});
  talk.say({'c', "PA", 1, 1, "hel"});
  EXPECT_EQ(talk.finish()[0].chunks, "0:hello world");
  talk.expect_sums_to_close();
}

TEST(Reassembly, SequenceNumbersWrap) {
  Talk talk(with([](FlowOptions& options) { options.chunk_bytes = {4, 4}; }));
  talk.client_isn = 0xfffffffc;
  talk.shake_hands();
  talk.say({'c', "PA", 1, 1, "01"});
  talk.say({'c', "PA", 3, 1, "2345"});
  talk.say({'s', "A", 1, 7});
  EXPECT_EQ(talk.say({'c', "PA", 7, 1, "67"}).chunks, "0:012345");
  EXPECT_EQ(talk.finish()[0].chunks, "6:67");
  talk.expect_sums_to_close();
}

TEST(Reassembly, AGapIsSaidAndPassed) {
  Talk talk(with([](FlowOptions& options) { options.chunk_bytes = {4, 4}; }));
  talk.shake_hands();
  talk.say({'c', "PA", 1, 1, "abc"});
  talk.say({'c', "PA", 9, 1, "xyz"});  // five bytes are missing
  EXPECT_EQ(talk.say({'s', "A", 1, 12}).events, "reassembly_seq_gap");
  EXPECT_EQ(talk.say({'c', "A", 12, 1}).chunks, "0:abc +8:xyz");
  EXPECT_EQ(talk.count("tcp.reassembly_gap"), 1u);
  talk.finish();
  ASSERT_EQ(talk.ended.size(), 1u);
  EXPECT_TRUE(talk.ended[0].has_gap[0]);
  EXPECT_FALSE(talk.ended[0].has_gap[1]);
  talk.expect_sums_to_close();
}

TEST(Reassembly, DepthEndsADirection) {
  Talk talk(with([](FlowOptions& options) { options.depth_bytes = 10; }));
  talk.shake_hands();
  talk.say({'c', "PA", 1, 1, "01234567"});
  talk.say({'s', "A", 1, 9});
  const Result beyond = talk.say({'c', "PA", 9, 1, "89ab"});  // crosses it: left out as a whole
  EXPECT_EQ(beyond.events, "reassembly_depth_reached");
  EXPECT_EQ(beyond.chunks, "0:01234567");
  EXPECT_TRUE(beyond.depth_reached && beyond.stream_added);
  const Result later = talk.say({'c', "PA", 13, 1, "more"});
  EXPECT_EQ(later.chunks, "");
  EXPECT_FALSE(later.stream_added);
  talk.finish();
  EXPECT_EQ(talk.count("stream.skipped.depth_bytes"), 8u);
  talk.expect_sums_to_close();
}

TEST(Reassembly, NoMemoryIsAnOutcome) {
  Talk talk(with([](FlowOptions& options) {
    options.stream_memory_bytes_max = 4096;
    options.depth_bytes = 0;
  }));
  talk.shake_hands();
  const std::string large(3000, 'x');
  talk.say({'c', "PA", 1, 1, large, 65535});
  const Result full = talk.say({'s', "PA", 1, 1, large, 65535});
  EXPECT_EQ(full.events, "reassembly_no_segment");
  EXPECT_FALSE(full.stream_added);
  EXPECT_TRUE(full.tcp_established);
  talk.finish();
  EXPECT_EQ(talk.count("stream.skipped.memory_bytes"), 3000u);
  EXPECT_EQ(talk.count("flow.end.tcp_liberal"), 1u);
  talk.expect_sums_to_close();
}

struct UrgentCase {
  FlowOptions::Urgent policy;
  const char* stream;
};
const UrgentCase urgent_cases[] = {
    {FlowOptions::Urgent::oob, "0:abdef"},
    {FlowOptions::Urgent::inline_, "0:abcdef"},
    {FlowOptions::Urgent::drop, "+3:def"},
    {FlowOptions::Urgent::gap, "0:ab +3:def"},
};

TEST(Reassembly, UrgentDataFollowsItsPolicy) {
  for (const UrgentCase& test : urgent_cases) {
    SCOPED_TRACE(test.stream);
    Talk talk(with([&](FlowOptions& options) { options.urgent = test.policy; }));
    talk.shake_hands();
    talk.say({'c', "PAU", 1, 1, "abc", 8192, {}, 3});
    talk.say({'c', "PA", 4, 1, "def"});
    EXPECT_EQ(talk.finish()[0].chunks, test.stream);
    talk.expect_sums_to_close();
  }
}

TEST(Reassembly, WrongChecksumsAreNotFollowed) {
  Talk talk;
  talk.shake_hands();
  Segment segment{'c', "PA", 1, 1, "evil"};
  segment.checksum_is_bad = true;
  const Result result = talk.say(segment);
  EXPECT_TRUE(result.has_flow);
  EXPECT_FALSE(result.stream_added || result.tcp_established);
  EXPECT_EQ(talk.count("tcp.invalid_checksum"), 1u);
  EXPECT_EQ(talk.finish()[0].chunks, "");
  talk.expect_sums_to_close();
}

TEST(Reassembly, InlineInspectsThePacketInItsSurroundings) {
  Talk talk(with([](FlowOptions& options) {
    options.is_inline = true;
    options.chunk_bytes = {12, 12};
  }));
  talk.shake_hands();
  EXPECT_EQ(talk.say({'c', "PA", 1, 1, "0123"}).chunks, "0:0123");
  EXPECT_EQ(talk.say({'c', "PA", 5, 1, "4567"}).chunks, "0:01234567");
  EXPECT_EQ(talk.say({'c', "PA", 9, 1, "89abcd"}).chunks, "2:23456789abcd");
  EXPECT_EQ(talk.say({'c', "PA", 15, 1, "0123456789ABCDEF"}).chunks, "10:abcd0123456789ABCDEF");
}

TEST(Reassembly, InlineWhatWasAcceptedFirstGoesOn) {
  Talk talk(with([](FlowOptions& options) { options.is_inline = true; }));
  talk.shake_hands();
  EXPECT_EQ(talk.say({'c', "PA", 1, 1, "GOOD"}).payload, "GOOD");
  EXPECT_EQ(talk.say({'c', "PA", 1, 1, "EVIL"}).payload, "GOOD");  // the same place and size
  const Result longer = talk.say({'c', "PA", 3, 1, "odoes it"});
  EXPECT_EQ(longer.payload, "ODoes it");
  EXPECT_EQ(longer.frame, "frame:ODoes it");
  EXPECT_EQ(longer.chunks, "0:GOODoes it");
  EXPECT_EQ(talk.say({'c', "PA", 1, 1, "GOOD"}).frame, "frame:GOOD");
  talk.finish();
  talk.expect_sums_to_close();
}

TEST(Reassembly, OutsideInlineThePayloadStaysAsItCame) {
  Talk talk;
  talk.shake_hands();
  talk.say({'c', "PA", 1, 1, "GOOD"});
  EXPECT_EQ(talk.say({'c', "PA", 1, 1, "EVIL"}).payload, "EVIL");
}

// What each kind of receiver keeps. The segments are the seven overlaps of Novak and Sturges.
struct OverlapCase {
  TargetPolicy policy;
  const char* same_and_longer;    ///< old "bbb", then "CCCCC" at the same place
  const char* before_and_beyond;  ///< old "bbb" at 2, then "CCCCCCC" at 0
  const char* inside;             ///< old "bbbbb", then "CC" at 2
  const char* behind;             ///< old "bbbbb", then "CCCC" at 3
};
using P = TargetPolicy;
const OverlapCase overlap_cases[] = {
    {P::bsd, "bbbCC", "CCCCCCC", "bbbbb", "bbbbbCC"},
    {P::bsd_right, "bbbCC", "CCCCCCC", "bbbbb", "bbbbbCC"},
    {P::old_linux, "CCCCC", "CCCCCCC", "bbbbb", "bbbbbCC"},
    {P::linux, "CCCCC", "CCCCCCC", "bbbbb", "bbbbbCC"},
    {P::old_solaris, "CCCCC", "CCCCCCC", "bbbbb", "bbbCCCC"},
    {P::solaris, "CCCCC", "CCCCCCC", "bbbbb", "bbbCCCC"},
    {P::hpux10, "bbbCC", "CCCCCCC", "bbbbb", "bbbbbCC"},
    {P::hpux11, "CCCCC", "CCCCCCC", "bbbbb", "bbbCCCC"},
    {P::irix, "bbbCC", "CCCCCCC", "bbbbb", "bbbbbCC"},
    {P::macos, "bbbCC", "CCCCCCC", "bbbbb", "bbbbbCC"},
    {P::windows, "bbbCC", "CCCCCCC", "bbbbb", "bbbbbCC"},
    {P::vista, "bbbCC", "CCbbbCC", "bbbbb", "bbbbbCC"},
    {P::windows2k3, "bbbCC", "CCCCCCC", "bbbbb", "bbbbbCC"},
    {P::first, "bbbCC", "CCbbbCC", "bbbbb", "bbbbbCC"},
    {P::last, "CCCCC", "CCCCCCC", "bbCCb", "bbbCCCC"},
};

std::string overlapped(TargetPolicy policy, uint32_t old_at, std::string_view old, uint32_t new_at,
                       std::string_view fresh) {
  IpAddress every;
  every.bytes.fill(0xff);
  Talk talk(with([&](FlowOptions& options) {
    options.compare_overlaps = true;
    options.target_policies = {{{4, {}, every}, policy}};
  }));
  talk.shake_hands();
  talk.say({'c', "PA", 1 + old_at, 1, old});
  const Result result = talk.say({'c', "PA", 1 + new_at, 1, fresh});
  EXPECT_EQ(result.events, "reassembly_overlap_different_data");
  const std::string chunks = talk.finish()[0].chunks;
  talk.expect_sums_to_close();
  return chunks.substr(chunks.find(':') + 1);
}

TEST(Reassembly, OverlapsFollowTheReceiversKind) {
  for (const OverlapCase& test : overlap_cases) {
    SCOPED_TRACE(static_cast<int>(test.policy));
    EXPECT_EQ(overlapped(test.policy, 0, "bbb", 0, "CCCCC"), test.same_and_longer);
    EXPECT_EQ(overlapped(test.policy, 2, "bbb", 0, "CCCCCCC"), test.before_and_beyond);
    EXPECT_EQ(overlapped(test.policy, 0, "bbbbb", 2, "CC"), test.inside);
    EXPECT_EQ(overlapped(test.policy, 0, "bbbbb", 3, "CCCC"), test.behind);
  }
}

TEST(Reassembly, TheNarrowestRangeNamesTheReceiver) {
  IpAddress every;
  every.bytes.fill(0xff);
  const IpAddress server{{10, 0, 0, 2}};
  Talk talk(with([&](FlowOptions& options) {
    options.target_policies = {{{4, server, server}, P::last}, {{4, {}, every}, P::first}};
  }));
  talk.shake_hands();
  talk.say({'c', "PA", 1, 1, "old"});
  talk.say({'c', "PA", 1, 1, "NEWER"});
  EXPECT_EQ(talk.finish()[0].chunks, "0:NEWER");
}

TEST(Reassembly, BytesLentOutStayAsTheyAre) {
  IpAddress every;
  every.bytes.fill(0xff);
  Talk talk(with([&](FlowOptions& options) {
    options.chunk_bytes = {4, 4};
    options.compare_overlaps = true;  // inspected bytes stay, and are overwritten
    options.target_policies = {{{4, {}, every}, P::last}};
  }));
  talk.shake_hands();
  talk.say({'c', "PA", 1, 1, "first"});
  talk.say({'s', "A", 1, 6});
  const std::vector<Datagram> batch = {
      talk.tcp({'c', "PA", 6, 1, "x"}),
      talk.tcp({'c', "PA", 1, 1, "second"}),
      talk.tcp({'c', "PA", 7, 1, std::string_view("a long tail that needs other memory")}),
  };
  ASSERT_EQ(talk.tracker.track(batch, talk.out), 3u);
  const auto chunks = talk.out.chunks_of(talk.out.all()[0]);
  ASSERT_EQ(chunks.size(), 1u);
  EXPECT_EQ(as_text(chunks[0].bytes), "first");
}

// Whatever the order, cut and repetition of the segments: the same bytes come out.
TEST(Reassembly, AnyOrderGivesTheSameStream) {
  std::string stream(6000, '\0');
  std::mt19937 random(7);
  for (char& each : stream) {
    each = static_cast<char>('a' + random() % 26);
  }
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(round);
    Talk talk(with([&](FlowOptions& options) {
      options.chunk_bytes = {1 + static_cast<uint32_t>(random() % 3000), 1};
      options.compare_overlaps = round % 2 == 0;
    }));
    talk.client_isn = static_cast<uint32_t>(random());
    talk.shake_hands();
    std::vector<std::pair<uint32_t, uint32_t>> pieces;
    for (uint32_t at = 0; at < stream.size();) {
      const uint32_t length =
          std::min<uint32_t>(1 + random() % 400, static_cast<uint32_t>(stream.size()) - at);
      const uint32_t early = std::min<uint32_t>(at, random() % 4 == 0 ? random() % 50 : 0);
      pieces.emplace_back(at - early, length + early);
      at += length;
    }
    for (size_t i = 0; i + 1 < pieces.size(); ++i) {
      if (random() % 3 == 0) {
        std::swap(pieces[i], pieces[i + 1]);
      }
    }
    std::vector<Result> results;
    uint32_t whole_until = 0;
    std::vector<bool> seen(stream.size());
    for (const auto& [at, length] : pieces) {
      results.push_back(
          talk.say({'c', "PA", 1 + at, 1, std::string_view(stream).substr(at, length), 65535}));
      EXPECT_EQ(results.back().events.find("overlap_different"), std::string::npos);
      std::fill(seen.begin() + at, seen.begin() + at + length, true);
      while (whole_until < seen.size() && seen[whole_until]) {
        ++whole_until;
      }
      if (random() % 2 == 0) {
        talk.say({'s', "A", 1, 1 + whole_until, "", 65535});
      }
    }
    const auto looks = talk.finish();
    results.insert(results.end(), looks.begin(), looks.end());
    std::string got;
    std::string all = joined(results, Direction::to_server) + " ";
    for (size_t at = 0; at < all.size();) {
      const size_t colon = all.find(':', at);
      const size_t end = all.find(' ', colon);
      EXPECT_EQ(std::stoul(all.substr(at)), got.size());
      got += all.substr(colon + 1, end - colon - 1);
      at = end + 1;
    }
    EXPECT_EQ(got, stream);
    talk.expect_sums_to_close();
  }
}

}  // namespace
}  // namespace shrike::flow::test
