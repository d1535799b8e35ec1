// Fragments that overlap in every way, under every policy and little memory. Input: one byte for
// the policy, then fragments of four bytes: version, last, id and start of the data; its length in
// bytes; its letter. What is rebuilt must hold nothing but bytes that were sent, or zeros.
#include <algorithm>
#include <vector>

#include "shrike/base/check.h"
#include "shrike/decode.h"

using namespace shrike;

static std::vector<uint8_t> fragment(Bytes head) {
  const bool is_ipv4 = (head[0] & 0x80) != 0;
  const uint8_t more = (head[0] & 0x40) == 0 ? 1 : 0;
  const uint8_t id = head[0] & 3;
  const auto offset = static_cast<uint16_t>(head[1] * 8);
  const size_t header_bytes = is_ipv4 ? 20 : 48;
  std::vector<uint8_t> frame(header_bytes + head[2], head[3]);
  std::fill_n(frame.begin(), header_bytes, uint8_t{0});
  if (is_ipv4) {
    const auto field = static_cast<uint16_t>(offset / 8 | more << 13);
    frame[0] = 0x45, frame[3] = static_cast<uint8_t>(frame.size()), frame[2] = frame.size() >> 8;
    frame[5] = id, frame[6] = field >> 8, frame[7] = field & 0xff, frame[9] = 253;
  } else {
    const auto field = static_cast<uint16_t>(offset | more);
    const size_t payload_bytes = frame.size() - 40;
    frame[0] = 0x60, frame[4] = payload_bytes >> 8, frame[5] = payload_bytes & 0xff, frame[6] = 44;
    frame[40] = 253, frame[42] = field >> 8, frame[43] = field & 0xff, frame[47] = id;
  }
  return frame;
}

/// One decoder a policy, kept between inputs: building one takes more than an input does.
static decode::Decoder& decoder_of(uint8_t choice) {
  static std::vector<decode::Decoder> decoders;
  while (decoders.size() < 15) {
    decode::DecoderOptions options{
        .defrag_trackers_max = 3, .defrag_fragments_max = 40, .defrag_bytes_max = 48 * 512};
    const auto policy = static_cast<decode::TargetPolicy>(decoders.size());
    options.target_policies = {{.range = {.version = 4}, .policy = policy},
                               {.range = {.version = 6}, .policy = policy}};
    decoders.emplace_back(options);
  }
  decode::Decoder& decoder = decoders[choice % decoders.size()];
  decoder.reset();
  return decoder;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static DatagramBatch batch;
  ByteReader reader(Bytes{data, size});
  decode::Decoder& decoder = decoder_of(reader.u8());
  bool sent[256] = {true};  // zeros fill what nobody sent
  while (reader.left() >= 4) {
    const std::vector<uint8_t> frame = fragment(reader.take(4));
    for (const uint8_t byte : frame) {
      sent[byte] = true;
    }
    Packet packet;
    packet.frame = frame;
    packet.link_type = LinkType::raw_ip;
    batch.clear();
    check(decoder.decode({&packet, 1}, batch) == 1, "a packet is taken");
    if (batch.size() == 2) {
      const Bytes rebuilt = batch.all()[0].ip_payload;
      check(std::all_of(rebuilt.begin(), rebuilt.end(), [&](uint8_t each) { return sent[each]; }),
            "only what was sent");
    }
    decoder.release();
  }
  return 0;
}
