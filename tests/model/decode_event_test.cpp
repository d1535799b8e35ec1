#include "shrike/model/decode_event.h"

#include <gtest/gtest.h>

namespace shrike {
namespace {

TEST(DecodeEvent, FindsEveryNameWithAndWithoutPrefix) {
  for (size_t i = 0; i < decode_events_count; ++i) {
    const auto event = static_cast<DecodeEvent>(i);
    const std::string name(to_text(event));
    EXPECT_EQ(find_decode_event(name), event) << name;
    EXPECT_EQ(find_decode_event("decoder." + name), event) << name;
  }
}

TEST(DecodeEvent, KnowsTheNamesOfRules) {
  EXPECT_EQ(find_decode_event("ipv4.trunc_pkt"), DecodeEvent::ipv4_truncated_packet);
  EXPECT_EQ(find_decode_event("ipv6.exthdr_useless_fh"), DecodeEvent::ipv6_useless_fragment_header);
  EXPECT_EQ(find_decode_event("udp.len_invalid"), DecodeEvent::udp_length_invalid);
  EXPECT_EQ(find_decode_event("too_many_layers"), DecodeEvent::too_many_layers);
  EXPECT_EQ(find_decode_event("ipv4.no_such_event"), std::nullopt);
  EXPECT_EQ(find_decode_event(""), std::nullopt);
  EXPECT_EQ(to_text(DecodeEvent::count_), "");
}

}  // namespace
}  // namespace shrike
