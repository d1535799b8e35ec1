#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>

#include "address_rewriter.h"
#include "mixer.h"
#include "shrike/craft.h"

namespace shrike::traffic_mix {
namespace {

using craft::Address;
using craft::Buffer;
using craft::Frame;

/// The four addresses that the frames below are about.
struct Addresses {
  Address source = "10.1.2.3";
  Address target = "203.0.113.9";
  Address source6 = "2001:db8:0:1::5";
  Address target6 = "fe80::6";
};

/// Where the rewriter moves them, learnt from plain IP headers.
Addresses moved(AddressRewriter rewriter) {
  const Addresses before;
  Buffer four = Frame().ethernet().ipv4({.source = before.source, .target = before.target}).bytes();
  Buffer six =
      Frame().ethernet().ipv6({.source = before.source6, .target = before.target6}).bytes();
  EXPECT_TRUE(rewriter.rewrite(four));
  EXPECT_TRUE(rewriter.rewrite(six));
  const auto address_at = [](const Buffer& bytes, size_t at, unsigned version) {
    IpAddress address;
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(at), version == 4 ? 4 : 16,
                address.bytes.begin());
    return Address(address, version);
  };
  return {address_at(four, 26, 4), address_at(four, 30, 4), address_at(six, 22, 6),
          address_at(six, 38, 6)};
}

struct RewriteCase {
  const char* what;
  std::function<Frame(const Addresses&)> build;
};

Frame ip4(const Addresses& of) {
  return Frame().ipv4({.source = of.source, .target = of.target});
}
Frame ip6(const Addresses& of) {
  return Frame().ipv6({.source = of.source6, .target = of.target6});
}

const RewriteCase rewrite_cases[] = {
    {"tcp", [](const Addresses& of) { return ip4(of).tcp().payload("odd"); }},
    {"udp", [](const Addresses& of) { return ip4(of).udp().payload("even"); }},
    {"udp without checksum",
     [](const Addresses& of) { return ip4(of).udp({.checksum = 0}).payload("x"); }},
    {"tcp over ipv6", [](const Addresses& of) { return ip6(of).tcp().payload("odd"); }},
    {"udp behind extension headers",
     [](const Addresses& of) {
       return ip6(of).ipv6_extension({.type = 0}).ipv6_extension().udp().payload("x");
     }},
    {"icmpv6", [](const Addresses& of) { return ip6(of).icmpv6().payload("ping"); }},
    {"icmp", [](const Addresses& of) { return ip4(of).icmp().payload("ping"); }},
    {"icmp error",
     [](const Addresses& of) {
       return ip4(of).icmp({.type = 3}).append(ip4(of)).udp().payload("lost");
     }},
    {"icmpv6 error",
     [](const Addresses& of) {
       return ip6(of).icmpv6({.type = 1}).append(ip6(of)).tcp().payload("lost");
     }},
    {"ip in ip", [](const Addresses& of) { return ip4(of).append(ip6(of)).append(ip4(of)).tcp(); }},
    {"gre",
     [](const Addresses& of) {
       return ip4(of).gre({.has_checksum = true, .key = 5}).append(ip4(of)).tcp().payload("x");
     }},
    {"ethernet in gre",
     [](const Addresses& of) { return ip4(of).gre().ethernet().vlan().append(ip6(of)).udp(); }},
    {"vxlan",
     [](const Addresses& of) {
       return ip4(of)
           .udp({.target_port = 4789})
           .vxlan()
           .ethernet()
           .append(ip4(of))
           .udp()
           .payload("inner");
     }},
    {"geneve",
     [](const Addresses& of) {
       return ip6(of)
           .udp({.target_port = 6081})
           .geneve({.options = {1, 2, 3, 4}})
           .ethernet()
           .append(ip6(of))
           .tcp();
     }},
    {"teredo",
     [](const Addresses& of) {
       return ip4(of).udp({.target_port = 3544}).append(ip6(of)).tcp().payload("x");
     }},
    {"all of them",
     [](const Addresses& of) {
       return ip4(of)
           .udp({.target_port = 4789})
           .vxlan()
           .ethernet()
           .append(ip4(of))
           .gre({.has_checksum = true})
           .append(ip6(of))
           .udp({.target_port = 6081})
           .geneve()
           .append(ip4(of))
           .icmp({.type = 11})
           .append(ip4(of))
           .udp()
           .payload("deep");
     }},
};

TEST(AddressRewriter, GivesWhatWouldHaveBeenBuiltWithTheOtherAddresses) {
  for (const uint64_t mix : {1U, 2U, 3U, 4U, 5U}) {
    AddressRewriter rewriter(mix);
    const Addresses after = moved(rewriter);
    for (const RewriteCase& test : rewrite_cases) {
      SCOPED_TRACE(testing::Message() << test.what << ", mix " << mix);
      for (const Frame& link : {Frame().ethernet(), Frame().ethernet().qinq(5, 6)}) {
        Buffer frame = Frame(link).append(test.build({})).bytes();
        EXPECT_TRUE(rewriter.rewrite(frame));
        EXPECT_EQ(frame, Frame(link).append(test.build(after)).bytes());
      }
    }
  }
}

TEST(AddressRewriter, KeepsWrongChecksumsWrong) {
  Buffer frame = Frame().ethernet().ipv4({.checksum = 1}).tcp({.checksum = 2}).bytes();
  const Buffer right = Frame().ethernet().ipv4().tcp().bytes();
  const auto distance = [](const Buffer& first, const Buffer& second, size_t at) {
    const uint32_t sum = load_big16(first.data() + at) + 0xffffU - load_big16(second.data() + at);
    return sum % 0xffff;
  };
  Buffer moved_right = right;
  const uint32_t ip_before = distance(frame, right, 24);
  const uint32_t tcp_before = distance(frame, right, 50);
  AddressRewriter rewriter(9);
  rewriter.rewrite(frame);
  rewriter.rewrite(moved_right);
  EXPECT_EQ(distance(frame, moved_right, 24), ip_before);
  EXPECT_EQ(distance(frame, moved_right, 50), tcp_before);
}

TEST(AddressRewriter, LeavesAddressesForAllAlone) {
  const Frame frames[] = {
      Frame().ethernet().ipv4({.source = "0.0.0.0", .target = "255.255.255.255"}).udp(),
      Frame().ethernet().ipv4({.source = "0.0.0.0", .target = "224.0.0.251"}).udp(),
      Frame().ethernet().ipv6({.source = "ff02::1", .target = "ff02::fb"}).udp(),
  };
  for (const Frame& frame : frames) {
    Buffer bytes = frame.bytes();
    EXPECT_TRUE(AddressRewriter(7).rewrite(bytes));
    EXPECT_EQ(bytes, frame.bytes());
  }
}

TEST(AddressRewriter, RefusesFramesWithoutIp) {
  Buffer arp = Frame().ethernet().arp().bytes();
  EXPECT_FALSE(AddressRewriter(7).rewrite(arp));
  Buffer cut = Frame().ethernet().ipv4().bytes();
  for (; !cut.empty(); cut.pop_back()) {
    EXPECT_EQ(AddressRewriter::carries_ip(cut), cut.size() >= 34) << cut.size();
  }
}

TEST(AddressRewriter, SurvivesAnyCut) {
  for (const RewriteCase& test : rewrite_cases) {
    SCOPED_TRACE(test.what);
    const Buffer whole = Frame().ethernet().append(test.build({})).bytes();
    const size_t ip_end = whole[14] >> 4 == 4 ? 34 : 54;
    for (size_t kept = 0; kept < whole.size(); ++kept) {
      const std::unique_ptr<uint8_t[]> exact(new uint8_t[kept]);  // so that ASan sees the end
      std::copy_n(whole.begin(), kept, exact.get());
      EXPECT_EQ(AddressRewriter(3).rewrite({exact.get(), kept}), kept >= ip_end);
    }
  }
}

Recording recording_of(const craft::Conversation& conversation) {
  Recording recording;
  for (const Packet& packet : craft::to_packets(conversation.frames())) {
    EXPECT_TRUE(recording.add(packet));
  }
  return recording;
}

TEST(Mixer, InterleavesCopiesWithinTheWindow) {
  craft::Conversation slow({.step_ns = 40'000'000'000});
  craft::Conversation quick;
  const std::vector<Recording> recordings{recording_of(slow.handshake().client("x").close()),
                                          recording_of(quick.handshake().client("y"))};
  const std::string path = testing::TempDir() + "/shrike_traffic_mix_test.pcap";
  const MixOptions options{.bytes = 100'000, .window_ns = 1'000'000'000, .begin_ns = 5};
  craft::PcapWriter writer(path, {});
  const MixReport report = write_mix(recordings, options, writer);
  ASSERT_TRUE(writer.finish());
  EXPECT_GE(writer.bytes(), options.bytes);
  EXPECT_LT(writer.bytes(), options.bytes + 1'000);
  EXPECT_GT(report.copies, 100U);
  craft::PcapWriter again(path + "2", {});
  EXPECT_EQ(write_mix(recordings, options, again).frames, report.frames);
  EXPECT_EQ(again.bytes(), writer.bytes());
  std::remove(path.c_str());
  std::remove((path + "2").c_str());
}

TEST(Recording, TakesOffOtherLinkHeaders) {
  const Frame inner = Frame().ipv4().udp().payload("x");
  for (const Frame& link : {Frame(), Frame().null_link(), Frame().linux_sll(), Frame().linux_sll2(),
                            Frame().ethernet()}) {
    const craft::TimedFrame frame = Frame(link).append(inner).at(1);
    Recording recording;
    EXPECT_TRUE(recording.add(craft::to_packets({&frame, 1}).front()));
    ASSERT_EQ(recording.size(), 1U);
    const auto kept = recording.frame(0).bytes;
    EXPECT_EQ(Buffer(kept.begin() + 14, kept.end()), inner.bytes());
    EXPECT_EQ(load_big16(kept.data() + 12), 0x0800);
  }
  const craft::TimedFrame arp = Frame().ethernet().arp().at(1);
  EXPECT_FALSE(Recording().add(craft::to_packets({&arp, 1}).front()));
  const craft::TimedFrame ppp = Frame().ppp().ipv4().at(1);
  EXPECT_FALSE(Recording().add(craft::to_packets({&ppp, 1}).front()));
}

}  // namespace
}  // namespace shrike::traffic_mix
