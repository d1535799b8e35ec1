#include "http_decompress.h"

#include <brotli/decode.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

namespace shrike::protocol {

namespace {

/// Output that one step may make before it is handed on: what libhtp's decoder buffers.
constexpr size_t step_bytes_max = 32 << 10;
/// How often another coding is tried.
constexpr int restarts_max = 3;

/// Both libraries free without a size: it is kept in front.
constexpr size_t size_header_bytes = 16;

void* take_sized(Pool& pool, size_t bytes) {
  auto* const block = static_cast<uint8_t*>(pool.take(bytes + size_header_bytes));
  std::memcpy(block, &bytes, sizeof bytes);
  return block + size_header_bytes;
}

void give_sized(Pool& pool, void* memory) noexcept {
  if (memory == nullptr) {
    return;
  }
  uint8_t* const block = static_cast<uint8_t*>(memory) - size_header_bytes;
  size_t bytes = 0;
  std::memcpy(&bytes, block, sizeof bytes);
  pool.give(block, bytes + size_header_bytes);
}

voidpf zlib_take(voidpf pool, uInt items, uInt bytes) {
  return take_sized(*static_cast<Pool*>(pool), size_t{items} * bytes);
}
void zlib_give(voidpf pool, voidpf memory) {
  give_sized(*static_cast<Pool*>(pool), memory);
}
void* brotli_take(void* pool, size_t bytes) {
  return take_sized(*static_cast<Pool*>(pool), bytes);
}
void brotli_give(void* pool, void* memory) {
  give_sized(*static_cast<Pool*>(pool), memory);
}

/// The header of a gzip member, byte by byte (RFC 1952, section 2.3). Only its form matters.
class GzipHeader {
 public:
  enum class Answer : uint8_t { more, done, wrong };
  /// @param bytes out: without what was taken.
  Answer take(Bytes& bytes) noexcept {
    while (!bytes.empty() && part_ != Part::done) {
      const uint8_t byte = bytes.front();
      bytes = bytes.subspan(1);
      if (!take_byte(byte)) {
        return Answer::wrong;
      }
    }
    return part_ == Part::done ? Answer::done : Answer::more;
  }

 private:
  enum class Part : uint8_t { fixed, extra_size, extra, name, comment, checksum, done };
  static constexpr uint8_t has_checksum = 2;
  static constexpr uint8_t has_extra = 4;
  static constexpr uint8_t has_name = 8;
  static constexpr uint8_t has_comment = 16;

  bool take_byte(uint8_t byte) noexcept {
    switch (part_) {
      case Part::fixed:
        return take_fixed(byte);
      case Part::extra_size:
        extra_bytes_ = static_cast<uint16_t>(extra_bytes_ | byte << (8 * at_));
        if (++at_ == 2) {
          go_to(extra_bytes_ > 0 ? Part::extra : Part::name);
        }
        return true;
      case Part::extra:
        if (++at_ == extra_bytes_) {
          go_to(Part::name);
        }
        return true;
      case Part::name:
        if (byte == 0) {
          go_to(Part::comment);
        }
        return true;
      case Part::comment:
        if (byte == 0) {
          go_to(Part::checksum);
        }
        return true;
      case Part::checksum:
        if (++at_ == 2) {
          go_to(Part::done);
        }
        return true;
      case Part::done:
        return true;
    }
    return true;
  }

  bool take_fixed(uint8_t byte) noexcept {
    constexpr uint8_t magic[] = {0x1f, 0x8b, 8};
    if (at_ < 3 && byte != magic[at_]) {
      return false;
    }
    if (at_ == 3) {
      flags_ = byte;
    }
    if (++at_ == 10) {
      go_to(Part::extra_size);
    }
    return true;
  }

  /// Goes to a part, or on to the next that is there.
  void go_to(Part part) noexcept {
    at_ = 0;
    if (part == Part::extra_size && (flags_ & has_extra) == 0) {
      part = Part::name;
    }
    if (part == Part::name && (flags_ & has_name) == 0) {
      part = Part::comment;
    }
    if (part == Part::comment && (flags_ & has_comment) == 0) {
      part = Part::checksum;
    }
    if (part == Part::checksum && (flags_ & has_checksum) == 0) {
      part = Part::done;
    }
    part_ = part;
  }

  Part part_ = Part::fixed;
  uint8_t flags_ = 0;
  uint16_t extra_bytes_ = 0;
  uint16_t at_ = 0;
};

}  // namespace

/// One decoder, and what it made that was not handed on yet.
struct ContentDecoder::Layer {
  enum class Step : uint8_t { went_on, ended, wrong };

  Layer(Pool& the_pool, ContentCoding first_coding)
      : pool(the_pool), made(the_pool), coding(first_coding) {
    start();
  }
  ~Layer() { stop(); }
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  void start() {
    made.clear();
    gzip_header = {};
    is_in_header = coding == ContentCoding::gzip;
    has_ended = false;
    if (coding == ContentCoding::brotli) {
      brotli = BrotliDecoderCreateInstance(brotli_take, brotli_give, &pool);
      return;
    }
    stream = {};
    stream.zalloc = zlib_take;
    stream.zfree = zlib_give;
    stream.opaque = &pool;
    has_stream =
        inflateInit2(&stream, coding == ContentCoding::zlib ? MAX_WBITS : -MAX_WBITS) == Z_OK;
  }
  void stop() noexcept {
    if (brotli != nullptr) {
      BrotliDecoderDestroyInstance(brotli);
      brotli = nullptr;
    }
    if (has_stream) {
      inflateEnd(&stream);
      has_stream = false;
    }
  }
  /// Another coding instead: gzip, deflate, zlib, and round again.
  bool restart() {
    if (restarts == restarts_max) {
      return false;
    }
    ++restarts;
    stop();
    switch (coding) {
      case ContentCoding::deflate:
        coding = ContentCoding::zlib;
        break;
      case ContentCoding::zlib:
        coding = ContentCoding::gzip;
        break;
      case ContentCoding::none:
      case ContentCoding::gzip:
      case ContentCoding::brotli:
        coding = ContentCoding::deflate;
        break;
    }
    start();
    return true;
  }

  /// Decodes from the front of `bytes` until they, or the room in `made`, are used up.
  Step decode(Bytes& bytes) {
    if (is_in_header) {
      switch (gzip_header.take(bytes)) {
        case GzipHeader::Answer::wrong:
          return Step::wrong;
        case GzipHeader::Answer::more:
          return Step::went_on;
        case GzipHeader::Answer::done:
          is_in_header = false;
          break;
      }
    }
    const size_t had = made.size();
    made.resize(step_bytes_max);
    size_t room = step_bytes_max - had;
    const Step step = coding == ContentCoding::brotli ? decode_brotli(bytes, had, room)
                                                      : decode_deflate(bytes, had, room);
    made.resize(step_bytes_max - room);
    return step;
  }

  Step decode_deflate(Bytes& bytes, size_t had, size_t& room) {
    stream.next_in = const_cast<Bytef*>(bytes.data());  // zlib's interface; it only reads
    stream.avail_in = static_cast<uInt>(std::min<size_t>(bytes.size(), 1u << 30));
    stream.next_out = made.data() + had;
    stream.avail_out = static_cast<uInt>(room);
    const int answer = has_stream ? inflate(&stream, Z_NO_FLUSH) : Z_MEM_ERROR;
    bytes = bytes.last(bytes.size() - static_cast<size_t>(stream.next_in - bytes.data()));
    room = stream.avail_out;
    if (answer == Z_STREAM_END) {
      return Step::ended;
    }
    return answer == Z_OK || answer == Z_BUF_ERROR ? Step::went_on : Step::wrong;
  }

  Step decode_brotli(Bytes& bytes, size_t had, size_t& room) {
    size_t in_left = bytes.size();
    const uint8_t* in = bytes.data();
    uint8_t* out = made.data() + had;
    const BrotliDecoderResult answer =
        brotli == nullptr
            ? BROTLI_DECODER_RESULT_ERROR
            : BrotliDecoderDecompressStream(brotli, &in_left, &in, &room, &out, nullptr);
    bytes = bytes.last(in_left);
    if (answer == BROTLI_DECODER_RESULT_ERROR) {
      return Step::wrong;
    }
    return answer == BROTLI_DECODER_RESULT_SUCCESS ? Step::ended : Step::went_on;
  }

  Pool& pool;
  PoolBytes made;
  ContentCoding coding;
  GzipHeader gzip_header;
  z_stream stream{};
  BrotliDecoderState* brotli = nullptr;
  int restarts = 0;
  bool has_stream = false;
  bool is_in_header = false;
  bool has_ended = false;   ///< the stream is over; what follows does not matter
  bool is_passing = false;  ///< no coding fits: bytes go on as they are
  bool is_broken = false;   ///< nothing more comes out
};

void ContentDecoder::add_layer(ContentCoding coding) {
  layers_.push_back(make_in<Layer>(pool_, pool_, coding));
}

void ContentDecoder::clear() noexcept {
  for (Layer* const layer : layers_) {
    destroy_in(pool_, layer);
  }
  layers_.clear();
}

/// To the next layer, or out.
bool ContentDecoder::pass_on(size_t layer, Bytes bytes, const DecodedSink& sink) {
  if (bytes.empty()) {
    return true;
  }
  return layer == 0 ? sink.take(sink.context, bytes) : write(layer - 1, bytes, sink);
}

bool ContentDecoder::flush(size_t layer, const DecodedSink& sink) {
  Layer& at = *layers_[layer];
  const bool went = pass_on(layer, at.made, sink);
  at.made.clear();
  at.is_broken = at.is_broken || !went;
  return went;
}

bool ContentDecoder::write(size_t layer, Bytes bytes, const DecodedSink& sink) {
  Layer& at = *layers_[layer];
  if (at.is_passing) {
    return pass_on(layer, bytes, sink);
  }
  return !at.is_broken && run(layer, bytes, sink);
}

bool ContentDecoder::run(size_t layer, Bytes bytes, const DecodedSink& sink) {
  Layer& at = *layers_[layer];
  while (!at.has_ended) {
    const Bytes before = bytes;
    switch (at.decode(bytes)) {
      case Layer::Step::went_on:
        break;
      case Layer::Step::ended:
        at.has_ended = true;
        break;
      case Layer::Step::wrong:
        return recover(layer, before, sink);
    }
    if (at.made.size() < step_bytes_max) {
      return true;  // the input is used up
    }
    if (!flush(layer, sink)) {
      return false;
    }
  }
  return true;
}

/// After a fault: what was decoded is kept; where nothing was, other codings are tried, and then
/// none.
bool ContentDecoder::recover(size_t layer, Bytes bytes, const DecodedSink& sink) {
  Layer& at = *layers_[layer];
  if (at.restarts == 0 && !at.made.empty()) {
    flush(layer, sink);
    at.is_broken = true;
    return false;
  }
  if (at.restart()) {
    return run(layer, bytes, sink);
  }
  for (size_t each = 0; each <= layer; ++each) {
    layers_[each]->is_passing = true;
    layers_[each]->made.clear();
  }
  return pass_on(layer, bytes, sink);
}

void ContentDecoder::decode(Bytes bytes, const DecodedSink& sink) {
  if (layers_.empty() || bytes.empty()) {
    return;
  }
  write(layers_.size() - 1, bytes, sink);
  for (size_t layer = layers_.size(); layer-- > 0;) {
    flush(layer, sink);
  }
}

void ContentDecoder::finish(const DecodedSink& sink) {
  for (size_t layer = layers_.size(); layer-- > 0;) {
    flush(layer, sink);
  }
  clear();
}

}  // namespace shrike::protocol
