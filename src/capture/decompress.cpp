#include "decompress.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <climits>

#include "shrike/base/check.h"

namespace shrike::capture {

namespace {

/// What gzip and zstd share: a window on compressed bytes, and saying what is wrong with them.
class Decompressor : public ByteInput {
 public:
  explicit Decompressor(ByteWindow compressed) : compressed_(std::move(compressed)) {}
  [[nodiscard]] std::string fault() const override { return fault_; }

 protected:
  Result fail(std::string_view format, std::string_view what) {
    fault_ = fmt::format("{} data are broken at byte {} of the compressed file: {}", format,
                         compressed_.offset(), what);
    return {.status = ReadStatus::fault};
  }
  /// Why there is no compressed byte. @param is_inside a member or frame has begun.
  Result stop(std::string_view format, ReadStatus status, bool is_inside) {
    if (status == ReadStatus::fault) {
      fault_ = compressed_.fault();
    } else if (status == ReadStatus::end && is_inside) {
      return fail(format, "they end too early");
    }
    return {.status = status};
  }

  [[nodiscard]] ByteWindow& compressed() noexcept { return compressed_; }

 private:
  ByteWindow compressed_;
  std::string fault_;
};

class GzipInput final : public Decompressor {
 public:
  explicit GzipInput(ByteWindow compressed) : Decompressor(std::move(compressed)) {
    constexpr int gzip_only_largest_window = 16 + 15;
    check(inflateInit2(&stream_, gzip_only_largest_window) == Z_OK, "zlib starts");
  }
  ~GzipInput() override { inflateEnd(&stream_); }
  GzipInput(const GzipInput&) = delete;
  GzipInput& operator=(const GzipInput&) = delete;

  Result read(std::span<uint8_t> room) noexcept override {
    stream_.next_out = room.data();
    stream_.avail_out = static_cast<uInt>(std::min<size_t>(room.size(), UINT_MAX));
    while (stream_.next_out == room.data()) {
      const ReadStatus status = compressed().need(1);
      if (status != ReadStatus::ok) {
        return stop("gzip", status, is_inside_);
      }
      const int outcome = step();
      if (outcome == Z_STREAM_END) {
        is_inside_ = false;
        inflateReset(&stream_);
      } else if (outcome != Z_OK && outcome != Z_BUF_ERROR) {
        return fail("gzip", stream_.msg != nullptr ? stream_.msg : "no reason is known");
      }
    }
    return {.bytes = static_cast<size_t>(stream_.next_out - room.data())};
  }

 private:
  int step() {
    const auto offered = static_cast<uInt>(std::min<size_t>(compressed().left(), UINT_MAX));
    stream_.next_in = const_cast<Bytef*>(compressed().data());  // zlib's C interface; it only reads
    stream_.avail_in = offered;
    is_inside_ = true;
    const int outcome = inflate(&stream_, Z_NO_FLUSH);
    compressed().skip(offered - stream_.avail_in);
    return outcome;
  }

  z_stream stream_{};
  bool is_inside_ = false;
};

class ZstdInput final : public Decompressor {
 public:
  explicit ZstdInput(ByteWindow compressed)
      : Decompressor(std::move(compressed)), stream_(ZSTD_createDStream()) {
    check(stream_ != nullptr, "zstd starts");
  }
  ~ZstdInput() override { ZSTD_freeDStream(stream_); }
  ZstdInput(const ZstdInput&) = delete;
  ZstdInput& operator=(const ZstdInput&) = delete;

  Result read(std::span<uint8_t> room) noexcept override {
    ZSTD_outBuffer out{room.data(), room.size(), 0};
    while (out.pos == 0) {
      // Output that did not fit last time may come without any further input.
      const ReadStatus status = has_more_output_ ? ReadStatus::ok : compressed().need(1);
      if (status != ReadStatus::ok) {
        return stop("zstd", status, is_inside_);
      }
      ZSTD_inBuffer in{compressed().data(), compressed().left(), 0};
      const size_t outcome = ZSTD_decompressStream(stream_, &out, &in);
      compressed().skip(in.pos);
      if (ZSTD_isError(outcome) != 0) {
        return fail("zstd", ZSTD_getErrorName(outcome));
      }
      is_inside_ = outcome != 0;
      has_more_output_ = is_inside_ && out.pos == out.size;
    }
    return {.bytes = out.pos};
  }

 private:
  ZSTD_DStream* stream_;
  bool is_inside_ = false;
  bool has_more_output_ = false;
};

}  // namespace

Compression tell_compression(Bytes first) noexcept {
  if (first.size() < compression_magic_bytes) {
    return Compression::none;
  }
  const uint32_t magic = load_little32(first.data());
  if ((magic & 0xffff) == 0x8b1f) {
    return Compression::gzip;
  }
  const bool is_zstd = magic == 0xfd2fb528 || (magic & 0xfffffff0) == 0x184d2a50;
  return is_zstd ? Compression::zstd : Compression::none;
}

std::unique_ptr<ByteInput> decompress(Compression compression, ByteWindow compressed) {
  if (compression == Compression::gzip) {
    return std::make_unique<GzipInput>(std::move(compressed));
  }
  return std::make_unique<ZstdInput>(std::move(compressed));
}

}  // namespace shrike::capture
