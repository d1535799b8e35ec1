#pragma once
#include <optional>
#include <string_view>

#include "memory.h"
#include "shrike/base/bytes.h"

/// Content codings of HTTP, taken off layer by layer (RFC 9110, section 8.4). As generous as
/// libhtp: a gzip stream that is none is tried as deflate and zlib, then passed on as it is; what
/// was decoded before a fault is kept; checksums do not matter.
namespace shrike::protocol {

enum class ContentCoding : uint8_t { none, gzip, deflate, zlib, brotli };

/// Where decoded bytes go. `take` returns false to end the decoding (too much came out).
struct DecodedSink {
  void* context = nullptr;
  bool (*take)(void* context, Bytes bytes) = nullptr;
};

/// A stack of decoders. Memory comes from the pool; about 60 KiB for each layer in use.
class ContentDecoder {
 public:
  explicit ContentDecoder(Pool& pool) noexcept : pool_(pool), layers_(pool) {}
  ~ContentDecoder() { clear(); }
  ContentDecoder(const ContentDecoder&) = delete;
  ContentDecoder& operator=(const ContentDecoder&) = delete;

  /// Adds the coding that was applied after those added before; it is taken off first.
  void add_layer(ContentCoding coding);
  [[nodiscard]] bool is_empty() const noexcept { return layers_.empty(); }
  /// Decodes what came; all that can be decoded of it is in the sink when this returns.
  void decode(Bytes bytes, const DecodedSink& sink);
  /// Nothing follows: gives out what is still held, and drops the layers.
  void finish(const DecodedSink& sink);
  void clear() noexcept;

 private:
  struct Layer;
  bool write(size_t layer, Bytes bytes, const DecodedSink& sink);
  bool run(size_t layer, Bytes bytes, const DecodedSink& sink);
  bool recover(size_t layer, Bytes bytes, const DecodedSink& sink);
  bool flush(size_t layer, const DecodedSink& sink);
  bool pass_on(size_t layer, Bytes bytes, const DecodedSink& sink);

  Pool& pool_;
  PoolVector<Layer*> layers_;  ///< [0] writes to the sink, the last one is written to
};

/// How many bytes a decoder may give out for bytes it took (Suricata: compression-bomb-limit).
struct CompressionBound {
  uint64_t bytes_max = 1 << 20;
  static constexpr uint64_t ratio_max = 2048;  ///< libhtp: DEFAULT_BOMB_RATIO
  [[nodiscard]] bool is_exceeded(uint64_t taken, uint64_t given) const noexcept {
    return given > bytes_max && given / ratio_max > taken;
  }
};

}  // namespace shrike::protocol
