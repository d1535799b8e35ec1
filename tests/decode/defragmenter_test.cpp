#include <gtest/gtest.h>

#include <map>

#include "telling.h"

namespace shrike::decode {
namespace {

using craft::Buffer;
using craft::Frame;

constexpr uint64_t second_ns = 1'000'000'000;

/// A fragment whose data is one letter, repeated; offsets and lengths in bytes.
struct Part {
  uint16_t offset;
  size_t bytes;
  char letter;
  bool more = true;
};

Frame part4(const Part& part, uint16_t id = 1) {
  return Frame()
      .ethernet()
      .ipv4({.id = id,
             .more_fragments = part.more,
             .fragment_offset_bytes = part.offset,
             .protocol = 253})
      .payload(std::string(part.bytes, part.letter));
}
Frame part6(const Part& part, uint32_t id = 1) {
  return Frame()
      .ethernet()
      .ipv6()
      .ipv6_fragment(
          {.id = id, .offset_bytes = part.offset, .more_fragments = part.more, .next_header = 253})
      .payload(std::string(part.bytes, part.letter));
}

/// Letters of a rebuilt datagram, each standing for eight bytes; empty where none was rebuilt.
std::string letters(Telling& tell, const std::vector<Frame>& frames, uint64_t step_ns = 1) {
  std::string text;
  uint64_t time_ns = 1'000 * second_ns;
  for (const Frame& frame : frames) {
    time_ns += step_ns;
    for (const Datagram& datagram : tell.decode({frame.at(time_ns)})) {
      if (datagram.origin != DatagramOrigin::defrag) {
        continue;
      }
      text += text.empty() ? "" : " ";
      for (size_t i = 0; i < datagram.ip_payload.size(); i += 8) {
        text += static_cast<char>(datagram.ip_payload[i]);
      }
    }
  }
  return text;
}

TEST(Defragmenter, RebuildsInAnyOrder) {
  const Frame whole = Frame().ethernet().vlan({.id = 4}).ipv4().udp().payload(
      "a datagram that is cut to pieces of eight bytes each, or nearly");
  const Frame whole6 = Frame().ethernet().ipv6().udp().payload(
      "a datagram that is cut to pieces of eight bytes each, or nearly");
  for (const Frame& frame : {whole, whole6}) {
    Telling tell;
    std::vector<Buffer> pieces = craft::fragment(frame, 8);
    ASSERT_GT(pieces.size(), 5u);
    std::swap(pieces[0], pieces[3]);
    std::swap(pieces[1], pieces.back());
    std::string told;
    for (const Buffer& piece : pieces) {
      told = tell(piece);
    }
    const std::string expected = tell(frame);
    EXPECT_TRUE(told.starts_with(expected.substr(0, expected.find(" [")))) << told;
    EXPECT_NE(told.find("[defrag"), std::string::npos) << told;
    EXPECT_NE(told.find("[fragment carries"), std::string::npos) << told;
  }
}

TEST(Defragmenter, GivesWholeFramesWithSoundHeaders) {
  Telling tell({.check_checksums = true});
  const Frame frame =
      Frame().ethernet().vlan({.id = 4}).ipv4().tcp().payload(std::string(100, 'x'));
  std::span<const Datagram> datagrams;
  for (const Buffer& piece : craft::fragment(frame, 48)) {
    datagrams = tell.decode({craft::TimedFrame{.bytes = piece, .time_ns = 9}});
  }
  ASSERT_EQ(datagrams.size(), 2u);
  const Datagram& rebuilt = datagrams[0];
  EXPECT_EQ(as_text(rebuilt.frame), as_text(Bytes(frame.bytes())));
  EXPECT_EQ(rebuilt.wire_bytes, frame.bytes().size());
  EXPECT_FALSE(rebuilt.checksum_is_bad);
  EXPECT_EQ(rebuilt.vlan_ids[0], 4);
  EXPECT_EQ(rebuilt.depth, 0);
  EXPECT_EQ(rebuilt.carrier, &datagrams[1]);
  EXPECT_TRUE(datagrams[1].carries_inner);
  EXPECT_EQ(tell.counter("defrag.ipv4.fragments"), 3u);
  EXPECT_EQ(tell.counter("defrag.ipv4.reassembled"), 1u);
  EXPECT_EQ(tell.counter("defrag.memuse"), 0u);
}

TEST(Defragmenter, KeepsHeadersBeforeTheFragmentHeader) {
  Telling tell;
  const auto part = [](uint16_t offset, bool more, std::string_view data) {
    return Frame()
        .ethernet()
        .ipv6()
        .ipv6_extension({.type = 60, .content = {5, 2, 0, 0}})
        .ipv6_fragment({.offset_bytes = offset, .more_fragments = more, .next_header = 17})
        .payload(data);
  };
  const Buffer udp = Frame().udp({.length = 16}).payload("abcdefgh").bytes();
  EXPECT_EQ(tell(part(8, false, "abcdefgh")), "ip-44 2001:db8::1 > 2001:db8::2 [fragment]");
  EXPECT_EQ(tell(part(0, true, as_text(Bytes(udp).first(8)))),
            "udp 2001:db8::1:40000 > 2001:db8::2:53 'abcdefgh' [defrag]\n"
            "ip-44 2001:db8::1 > 2001:db8::2 [fragment carries]");
}

TEST(Defragmenter, OpensTunnelsInRebuiltDatagrams) {
  Telling tell;
  const Frame frame = Frame().ethernet().ipv4().gre().ipv4().udp().payload("tunnelled");
  std::string told;
  for (const Buffer& piece : craft::fragment(frame, 24)) {
    told = tell(piece);
  }
  EXPECT_EQ(told,
            "udp 10.0.0.1:40000 > 10.0.0.2:53 'tunnelled' [gre tunnel]\n"
            "ip-47 10.0.0.1 > 10.0.0.2 [defrag carries]\n"
            "ip-47 10.0.0.1 > 10.0.0.2 [fragment carries]");
}

/// Novak's fragments, as Sturges and he published them for six policies.
const std::vector<Part> novak = {
    {0, 24, 'A'},   {32, 16, 'B'},         {48, 24, 'C'},  {80, 8, 'D'},  {104, 16, 'E'},
    {120, 24, 'F'}, {144, 16, 'G'},        {160, 16, 'H'}, {176, 8, 'I'}, {8, 32, 'J'},
    {48, 24, 'K'},  {72, 24, 'L'},         {96, 24, 'M'},  {128, 8, 'N'}, {152, 8, 'O'},
    {160, 8, 'P'},  {176, 16, 'Q', false},
};

struct PolicyCase {
  TargetPolicy policy;
  const char* rebuilt;
};
const PolicyCase policy_cases[] = {
    {TargetPolicy::bsd, "AAAJJBCCCLLLMMMFFFGGHHIQ"},
    {TargetPolicy::hpux10, "AAAJJBCCCLLLMMMFFFGGHHIQ"},
    {TargetPolicy::linux, "AAAJJBKKKLLLMMMFFFGGPHQQ"},
    {TargetPolicy::windows, "AAAJBBCCCLLLMEEFFFGGHHIQ"},
    {TargetPolicy::solaris, "AAAJBBCCCLLLMMMFFFGGHHIQ"},
    {TargetPolicy::first, "AAAJBBCCCLDLMEEFFFGGHHIQ"},
    {TargetPolicy::last, "AJJJJBKKKLLLMMMFNFGOPHQQ"},
};

TEST(Defragmenter, SettlesOverlapsAsTargetsDo) {
  std::map<TargetPolicy, std::string> rebuilt;
  for (const PolicyCase& test : policy_cases) {
    SCOPED_TRACE(static_cast<int>(test.policy));
    DecoderOptions options{.check_checksums = false};
    options.target_policies = {
        {.range = {.version = 4, .first = {{10, 0, 0, 0}}, .last = {{10, 255, 255, 255}}},
         .policy = test.policy}};
    Telling tell(options);
    std::vector<Frame> frames;
    for (const Part& part : novak) {
      frames.push_back(part4(part));
    }
    EXPECT_EQ(letters(tell, frames), test.rebuilt);
    EXPECT_GT(tell.counter("decoder.event.ipv4.frag_overlap"), 0u);
  }
}

TEST(Defragmenter, TakesThePolicyOfTheNarrowestRange) {
  DecoderOptions options{.check_checksums = false};
  options.target_policies = {
      {.range = {.version = 4, .first = {{10, 0, 0, 2}}, .last = {{10, 0, 0, 2}}},
       .policy = TargetPolicy::last},
      {.range = {.version = 4, .first = {{0, 0, 0, 0}}, .last = {{255, 255, 255, 255}}},
       .policy = TargetPolicy::first},
  };
  const std::vector<Frame> frames = {part4({8, 8, 'B'}), part4({0, 16, 'A'}),
                                     part4({16, 8, 'C', false})};
  Telling last(options);
  EXPECT_EQ(letters(last, frames), "AAC");
  options.target_policies.erase(options.target_policies.begin());
  Telling first(options);
  EXPECT_EQ(letters(first, {part4({0, 8, 'B'}), part4({0, 8, 'A'}), part4({8, 8, 'C', false})}),
            "BC");
}

TEST(Defragmenter, WaitsForEveryPart) {
  Telling tell;
  EXPECT_EQ(letters(tell, {part4({0, 8, 'A'}), part4({16, 8, 'C', false})}), "");
  EXPECT_EQ(letters(tell, {part4({8, 8, 'B'})}), "ABC");
  EXPECT_EQ(letters(tell, {part6({8, 8, 'B', false}), part6({0, 8, 'A'})}), "AB");
  EXPECT_EQ(letters(tell, {part4({8, 8, 'B', false}), part4({0, 0, 'A'})}), "")
      << "an empty fragment brings nothing";
}

TEST(Defragmenter, TellsDatagramsApart) {
  Telling tell;
  EXPECT_EQ(letters(tell, {part4({0, 8, 'A'}, 1), part4({8, 8, 'B', false}, 2)}), "");
  EXPECT_EQ(letters(tell, {part4({8, 8, 'C', false}, 1)}), "AC");
  const auto tagged = [](uint16_t vlan, const Part& part) {
    return Frame()
        .ethernet()
        .vlan({.id = vlan})
        .ipv4({.id = 9,
               .more_fragments = part.more,
               .fragment_offset_bytes = part.offset,
               .protocol = 253})
        .payload(std::string(part.bytes, part.letter));
  };
  EXPECT_EQ(letters(tell, {tagged(1, {0, 8, 'A'}), tagged(2, {8, 8, 'B', false})}), "");
  Telling together({.check_checksums = false, .vlan_separates_fragments = false});
  EXPECT_EQ(letters(together, {tagged(1, {0, 8, 'A'}), tagged(2, {8, 8, 'B', false})}), "AB");
}

TEST(Defragmenter, ForgetsAfterTheTimeout) {
  Telling tell({.check_checksums = false, .defrag_timeout_seconds = 30});
  const std::vector<Frame> frames = {part4({0, 8, 'A'}), part4({8, 8, 'B', false})};
  EXPECT_EQ(letters(tell, frames, 29 * second_ns), "AB");
  EXPECT_EQ(letters(tell, frames, 30 * second_ns), "");
  EXPECT_EQ(tell.counter("defrag.wrk.tracker_timeout"), 1u);
  tell.decoder().reset();
  EXPECT_EQ(letters(tell, {part4({0, 8, 'A'})}), "") << "and after a reset";
  EXPECT_GT(tell.counter("defrag.memuse"), 0u);
}

TEST(Defragmenter, SaysWhatIsTooLarge) {
  Telling tell;
  EXPECT_EQ(tell(part4({65528, 8, 'A'})),
            "ip-253 10.0.0.1 > 10.0.0.2 [fragment] ipv4.frag_pkt_too_large");
  EXPECT_EQ(tell(part6({65528, 8, 'A'})),
            "ip-44 2001:db8::1 > 2001:db8::2 [fragment] ipv6.frag_pkt_too_large");
}

TEST(Defragmenter, GivesUpTheOldestWhereItIsFull) {
  Telling few({.check_checksums = false, .defrag_trackers_max = 2});
  EXPECT_EQ(letters(few, {part4({0, 8, 'A'}, 1), part4({0, 8, 'B'}, 2), part4({16, 8, 'A'}, 1),
                          part4({0, 8, 'C'}, 3), part4({8, 8, 'x', false}, 2),
                          part4({8, 8, 'x', false}, 3)}),
            "Cx")
      << "2 was idle longest when 3 came, then 1";
  EXPECT_EQ(few.counter("defrag.max_trackers_reached"), 2u);
  EXPECT_EQ(few.counter("defrag.tracker_hard_reuse"), 2u);

  Telling small({.check_checksums = false, .defrag_fragments_max = 2});
  EXPECT_EQ(letters(small, {part4({0, 8, 'A'}, 1), part4({0, 8, 'B'}, 2), part4({8, 8, 'b'}, 2),
                            part4({8, 8, 'a', false}, 1)}),
            "");
  EXPECT_EQ(small(part4({24, 8, 'A'}, 1)), "ip-253 10.0.0.1 > 10.0.0.2 [fragment]");
  EXPECT_EQ(small(part4({32, 8, 'A'}, 1)), "ip-253 10.0.0.1 > 10.0.0.2 [fragment]");
  EXPECT_EQ(small(part4({40, 8, 'A'}, 1)),
            "ip-253 10.0.0.1 > 10.0.0.2 [fragment] ipv4.frag_ignored");
  EXPECT_EQ(small.counter("defrag.max_frags_reached"), 1u);

  Telling narrow({.check_checksums = false, .defrag_bytes_max = 2048});
  EXPECT_EQ(letters(narrow, {part4({0, 1400, 'A'}, 1), part4({0, 1400, 'B'}, 2),
                             part4({1400, 8, 'a', false}, 1), part4({1400, 8, 'b', false}, 2)})
                .find('A'),
            std::string::npos);
}

TEST(Defragmenter, StopsWhereRebuiltDatagramsWouldNotFit) {
  Decoder decoder({.check_checksums = false});
  DatagramBatch batch;
  const std::string half(32768, 'x');
  uint16_t id = 0;
  size_t taken = 1;
  size_t rebuilt = 0;
  while (taken != 0 && rebuilt < 1000) {
    ++id;
    std::vector<craft::TimedFrame> frames;
    frames.push_back(Frame()
                         .ethernet()
                         .ipv4({.id = id, .more_fragments = true, .protocol = 253})
                         .payload(half)
                         .at(1));
    frames.push_back(Frame()
                         .ethernet()
                         .ipv4({.id = id, .fragment_offset_bytes = 32768, .protocol = 253})
                         .payload("end")
                         .at(1));
    const std::vector<Packet> packets = craft::to_packets(frames);
    for (size_t i = 0; i < 2 && taken != 0; ++i) {
      batch.clear();
      taken = decoder.decode(std::span(packets).subspan(i, 1), batch);
      rebuilt += batch.size() == 2 ? 1 : 0;
    }
  }
  EXPECT_EQ(taken, 0u);
  EXPECT_GT(rebuilt, 64u) << "one a packet of a batch fits";
  decoder.release();
  const std::vector<craft::TimedFrame> more = {part4({0, 8, 'A'}).at(1)};
  EXPECT_EQ(decoder.decode(craft::to_packets(more), batch), 1u);
}

}  // namespace
}  // namespace shrike::decode
