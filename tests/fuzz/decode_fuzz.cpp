// Frames of any link type through the decoder. Input: one byte for the link type, then frames, each
// behind two bytes of length. Every byte that a datagram lends out is read.
#include <algorithm>
#include <cstdlib>

#include "shrike/base/check.h"
#include "shrike/decode.h"

using namespace shrike;

static unsigned sum_of(Bytes bytes) {
  unsigned sum = 0;
  for (const uint8_t byte : bytes) {
    sum += byte;
  }
  return sum;
}

static void look_at(const Datagram& datagram) {
  check(datagram.has_transport || datagram.payload.empty(), "payload needs a transport");
  check(datagram.ip_version != 0 || datagram.ip_header.empty(), "header needs a version");
  volatile unsigned sum = sum_of(datagram.ip_header) + sum_of(datagram.ip_payload) +
                          sum_of(datagram.transport_header) + sum_of(datagram.payload) +
                          sum_of(datagram.frame);
  static_cast<void>(sum);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static decode::Decoder decoder({});
  static DatagramBatch batch;
  ByteReader reader(Bytes{data, size});
  Packet packet;
  packet.link_type = static_cast<LinkType>(reader.u8() % 9);
  decoder.reset();
  while (reader.left() > 2) {
    const size_t length = reader.big16();
    packet.frame = reader.take(std::min(length, reader.left()));
    packet.time_ns += 1'000'000'000;
    batch.clear();
    check(decoder.decode({&packet, 1}, batch) == 1, "a packet is taken");
    std::for_each(batch.all().begin(), batch.all().end(), look_at);
    decoder.release();
  }
  return 0;
}
